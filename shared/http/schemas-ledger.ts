// What the calls about the ledger, groups and their baselines accept and answer.
import * as z from "zod";
import { isTimeOfDay, isZone } from "../domain/open-hours.ts";
import { STANDING_PRIORITY } from "../usecases/ledger/confirm-baseline.ts";
import { cursorOf, instant, page, single, text } from "./fields.ts";

const words = (max: number) => z.string().max(max);
const owner = words(200).min(1).describe("Who answers for it.");
const reason = words(2000).min(1).describe("Why; kept in the ledger and the record.");
const guard = z.enum(["none", "observe", "enforce"]);

/** Weekly windows in a time zone. */
const openHours = z.strictObject({
  zone: words(64).refine(isZone, "is not an IANA time zone such as Asia/Shanghai"),
  windows: z
    .array(
      z.strictObject({
        days: z.array(z.int().min(1).max(7)).min(1).max(7).describe("Days it begins on; 1 is Monday, 7 is Sunday."),
        from: words(5).refine((it) => isTimeOfDay(it) && it !== "24:00", "is not a time such as 22:00"),
        to: words(5).refine(isTimeOfDay, "is not a time such as 06:00 or 24:00"),
      }),
    )
    .min(1)
    .max(50),
});

/** Body of `PUT /v1/ledger`. */
export const allocationBody = z.strictObject({
  group: words(128).min(1).describe("Group by id or name."),
  protocol: words(16).default("tcp").describe("tcp, udp, icmp, gre or all."),
  port: z
    .union([words(32), z.number()])
    .nullable()
    .default(null)
    .describe('22, or "8000-8010"; left out for icmp, gre and all.'),
  source: z
    .union([words(2000), z.array(words(64)).min(1).max(50)])
    .describe(
      "Addresses or CIDRs, as a list or separated by commas: one rule each. Of an egress rule its destinations.",
    ),
  policy: z.enum(["accept", "drop"]).default("accept"),
  direction: z.enum(["ingress", "egress"]).default("ingress"),
  priority: z.int().min(1).max(100).default(STANDING_PRIORITY).describe("1 is the strongest."),
  owner,
  backup: words(200).default("").describe("Who stands in for the owner, such as in approving leases on the port."),
  reason,
  application: words(200).default(""),
  ticket: words(200).default(""),
  allowedSources: z
    .array(words(64))
    .max(100)
    .default([])
    .describe("Blocks the source has to lie within; empty: the source alone."),
  openHours: openHours
    .nullable()
    .default(null)
    .describe(
      "When the rule stands; null: always. One that stands already is closed outside of them, in every guard, and kept in full.",
    ),
  sensitiveConfirmed: z
    .boolean()
    .default(false)
    .describe("An administrator's word that everybody may reach a sensitive port."),
});

/** Query of `GET /v1/ledger`. */
export const ledgerQuery = z.strictObject({
  ...page,
  group: single(128).optional().describe("Group by id or name."),
  cursor: cursorOf(/^sg-[A-Za-z0-9_-]{1,64}\.e-[0-9a-f]{16}$/),
});

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

/** Body of `PUT /v1/groups/{id}/guard`. */
export const guardBody = z.strictObject({
  confirm: z.enum(["none", "observe"]).describe("The most that tags have asked for so far is lowered to this."),
});

/** The answer to a confirmed guard. */
export const guardAnswerView = () => groupView().extend(decisionFields);

const template = z
  .string()
  .regex(/^[a-z0-9-]{1,32}$/, "is not the name of a template")
  .default("default");
const from = z
  .enum(["rules", "template"])
  .default("rules")
  .describe("The rules that stand, or a template of the policy.");

/** Query of `GET /v1/groups/{id}/baseline`. */
export const baselineQuery = z.strictObject({ from, template });

/** Body of `POST /v1/groups/{id}/baseline`. */
export const baselineBody = z.strictObject({
  digest: words(64).describe("Of the diff that was looked at."),
  from,
  template,
  owner,
  reason,
  sensitive: z
    .array(words(500))
    .max(1000)
    .default([])
    .describe("Keys of the rules by which everybody reaches a sensitive port, or may, confirmed one by one."),
});

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
