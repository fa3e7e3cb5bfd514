// Quotas of the account, and the limit on calls per API, region and minute.

import { RpcError } from "../../protocol/rpc/rpc-error.ts";
import type { EcsSwitches } from "./switches.ts";

/** What the account may hold and how often it may call. */
export interface EcsLimits {
  /** Rules over all groups of one network interface. */
  readonly rulesPerEni: number;
  readonly rulesPerGroup: number;
  /** Rules with a group as their source, per basic group. */
  readonly groupRulesPerGroup: number;
  readonly groups: number;
  readonly groupsPerEni: number;
  /** Private addresses of a basic group's members, interfaces of an enterprise group's. */
  readonly membersPerGroup: { readonly normal: number; readonly enterprise: number };
  /** Lists per region, and entries per list. */
  readonly prefixLists: number;
  readonly prefixListEntries: number;
  readonly portRangeLists: number;
  readonly portRangeListEntries: number;
  /** Groups whose rules name one list. */
  readonly listAssociations: number;
  /** Calls of one API and region per minute of the clock, for all callers together; undefined: no limit. */
  readonly callsPerMinute?: number | Readonly<Record<string, number>>;
  /** Calls of all APIs of one region per minute together; undefined: no limit. */
  readonly callsPerMinuteInAll?: number;
  /** How long a ClientToken is remembered. */
  readonly clientTokenMs: number;
  /** Bytes of the longest URL that the gateway takes. */
  readonly urlBytes: number;
}

/** The published quotas; no limit on calls, because their numbers are not public. */
export const defaultLimits: EcsLimits = {
  rulesPerEni: 1_000,
  rulesPerGroup: 1_000,
  groupRulesPerGroup: 20,
  groups: 801,
  groupsPerEni: 10,
  membersPerGroup: { normal: 6_000, enterprise: 65_536 },
  prefixLists: 100,
  prefixListEntries: 200,
  portRangeLists: 1_000,
  portRangeListEntries: 2_000,
  listAssociations: 1_000,
  clientTokenMs: 86_400_000,
  urlBytes: 1_000_000,
};

const windowMs = 60_000;

/** The limit on calls of one API, when there is one. */
export const limitOf = ({ callsPerMinute }: EcsLimits, operation: string): number | undefined =>
  typeof callsPerMinute === "number" ? callsPerMinute : callsPerMinute?.[operation];

const messages = {
  "Throttling.User": "Request was denied due to user flow control.",
  Throttling: "Request was denied due to request throttling.",
} as const;

/** Counts calls; once a minute's limit is reached the API, or the account, stays blocked until the next minute. */
export class Throttle {
  readonly #counts = new Map<string, { window: number; calls: number }>();

  /** How many calls of the API this minute has seen. */
  callsOf(operation: string, regionId: string, now: number): number {
    const seen = this.#counts.get(`${operation} ${regionId}`);
    return seen?.window === Math.floor(now / windowMs) ? seen.calls : 0;
  }

  /** The refusal of this call, or undefined when it may go on. Counts the call. */
  check(
    call: { readonly operation: string; readonly regionId: string; readonly now: number },
    limits: EcsLimits,
    switches: Pick<EcsSwitches, "throttleAnswer">,
  ): { error: RpcError; headers: Record<string, string> } | undefined {
    const { operation, regionId, now } = call;
    const ofApi = this.#count(operation, regionId, now) > (limitOf(limits, operation) ?? Number.POSITIVE_INFINITY);
    const inAll = this.#count("", regionId, now) > (limits.callsPerMinuteInAll ?? Number.POSITIVE_INFINITY);
    if (!ofApi && !inAll) return undefined;
    const code = ofApi ? "Throttling.User" : "Throttling";
    const answer = switches.throttleAnswer;
    const error = new RpcError({ status: answer.status, code, message: messages[code] });
    const leftMs = (Math.floor(now / windowMs) + 1) * windowMs - now;
    return { error, headers: answer.retryAfterHeader ? { "x-acs-retry-after": String(leftMs) } : {} };
  }

  #count(operation: string, regionId: string, now: number): number {
    const calls = this.callsOf(operation, regionId, now) + 1;
    this.#counts.set(`${operation} ${regionId}`, { window: Math.floor(now / windowMs), calls });
    return calls;
  }
}
