// Whether a rule is used: the evidence of every port of every host that it covers, and what keeps it out of recycling whatever the
// evidence says. Pure.
//
// Unknown is never idle. Whatever cannot be told counts for the rule: a peer that may match it, a port that nobody can name.
import { containsCidr, overlaps, parseObservedCidr } from "../domain/cidr.ts";
import {
  DAY_MS,
  type Day,
  dayOf,
  type MemberEvidence,
  type Peer,
  type PortUse,
  portName,
  sizeOf,
  startOf,
} from "../domain/evidence.ts";
import { formatUtc } from "../domain/instant.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import type { ForeignWriter } from "../domain/policy.ts";
import { type EvidencePolicy, isMeant, occurrencesOf } from "../domain/recycling-policy.ts";
import type { Rule } from "../domain/rule.ts";
import { coverageOf, gapText, inWindow, type ShutTime, shutText } from "./known-time.ts";
import { coversPort, type Weight, weigherOf } from "./weigh-peer.ts";

/** A rule in its surroundings. */
export interface RuleInQuestion {
  readonly rule: Rule;
  readonly group: { readonly groupId: string; readonly name: string };
  /** True for a managed or load-balanced group, and for one that the policy denies. */
  readonly isProtected: boolean;
  /** When the rule was last changed, as far as is known; null: never since it was created. */
  readonly changedAt: number | null;
  /** The rule's row of the ledger; null when there is none. */
  readonly entry: Entry | null;
  readonly members: readonly MemberEvidence[];
  /** Addresses of members that reach each other without any rule; empty where the group's inner policy is drop. */
  readonly sameGroup: readonly string[];
  /** When we kept out what the rule lets in. */
  readonly shut: readonly ShutTime[];
}

/** What a rule is judged by. */
export interface UseTerms {
  readonly recycling: EvidencePolicy;
  readonly foreignWriters: readonly ForeignWriter[];
  readonly now: number;
}

/** Why a rule stays out of recycling. */
export type OutCode =
  | "notAnOpening"
  | "protected"
  | "held"
  | "neverClose"
  | "exempt"
  | "foreign"
  | "season"
  | "young"
  | "edited"
  | "balanced"
  | "sameGroup";

/** Why the verdict is what it is. */
export type UseCode =
  | OutCode
  | "session"
  | "told"
  | "anybody"
  | "noMembers"
  | "coverage"
  | "skipped"
  | "shut"
  | "unclear"
  | "ageUnknown"
  | "silence"
  | "scans"
  | "closed"
  | "probes"
  | "others"
  | "exemptionOver";

/** One reason, for people. */
export interface UseReason {
  readonly code: UseCode;
  readonly text: string;
}

/** A session that counts for the rule. */
export interface LastSession {
  readonly at: number;
  readonly member: string;
  readonly protocol: string;
  readonly port: number;
  /** An address or a block; null where the source knows no peers. */
  readonly peer: string | null;
}

/** What the evidence says of a rule. */
export interface UseVerdict {
  readonly use: "used" | "idle" | "unknown";
  /** Why it stays out of recycling whatever `use` says; empty when it does not. */
  readonly out: readonly OutCode[];
  readonly reasons: readonly UseReason[];
  /** The days that were looked at, the second not included. */
  readonly window: { readonly from: Day; readonly until: Day };
  /** Known part of the window for the host of which least is known, in percent. */
  readonly coverage: number;
  readonly lastSession: LastSession | null;
}

/** True for a rule that may enter the queue. */
export const isRecyclable = ({ use, out }: UseVerdict): boolean => use === "idle" && out.length === 0;

/**
 * The days that a verdict is about: the policy's window up to yesterday, and back to the beginning of the last whole season of each
 * kind that the rule is needed in.
 */
export function evidenceWindow(
  { rule, group }: Pick<RuleInQuestion, "rule" | "group">,
  { recycling, now }: UseTerms,
): { readonly from: Day; readonly until: Day } {
  const until = dayOf(now);
  const starts = [startOf(until) - recycling.windowDays * DAY_MS];
  for (const season of recycling.seasonal)
    if (isMeant(season, rule, group))
      for (const window of season.windows) {
        const last = occurrencesOf(window, now).findLast((occurrence) => occurrence.until <= startOf(until));
        if (last !== undefined) starts.push(last.from);
      }
  return { from: dayOf(Math.min(...starts)), until };
}

