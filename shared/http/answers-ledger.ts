// What the calls about the ledger, groups and their baselines answer.
import * as z from "zod";
import { instant, text } from "./answer-fields.ts";

const guard = z.enum(["none", "observe", "enforce"]);

/** A rule in words. */
export const ruleView = () =>
  z.object({
    direction: z.enum(["ingress", "egress"]),
    protocol: text,
    ports: text,
    peer: text.describe("A block, or the id of a group or prefix list."),
    policy: z.enum(["accept", "drop"]),
    priority: z.int(),
    sourcePorts: text,
    destination: text.nullable().describe("The one own address it acts on; null for every member of the group."),
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
    key: text.describe("What the rule says, in one line: two rules with the same key are the same."),
    rule: ruleView(),
    provenance: z
      .enum(["baseline", "template", "adopted", "lease", "quarantine", "lockdown", "standby", "recycling"])
      .describe(
        "`lease`: leases alone ask for it; `standby`: a drop on a list that a lockdown fills; the other three of the last: a drop, or an accept that is closed for a time.",
      ),
    owner: text,
    backup: text,
    application: text,
    reason: text,
    ticket: text,
    allowedSources: z.array(text),
    openHours: hoursView().nullable(),
    by: text.nullable().describe("Who gave the standing permission; null when leases alone ask for the rule."),
    at: instant.nullable(),
    owed: z.boolean().describe("True until its rule has been read once: it is opened whatever the group's guard."),
    standing: z.enum(["none", "ours", "preExisting"]).describe("What stood for it when a pass last looked."),
    ruleId: text.nullable(),
    leases: z.array(text).describe("Leases that hold the rule."),
    drops: z.array(text).describe("Lockdowns and recycling items that hold the drop."),
    suspendedBy: z.array(text).describe("Lockdowns and recycling items that have the rule closed for a time."),
  });

/** A page of the ledger. */
export const ledgerPageView = () =>
  z.object({
    entries: z.array(entryView()),
    unreadable: z.array(text).describe("Rows that cannot be read."),
    next: text.nullable(),
  });

/** An entry with all that has become of it. */
export const entryStoryView = () =>
  z.object({
    id: text,
    group: text,
    entry: entryView().nullable().describe("Null when nothing is left but its history."),
    history: z
      .array(
        z.object({
          at: instant,
          kind: z.enum(["allocated", "changed", "retired", "closed"]),
          by: text,
          rule: ruleView(),
          changes: z.array(z.object({ field: text, before: text.nullable(), after: text.nullable() })),
          leases: z.array(text),
        }),
      )
      .describe("Newest first."),
  });

/** Hosts, ports and sources. */
export const reachView = () =>
  z.object({
    hosts: z.array(z.object({ instanceId: text.nullable(), name: text.nullable(), address: text })),
    protocol: text,
    ports: text,
    sources: z.array(text),
  });

/** What every decision answers. */
export const decisionFields = {
  dryRun: z.boolean(),
  plan: z.array(text).describe("The changes, in words."),
  settled: z.boolean().describe("False when the group has not been looked at yet; the next minute does."),
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
    protectedBy: text.nullable().describe("Why the group takes no rule from safeport, or null when it does."),
    guard: guard.describe("What policy or tag ask for."),
    acts: guard.describe("What is done: `enforce` acts as `observe` until the baseline is confirmed."),
    why: z.array(text).describe("Why the two differ, and what to do about it."),
    baseline: z.object({ confirmedBy: text, at: instant, count: z.int() }).nullable(),
  });

/** The security groups safeport sees. */
export const groupsView = () => z.object({ groups: z.array(groupView()) });

/** The answer to a confirmed guard. */
export const guardAnswerView = () => groupView().extend(decisionFields);

const lineView = () =>
  z.object({
    key: text,
    rule: ruleView(),
    description: text,
    stands: z.boolean(),
    ruleId: text.nullable().describe("Of the rule that stands; null for one that does not."),
    sensitive: z
      .boolean()
      .describe(
        "True when everybody can reach a sensitive port by it or by several such rules together, or may: its key has to be confirmed.",
      ),
    blocks: z
      .array(text)
      .nullable()
      .describe(
        "What the prefix list of a sensitive rule holds now; null where it names none, and where that is not known.",
      ),
    writer: text.nullable().describe("The cloud service that writes it."),
  });

/** The diff of a baseline. */
export const baselineView = () =>
  z.object({
    region: text,
    group: text,
    digest: text.describe("Of exactly this diff; send it to confirm."),
    added: z.array(lineView()).describe("Taken into the ledger."),
    missing: z.array(lineView()).describe("In the ledger and standing no longer: retired."),
    unchanged: z.array(lineView()),
    ours: z.array(lineView()).describe("Of leases: left out."),
    foreign: z.array(lineView()).describe("Of known foreign writers: left out, and left alone."),
    ungranted: z.array(lineView()).describe("Standing and not in the template: drift from then on."),
    sensitive: z.array(text).describe("Keys that have to be confirmed one by one."),
    plan: z.array(text),
    notes: z.array(text),
  });

/** The answer to a confirmed baseline. */
export const baselineAnswerView = () => baselineView().extend({ ...decisionFields, message: text });
