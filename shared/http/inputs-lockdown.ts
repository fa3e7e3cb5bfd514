// What the calls about lockdowns are asked with.
import * as z from "zod/mini";
import { cursorOf, digits, input, like, someWords, told } from "./inputs.ts";

/** Body of `POST /v1/lockdown`: one of instance, groups and tag. */
export const lockdownBody = () =>
  input({
    instance: told(z.optional(someWords(128)), "The groups of this instance."),
    groups: told(z.optional(z.array(someWords(128)).check(z.minLength(1), z.maxLength(1000))), "Groups by id or name."),
    tag: told(z.optional(like(/^[^=]+=.*$/, "is not a tag such as app=shop")), "Groups with this tag."),
    reason: told(someWords(500), "Why; kept in the record and told with the lockdown."),
    period: told(
      z.optional(z.int().check(z.gte(60), z.lte(604_800))),
      "Seconds; default lockdown.period of the policy.",
    ),
    waivedBy: told(z.optional(someWords(128)), "Who answers for a lockdown while the policy has no operator path."),
  }).check(
    z.refine(
      ({ instance, groups, tag }) => [instance, groups, tag].filter((it) => it !== undefined).length === 1,
      "name one of instance, groups and tag",
    ),
  );

/** Query of the list; a lockdown of many groups is long, and so pages are short. */
export const lockdownQuery = () =>
  input({
    limit: digits(/^([1-9]\d?|100)$/, "is not a whole number from 1 to 100", "20"),
    cursor: cursorOf(/^[1-9]\d{12,15}$/),
  });
