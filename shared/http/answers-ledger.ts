// What the calls about the ledger, groups and their baselines answer.
import * as z from "zod/mini";
import { instant, text } from "./answer-fields.ts";

const guard = z.enum(["none", "observe", "enforce"]);

/** A rule in words. */
export const ruleView = () =>
  z.object({
    direction: z.enum(["ingress", "egress"]),
    protocol: text,
    ports: text,
    peer: text.check(z.describe("A block, or the id of a group or prefix list.")),
    policy: z.enum(["accept", "drop"]),
    priority: z.int(),
    sourcePorts: text,
    destination: z
      .nullable(text)
      .check(z.describe("The one own address it acts on; null for every member of the group.")),
  });

const hoursView = () =>
  z.object({
    zone: text,
    windows: z.array(z.object({ days: z.array(z.int()), from: text, to: text })),
  });

/** An entry of the ledger. */
export const entryView = () =>
  z.object({
    id: text,
    region: text,
    group: text,
    key: text.check(z.describe("What the rule says, in one line: two rules with the same key are the same.")),
    rule: ruleView(),
    provenance: z
      .enum(["baseline", "template", "adopted", "lease", "quarantine", "lockdown", "standby", "recycling"])
      .check(
        z.describe(
          "`lease`: leases alone ask for it; `standby`: a drop on a list that a lockdown fills; the other three of the last: a drop, or an accept that is closed for a time.",
        ),
      ),
    owner: text,
    backup: text,
    application: text,
    reason: text,
    ticket: text,
    allowedSources: z.array(text),
    openHours: z.nullable(hoursView()),
    by: z
      .nullable(text)
      .check(z.describe("Who gave the standing permission; null when leases alone ask for the rule.")),
    at: z.nullable(instant),
    owed: z
      .boolean()
      .check(z.describe("True until its rule has been read once: it is opened whatever the group's guard.")),
    standing: z.enum(["none", "ours", "preExisting"]).check(z.describe("What stood for it when a pass last looked.")),
    ruleId: z.nullable(text),
    leases: z.array(text).check(z.describe("Leases that hold the rule.")),
    drops: z.array(text).check(z.describe("Lockdowns and recycling items that hold the drop.")),
    suspendedBy: z.array(text).check(z.describe("Lockdowns and recycling items that have the rule closed for a time.")),
  });

/** A page of the ledger. */
export const ledgerPageView = () =>
  z.object({
    entries: z.array(entryView()),
    unreadable: z.array(text).check(z.describe("Rows that cannot be read.")),
    next: z.nullable(text),
  });

/** An entry with all that has become of it. */
export const entryStoryView = () =>
  z.object({
    id: text,
    group: text,
    entry: z.nullable(entryView()).check(z.describe("Null when nothing is left but its history.")),
    history: z
      .array(
        z.object({
          at: instant,
          kind: z.enum(["allocated", "changed", "retired", "closed"]),
          by: text,
          rule: ruleView(),
          changes: z.array(z.object({ field: text, before: z.nullable(text), after: z.nullable(text) })),
          leases: z.array(text),
        }),
      )
      .check(z.describe("Newest first.")),
  });

/** Hosts, ports and sources. */
export const reachView = () =>
  z.object({
    hosts: z.array(z.object({ instanceId: z.nullable(text), name: z.nullable(text), address: text })),
    protocol: text,
    ports: text,
    sources: z.array(text),
  });

/** What every decision answers. */
export const decisionFields = {
  dryRun: z.boolean(),
  plan: z.array(text).check(z.describe("The changes, in words.")),
  settled: z.boolean().check(z.describe("False when the group has not been looked at yet; the next minute does.")),
};

/** The answer to a change of the ledger. */
export const ledgerAnswerView = () =>
  z.object({
    message: text,
    entries: z.array(entryView()),
    reach: reachView(),
    notes: z.array(text),
    ...decisionFields,
  });

/** A security group. */
export const groupView = () =>
  z.object({
    region: text,
    groupId: text,
    name: text,
    type: z.enum(["normal", "enterprise"]),
    protectedBy: z.nullable(text).check(z.describe("Why the group takes no rule from safeport, or null when it does.")),
    guard: guard.check(z.describe("What policy or tag ask for.")),
    acts: guard.check(z.describe("What is done: `enforce` acts as `observe` until the baseline is confirmed.")),
    why: z.array(text).check(z.describe("Why the two differ, and what to do about it.")),
    baseline: z.nullable(z.object({ confirmedBy: text, at: instant, count: z.int() })),
  });

/** The security groups safeport sees. */
export const groupsView = () =>
  z.object({
    groups: z.array(groupView()),
    unreadable: z
      .array(text)
      .check(
        z.describe("Groups whose stored row cannot be read: leases in them end, none opens, nothing is compared."),
      ),
  });

/** The answer to a confirmed guard. */
export const guardAnswerView = () => z.extend(groupView(), decisionFields);

const lineView = () =>
  z.object({
    key: text,
    rule: ruleView(),
    description: text,
    stands: z.boolean(),
    ruleId: z.nullable(text).check(z.describe("Of the rule that stands; null for one that does not.")),
    sensitive: z
      .boolean()
      .check(
        z.describe(
          "True when everybody can reach a sensitive port by it or by several such rules together, or may: its key has to be confirmed.",
        ),
      ),
    blocks: z
      .nullable(z.array(text))
      .check(
        z.describe(
          "What the prefix list of a sensitive rule holds now; null where it names none, and where that is not known.",
        ),
      ),
    writer: z.nullable(text).check(z.describe("The cloud service that writes it.")),
  });

/** The diff of a baseline. */
export const baselineView = () =>
  z.object({
    region: text,
    group: text,
    digest: text.check(z.describe("Of exactly this diff; send it to confirm.")),
    added: z.array(lineView()).check(z.describe("Taken into the ledger.")),
    missing: z.array(lineView()).check(z.describe("In the ledger and standing no longer: retired.")),
    unchanged: z.array(lineView()),
    ours: z.array(lineView()).check(z.describe("Of leases: left out.")),
    foreign: z.array(lineView()).check(z.describe("Of known foreign writers: left out, and left alone.")),
    ungranted: z.array(lineView()).check(z.describe("Standing and not in the template: drift from then on.")),
    sensitive: z.array(text).check(z.describe("Keys that have to be confirmed one by one.")),
    plan: z.array(text),
    notes: z.array(text),
  });

/** The answer to a confirmed baseline. */
export const baselineAnswerView = () => z.extend(baselineView(), { ...decisionFields, message: text });