/** The verdict on a rule. Today counts where it shows use; silence is judged up to yesterday. */
export function judgeUse(question: RuleInQuestion, terms: UseTerms): UseVerdict {
  const window = evidenceWindow(question, terms);
  const members = membersOf(question);
  const found = lookAt(members, question, terms, window);
  const kept = keptOut(question, terms, window, found);
  const coverage = Math.min(100, ...members.map((member) => coverageOf(member, window, question.shut)));
  const doubts = doubtsOf(members, question, terms, window, found);
  const shared = { out: [...new Set(kept.flatMap(({ code }) => (code === "exemptionOver" ? [] : [code as OutCode])))] };
  const common = { ...shared, window, coverage: members.length === 0 ? 0 : coverage, lastSession: found.last };
  if (found.use.length > 0) return { ...common, use: "used", reasons: [...found.use, ...kept] };
  if (doubts.length > 0) return { ...common, use: "unknown", reasons: [...doubts, ...kept, ...found.besides] };
  const silence: UseReason = {
    code: "silence",
    text: `no session since ${window.from} that this rule let in, on ${hostsText(members.length)}, ${percent(coverage)} of the time known`,
  };
  return { ...common, use: "idle", reasons: [silence, ...kept, ...found.besides] };
}

/** A rule that is narrowed to one address acts on the host that has it. */
function membersOf({ rule, members }: RuleInQuestion): readonly MemberEvidence[] {
  const { dest } = rule;
  if (dest === null) return members;
  return members.filter(({ addresses }) =>
    addresses.some((text) => {
      const address = parseObservedCidr(text);
      return address !== null && overlaps(dest, address);
    }),
  );
}

interface Found {
  /** Why the rule is used; empty when no session counts for it. */
  readonly use: readonly UseReason[];
  readonly last: LastSession | null;
  /** Reasons for the reader: what was seen and does not count. */
  readonly besides: readonly UseReason[];
  /** Ports whose traffic could not be told apart within the window. */
  readonly unclear: readonly string[];
  readonly balanced: string | null;
  readonly sameGroup: string | null;
}

class Tally {
  readonly use: UseReason[] = [];
  readonly unclear: string[] = [];
  readonly seen = { probe: 0, others: 0, shaken: 0, closed: 0 };
  last: LastSession | null = null;
  balanced: string | null = null;
  sameGroup: string | null = null;

  session(session: LastSession): void {
    if (this.last === null || session.at > this.last.at) this.last = session;
  }
}

/** Looks through every port of every host that the rule covers, in the window and today. */
function lookAt(
  members: readonly MemberEvidence[],
  question: RuleInQuestion,
  terms: UseTerms,
  window: { readonly from: Day },
): Found {
  const tally = new Tally();
  const weigh = weigherOf(question, terms);
  for (const member of members)
    for (const day of member.days) {
      if (day.day < window.from) continue;
      for (const port of day.ports)
        if (coversPort(question.rule, port)) lookAtPort({ member, port, tally, weigh, terms });
    }
  const { seen, last, balanced, sameGroup, unclear, use } = tally;
  if (last !== null) use.push({ code: last.peer === null ? "told" : "session", text: sessionText(last) });
  const besides: UseReason[] = [];
  const add = (code: UseCode, count: number, text: string): void => {
    if (count > 0) besides.push({ code, text });
  };
  add("scans", seen.shaken, "handshakes without a session, as scanners leave them, were not counted");
  add("closed", seen.closed, "attempts were answered by a reset alone: nothing listens there");
  add("probes", seen.probe, "probes of the policy's own monitors were not counted");
  add(
    "others",
    seen.others,
    "sessions of peers that this rule does not cover were not counted: another rule let them in",
  );
  return { use, last, besides, unclear, balanced, sameGroup };
}

function lookAtPort(at: {
  readonly member: MemberEvidence;
  readonly port: PortUse;
  readonly tally: Tally;
  readonly weigh: (peer: Peer) => Weight;
  readonly terms: UseTerms;
}): void {
  const { member, port, tally, weigh, terms } = at;
  const where = { member: member.name, protocol: port.protocol, port: port.port };
  const place = `${portName(port)} on ${member.name}`;
  const { repeatHours } = terms.recycling.session;
  const keepsComing = port.shaken.list.filter(({ hours }) => sizeOf(hours) >= repeatHours);
  for (const peer of [...port.real.list, ...keepsComing]) {
    const weight = weigh(peer);
    if (weight === "counts") tally.session({ ...where, at: peer.lastAt, peer: peer.block });
    else if (weight === "balancer") tally.balanced ??= place;
    else if (weight === "sameGroup") tally.sameGroup ??= place;
    else tally.seen[weight] += 1;
  }
  if (port.real.more) tally.session({ ...where, at: lastOf(port.real.list), peer: null });
  if (port.unnamedAt !== null) tally.session({ ...where, at: port.unnamedAt, peer: null });
  if (port.balancedAt !== null) tally.balanced ??= place;
  if (port.unclearAt !== null) tally.unclear.push(place);
  if (port.shaken.list.length > keepsComing.length) tally.seen.shaken += 1;
  if (port.closedAt !== null) tally.seen.closed += 1;
}

