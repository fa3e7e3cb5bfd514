// Builders of the recycling queue: name what the test is about, the rest is sensible.

import type { MemberEvidence } from "../../shared/domain/evidence.ts";
import type { GroupId, RuleId } from "../../shared/domain/ids.ts";
import type { Lockdown } from "../../shared/domain/lockdown.ts";
import {
  type EarlierPeers,
  type Judged,
  type Quarantine,
  type RecyclingItem,
  recyclingIdOf,
} from "../../shared/domain/recycling-item.ts";
import type { EvidencePolicy } from "../../shared/domain/recycling-policy.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { entryIdOf, ruleKey } from "../../shared/domain/rule-key.ts";
import { EarlierTally } from "../../shared/plan/watch-quarantine.ts";
import { aRule, aSpec, somePorts } from "./rules.ts";

const groupId = "sg-web" as GroupId;

/** The unused rule: tcp 7890 from 203.0.113.7. */
export const unusedRule = aRule({ ports: somePorts("7890/7890"), id: "sgr-unused" as RuleId, description: "old tool" });

const { id: ruleId, description, createdAt: _, ...spec } = unusedRule;

export function aJudgement(changes: Partial<Judged> = {}): Judged {
  return { at: 0, verdict: "idle", coverage: 1, lastUsedAt: null, reasons: ["no session in 45 days"], ...changes };
}

/** An item of `unusedRule`, just queued, unless said otherwise. */
export function anItem(changes: Partial<RecyclingItem> = {}): RecyclingItem {
  const key = ruleKey(aSpec(spec));
  const entryId = entryIdOf(groupId, key);
  return {
    itemId: recyclingIdOf(groupId, entryId),
    group: { region: "cn-hangzhou", groupId },
    groupName: "web",
    entryId,
    key,
    ruleId,
    kept: { spec, description },
    allocation: null,
    owner: "team-a",
    reach: "closes tcp 7890",
    state: "queued",
    since: 0,
    step: null,
    waiting: null,
    approvals: [],
    quarantine: null,
    exemption: null,
    judged: aJudgement(),
    history: [],
    moves: 1,
    rev: 0,
    ...changes,
  };
}

/** A quarantine whose drop stands since the first instant, and nobody who came before. */
export function aQuarantine(changes: Partial<Quarantine> = {}): Quarantine {
  const drop = { ...aSpec(spec), policy: "drop" as const };
  return {
    entryId: entryIdOf(groupId, ruleKey(drop)),
    drop,
    at: 0,
    earlier: { blocks: [], more: false },
    silentMs: 0,
    blind: [],
    ...changes,
  };
}

/** A lockdown of `web` with drops that is on since the first instant. */
export const aLockdown = (changes: Partial<Lockdown> = {}): Lockdown => ({
  lockdownId: "ld-0123456789ab-1",
  scope: { kind: "groups", groups: ["web"] },
  core: [],
  principal: "ann",
  reason: "incident",
  waivedBy: null,
  causes: [{ by: "ann", since: 0 }],
  startedAt: 0,
  until: Number.MAX_SAFE_INTEGER,
  state: "active",
  endedAt: null,
  endedBy: null,
  groups: [
    {
      group: { region: "cn-hangzhou", groupId },
      ...{ name: "web", way: "drops", drops: 3, suspends: 0, isClosed: true, left: [], hosts: [], cannotStop: [] },
    },
  ],
  steps: [],
  rev: 0,
  ...changes,
});

/** Who used a rule before an instant, of all that is known. */
export function earlierPeers(
  rule: RuleSpec,
  members: readonly MemberEvidence[],
  before: number,
  recycling: EvidencePolicy,
): EarlierPeers {
  const tally = new EarlierTally(rule, before, recycling);
  for (const { days } of members) for (const day of days) tally.day(day);
  return tally.peers();
}
