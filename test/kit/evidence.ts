// Builders of evidence: days of hosts and what their ports were used for, and a rule in its surroundings.
import { defaultPolicy } from "../../shared/config/policy-schema.ts";
import {
  type Day,
  dayAfter,
  dayOf,
  daysBetween,
  type MemberDay,
  type MemberEvidence,
  type Peer,
  type Peers,
  type PortUse,
  startOf,
  unknownDay,
  unusedPort,
  WINDOWS_PER_DAY,
  type Windows,
} from "../../shared/domain/evidence.ts";
import type { EvidencePolicy } from "../../shared/domain/recycling-policy.ts";
import type { Rule } from "../../shared/domain/rule.ts";
import type { RuleInQuestion, UseTerms } from "../../shared/plan/judge-use.ts";
import { NOW } from "./plan-pictures.ts";
import { aRule } from "./rules.ts";

/** Every window of a day. */
export const WHOLE_DAY: Windows = (1n << BigInt(WINDOWS_PER_DAY)) - 1n;
export const TODAY: Day = dayOf(NOW);
/** The day so many days before today. */
export const daysAgo = (days: number): Day => dayAfter(TODAY, -days);

/** One address, seen at 08:00 of the day. */
export const aPeer = (block: string, day: Day, changes: Partial<Peer> = {}): Peer => ({
  block,
  count: 1,
  hours: 1 << 8,
  lastAt: startOf(day) + 8 * 3_600_000,
  ...changes,
});

export const peers = (...list: readonly Peer[]): Peers => ({ list, more: false });

/** TCP 22, unused unless said otherwise. */
export const aPort = (changes: Partial<PortUse> = {}): PortUse => ({ ...unusedPort("tcp", 22), ...changes });

/** A day that is known whole, with nothing in it unless said otherwise. */
export const aDay = (day: Day, changes: Partial<MemberDay> = {}): MemberDay => ({
  ...unknownDay("eni-1", day),
  seen: WHOLE_DAY,
  sources: ["flowLog"],
  ...changes,
});

/** A host whose last 45 days are all known and quiet, but for the given days. */
export function aMember(special: readonly MemberDay[] = [], changes: Partial<MemberEvidence> = {}): MemberEvidence {
  const quiet = daysBetween(daysAgo(45), TODAY).filter((day) => !special.some((it) => it.day === day));
  return {
    eniId: "eni-1",
    name: "web-1",
    addresses: ["10.0.0.1"],
    days: [...quiet.map((day) => aDay(day)), ...special],
    ...changes,
  };
}

/** A day on which somebody had a session on TCP 22, unless said otherwise. */
export const usedBy = (block: string, day = daysAgo(3), port = 22): MemberDay =>
  aDay(day, { ports: [aPort({ port, real: peers(aPeer(block, day)) })] });

/** Longer ago than any window reaches. */
export const LONG_AGO = NOW - 400 * 86_400_000;
/** TCP 22 from 203.0.113.0/24, unless said otherwise. */
export const anOldRule = (changes: Partial<Rule> = {}): Rule => aRule({ createdAt: LONG_AGO, ...changes });

/** An old rule of a group with one quiet host. */
export const aQuestion = (changes: Partial<RuleInQuestion> = {}): RuleInQuestion => ({
  rule: anOldRule(),
  group: { groupId: "sg-web", name: "web" },
  isProtected: false,
  changedAt: null,
  entry: null,
  members: [aMember()],
  sameGroup: [],
  shut: [],
  ...changes,
});

/** The shipped policy without its never-close list, so that tests may speak of port 22. */
export const someUseTerms = (changes: Partial<EvidencePolicy> = {}): UseTerms => ({
  recycling: { ...defaultPolicy("cn-hangzhou").recycling, neverClose: [], ...changes },
  foreignWriters: [],
  now: NOW,
});
