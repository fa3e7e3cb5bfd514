// What the calls about unused rules are asked with.
import * as z from "zod/mini";
import { PLACE } from "../domain/recycling-place.ts";
import { cursorOf, digits, flag, input, namedGroup, page, someWords, told, words } from "./inputs.ts";

const STATES = ["queued", "noticed", "quarantined", "deleted", "restored", "exempt"] as const;
const ID = /^rc-[0-9a-f]{16}\.sg-[A-Za-z0-9_-]{1,64}$/;

/** Query of `GET /v1/recycling`. */
export const recyclingQuery = () =>
  input({ ...page(), group: namedGroup(), state: z.optional(z.enum(STATES)), cursor: cursorOf(ID) });

/** Query of `GET /v1/recycling/{id}`. */
export const recyclingItemQuery = () =>
  input({
    days: told(
      digits(/^([1-9]\d?|[1-3]\d{2}|400)$/, "is not a whole number from 1 to 400", "60"),
      "Days of evidence, back from today.",
    ),
  });

/** Body of `POST /v1/recycling/{id}:restore`. */
export const recyclingRestoreBody = () =>
  input({ reason: told(z._default(words(2000), ""), "Why; kept in the item and the record.") });

/** Body of `POST /v1/recycling/{id}:exempt`. */
export const recyclingExemptBody = () =>
  input({
    owner: told(someWords(200), "Who answers for it."),
    reason: told(someWords(2000), "Why it stays although nobody uses it."),
    until: told(
      z.iso.datetime("is not an instant such as 2026-01-31T08:00:00Z"),
      "UTC; within recycling.exemptMax days of now. Then it may be queued again.",
    ),
  });

/** Body of `POST /v1/recycling/{id}:approve`. */
export const recyclingApproveBody = () =>
  input({
    step: told(
      z.enum(["quarantine", "delete"]),
      "`delete` of a rule that is not quarantined is taken only where a quarantine is impossible.",
    ),
    rev: told(
      z.optional(z.int().check(z.gte(1))),
      "`rev` of the item as it was shown: where it has changed since, nothing is approved. Without it whatever is stored is.",
    ),
    waivedBy: told(
      z.optional(someWords(128)),
      "Who answers for a deletion that cuts a path of operatorPath; without a name it is refused.",
    ),
    onShortEvidence: told(
      z._default(z.boolean(), false),
      "True to approve a rule that an alarm had queued before the policy's whole window says that it is idle.",
    ),
  });

/** Query of `POST /v1/recycling:run`. */
export const recyclingRunQuery = () => input({ dryRun: flag(), cursor: cursorOf(PLACE) });
