// What the calls about drift answer.
import * as z from "zod";
import { instant, text } from "./answer-fields.ts";
import { decisionFields, reachView, ruleView } from "./answers-ledger.ts";

const STATES = ["waiting", "reported", "held", "rollingBack", "rolledBack", "adopted", "restored", "gone"] as const;

const keptView = () => z.object({ rule: ruleView(), description: text });

/** One difference between a group and its ledger. */
export const driftView = () =>
  z.object({
    id: text.describe("`dr-`, 20 hex digits, a dot and the group's id."),
    region: text,
    group: text,
    kind: z.enum(["added", "removed", "edited", "guard"]),
    state: z.enum(STATES),
    key: text,
    entry: text.nullable(),
    ruleId: text.nullable(),
    found: keptView().nullable().describe("What stands and should not, or was removed, in full."),
    wanted: keptView().nullable().describe("What should stand, in full."),
    change: text.describe("What it opened or closed."),
    verdict: z.enum(["foreign", "trusted", "unknown", "drift"]),
    why: text,
    attribution: z
      .object({
        actor: text,
        actorType: text,
        address: text,
        eventId: text,
        requestId: text,
        operation: text,
        at: instant,
        confirmed: z.boolean().describe("True when the trail itself has the event."),
      })
      .nullable()
      .describe("Null while nobody is known."),
    firstSeenAt: instant,
    changedAt: instant,
    heldBy: text.nullable().describe("Why it was not rolled back although the group is enforced."),
  });

/** A page of drift. */
export const driftPageView = () =>
  z.object({
    drift: z.array(driftView()),
    unreadable: z.array(text).describe("Rows that cannot be read."),
    next: text.nullable(),
  });

/** The answer to a decision about drift. */
export const driftAnswerView = () => driftView().extend({ message: text, reach: reachView(), ...decisionFields });
