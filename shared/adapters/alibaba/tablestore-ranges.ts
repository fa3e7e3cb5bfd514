// Ranges of rows: key prefixes, paging to the end, and the lower bound kept when reading backwards.
import type { KeyPart, RangeAnswer, RangeQuery, Row } from "../../ports/tables.ts";
import { StoreFailure } from "../../ports/tables.ts";
import { gathered } from "./gather.ts";
import { storeFailure } from "./tablestore-call.ts";
import type { RowCodec } from "./tablestore-rows.ts";
import { retried, type WriteTools } from "./tablestore-writes.ts";

/** The service scans at most this many rows a call. */
const ROWS_PER_CALL = 5_000;

/** Rows of a call for many ranges. */
const ROWS_TOGETHER = 1_000;
/** Of the rows of such a call, the part that has to be asked for; with less, the ranges lie too far apart to be read in one go. */
const WANTED_MIN = 1 / 8;

/** Reads ranges; those of one table that are asked for at once in one go over all of them, where they lie close together. */
export function rangeReader(tools: WriteTools): (query: RangeQuery) => Promise<RangeAnswer> {
  const read = gathered<RangeQuery, RangeAnswer>({
    alone: (query) => readRange(tools, query),
    together: (queries) => readTogether(tools, queries),
    room: () => {
      let first: RangeQuery | null = null;
      return (query) => {
        const isFit = first === null || (canJoin(query) && canJoin(first) && query.table === first.table);
        first ??= query;
        return isFit;
      };
    },
  });
  return (query) => read(query);
}

const canJoin = ({ reverse, to }: RangeQuery): boolean => reverse !== true && to !== null;

/** As `readRange` of each. */
async function readTogether(tools: WriteTools, queries: readonly RangeQuery[]): Promise<readonly RangeAnswer[]> {
  const answers = new Map<RangeQuery, RangeAnswer>();
  let left = [...queries].sort((a, b) => compareKeys(a.from, b.from));
  while (left.length > 1) {
    const [first] = left;
    const ends = left.map(({ to }) => to ?? []).sort(compareKeys);
    const last = ends.at(-1);
    if (first === undefined || last === undefined) break;
    const page = await readRange(tools, { table: first.table, from: first.from, to: last, limit: ROWS_TOGETHER });
    // Rows below this key have been seen.
    const seen = page.more ? (page.rows.at(-1)?.key ?? []) : last;
    let wanted = 0;
    for (const query of left) {
      const { from, to, limit } = query;
      if (to === null || compareKeys(to, seen) > 0) continue;
      const rows = page.rows.slice(firstFrom(page.rows, from), firstFrom(page.rows, to));
      wanted += rows.length;
      answers.set(query, { rows: rows.slice(0, limit), more: rows.length > limit });
    }
    left = left.filter((query) => !answers.has(query));
    if (page.more && wanted < ROWS_TOGETHER * WANTED_MIN) break;
  }
  const rest = await Promise.all(left.map(async (query) => [query, await readRange(tools, query)] as const));
  for (const [query, answer] of rest) answers.set(query, answer);
  return queries.map((query) => answers.get(query) ?? { rows: [], more: false });
}

/** The place of the first of the rows, which are in order, that is not below the key. */
function firstFrom(rows: readonly Row[], key: readonly KeyPart[]): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys(rows[middle]?.key ?? [], key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Reads a range to its end or to the query's limit. */
async function readRange(tools: WriteTools, query: RangeQuery): Promise<RangeAnswer> {
  const { from, to } = query;
  if (query.limit < 1) throw new StoreFailure("unavailable", `Tablestore: ${query.limit} rows asked for`);
  // The service refuses bounds that enclose nothing.
  if (to !== null && compareKeys(from, to) >= 0) return { rows: [], more: false };
  const rows: Row[] = [];
  try {
    for await (const row of query.reverse === true ? backward(tools, query) : forward(tools, query)) {
      if (rows.length === query.limit) return { rows, more: true };
      rows.push(row);
    }
  } catch (error) {
    throw storeFailure(error);
  }
  return { rows, more: false };
}

function forward(tools: WriteTools, query: RangeQuery): AsyncGenerator<Row> {
  const { codec } = tools;
  const start = codec.bound(query.table, query.from, "lowest");
  const end =
    query.to === null ? codec.bound(query.table, [], "highest") : codec.bound(query.table, query.to, "lowest");
  return pages(tools, query, "FORWARD", start, end);
}

/**
 * Backwards the service takes the upper bound in and leaves the lower one out, the reverse of what is asked. A row equal to
 * a bound exists only where the bound is a whole key: the upper one is dropped here, and the lower one is read by setting
 * the bound lower and stopping at the first row below.
 */
async function* backward(tools: WriteTools, query: RangeQuery): AsyncGenerator<Row> {
  const { codec } = tools;
  const { table, from, to } = query;
  const start = to === null ? codec.bound(table, [], "highest") : codec.bound(table, to, "lowest");
  const end = codec.bound(table, from.length === codec.keyWidth(table) ? justBelow(from) : from, "lowest");
  for await (const row of pages(tools, query, "BACKWARD", start, end)) {
    if (to !== null && compareKeys(row.key, to) >= 0) continue;
    if (compareKeys(row.key, from) < 0) return;
    yield row;
  }
}

/** A key below `key`: the next one for an integer, and for a text the lowest key with the same first parts. */
function justBelow(key: readonly KeyPart[]): readonly KeyPart[] {
  const last = key.at(-1);
  const first = key.slice(0, -1);
  return typeof last === "number" ? [...first, last - 1] : first;
}

type Bound = ReturnType<RowCodec["bound"]>;

async function* pages(
  tools: WriteTools,
  query: RangeQuery,
  direction: "FORWARD" | "BACKWARD",
  start: Bound,
  end: Bound,
): AsyncGenerator<Row> {
  const { caller, codec } = tools;
  // One row more than asked tells whether there are more, and one may be the upper bound itself.
  let left = query.limit + 2;
  let from: Bound | null = start;
  let lastNext = "";
  while (from !== null) {
    const parameters: Parameters<typeof caller.call<"getRange">>[1] = {
      tableName: query.table,
      direction,
      inclusiveStartPrimaryKey: from,
      exclusiveEndPrimaryKey: end,
      maxVersions: 1,
      limit: Math.max(1, Math.min(left, ROWS_PER_CALL)),
    };
    const answer = await retried(tools, ["notApplied", "unknown"], () => caller.call("getRange", parameters));
    for (const wire of answer.rows) {
      const row = codec.row(wire);
      if (row === null) continue;
      left -= 1;
      yield { key: row.key, columns: row.columns };
    }
    from = codec.nextKey(answer.nextStartPrimaryKey);
    const next = String(codec.keyParts(answer.nextStartPrimaryKey));
    if (from !== null && next === lastNext) throw new StoreFailure("unavailable", "Tablestore: a range does not end");
    lastNext = next;
  }
}

/** Orders keys as the service does: part by part, numbers by value, texts by their UTF-8 bytes; a prefix comes first. */
function compareKeys(a: readonly KeyPart[], b: readonly KeyPart[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined) return -1;
    if (right === undefined) return 1;
    const order =
      typeof left === "number" && typeof right === "number"
        ? left - right
        : Buffer.compare(Buffer.from(`${left}`), Buffer.from(`${right}`));
    if (order !== 0) return order;
  }
  return 0;
}
