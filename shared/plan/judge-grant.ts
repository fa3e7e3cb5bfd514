// Whether the policy grants what somebody asks for, by which of its rules, and how many second persons that takes. Pure.
import { type Cidr, containsCidr, mergeCidrs, overlaps, widestPrefix } from "../domain/cidr.ts";
import { type GrantPolicy, type GrantRule, personOf } from "../domain/grant-policy.ts";
import type { Role } from "../domain/permission.ts";
import type { Policy } from "../domain/policy.ts";
import { formatPortRange, type PortRange, portRangeContains, portRangesOverlap } from "../domain/port-range.ts";
import { isInScopes, type ScopedGroup } from "../domain/scope.ts";

/** What is asked for. */
export interface GrantAsk {
  readonly principal: string;
  readonly roles: readonly Role[];
  readonly group: ScopedGroup;
  readonly protocol: string;
  /** Null for protocols without ports. `all` reaches every port. */
  readonly ports: PortRange | null;
  readonly sources: readonly Cidr[];
  readonly periodMs: number;
  readonly ticket: string;
}

/** The answer, with the rule that decided; `why` explains it in sentences. */
export type GrantVerdict =
  | { readonly kind: "granted"; readonly rule: string; readonly approvals: number; readonly why: readonly string[] }
  /** `limit`: the rule grants such things, but not this much. */
  | {
      readonly kind: "refused";
      readonly rule: string | null;
      readonly limit: boolean;
      readonly why: readonly string[];
    };

type Terms = GrantPolicy & Pick<Policy, "lease">;

/** The name of the rule that stands in where the policy has none. */
const DEFAULT_RULE = "default";
const EVERY_PORT: PortRange = { from: 1, to: 65_535 };
const EVERYWHERE = 0;

/**
 * Judges an ask. In this order: what no policy can grant; the bounds of all leases; the first rule that matches, with its own bounds;
 * and the second persons that rule, ports and group ask for.
 */
export function judgeGrant(ask: GrantAsk, policy: Terms): GrantVerdict {
  const barred = barredBy(ask, policy);
  if (barred !== null) return { kind: "refused", rule: null, limit: true, why: [barred] };
  const { grants } = policy;
  const rule = grants.find((it) => matches(it, ask, policy)) ?? null;
  if (rule === null && grants.length > 0)
    return { kind: "refused", rule: null, limit: false, why: ["no rule of the policy grants it"] };
  if (rule?.effect === "deny")
    return { kind: "refused", rule: rule.name, limit: false, why: [`the rule ${rule.name} denies it`] };
  const exceeded = rule === null ? [] : boundsOf(rule, ask);
  if (rule !== null && exceeded.length > 0) return { kind: "refused", rule: rule.name, limit: true, why: exceeded };
  const name = rule?.name ?? DEFAULT_RULE;
  const needs = [
    ...(rule !== null && rule.approvals > 0 ? [{ count: rule.approvals, why: `the rule ${name}` }] : []),
    ...secondPersonFor(ask, policy),
  ];
  const approvals = Math.max(0, ...needs.map((need) => need.count));
  const persons = approvals === 1 ? "one other person has" : `${approvals} other persons have`;
  const second = approvals === 0 ? [] : [`${persons} to approve it: ${needs.map((need) => need.why).join("; ")}`];
  return { kind: "granted", rule: name, approvals, why: [`the rule ${name} grants it`, ...second] };
}

/** What holds whatever the rules say. */
function barredBy({ ports, protocol, sources, periodMs }: GrantAsk, { lease }: Terms): string | null {
  const reached = portsOf(protocol, ports);
  const sensitive = lease.sensitivePorts.find((port) => reached.some(({ from, to }) => from <= port && port <= to));
  const widest = widestPrefix(sources);
  if (sensitive !== undefined && (widest.v4 === EVERYWHERE || widest.v6 === EVERYWHERE))
    return `the sensitive port ${sensitive} is never opened to everybody`;
  for (const family of ["v4", "v6"] as const) {
    const [width, allowed] = [widest[family], lease.sourceWidthMax[family]];
    if (sensitive !== undefined && width !== null && width < allowed)
      return `the sensitive port ${sensitive} is opened to a /${allowed} at most, and these sources cover a /${width}`;
  }
  if (periodMs > lease.periodMaxMs) return `a lease has ${lease.periodMaxMs / 1000} seconds at most`;
  const count = reached.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  return count > lease.portsMax ? `${count} ports are asked for, and a lease has ${lease.portsMax} at most` : null;
}

