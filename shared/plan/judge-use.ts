// Whether a rule is used: the evidence of every port of every host that it covers, and what keeps it out of recycling whatever the
// evidence says. Pure.
//
// Unknown is never idle. Whatever cannot be told counts for the rule: a peer that may match it, a port that nobody can name.
import { containsCidr, overlaps, parseObservedCidr } from "../domain/cidr.ts";
import {
  DAY_MS,
  type Day,
  dayOf,
  type MemberDay,
  type MemberEvidence,
  type Peer,
  type PortUse,
  portName,
  type StrayUse,
  sizeOf,
  startOf,
} from "../domain/evidence.ts";
import { formatUtc } from "../domain/instant.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import type { ForeignWriter } from "../domain/policy.ts";
import { type EvidencePolicy, isMeant, occurrencesOf } from "../domain/recycling-policy.ts";
import type { Rule } from "../domain/rule.ts";
import { coverageOf, gapText, inWindow, type ShutTime, shutText, tellingOf, unreadOf } from "./known-time.ts";
import { Doubts, listText, type OutCode, type UseCode, type UseReason } from "./use-reasons.ts";
import { coversPort, type Weight, weigherOf } from "./weigh-peer.ts";

/** A rule in its surroundings, without the evidence of its hosts. */
export interface RuleAsked {
  readonly rule: Rule;
  readonly group: { readonly groupId: string; readonly name: string };
  /** True for a managed or load-balanced group, and for one that the policy denies. */
  readonly isProtected: boolean;
  /** When the rule was last changed, as far as is known; null: never since it was created. */
  readonly changedAt: number | null;
  /** The rule's row of the ledger; null when there is none. */
  readonly entry: Entry | null;
  /** Addresses of members that reach each other without any rule; empty where the group's inner policy is drop. */
  readonly sameGroup: readonly string[];
  /** When we kept out what the rule lets in. */
  readonly shut: readonly ShutTime[];
  /** Of hosts that came and went before their groups were known; absent for none. */
  readonly strays?: readonly StrayUse[];
  /** Why its hosts are not all looked at; absent or null when they are. */
  readonly unread?: string | null;
}

export interface RuleInQuestion extends RuleAsked {
  readonly members: readonly MemberEvidence[];
}

/** Ports of hosts that are counted for a reason: one is enough for it. */
const UNCLEAR_MAX = 1000;

/** What a rule is judged by. */
export interface UseTerms {
  readonly recycling: EvidencePolicy;
  readonly foreignWriters: readonly ForeignWriter[];
  readonly now: number;
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
  { rule, group }: Pick<RuleAsked, "rule" | "group">,
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
export function judgeUse({ members, ...asked }: RuleInQuestion, terms: UseTerms): UseVerdict {
  const judge = new UseJudge(asked, terms);
  for (const member of members) {
    for (const day of member.days) judge.day(member, day);
    judge.host(member);
  }
  return judge.verdict();
}

/** A host without its days. */
export type Host = Omit<MemberEvidence, "days">;

/**
 * The verdict on a rule, of evidence that comes day by day, so that nobody holds all of it: each day of a host by `day`, and then the host
 * with its days by `host`, which asks for no ports any more.
 */
export class UseJudge {
  readonly window: { readonly from: Day; readonly until: Day };
  private readonly asked: RuleAsked;
  private readonly terms: UseTerms;
  private readonly weigh: (peer: Peer) => Weight;
  private readonly tally = new Tally();
  private readonly doubts = new Doubts();
  private hosts = 0;
  private coverage = 100;

  constructor(asked: RuleAsked, terms: UseTerms) {
    this.asked = asked;
    this.terms = terms;
    this.window = evidenceWindow(asked, terms);
    this.weigh = weigherOf(asked, terms);
  }

  /** What a host's ports were used for on a day. One outside the window says nothing, but today shows use. */
  day(member: Host, day: MemberDay): void {
    const { rule } = this.asked;
    if (day.day < this.window.from || !actsOn(rule, member)) return;
    for (const port of day.ports)
      if (coversPort(rule, port)) lookAtPort({ member, port, tally: this.tally, weigh: this.weigh, terms: this.terms });
  }

  /** How much is known of a host; the ports of its days are not looked at. */
  host(member: MemberEvidence): void {
    const { window, doubts } = this;
    const { rule, shut } = this.asked;
    const { coverageMin, skippedMax } = this.terms.recycling;
    if (!actsOn(rule, member)) return;
    const skipped = inWindow(member, window).reduce((sum, day) => sum + sizeOf(day.skipped), 0);
    if (skipped > skippedMax) doubts.add("skipped", `the log lost records of ${member.name} in ${skipped} windows`);
    // What it was used for counts. It need not be known of it that it was silent before it came, and after it went.
    if (member.left === true) return;
    this.hosts += 1;
    const telling = tellingOf(rule, member);
    const told = coverageOf(telling, window);
    const coverage = coverageOf(telling, window, shut);
    this.coverage = Math.min(this.coverage, coverage);
    if (told < coverageMin && coverageOf(member, window) >= coverageMin)
      doubts.add(
        "coverage",
        `the flow log tells nothing of IPv6, by which ${member.name} is reached: make it DualStack`,
      );
    else if (told < coverageMin) doubts.add("coverage", gapText(telling, told, coverageMin, window));
    else if (coverage < coverageMin) doubts.add("shut", shutText(member, coverage, shut));
    else {
      const unread = unreadOf(telling, window, coverageMin, shut);
      if (unread.length > 0)
        doubts.add("latest", `too little is known of ${member.name} on ${unread.join(" and ")}, the latest days`);
    }
  }

