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
  /** How long a ClientToken is remembered. */
  readonly clientTokenMs: number;
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
};

const windowMs = 60_000;

/** Counts calls; once a minute's limit is reached the API stays blocked until the next minute. */
export class Throttle {
  readonly #counts = new Map<string, { window: number; calls: number }>();

  /** The refusal of this call, or undefined when it may go on. Counts the call. */
  check(
    call: { readonly operation: string; readonly regionId: string; readonly now: number },
    limits: EcsLimits,
    answer: EcsSwitches["throttleAnswer"],
  ): { error: RpcError; headers: Record<string, string> } | undefined {
    const { callsPerMinute } = limits;
    const limit = typeof callsPerMinute === "number" ? callsPerMinute : callsPerMinute?.[call.operation];
    if (limit === undefined) return undefined;
    const window = Math.floor(call.now / windowMs);
    const key = `${call.operation} ${call.regionId}`;
    const seen = this.#counts.get(key);
    const calls = seen?.window === window ? seen.calls + 1 : 1;
    this.#counts.set(key, { window, calls });
    if (calls <= limit) return undefined;
    const error = new RpcError({
      status: answer.status,
      code: "Throttling.User",
      message: "Request was denied due to user flow control.",
    });
    const leftMs = (window + 1) * windowMs - call.now;
    return { error, headers: answer.retryAfterHeader ? { "x-acs-retry-after": String(leftMs) } : {} };
  }
}
