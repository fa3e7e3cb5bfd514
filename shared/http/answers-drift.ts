// What the calls about drift answer.
import * as z from "zod/mini";
import { instant, text } from "./answer-fields.ts";
import { decisionFields, reachView, ruleView } from "./answers-ledger.ts";

const STATES = ["waiting", "reported", "held", "rollingBack", "rolledBack", "adopted", "restored", "gone"] as const;

const keptView = () => z.object({ rule: ruleView(), description: text });

/** One difference between a group and its ledger. */
export const driftView = () =>
  z.object({
    id: text.check(z.describe("`dr-`, 20 hex digits, a dot and the group's id.")),
    region: text,
    group: text,
    kind: z.enum(["added", "removed", "edited", "guard"]),
    state: z.enum(STATES),
    key: text,
    entry: z.nullable(text),
    ruleId: z.nullable(text),
    found: z.nullable(keptView()).check(z.describe("What stands and should not, or was removed, in full.")),
    wanted: z.nullable(keptView()).check(z.describe("What should stand, in full.")),
    change: text.check(z.describe("What it opened or closed.")),
    verdict: z.enum(["foreign", "trusted", "unknown", "drift"]),
    why: text,
    attribution: z
      .nullable(
        z.object({
          actor: text,
          actorType: text,
          address: text,
          eventId: text,
          requestId: text,
          operation: text,
          at: instant,
          confirmed: z.boolean().check(z.describe("True when the trail itself has the event.")),
        }),
      )
      .check(z.describe("Null while nobody is known.")),
    firstSeenAt: instant,
    changedAt: instant,
    heldBy: z.nullable(text).check(z.describe("Why it was not rolled back although the group is enforced.")),
  });

/** One difference by itself. */
export const driftDetailView = () =>
  z.extend(driftView(), {
    owed: z
      .boolean()
      .check(
        z.describe("True while the rule that was decided to stand does not: every look at the group tries again."),
      ),
  });

/** A page of drift. */
export const driftPageView = () =>
  z.object({
    drift: z.array(driftView()),
    unreadable: z.array(text).check(z.describe("Rows that cannot be read.")),
    next: z.nullable(text),
  });

/** The answer to a decision about drift. */
export const driftAnswerView = () => z.extend(driftView(), { message: text, reach: reachView(), ...decisionFields });
