// Fields that several answers share.
import * as z from "zod/mini";

/** Where a list that is long goes on. A page of it is looked for in a bounded part: filters may leave it short or empty before the end. */
export const nextOf = z
  .nullable(z.string())
  .check(
    z.describe("`cursor` of the next page; null after the last. A page may be short, or empty, and not the last."),
  );

/** A text of an answer. */
export const text = z.string();
/** An instant of an answer. */
export const instant = z.iso.datetime().check(z.describe("UTC."));
