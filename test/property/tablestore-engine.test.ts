// The Tablestore engine, through the official SDK, equals a small model in memory: one call after another, and several at once.
import fc from "fast-check";
import TableStore from "tablestore";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  type Account,
  columns,
  createPairs,
  failureOf,
  keyOf,
  pair,
  startAccount,
} from "../conformance/tablestore/account.ts";

let account: Account;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.server.stop());

type Key = readonly [a: string, b: number];
type Columns = Readonly<Record<string, number>>;
type Rows = ReadonlyMap<string, Columns>;
type Expectation = "IGNORE" | "EXPECT_EXIST" | "EXPECT_NOT_EXIST";
interface Guard {
  readonly existence: Expectation;
  /** The column n must be this; a row without it passes when `missing`. */
  readonly n?: { readonly value: number; readonly missing: boolean } | undefined;
}
type Op =
  | { readonly do: "put"; readonly key: Key; readonly guard: Guard; readonly cells: Columns }
  | {
      readonly do: "update";
      readonly key: Key;
      readonly guard: Guard;
      readonly cells: Columns;
      readonly removed: readonly string[];
      readonly added: Columns;
    }
  | { readonly do: "delete"; readonly key: Key; readonly guard: Guard }
  | { readonly do: "get"; readonly key: Key }
  | { readonly do: "range"; readonly from: Key; readonly to: Key; readonly backward: boolean; readonly limit: number };
type Seen = readonly [rows: Rows, answer: unknown];

const nameOf = ([a, b]: Key): string => JSON.stringify([a, b]);
const compareKeys = (left: Key, right: Key): number =>
  Buffer.compare(Buffer.from(left[0]), Buffer.from(right[0])) || left[1] - right[1];

/** The model: what an operation makes of the rows, and what it answers. */
function apply(rows: Rows, op: Op): Seen {
  if (op.do === "get") return [rows, rows.get(nameOf(op.key)) ?? "none"];
  if (op.do === "range") {
    const sign = op.backward ? -1 : 1;
    if (sign * compareKeys(op.from, op.to) >= 0) return [rows, "OTSParameterInvalid"];
    const inside = [...rows.keys()]
      .map((name) => JSON.parse(name) as Key)
      .filter((key) => sign * compareKeys(key, op.from) >= 0 && sign * compareKeys(key, op.to) < 0)
      .sort((left, right) => sign * compareKeys(left, right));
    const found = inside.slice(0, op.limit).map((key) => [nameOf(key), rows.get(nameOf(key))]);
    return [rows, { found, next: inside[op.limit] === undefined ? "none" : nameOf(inside[op.limit] as Key) }];
  }
  const old = rows.get(nameOf(op.key));
  const { existence, n } = op.guard;
  const isAsExpected = existence === "IGNORE" || (existence === "EXPECT_EXIST") === (old !== undefined);
  if (!isAsExpected || (n && (old?.n === undefined ? !n.missing : old.n !== n.value))) {
    return [rows, "OTSConditionCheckFail"];
  }
  const next = new Map(rows);
  if (op.do === "delete") next.delete(nameOf(op.key));
  else if (op.do === "put") next.set(nameOf(op.key), op.cells);
  else if (old !== undefined || Object.keys({ ...op.cells, ...op.added }).length > 0) {
    const kept = Object.entries(old ?? {}).filter(([name]) => !op.removed.includes(name));
    const sums = Object.entries(op.added).map(([name, more]) => [name, (old?.[name] ?? 0) + more]);
    next.set(nameOf(op.key), { ...Object.fromEntries(kept), ...op.cells, ...Object.fromEntries(sums) });
  }
  return [next, "ok"];
}

const long = (value: number): TableStore.int64 => TableStore.Long.fromString(String(value));
const cellsOf = (cells: Columns): { [name: string]: TableStore.int64 }[] =>
  Object.entries(cells).map(([name, value]) => ({ [name]: long(value) }));
const read = (row: Partial<TableStore.Row> | undefined): Columns =>
  Object.fromEntries(Object.entries(columns(row)).map(([name, value]) => [name, Number(value)]));
const readKey = (row: Partial<TableStore.Row>): string => {
  const [a, b] = keyOf(row);
  return JSON.stringify([a, Number(b)]);
};

function conditionOf({ existence, n }: Guard): TableStore.Condition {
  const column = n
    ? new TableStore.SingleColumnCondition("n", long(n.value), TableStore.ComparatorType.EQUAL, n.missing)
    : null;
  return new TableStore.Condition(TableStore.RowExistenceExpectation[existence], column);
}

