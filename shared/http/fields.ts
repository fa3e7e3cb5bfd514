// Fields that several calls share.
import * as z from "zod";

/** A parameter given more than once arrives joined by a comma, so a comma is refused where the value can have none. */
export const single = (max: number) =>
  z
    .string()
    .max(max)
    .refine((text) => !text.includes(","), "is given more than once, or contains a comma");
/** `true` or `false` in a query. */
export const flag = z
  .enum(["true", "false"])
  .default("false")
  .transform((text) => text === "true");

/** Length of a page, and the group it is of. */
export const page = {
  limit: z
    .string()
    .regex(/^([1-9]\d{0,2}|1000)$/, "is not a whole number from 1 to 1000")
    .default("100")
    .transform(Number),
  group: single(128).optional().describe("Group by id."),
};

/** A cursor is the place of a page's last row; anything else is refused, so that no made-up text reaches the store. */
export const cursorOf = (place: RegExp) =>
  z.string().regex(place, "is no cursor of this list").nullable().default(null).describe("`next` of the page before.");

/** Where a list that is long goes on. A page of it is looked for in a bounded part: filters may leave it short or empty before the end. */
export const nextOf = z
  .string()
  .nullable()
  .describe("`cursor` of the next page; null after the last. A page may be short, or empty, and not the last.");

/** A text of an answer. */
export const text = z.string();
/** An instant of an answer. */
export const instant = z.iso.datetime().describe("UTC.");
