// Builders of what drift is judged by: who called what, the terms, a watch, and items that are stored.
import { defaultPolicy } from "../../shared/config/policy-schema.ts";
import type { Allocation } from "../../shared/domain/allocation.ts";
import type { DriftItem } from "../../shared/domain/drift-item.ts";
import type { GroupId, LeaseId, RuleId } from "../../shared/domain/ids.ts";
import type { Entry } from "../../shared/domain/ledger-entry.ts";
import type { DriftPolicy } from "../../shared/domain/policy.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import type { Actor, Sighting } from "../../shared/domain/sighting.ts";
import type { JudgeTerms } from "../../shared/plan/judge-drift.ts";
import type { Watch } from "../../shared/plan/picture.ts";
import { anEntry, GROUP, HOUR, NOW } from "./plan-pictures.ts";
import { aCidr, aSpec } from "./rules.ts";

/** How long a rule of an unknown writer waits, in these pictures. */
export const WAIT_MS = 15 * 60_000;

/** A RAM user, bob unless said otherwise. */
export const anActor = (changes: Partial<Actor> = {}): Actor => ({
  type: "ram-user",
  principalId: "2000000000000002",
  name: "bob",
  accountId: "100000000000",
  ...changes,
});

/** A session of the role that Terraform runs as. */
export const terraform: Actor = anActor({
  type: "assumed-role",
  principalId: "3000000000000003:run-7",
  name: "terraform:run-7",
});

/** A call of bob's a minute ago that wrote the spec, confirmed by the trail, unless said otherwise. */
export function aSighting(changes: Partial<Sighting> & { readonly specs?: readonly RuleSpec[] } = {}): Sighting {
  const { specs = [aSpec()], ...rest } = changes;
  return {
    eventId: "event-1",
    region: GROUP.region,
    groupId: "sg-web" as GroupId,
    kind: "authorize",
    operation: "AuthorizeSecurityGroup",
    at: NOW - 60_000,
    receivedAt: NOW - 1000,
    actor: anActor(),
    address: "198.51.100.9",
    userAgent: "console",
    requestId: "request-1",
    token: null,
    failed: null,
    rules: specs.map((spec) => ({ spec, description: "" })),
    ruleIds: [],
    confirmed: true,
    settled: false,
    ...rest,
  };
}

/** Differences wait a quarter of an hour; three reverts in ten minutes make a hold. */
export const aDriftPolicy = (changes: Partial<DriftPolicy> = {}): DriftPolicy => ({
  ...defaultPolicy(GROUP.region).drift,
  unknownWriterWaitMs: WAIT_MS,
  revertsMax: 3,
  revertsWithinMs: 600_000,
  percentPerPass: 20,
  freeze: null,
  foreignWidthMax: { v4: 16, v6: 48 },
  ...changes,
});

/** Migration servers in 100.104.0.0/16 write rules, and Terraform is believed. */
export const someTerms = (changes: Partial<JudgeTerms> = {}): JudgeTerms => ({
  drift: aDriftPolicy(),
  foreignWriters: [{ name: "dts", sources: [aCidr("100.104.0.0/16")], ownerAccounts: ["1900000000000000"] }],
  trustedPrincipals: [{ principal: "terraform", treat: "adopt" }],
  ...changes,
});

/** An enforced group with a baseline of an hour ago, nothing seen and nothing kept. */
export const aWatch = (changes: Partial<Watch> = {}): Watch => ({
  acts: "enforce",
  terms: someTerms(),
  sensitivePorts: [22, 3306],
  aheadMs: 0,
  confirmedAt: NOW - HOUR,
  mayAdopt: true,
  sightings: [],
  items: [],
  reverts: [],
  holds: new Set(),
  frozenUntil: null,
  isHalfRead: false,
  changesMax: 50,
  hosts: null,
  core: [],
  operatorPath: [],
  interfaces: [],
  ...changes,
});

/** From the baseline, its rule read, without open hours, unless said otherwise. */
export const anAllocation = (changes: Partial<Allocation> = {}): Allocation => ({
  provenance: "baseline",
  owner: "ops",
  application: "shop",
  reason: "as it was",
  ticket: "T-1",
  allowedSources: [],
  openHours: null,
  description: "",
  by: "root",
  at: NOW - HOUR,
  seenAt: NOW - HOUR,
  ...changes,
});

/** An entry that is allocated and that nobody holds. */
export const anAllocated = (changes: Partial<Omit<Entry, "entryId" | "key">> = {}): Entry =>
  anEntry({ holders: [], allocation: anAllocation(), ...changes });

/** A rule nobody granted, as it was stored: reported two minutes ago. */
export const anItem = (changes: Partial<DriftItem> = {}): DriftItem => ({
  driftId: "dr-1",
  group: GROUP,
  kind: "added",
  key: ruleKey(aSpec()),
  entryId: null,
  ruleId: "sgr-1" as RuleId,
  found: { spec: aSpec(), description: "" },
  wanted: null,
  reach: "opens tcp 22",
  verdict: { kind: "drift", why: "nobody granted it; bob wrote it" },
  state: "reported",
  attribution: null,
  firstSeenAt: NOW - 120_000,
  changedAt: NOW - 120_000,
  heldBy: null,
  rev: 1,
  ...changes,
});

/** The id of a lease. */
export const leaseId = (name: string): LeaseId => `ls-${name}` as LeaseId;