function matches(rule: GrantRule, ask: GrantAsk, policy: Terms): boolean {
  const isWhole = rule.effect === "allow";
  return (
    isFor(rule, ask, policy) &&
    (rule.where === null || isInScopes([rule.where], ask.group)) &&
    matchesProtocol(rule, ask, isWhole) &&
    matchesPorts(rule.ports, portsOf(ask.protocol, ask.ports), isWhole) &&
    matchesSources(rule.sources, ask.sources, isWhole)
  );
}

/** True when persons and roles name the caller, or nobody. */
export function isFor(
  { persons, roles }: { readonly persons: readonly string[]; readonly roles: readonly Role[] },
  caller: { readonly principal: string; readonly roles: readonly Role[] },
  policy: Pick<GrantPolicy, "persons">,
): boolean {
  if (persons.length === 0 && roles.length === 0) return true;
  const person = personOf(policy, caller.principal);
  const isNamed = persons.some((name) => name === caller.principal || name === person);
  return isNamed || roles.some((role) => caller.roles.includes(role));
}

/** `all` lies within no rule that names protocols, and touches each of them. */
function matchesProtocol({ protocols }: GrantRule, { protocol }: GrantAsk, isWhole: boolean): boolean {
  if (protocols === null || protocols.includes(protocol) || protocols.includes("all")) return true;
  return !isWhole && protocol === "all";
}

function matchesPorts(allowed: GrantRule["ports"], asked: readonly PortRange[], isWhole: boolean): boolean {
  if (allowed === null) return true;
  if (!isWhole) return asked.some((range) => allowed.some((it) => portRangesOverlap(it, range)));
  const merged = mergeRanges(allowed);
  return asked.length > 0 && asked.every((range) => merged.some((it) => portRangeContains(it, range)));
}

function matchesSources(allowed: GrantRule["sources"], asked: readonly Cidr[], isWhole: boolean): boolean {
  if (allowed === null) return true;
  if (!isWhole) return asked.some((source) => allowed.some((it) => overlaps(it, source)));
  const merged = mergeCidrs(allowed);
  return asked.every((source) => merged.some((it) => containsCidr(it, source)));
}

function boundsOf(rule: GrantRule, ask: GrantAsk): readonly string[] {
  const why: string[] = [];
  const { name, periodMaxMs, portsMax, sourceWidthMax } = rule;
  if (periodMaxMs !== null && ask.periodMs > periodMaxMs)
    why.push(`the rule ${name} grants ${periodMaxMs / 1000} seconds at most`);
  if (rule.isTicketNeeded && ask.ticket.trim() === "") why.push(`the rule ${name} needs the number of a ticket`);
  const count = portsOf(ask.protocol, ask.ports).reduce((sum, { from, to }) => sum + to - from + 1, 0);
  if (portsMax !== null && count > portsMax) why.push(`the rule ${name} grants ${portsMax} ports at most`);
  const widest = widestPrefix(ask.sources);
  for (const family of ["v4", "v6"] as const) {
    const width = widest[family];
    if (sourceWidthMax !== null && width !== null && width < sourceWidthMax[family])
      why.push(`the rule ${name} grants sources of a /${sourceWidthMax[family]} at most, and these cover a /${width}`);
  }
  return why;
}

function secondPersonFor(ask: GrantAsk, { approval }: Terms): readonly { count: number; why: string }[] {
  const reached = portsOf(ask.protocol, ask.ports);
  const port = approval.ports.find((range) => reached.some((it) => portRangesOverlap(it, range)));
  const isGroup = isInScopes([approval.where], ask.group);
  return [
    ...(port ? [{ count: approval.count, why: `the port ${formatPortRange(port)} needs it` }] : []),
    ...(isGroup ? [{ count: approval.count, why: `the group ${ask.group.name || ask.group.groupId} needs it` }] : []),
  ];
}

/** The ports that are reached; none for icmp and gre. */
function portsOf(protocol: string, ports: PortRange | null): readonly PortRange[] {
  if (ports !== null) return [ports];
  return protocol === "all" ? [EVERY_PORT] : [];
}

function mergeRanges(ranges: readonly PortRange[]): readonly PortRange[] {
  const merged: PortRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && range.from <= last.to + 1)
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    else merged.push(range);
  }
  return merged;
}
