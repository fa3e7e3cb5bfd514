// What the calls about unused rules answer.
import * as z from "zod/mini";
import { instant, text } from "./answer-fields.ts";
import { reachView, ruleView } from "./answers-ledger.ts";

const STATES = ["queued", "noticed", "quarantined", "deleted", "restored", "exempt"] as const;
const waitingView = () => z.object({ for: z.enum(["approval", "person", "evidence", "policy"]), why: z.array(text) });

/** One unused rule and what has become of it. */
export const recyclingView = () =>
  z.object({
    id: text.check(z.describe("`rc-`, 16 hex digits, a dot and the group's id.")),
    region: text,
    group: text,
    groupName: text,
    key: text,
    ruleId: z.nullable(text).check(z.describe("The id under which the rule last stood.")),
    rule: ruleView().check(z.describe("The rule in full, kept for as long as records live.")),
    description: text,
    owner: text.check(z.describe("Who is told; empty where nobody is known.")),
    change: text.check(z.describe("What its removal closes.")),
    state: z.enum(STATES),
    since: instant,
    rev: z
      .int()
      .check(
        z.describe("Counts the changes of the item: `:approve` takes it, and refuses what is not as it was shown."),
      ),
    goingTo: z
      .nullable(z.enum(STATES))
      .check(z.describe("The state that was decided and the cloud does not show yet.")),
    waiting: z.nullable(waitingView()).check(z.describe("What it waits for; null where only time has to pass.")),
    approvals: z.array(
      z.object({
        step: z.enum(["quarantine", "delete"]),
        by: text,
        at: instant,
        saw: z.array(text).check(z.describe("Who had been refused by then: those who came later void it.")),
        waivedBy: z.nullable(text).check(z.describe("Who answers for the operator path that it cuts.")),
      }),
    ),
    quarantine: z.nullable(
      z.object({
        drop: ruleView(),
        at: z.nullable(instant),
        silentDays: z.number().check(z.describe("Days on which nobody was refused and the evidence was whole.")),
        strangers: z
          .array(text)
          .check(z.describe("Who was refused so far, came never before and does not look like a scanner.")),
        blind: z.array(text).check(z.describe("Paths that no drop stops: silence on them proves nothing.")),
      }),
    ),
    exemption: z.nullable(z.object({ owner: text, reason: text, by: text, until: instant })),
    evidence: z
      .nullable(
        z.object({
          at: instant,
          verdict: z.enum(["used", "idle", "unknown"]),
          coverage: z
            .number()
            .check(z.describe("Known part of the window, 0 to 1, of the host of which least is known.")),
          lastUsedAt: z.nullable(instant),
          reasons: z.array(text),
        }),
      )
      .check(z.describe("What the evidence said when it was last looked at.")),
    history: z.array(
      z.object({ from: z.nullable(z.enum(STATES)), to: z.enum(STATES), by: text, why: text, at: instant }),
    ),
  });

const peerView = () => z.object({ block: text, count: z.int(), lastAt: instant });

/** One item with its evidence. */
export const recyclingItemView = () =>
  z.extend(recyclingView(), {
    days: z
      .array(
        z.object({
          day: text,
          member: text,
          name: text,
          coverage: z.number(),
          sources: z.array(text),
          ports: z.array(
            z.object({
              protocol: text,
              port: z.int(),
              sessions: z.array(peerView()).check(z.describe("Peers with real sessions.")),
              handshakes: z
                .array(peerView())
                .check(z.describe("Peers whose handshakes were answered and who sent nothing.")),
              refused: z.array(peerView()),
              more: z.boolean().check(z.describe("True when there were more peers than are kept.")),
              unclear: z.boolean().check(z.describe("True when some traffic could not be told from scans.")),
            }),
          ),
        }),
      )
      .check(z.describe("Newest first. A day that is not there is not known.")),
  });

/** A page of the queue. */
export const recyclingPageView = () => z.object({ recycling: z.array(recyclingView()), next: z.nullable(text) });

/** The answer to a decision. */
export const recyclingAnswerView = () =>
  z.extend(recyclingView(), {
    message: text,
    reach: reachView(),
    notes: z
      .array(text)
      .check(z.describe("What has changed in the group meanwhile, and which paths a drop does not stop.")),
    dryRun: z.boolean(),
    plan: z.array(text).check(z.describe("The changes, in words.")),
    settled: z.boolean().check(z.describe("False when the cloud does not show it yet; the next minute looks again.")),
  });

/** The answer to a run of the whole job. */
export const recyclingReportView = () =>
  z.object({
    dryRun: z.boolean(),
    groups: z.int(),
    rules: z.int().check(z.describe("Accept rules for what comes in that were judged.")),
    used: z.int(),
    idle: z.int(),
    unknown: z.int(),
    steps: z
      .array(
        z.object({
          item: text,
          group: text,
          key: text,
          step: z.enum(["queue", "notice", "quarantine", "delete", "restore", "wait"]),
          why: text,
        }),
      )
      .check(z.describe("What was done, or would be.")),
    failed: z.array(z.object({ group: text, why: text })).check(z.describe("Groups that could not be read.")),
    complete: z.boolean().check(z.describe("False when time or calls ran out before the last group.")),
    next: z
      .nullable(text)
      .check(z.describe("Where to go on: `cursor` of the next call. Null when every group was looked at.")),
    later: z
      .nullable(text)
      .check(z.describe("Why to go on in a minute only: no call was left to make, or the cloud is away.")),
  });
