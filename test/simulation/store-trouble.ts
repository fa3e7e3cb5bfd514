// Feature: a table that is gone or refuses for a time, rows that nobody can read, and rows that are lost. Nothing granted is closed by it,
// nothing is opened, and what has an end comes to it all the same.
import type { KeyPart, StoreFailure, TableName, Tables } from "../../shared/ports/tables.ts";
import { schemas } from "../../shared/store/tables.ts";
import type { Feature, Move } from "./feature.ts";
import type { SimWorld } from "./sim-world.ts";

const MINUTE_MS = 60_000;
const RANGE_MAX = 5000;
/** Everybody looks at every group once more, and books what was lost. */
const FOUND_WITHIN_MS = 5 * MINUTE_MS;
const LOOK_EVERY_MS = 500;
const LOOK_FOR_MS = 10 * MINUTE_MS;
const LEFT_BEHIND_MS = 2000;
const TABLES = schemas.map(({ name }) => name);
/** Columns that hold what a row says. */
const COLUMNS: readonly (readonly [Parameters<Tables["update"]>[0], string])[] = [
  ["ledger", "body"],
  ["lease", "status"],
  ["lease", "request"],
  ["group", "body"],
  ["drift", "body"],
  ["intent", "body"],
  ["recycling", "body"],
  ["lockdown", "body"],
  ["alarm", "body"],
];

const rowsOf = async ({ tables }: SimWorld, table: TableName) => {
  const first: KeyPart = table === "due" ? 0 : "";
  return (await tables.range({ table, from: [first], to: null, limit: RANGE_MAX })).rows;
};

/** Calls for one table fail. */
const tableAway: Move = async (world, dice) => {
  const table = dice.pick(TABLES);
  const kind = dice.pick<StoreFailure["kind"]>(["tableMissing", "unavailable", "refused"]);
  const ms = dice.between(20_000, 20 * MINUTE_MS);
  world.tell(`the table ${table} is ${kind} for ${ms} ms`);
  world.disturb(`table ${kind}`, ms);
  world.failing.set(table, kind);
  await world.schedule.sleep(ms);
  world.failing.delete(table);
};

const BROKEN_TEXTS = ["{", "[]", "null", "{}"];

/**
 * The whole rows of a table. Of intents those that somebody has left behind: the others are gone with the answer to their call. A while is
 * waited for one.
 */
async function whenThere(world: SimWorld, table: TableName, column: string) {
  for (let ms = 0; ; ms += LOOK_EVERY_MS) {
    const rows = (await rowsOf(world, table)).filter(({ columns }) => {
      const text = columns[column];
      // Of what is broken already nobody would know any more what it was.
      if (typeof text !== "string" || BROKEN_TEXTS.includes(text)) return false;
      return table !== "intent" || JSON.parse(text).bookedAt < world.now() - LEFT_BEHIND_MS;
    });
    if (rows.length > 0 || table !== "intent" || ms >= LOOK_FOR_MS) return rows;
    await world.schedule.sleep(LOOK_EVERY_MS);
  }
}

/** One row cannot be read, until somebody puts it right. */
const rot: Move = async (world, dice) => {
  const [table, column] = dice.pick(COLUMNS);
  const rows = await whenThere(world, table, column);
  if (rows.length === 0) return;
  const row = dice.pick(rows);
  const { key, columns } = row;
  const [ms, broken] = [dice.between(20_000, 30 * MINUTE_MS), dice.pick(BROKEN_TEXTS)];
  world.tell(`the row ${table} ${key.join("/")} cannot be read for ${ms} ms: ${column} is ${broken}`);
  world.noteUnreadable(table, row, column, ms);
  await world.tables.update(table, key, { [column]: broken }, { kind: "present" });
  await world.schedule.sleep(ms);
  // Somebody may have written it anew.
  const whole = { [column]: columns[column] ?? "" };
  await world.tables.update(table, key, whole, { kind: "equals", column, value: broken });
};

/** Every row that says when to look at something is lost. */
const dueLost: Move = async (world) => {
  world.tell("every due row is lost");
  world.disturb("due rows lost", FOUND_WITHIN_MS);
  for (const { key } of await rowsOf(world, "due")) await world.tables.delete("due", key, { kind: "none" });
};

export const storeTrouble: Feature = {
  chance: 0.2,
  policy: {},
  moves: [
    [3, tableAway],
    [4, rot],
    [1, dueLost],
  ],
};