  verdict(): UseVerdict {
    const { asked, terms, window, hosts } = this;
    const found = foundOf(this.tally);
    const kept = keptOut(asked, terms, window, found);
    const coverage = this.coverage;
    const doubts = this.allDoubts(found);
    const shared = {
      out: [...new Set(kept.flatMap(({ code }) => (code === "exemptionOver" ? [] : [code as OutCode])))],
    };
    const common = { ...shared, window, coverage: hosts === 0 ? 0 : coverage, lastSession: found.last };
    if (found.use.length > 0) return { ...common, use: "used", reasons: [...found.use, ...kept] };
    if (doubts.length > 0) return { ...common, use: "unknown", reasons: [...doubts, ...kept, ...found.besides] };
    const silence: UseReason = {
      code: "silence",
      text: `no session since ${window.from} that this rule let in, on ${hostsText(hosts)}, ${percent(coverage)} of the time known`,
    };
    return { ...common, use: "idle", reasons: [silence, ...kept, ...found.besides] };
  }

  /** Why silence would prove nothing. */
  private allDoubts(found: Found): readonly UseReason[] {
    const { rule, strays = [], unread = null } = this.asked;
    const [before, after] = [new Doubts(), new Doubts()];
    if (unread !== null) before.add("hosts", unread);
    else if (this.hosts === 0) before.add("noMembers", "no host is known that it acts on");
    if (rule.createdAt === null) before.add("ageUnknown", "the cloud does not say when it was created");
    const ports = [...found.unclear];
    if (ports.length > 0) after.add("unclear", `traffic to ${listText(ports)} cannot be told from scans`);
    const since = startOf(this.window.from);
    for (const stray of strays)
      if (stray.at >= since && coversPort(rule, stray))
        after.add(
          "strays",
          `${portName(stray)} was used on ${stray.eniId}, which was gone before its groups were known`,
        );
    return [...before.reasons(), ...this.doubts.reasons(), ...after.reasons()];
  }
}

/**
 * A rule that is narrowed to one address acts on the host that has it. Hosts have more addresses than are known here, and the evidence does not
 * say which of them was used: one that is narrowed to a block may act on any.
 */
function actsOn({ dest }: Rule, { addresses }: Host): boolean {
  if (dest === null || dest.first !== dest.last) return true;
  return addresses.some((text) => {
    const address = parseObservedCidr(text);
    return address !== null && overlaps(dest, address);
  });
}

interface Found {
  /** Why the rule is used; empty when no session counts for it. */
  readonly use: readonly UseReason[];
  readonly last: LastSession | null;
  /** Reasons for the reader: what was seen and does not count. */
  readonly besides: readonly UseReason[];
  /** Ports whose traffic could not be told apart within the window. */
  readonly unclear: ReadonlySet<string>;
  readonly balanced: string | null;
  readonly sameGroup: string | null;
}

class Tally {
  readonly unclear = new Set<string>();
  readonly seen = { probe: 0, others: 0, shaken: 0, closed: 0 };
  last: LastSession | null = null;
  balanced: string | null = null;
  sameGroup: string | null = null;

  session(session: LastSession): void {
    if (this.last === null || session.at > this.last.at) this.last = session;
  }
}

/** What every port of every host that the rule covers has shown. */
function foundOf({ seen, last, balanced, sameGroup, unclear }: Tally): Found {
  const use: readonly UseReason[] =
    last === null ? [] : [{ code: last.peer === null ? "told" : "session", text: sessionText(last) }];
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
  readonly member: Host;
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
  if (port.unclearAt !== null && tally.unclear.size < UNCLEAR_MAX) tally.unclear.add(place);
  if (port.shaken.list.length > keepsComing.length) tally.seen.shaken += 1;
  if (port.closedAt !== null) tally.seen.closed += 1;
}

const lastOf = (peers: readonly Peer[]): number => Math.max(0, ...peers.map(({ lastAt }) => lastAt));

/** Why the rule stays out, in the order in which people ask. */
function keptOut(
  question: RuleAsked,
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
  return peer.kind === "group" && writer.ownerAccounts.some((account) => account === peer.owner);
}

const sessionText = ({ at, member, protocol, port, peer }: LastSession): string =>
  `${portName({ protocol, port })} on ${member} was last used at ${formatUtc(at)}${peer === null ? "" : ` by ${peer}`}`;

const hostsText = (count: number): string => (count === 1 ? "1 host" : `${count} hosts`);
const percent = (value: number): string => `${Math.floor(value * 10) / 10} %`;
