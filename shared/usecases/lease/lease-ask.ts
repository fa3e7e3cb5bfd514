// What a caller asks for, and the rules and the lease that follow from it.
import { type Cidr, widestPrefix } from "../../domain/cidr.ts";
import { coversPort, parseGrant } from "../../domain/grant.ts";
import type { EntryId, LeaseId } from "../../domain/ids.ts";
import type { LeaseGrant, LeaseRequest } from "../../domain/lease-record.ts";
import type { Policy } from "../../domain/policy.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { entryIdOf, ruleKey } from "../../domain/rule-key.ts";
import { fail } from "../../errors/app-error.ts";
import type { Caller } from "../app.ts";
import type { Target } from "./find-target.ts";

/** What a caller asks for, as text. */
export interface LeaseAsk {
  readonly protocol: string;
  readonly port: string | null;
  readonly sources: readonly string[];
  readonly group: string | null;
  readonly instance: string | null;
  readonly region: string | null;
  readonly periodMs: number;
  /** When it is to open; null for at once. */
  readonly startAt: number | null;
  /** What becomes of sessions that are established at the end; they are kept when left out. */
  readonly sessions?: "keep" | "cut";
  readonly reason: string;
  readonly ticket: string;
  /** True to open at once, without the second person it may need. */
  readonly breakGlass: boolean;
}

/** An ask whose target is found and whose rules are known. */
export interface Opening {
  readonly caller: Caller;
  readonly ask: LeaseAsk;
  readonly target: Target;
  readonly specs: readonly RuleSpec[];
  readonly grant: LeaseGrant;
  /** The lease whose place this one takes: it ends when that would have. */
  readonly follows: { readonly leaseId: LeaseId; readonly openedAt: number; readonly until: number } | null;
}

/** The rules asked for, without a host; throws what is wrong with the words or with the width of the sources. */
export function specsOf(ask: LeaseAsk, policy: Policy): readonly RuleSpec[] {
  return grantOf(ask, policy, null, ask.sources);
}

/** The rules asked for, narrowed to the target's host where it has one. Throws as `specsOf`. */
export function specsFor(ask: LeaseAsk, policy: Policy, target: Target): readonly RuleSpec[] {
  if (target.dests.length === 0) return specsOf(ask, policy);
  const specs = ask.sources.flatMap((source) => {
    const family = source.includes(":") ? 6 : 4;
    const dest = target.dests.find((it) => it.family === family) ?? target.dests[0] ?? null;
    return grantOf(ask, policy, dest, [source]);
  });
  return [...new Map(specs.map((spec) => [ruleKey(spec), spec])).values()];
}

function grantOf(ask: LeaseAsk, policy: Policy, dest: Cidr | null, sources: readonly string[]): readonly RuleSpec[] {
  const grant = parseGrant({
    protocol: ask.protocol,
    ...(ask.port === null ? {} : { port: ask.port }),
    sources,
    priority: policy.lease.priority,
    dest,
  });
  if (!grant.ok) throw fail(grant.problem.code, grant.problem.detail);
  const { sensitivePorts, sourceWidthMax } = policy.lease;
  const [first] = grant.specs;
  const port = sensitivePorts.find((it) => first && coversPort(first, it));
  const widest = widestPrefix(grant.specs.flatMap((spec) => (spec.peer.kind === "cidr" ? [spec.peer.cidr] : [])));
  for (const family of ["v4", "v6"] as const) {
    const width = widest[family];
    if (port !== undefined && width !== null && width < sourceWidthMax[family]) {
      throw fail("SOURCE_TOO_WIDE", { width, allowed: sourceWidthMax[family], port });
    }
  }
  return grant.specs;
}

/** The ledger rows of an opening, one per rule. */
export const entryIdsOf = ({ target, specs }: Pick<Opening, "target" | "specs">): readonly EntryId[] =>
  specs.map((spec) => entryIdOf(target.facts.ref.groupId, ruleKey(spec)));

/** The lease that is asked for. */
export function requestOf(opening: Opening, leaseId: LeaseId, now: number): LeaseRequest {
  const { caller, ask, target, specs, follows } = opening;
  return {
    leaseId,
    principal: caller.principal,
    group: target.facts.ref,
    groupName: target.facts.name,
    instanceId: target.instanceId,
    specs,
    entryIds: entryIdsOf(opening),
    periodMs: ask.periodMs,
    startAt: ask.startAt,
    sessions: ask.sessions ?? "keep",
    reason: ask.reason,
    ticket: ask.ticket,
    requestedAt: now,
    follows: follows && { leaseId: follows.leaseId, openedAt: follows.openedAt },
    grant: opening.grant,
  };
}

/** The end of a period from now. Marks and wake-ups know whole seconds. */
export const endAfter = (now: number, periodMs: number): number => Math.ceil((now + periodMs) / 1000) * 1000;

/** The end of a lease that opens now. One with a start ends a period after that, however late it is. */
export const endIfOpened = ({ startAt, periodMs }: Pick<LeaseRequest, "startAt" | "periodMs">, now: number): number =>
  endAfter(startAt ?? now, periodMs);
