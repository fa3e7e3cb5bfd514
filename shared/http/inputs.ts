// What calls are asked with: fields that several share, and the inputs of those that ask nothing.
//
// Every input is a function, and a route has it made with the first request to it: to make the schemas of all routes took as long as all
// else of a start. They are of `zod/mini`, of which a bundle has what is called; so are answers, and only the API description loads those.
import * as z from "zod/mini";

/** An input of this shape, and no other field beside. */
export const input = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => z.strictObject(shape);

/** Says what a field is for, in the API description. */
export const told = <Schema extends z.ZodMiniType>(schema: Schema, description: string): Schema => {
  z.globalRegistry.add(schema, { description });
  return schema;
};

/** A text of so many characters at most. */
export const words = (max: number) => z.string().check(z.maxLength(max));
/** One that is not empty. */
export const someWords = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));
/** A text that is not empty once it has lost the blanks around it. */
export const trimmed = (min: number, max: number) => z.string().check(z.trim(), z.minLength(min), z.maxLength(max));
/** A text like this, or else `why`. */
export const like = (pattern: RegExp, why: string) => z.string().check(z.regex(pattern, why));

/** Null when it is left out. */
export const orNull = <Schema extends z.ZodMiniType>(schema: Schema) => z._default(z.nullable(schema), null);

/** A parameter given more than once arrives joined by a comma, so a comma is refused where the value can have none. */
export const single = (max: number) =>
  words(max).check(z.refine((text) => !text.includes(","), "is given more than once, or contains a comma"));

/** `true` or `false` in a query. */
export const flag = () =>
  z.pipe(
    z._default(z.enum(["true", "false"]), "false"),
    z.transform((text) => text === "true"),
  );

/** A whole number of a query, by its digits. */
export const digits = (pattern: RegExp, why: string, preset: string) =>
  z.pipe(z._default(like(pattern, why), preset), z.transform(Number));

/** Length of a page. */
export const limit = () => digits(/^([1-9]\d{0,2}|1000)$/, "is not a whole number from 1 to 1000", "100");

/** Length of a page, and the group it is of. */
export const page = () => ({ limit: limit(), group: told(z.optional(single(128)), "Group by id.") });

/** The group a page is of, for calls that know names. */
export const namedGroup = () => told(z.optional(single(128)), "Group by id or name.");

/** A cursor is the place of a page's last row; anything else is refused, so that no made-up text reaches the store. */
export const cursorOf = (place: RegExp) =>
  told(orNull(like(place, "is no cursor of this list")), "`next` of the page before.");

/** Query of a call that has no parameters. */
export const noQuery = () => input({});
/** Query of a write: with `dryRun=true` nothing is changed and the answer shows the plan. */
export const dryRunQuery = () => input({ dryRun: flag() });
/** Body of a call that takes none. */
export const noBody = () => input({});
