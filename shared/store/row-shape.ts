// What a row has to look like. Somebody may have damaged one: what is not as it was written goes no further than here.
import { AppError, fail, isUnreadable } from "../errors/app-error.ts";
import type { Columns, Row } from "../ports/tables.ts";

/** What a field holds; `?` where it may be null or missing, as in rows of earlier versions. */
type Kind = "text" | "number" | "object" | "list" | "objects" | "texts" | "object?" | "objects?" | "list?";

/** The kinds of those fields without which nobody can work with the value. */
export type Shape<Value> = { readonly [Field in keyof Value]?: Kind };

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const areObjects = (value: unknown): boolean => Array.isArray(value) && value.every(isObject);
const isLeftOut = (value: unknown): boolean => value === undefined || value === null;

const is: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  text: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  object: isObject,
  list: Array.isArray,
  objects: areObjects,
  texts: (value) => Array.isArray(value) && value.every((it) => typeof it === "string"),
  "object?": (value) => isLeftOut(value) || isObject(value),
  "objects?": (value) => isLeftOut(value) || areObjects(value),
  "list?": (value) => isLeftOut(value) || Array.isArray(value),
};

/** A value as one of this shape. Throws STATE_UNREADABLE where it is none. */
export function shaped<Value extends object>(value: unknown, table: string, shape: Shape<Value>): Value {
  if (!isObject(value)) throw fail("STATE_UNREADABLE", { table });
  for (const [name, kind] of Object.entries(shape) as [keyof object, Kind][])
    if (!is[kind](value[name])) throw fail("STATE_UNREADABLE", { table });
  return value as Value;
}

/** A column that holds an object of this shape as JSON. Throws STATE_UNREADABLE when it holds anything else. */
export const shapedColumn = <Value extends object>(value: unknown, table: string, shape: Shape<Value>): Value =>
  shaped(parsed(value, table), table, shape);

/** A column that holds a list as JSON. Throws STATE_UNREADABLE when it holds anything else. */
export function listColumn<Item>(value: unknown, table: string, kind: "list" | "objects" | "texts"): readonly Item[] {
  const list = parsed(value, table);
  if (!is[kind](list)) throw fail("STATE_UNREADABLE", { table });
  return list as readonly Item[];
}

function parsed(value: unknown, table: string): unknown {
  if (typeof value !== "string") throw fail("STATE_UNREADABLE", { table });
  try {
    return JSON.parse(value);
  } catch (cause) {
    throw fail("STATE_UNREADABLE", { table }, cause);
  }
}

/** As `read`; STATE_UNREADABLE tells the row's key as well. Not for rows whose key is a secret, or made of one. */
export const withKey =
  <Item>(read: (row: Row) => Item) =>
  (row: Row): Item => {
    try {
      return read(row);
    } catch (error) {
      if (!isUnreadable(error) || "key" in error.detail) throw error;
      throw fail("STATE_UNREADABLE", { ...error.detail, key: keyText(row.key) }, error);
    }
  };

/** A key as people are told of it, and find the row by. */
export const keyText = (key: Row["key"]): string => key.join(" ");

/** The version of a row that is changed by compare-and-set. Throws STATE_UNREADABLE without one. */
export function revOf({ rev }: Columns, table: string): number {
  if (typeof rev !== "number") throw fail("STATE_UNREADABLE", { table });
  return rev;
}

/** What the rows say, and the keys of those that cannot be read: one of them holds up no other. */
export function readable<Item>(
  rows: readonly Row[],
  read: (row: Row) => Item,
): { readonly items: readonly Item[]; readonly unreadable: readonly Row["key"][] } {
  const items: Item[] = [];
  const unreadable: Row["key"][] = [];
  for (const row of rows)
    try {
      items.push(read(row));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      unreadable.push(row.key);
    }
  return { items, unreadable };
}
