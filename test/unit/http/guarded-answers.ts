// What the use cases of groups, the ledger and drift answer, one of each with every field filled.
import type { DriftItem } from "../../../shared/domain/drift-item.ts";
import type { EntryId, GroupId, LeaseId, RuleId } from "../../../shared/domain/ids.ts";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import type { BaselineLine } from "../../../shared/plan/baseline-diff.ts";
import type { GroupFacts } from "../../../shared/ports/firewall.ts";
import type { DriftAnswer } from "../../../shared/usecases/drift/decide-drift.ts";
import type { DriftPage } from "../../../shared/usecases/drift/list-drift.ts";
import type { GroupView } from "../../../shared/usecases/group/list-groups.ts";
import type { LedgerAnswer } from "../../../shared/usecases/ledger/allocate-rule.ts";
import type { BaselineAnswer } from "../../../shared/usecases/ledger/confirm-baseline.ts";
import type { GuardAnswer } from "../../../shared/usecases/ledger/confirm-guard.ts";
import type { EntryStory, LedgerPage } from "../../../shared/usecases/ledger/list-ledger.ts";
import { aCidr, aSpec } from "../../kit/rules.ts";

const at = Date.UTC(2026, 10, 5, 8, 0, 0);
const ref = { region: "cn-hangzhou", groupId: "sg-web" as GroupId };
const spec = aSpec({ dest: aCidr("10.0.0.1/32") });
const key = ruleKey(spec);

const reach: LedgerAnswer["reach"] = {
  hosts: [{ instanceId: "i-1", name: "web-1", address: "127.10.0.11" }],
  protocol: "tcp",
  ports: "22",
  sources: ["203.0.113.7/32"],
};

export const groupView: GroupView = {
  region: "cn-hangzhou",
  groupId: "sg-web",
  name: "web",
  type: "normal",
  protectedBy: null,
  guard: "enforce",
  acts: "observe",
  why: ["the ledger is not the one that was confirmed"],
  baseline: { confirmedBy: "root", confirmedAt: at, count: 2 },
};

export const guardAnswer: GuardAnswer = { group: groupView, ref, plan: ["lower the guard by tag to none"] };

export const entry: Entry = {
  group: ref,
  entryId: "e-0123456789abcdef" as EntryId,
  key,
  spec,
  allocation: {
    provenance: "adopted",
    owner: "ann",
    application: "shop",
    reason: "SSH",
    ticket: "T-1",
    allowedSources: ["203.0.113.0/24"],
    openHours: { zone: "Asia/Shanghai", windows: [{ days: [1], from: "08:00", to: "18:00" }] },
    description: "ssh",
    by: "root",
    at,
    seenAt: null,
  },
  holders: [
    {
      kind: "lease",
      holderId: "ls-1" as LeaseId,
      principal: "bob",
      reason: "",
      until: at,
      openedAt: null,
      statedUntil: null,
      ended: null,
    },
  ],
  standing: { kind: "preExisting", ruleId: "sgr-1" as RuleId },
  createdAt: null,
  missingSince: null,
  suspension: null,
  undoneAt: [],
  rev: 3,
};

export const ledgerAnswer: LedgerAnswer = {
  group: ref,
  entries: [entry],
  reach,
  plan: [`allocate ${key}`],
  notes: ["a note"],
};

export const ledgerPage: LedgerPage = {
  entries: [entry, { ...entry, allocation: null }],
  unreadable: ["sg-web e-broken"],
  next: ["sg-web", entry.entryId],
};

export const story: EntryStory = {
  group: ref,
  entryId: entry.entryId,
  entry,
  history: [
    {
      group: ref,
      entryId: entry.entryId,
      at,
      kind: "changed",
      by: "root",
      spec,
      before: entry.allocation && { ...entry.allocation, owner: "eve", openHours: null },
      after: entry.allocation,
      leases: ["ls-1" as LeaseId],
      createdAt: null,
    },
  ],
};

const line: BaselineLine = {
  key,
  spec,
  description: "ssh",
  stands: true,
  ruleId: null,
  sensitive: true,
  blocks: ["198.51.100.0/24"],
  writer: "DTS",
};
const facts: GroupFacts = { ref, name: "web", vpcId: "vpc-1", type: "normal", serviceManaged: false, tags: {} };

export const baselineAnswer: BaselineAnswer = {
  facts,
  diff: {
    added: [line],
    missing: [line],
    unchanged: [line],
    ours: [line],
    foreign: [line],
    ungranted: [line],
    ledger: { count: 1, digest: "d1" },
    digest: "d2",
  },
  plan: [`allocate ${key}`],
  notes: ["a note"],
};

export const driftItem: DriftItem = {
  driftId: "dr-0123456789abcdef0123",
  group: ref,
  kind: "edited",
  key,
  entryId: entry.entryId,
  ruleId: "sgr-1" as RuleId,
  found: { spec, description: "found" },
  wanted: { spec, description: "wanted" },
  reach: "opens tcp 22 to 203.0.113.7 on 1 host",
  verdict: { kind: "drift", why: "nobody granted it" },
  state: "reported",
  attribution: {
    actor: "eve",
    actorType: "ram-user",
    address: "198.51.100.9",
    eventId: "ev-1",
    requestId: "rq-1",
    operation: "ModifySecurityGroupRule",
    at,
    confirmed: true,
  },
  firstSeenAt: at,
  changedAt: at,
  heldBy: "freeze",
  rev: 1,
};

export const driftPage: DriftPage = { items: [driftItem], unreadable: [], next: ["sg-web", driftItem.driftId] };

export const driftAnswer: DriftAnswer = { item: driftItem, group: ref, reach, plan: ["open it again"] };