/** The same operation on the engine. */
async function run(op: Op): Promise<unknown> {
  const { client } = account;
  const outcome = async (call: Promise<unknown>): Promise<unknown> => {
    const text = await failureOf(call);
    return text === "no error" ? "ok" : (/OTS\w+/.exec(text)?.[0] ?? text);
  };
  if (op.do === "range") {
    const call = client.getRange({
      tableName: "t",
      direction: op.backward ? TableStore.Direction.BACKWARD : TableStore.Direction.FORWARD,
      inclusiveStartPrimaryKey: pair(...op.from),
      exclusiveEndPrimaryKey: pair(...op.to),
      limit: op.limit,
    });
    const failed = await outcome(call);
    if (failed !== "ok") return failed;
    const { rows, nextStartPrimaryKey: next } = await call;
    return {
      found: rows.map((row) => [readKey(row), read(row)]),
      next: next ? readKey({ primaryKey: next }) : "none",
    };
  }
  const row = { tableName: "t", primaryKey: pair(...op.key) };
  if (op.do === "get") {
    const { row: found } = await client.getRow(row);
    return found?.primaryKey === undefined ? "none" : read(found);
  }
  const condition = conditionOf(op.guard);
  if (op.do === "delete") return outcome(client.deleteRow({ ...row, condition }));
  if (op.do === "put") return outcome(client.putRow({ ...row, condition, attributeColumns: cellsOf(op.cells) }));
  const changes = [
    ...cellsOf(op.cells).map((cell) => ({ PUT: [cell] })),
    ...op.removed.map((name) => ({ DELETE_ALL: [name] })),
    ...cellsOf(op.added).map((cell) => ({ INCREMENT: [cell] })),
  ];
  return outcome(client.updateRow({ ...row, condition, updateOfAttributeColumns: changes }));
}

const key: fc.Arbitrary<Key> = fc.tuple(
  fc.constantFrom("", "a", "a\0", "ab", "é"),
  fc.constantFrom(-300, -1, 0, 1, 256),
);
const value = fc.integer({ min: -3, max: 3 });
const guard: fc.Arbitrary<Guard> = fc.record({
  existence: fc.constantFrom<Expectation>("IGNORE", "IGNORE", "EXPECT_EXIST", "EXPECT_NOT_EXIST"),
  n: fc.option(fc.record({ value, missing: fc.boolean() }), { nil: undefined, freq: 2 }),
});
const cells = fc.dictionary(fc.constantFrom("n", "m", "o"), value, { maxKeys: 3, noNullPrototype: true });
const removed = fc.uniqueArray(fc.constantFrom("n", "m", "o"), { maxLength: 2 });
/** Every column in one place only, and at least one column. */
const update = fc
  .record({ do: fc.constant("update" as const), key, guard, cells, removed, added: cells })
  .map((op) => {
    const left = op.removed.filter((name) => !Object.hasOwn(op.cells, name));
    const added = Object.entries(op.added).filter(
      ([name]) => !Object.hasOwn(op.cells, name) && !left.some((other) => other === name),
    );
    return { ...op, removed: left, added: Object.fromEntries(added) };
  })
  .filter((op) => Object.keys({ ...op.cells, ...op.added }).length + op.removed.length > 0);
const write: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("put" as const), key, guard, cells }) },
  { weight: 4, arbitrary: update },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), key, guard }) },
);
const reading: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ do: fc.constant("get" as const), key }),
  fc.record({
    do: fc.constant("range" as const),
    from: key,
    to: key,
    backward: fc.boolean(),
    limit: fc.integer({ min: 1, max: 6 }),
  }),
);

async function freshTable(): Promise<void> {
  await account.server.reset();
  await createPairs(account.client, "t");
}

it("answers every operation of a sequence as the model does", async () => {
  const sequence = fc.array(fc.oneof({ weight: 3, arbitrary: write }, { weight: 2, arbitrary: reading }), {
    maxLength: 40,
    size: "max",
  });
  await fc.assert(
    fc.asyncProperty(sequence, async (ops) => {
      await freshTable();
      let rows: Rows = new Map();
      for (const op of ops) {
        const [next, answer] = apply(rows, op);
        expect(await run(op)).toEqual(answer);
        rows = next;
      }
    }),
    { numRuns: 60 },
  );
});

it("answers operations that are made at once as if they were made in some order", async () => {
  // Two keys, so that the operations of one moment meet.
  const near = <T extends Op>(op: T, index: number): T => ("key" in op ? { ...op, key: ["k", index % 2] } : op);
  const moment = fc.array(fc.oneof({ weight: 4, arbitrary: write }, { weight: 1, arbitrary: reading }), {
    minLength: 2,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 8 }), async (moments) => {
      await freshTable();
      // Every state the rows can be in, by what was answered so far.
      let states: readonly Rows[] = [new Map()];
      for (const ops of moments) {
        const made = ops.map(near);
        const answers = await Promise.all(made.map(run));
        states = explanations(
          states,
          made.map((op, index) => ({ op, answer: answers[index] })),
        );
        expect(states.length, JSON.stringify({ made, answers })).toBeGreaterThan(0);
      }
    }),
    { numRuns: 60 },
  );
});

interface Made {
  readonly op: Op;
  readonly answer: unknown;
}

/** The states that some order of the operations, with these answers, leads to. */
function explanations(states: readonly Rows[], made: readonly Made[]): Rows[] {
  if (made.length === 0) return distinct(states);
  return distinct(
    made.flatMap((first, index) => {
      const after = states.flatMap((rows) => {
        const [next, answer] = apply(rows, first.op);
        return textOf(answer) === textOf(first.answer) ? [next] : [];
      });
      return after.length === 0 ? [] : explanations(after, made.toSpliced(index, 1));
    }),
  );
}

const distinct = (states: readonly Rows[]): Rows[] => [
  ...new Map(states.map((rows) => [textOf([...rows].sort(([a], [b]) => (a < b ? -1 : 1))), rows])).values(),
];

/** JSON with the names of every object in order. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
