// Writes that are told apart from their own echoes: retries, read-back after a lost reply, and batches.
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { Condition, KeyPart, Put, TableName, Write, WriteOutcome } from "../../ports/tables.ts";
import { StoreFailure } from "../../ports/tables.ts";
import { CallFailure, kindOfCode, storeFailure, type TablestoreCaller } from "./tablestore-call.ts";
import type { RowCodec } from "./tablestore-rows.ts";

const WRITE_ID_BYTES = 8;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 1_000;
const BATCH_ROWS_MAX = 200;
/** Under the 4 MB of a request, with room for names and framing. */
const BATCH_BYTES_MAX = 3_000_000;
const BATCHES_AT_ONCE = 8;

/** What the writing functions work with. */
export interface WriteTools {
  readonly caller: TablestoreCaller;
  readonly codec: RowCodec;
  readonly clock: Clock;
  readonly random: Random;
}

/** A fresh write id. */
export function newWriteId(random: Random): string {
  return Buffer.from(random.bytes(WRITE_ID_BYTES)).toString("hex");
}

/** Runs `attempt` until it works, its failure will repeat, or the next pause would end past the deadline. */
export async function retried<Value>(
  tools: Pick<WriteTools, "caller" | "clock" | "random">,
  retryOn: readonly CallFailure["kind"][],
  attempt: () => Promise<Value>,
): Promise<Value> {
  const end = tools.clock.monotonicMs() + tools.caller.timeoutMs;
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof CallFailure) || !retryOn.includes(error.kind)) throw error;
      const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries);
      const pause = longest * (0.5 + tools.random.fraction() / 2);
      if (tools.clock.monotonicMs() + pause >= end) throw error;
      await tools.clock.sleep(pause);
    }
  }
}

/** One conditional write of one row. */
export interface RowWrite {
  readonly table: TableName;
  readonly key: readonly KeyPart[];
  readonly condition: Condition;
  /** Null for a delete, which leaves nothing to recognise it by. */
  readonly writeId: string | null;
  readonly send: () => Promise<unknown>;
}

/**
 * Writes a row. After an attempt of unknown outcome the row is read: if it carries this write's id the write happened;
 * else it is sent again under the same condition, and a conflict then is settled by reading once more.
 */
export async function writeRow(tools: WriteTools, write: RowWrite): Promise<WriteOutcome> {
  let doubtful = false;
  try {
    return await retried(tools, ["notApplied", "unknown"], async () => {
      if (doubtful && (await isDone(tools, write))) return "written";
      try {
        await write.send();
        return "written";
      } catch (error) {
        if (!(error instanceof CallFailure)) throw error;
        if (error.kind === "unknown") doubtful = true;
        if (error.kind !== "conflict") throw error;
        return doubtful && (await isDone(tools, write)) ? "written" : "conflict";
      }
    });
  } catch (error) {
    if (doubtful && error instanceof CallFailure && error.kind === "unknown") {
      // The last attempt was in doubt too: one last look before giving up.
      const done = await isDone(tools, write).catch(() => false);
      if (done) return "written";
    }
    throw storeFailure(error);
  }
}

async function isDone(tools: WriteTools, write: RowWrite): Promise<boolean> {
  const { caller, codec } = tools;
  const primaryKey = codec.key(write.table, write.key);
  const answer = await caller.call("getRow", { tableName: write.table, primaryKey, maxVersions: 1 });
  const row = codec.row(answer.row);
  if (write.writeId !== null) return row?.writeId === write.writeId;
  if (row !== null) return false;
  if (write.condition.kind === "none") return true;
  // Somebody else may have deleted it: to claim this delete would tell two callers that they won.
  throw new StoreFailure("unavailable", "Tablestore: the row is gone, but nobody knows by whose delete");
}

/** Unconditional writes in batches. Rows that fail for now are sent again; the same write twice does no harm. */
export async function writeRows(tools: WriteTools, writes: readonly Write[]): Promise<void> {
  const batches = inBatches(writes);
  let next = 0;
  const workers = Array.from({ length: Math.min(BATCHES_AT_ONCE, batches.length) }, async () => {
    for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) await writeBatch(tools, batch);
  });
  // All have ended when this returns, so that no write goes on behind the caller's back.
  for (const result of await Promise.allSettled(workers)) {
    if (result.status === "rejected") throw storeFailure(result.reason);
  }
}

/**
 * Conditional puts in batches. Answers what is known of each; null for a row whose outcome is not, which is then to be put by itself.
 */
