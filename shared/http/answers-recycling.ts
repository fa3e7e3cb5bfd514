// What the calls about unused rules answer.
import * as z from "zod";
import { instant, text } from "./answer-fields.ts";
import { reachView, ruleView } from "./answers-ledger.ts";

const STATES = ["queued", "noticed", "quarantined", "deleted", "restored", "exempt"] as const;
const waitingView = () => z.object({ for: z.enum(["approval", "person", "evidence", "policy"]), why: z.array(text) });

/** One unused rule and what has become of it. */
export const recyclingView = () =>
  z.object({
    id: text.describe("`rc-`, 16 hex digits, a dot and the group's id."),
    region: text,
    group: text,
    groupName: text,
    key: text,
    ruleId: text.nullable().describe("The id under which the rule last stood."),
    rule: ruleView().describe("The rule in full, kept for as long as records live."),
    description: text,
    owner: text.describe("Who is told; empty where nobody is known."),
    change: text.describe("What its removal closes."),
    state: z.enum(STATES),
    since: instant,
    rev: z
      .int()
      .describe("Counts the changes of the item: `:approve` takes it, and refuses what is not as it was shown."),
    goingTo: z.enum(STATES).nullable().describe("The state that was decided and the cloud does not show yet."),
    waiting: waitingView().nullable().describe("What it waits for; null where only time has to pass."),
    approvals: z.array(
      z.object({
        step: z.enum(["quarantine", "delete"]),
        by: text,
        at: instant,
        saw: z.array(text).describe("Who had been refused by then: those who came later void it."),
        waivedBy: text.nullable().describe("Who answers for the operator path that it cuts."),
      }),
    ),
    quarantine: z
      .object({
        drop: ruleView(),
        at: instant.nullable(),
        silentDays: z.number().describe("Days on which nobody was refused and the evidence was whole."),
        strangers: z
          .array(text)
          .describe("Who was refused so far, came never before and does not look like a scanner."),
        blind: z.array(text).describe("Paths that no drop stops: silence on them proves nothing."),
      })
      .nullable(),
    exemption: z.object({ owner: text, reason: text, by: text, until: instant }).nullable(),
    evidence: z
      .object({
        at: instant,
        verdict: z.enum(["used", "idle", "unknown"]),
        coverage: z.number().describe("Known part of the window, 0 to 1, of the host of which least is known."),
        lastUsedAt: instant.nullable(),
        reasons: z.array(text),
      })
      .nullable()
      .describe("What the evidence said when it was last looked at."),
    history: z.array(
      z.object({ from: z.enum(STATES).nullable(), to: z.enum(STATES), by: text, why: text, at: instant }),
    ),
  });

const peerView = () => z.object({ block: text, count: z.int(), lastAt: instant });

/** One item with its evidence. */
export const recyclingItemView = () =>
  recyclingView().extend({
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
              sessions: z.array(peerView()).describe("Peers with real sessions."),
              handshakes: z.array(peerView()).describe("Peers whose handshakes were answered and who sent nothing."),
              refused: z.array(peerView()),
              more: z.boolean().describe("True when there were more peers than are kept."),
              unclear: z.boolean().describe("True when some traffic could not be told from scans."),
            }),
          ),
        }),
      )
      .describe("Newest first. A day that is not there is not known."),
  });

/** A page of the queue. */
export const recyclingPageView = () => z.object({ recycling: z.array(recyclingView()), next: text.nullable() });

/** The answer to a decision. */
export const recyclingAnswerView = () =>
  recyclingView().extend({
    message: text,
    reach: reachView(),
    notes: z.array(text).describe("What has changed in the group meanwhile, and which paths a drop does not stop."),
    dryRun: z.boolean(),
    plan: z.array(text).describe("The changes, in words."),
    settled: z.boolean().describe("False when the cloud does not show it yet; the next minute looks again."),
  });

/** The answer to a run of the whole job. */
export const recyclingReportView = () =>
  z.object({
    dryRun: z.boolean(),
    groups: z.int(),
    rules: z.int().describe("Accept rules for what comes in that were judged."),
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
      .describe("What was done, or would be."),
    failed: z.array(z.object({ group: text, why: text })).describe("Groups that could not be read."),
    complete: z.boolean().describe("False when time or calls ran out before the last group."),
    next: text.nullable().describe("Where to go on: `cursor` of the next call. Null when every group was looked at."),
    later: text.nullable().describe("Why to go on in a minute only: no call was left to make, or the cloud is away."),
  });