const lastOf = (peers: readonly Peer[]): number => Math.max(0, ...peers.map(({ lastAt }) => lastAt));

/** Why the rule stays out, in the order in which people ask. */
function keptOut(
  question: RuleInQuestion,
  { recycling, foreignWriters, now }: UseTerms,
  window: { readonly from: Day },
  found: Found,
): UseReason[] {
  const { rule, group, entry, changedAt } = question;
  const reasons: UseReason[] = [];
  const add = (code: UseCode, text: string): void => void reasons.push({ code, text });
  if (rule.direction !== "ingress" || rule.policy !== "accept")
    add("notAnOpening", "only rules that let traffic in are recycled");
  if (question.isProtected) add("protected", `${group.name} is managed, load-balanced or denied by policy`);
  if (entry?.holders.some(({ ended }) => ended === null)) add("held", "a lease or another grant with an end holds it");
  for (const it of recycling.neverClose) if (isMeant(it, rule, group)) add("neverClose", `never closed: ${it.reason}`);
  for (const it of recycling.exempt) {
    if (!isMeant(it, rule, group)) continue;
    const what = `exempt until ${formatUtc(it.until)} for ${it.owner}: ${it.reason}`;
    if (now < it.until) add("exempt", what);
    else add("exemptionOver", `was ${what}`);
  }
  const writer = foreignWriters.find((it) => isOfWriter(rule, it));
  if (writer) add("foreign", `written by ${writer.name}, a service that manages its own rules`);
  for (const season of recycling.seasonal)
    if (isMeant(season, rule, group))
      for (const it of season.windows)
        if (occurrencesOf(it, now).some(({ from, until }) => from <= now && now < until))
          add("season", `needed from ${it.from} to ${it.to} (${season.owner}: ${season.reason})`);
  const since = startOf(window.from);
  if (rule.createdAt !== null && rule.createdAt > since) add("young", `created at ${formatUtc(rule.createdAt)}`);
  if (changedAt !== null && changedAt > since) add("edited", `changed at ${formatUtc(changedAt)}`);
  if (found.balanced !== null) add("balanced", `a load balancer reaches ${found.balanced}; no rule stops it`);
  if (found.sameGroup !== null) add("sameGroup", `members of the group use ${found.sameGroup}; no rule stops them`);
  return reasons;
}

/** By source or owner, and here also where its source is wide: what may be a service's own is left to it. */
function isOfWriter({ peer }: Rule, writer: ForeignWriter): boolean {
  if (peer.kind === "cidr") return writer.sources.some((block) => containsCidr(block, peer.cidr));
  return peer.kind === "group" && peer.owner !== undefined && writer.ownerAccounts.includes(peer.owner);
}

/** Why silence would prove nothing. */
function doubtsOf(
  members: readonly MemberEvidence[],
  { rule, shut }: RuleInQuestion,
  { recycling }: UseTerms,
  window: { readonly from: Day; readonly until: Day },
  found: Found,
): UseReason[] {
  const doubts: UseReason[] = [];
  const add = (code: UseCode, text: string): void => void doubts.push({ code, text });
  if (members.length === 0) add("noMembers", "no host is known that it acts on");
  if (rule.createdAt === null) add("ageUnknown", "the cloud does not say when it was created");
  for (const member of members) {
    const told = coverageOf(member, window);
    const coverage = coverageOf(member, window, shut);
    if (told < recycling.coverageMin) add("coverage", gapText(member, told, recycling.coverageMin, window));
    else if (coverage < recycling.coverageMin) add("shut", shutText(member, coverage, shut));
    const skipped = inWindow(member, window).reduce((sum, day) => sum + sizeOf(day.skipped), 0);
    if (skipped > recycling.skippedMax) add("skipped", `the log lost records of ${member.name} in ${skipped} windows`);
  }
  if (found.unclear.length > 0)
    add("unclear", `traffic to ${[...new Set(found.unclear)].join(", ")} cannot be told from scans`);
  return doubts;
}

const sessionText = ({ at, member, protocol, port, peer }: LastSession): string =>
  `${portName({ protocol, port })} on ${member} was last used at ${formatUtc(at)}${peer === null ? "" : ` by ${peer}`}`;

const hostsText = (count: number): string => (count === 1 ? "1 host" : `${count} hosts`);
const percent = (value: number): string => `${Math.floor(value * 10) / 10} %`;