export async function putRows(tools: WriteTools, puts: readonly Put[]): Promise<(WriteOutcome | null)[]> {
  const { caller, codec, random } = tools;
  const outcomes: (WriteOutcome | null)[] = [];
  for (let start = 0; start < puts.length; start += BATCH_ROWS_MAX) {
    const batch = puts.slice(start, start + BATCH_ROWS_MAX);
    const [table] = new Set(batch.map((put) => put.table));
    if (table === undefined || batch.some((put) => put.table !== table)) throw new RangeError("a batch has one table");
    const rows = batch.map(({ key, columns, condition }) => ({
      type: "PUT" as const,
      condition: codec.condition(condition),
      primaryKey: codec.key(table, key),
      attributeColumns: codec.columns(columns, newWriteId(random)),
    }));
    try {
      const { tables: results } = await caller.call("batchWriteRow", { tables: [{ tableName: table, rows }] });
      outcomes.push(...batch.map((_, index) => outcomeOf(results[index], table)));
    } catch (error) {
      if (!(error instanceof CallFailure) || error.kind === "final") throw storeFailure(error);
      outcomes.push(...batch.map(() => null));
    }
  }
  return outcomes;
}

function outcomeOf(
  result:
    | { readonly isOk: boolean; readonly errorCode: string | null; readonly errorMessage: string | null }
    | undefined,
  table: TableName,
): WriteOutcome | null {
  if (result?.isOk === true) return "written";
  const code = result?.errorCode ?? "Unreadable";
  const kind = result === undefined ? "unknown" : kindOfCode(code, result.errorMessage ?? "", null);
  if (kind === "final") throw storeFailure(new CallFailure(kind, code, table));
  return kind === "conflict" ? "conflict" : null;
}

async function writeBatch(tools: WriteTools, batch: readonly Write[]): Promise<void> {
  let open = batch;
  await retried(tools, ["notApplied", "unknown"], async () => {
    const failed = await sendBatch(tools, open);
    open = failed.map(({ write }) => write);
    // A row that will never work decides; else the first one says why to try again.
    const worst = failed.find(({ failure }) => failure.kind === "final") ?? failed[0];
    if (worst !== undefined) throw worst.failure;
  });
}

/** Sends one batch and returns the rows that failed: they come in a successful answer, each with its own code. */
async function sendBatch(tools: WriteTools, batch: readonly Write[]) {
  const { caller, codec, random } = tools;
  const condition = codec.condition({ kind: "none" });
  const byTable = new Map<TableName, Write[]>();
  for (const write of batch) byTable.set(write.table, [...(byTable.get(write.table) ?? []), write]);
  const inOrder = [...byTable.values()].flat();
  const answer = await caller.call("batchWriteRow", {
    tables: [...byTable].map(([tableName, writes]) => ({
      tableName,
      rows: writes.map((write) => {
        const primaryKey = codec.key(write.table, write.key);
        return write.kind === "delete"
          ? { type: "DELETE" as const, condition, primaryKey }
          : {
              type: "PUT" as const,
              condition,
              primaryKey,
              attributeColumns: codec.columns(write.columns, newWriteId(random)),
            };
      }),
    })),
  });
  // The SDK flattens the answer's tables into one list, in the order sent.
  const results = answer.tables;
  return inOrder.flatMap((write, index) => {
    const result = results[index];
    if (result?.isOk === true) return [];
    const code = result?.errorCode ?? "Unreadable";
    const kind = result === undefined ? "unknown" : kindOfCode(code, result.errorMessage ?? "", null);
    return [{ write, failure: new CallFailure(kind, code, write.table) }];
  });
}

/** Cuts the writes into batches that fit one request. */
function inBatches(writes: readonly Write[]): Write[][] {
  const batches: Write[][] = [];
  let bytes = 0;
  for (const write of writes) {
    const size = sizeOf(write);
    const last = batches.at(-1);
    if (last === undefined || last.length >= BATCH_ROWS_MAX || bytes + size > BATCH_BYTES_MAX) {
      batches.push([write]);
      bytes = size;
    } else {
      last.push(write);
      bytes += size;
    }
  }
  return batches;
}

/** Bytes of a write on the wire, roughly and from above: UTF-8 takes at most three bytes per unit. */
function sizeOf(write: Write): number {
  const width = (value: string | number | boolean) => (typeof value === "string" ? value.length * 3 : 8) + 16;
  const columns = write.kind === "put" ? Object.entries(write.columns) : [];
  const key = write.key.reduce<number>((sum, part) => sum + width(part) + 32, 0);
  return columns.reduce((sum, [name, value]) => sum + width(value) + name.length, key + 64);
}
