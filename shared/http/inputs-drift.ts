// What the calls about drift are asked with.
import * as z from "zod/mini";
import { cursorOf, input, namedGroup, page, told, words } from "./inputs.ts";

const STATES = ["waiting", "reported", "held", "rollingBack", "rolledBack", "adopted", "restored", "gone"] as const;

/** Query of `GET /v1/drift`. */
export const driftQuery = () =>
  input({
    ...page(),
    group: namedGroup(),
    state: z.optional(z.enum(STATES)),
    cursor: cursorOf(/^dr-[0-9a-f]{20}\.sg-[A-Za-z0-9_-]{1,64}$/),
  });

/** Body of a decision about drift. */
export const driftBody = () =>
  input({
    owner: told(z._default(words(200), ""), "Who answers for a rule that is accepted."),
    reason: told(z._default(words(2000), ""), "Why; needed where a rule is accepted that had no entry."),
    ticket: z._default(words(200), ""),
    sensitiveConfirmed: told(
      z._default(z.boolean(), false),
      "An administrator's word that everybody may reach a sensitive port.",
    ),
  });
