// Writes that are told apart from their own echoes: retries, read-back after a lost reply, and batches.
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { Columns, KeyPart, Put, TableName, Write, WriteOutcome } from "../../ports/tables.ts";
import { StoreFailure } from "../../ports/tables.ts";
import { CallFailure, storeFailure, type TablestoreCaller } from "./tablestore-call.ts";
import type { RowCodec, RowCondition } from "./tablestore-rows.ts";
import { type RowCalls, type RowChange, WRITTEN_BYTES_MAX, WRITTEN_ROWS_MAX } from "./tablestore-together.ts";

const WRITE_ID_BYTES = 8;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 1_000;

/** What the reading and writing functions work with. */
export interface WriteTools {
  readonly caller: TablestoreCaller;
  readonly codec: RowCodec;
  readonly rows: RowCalls;
  readonly clock: Clock;
  readonly random: Random;
}

/** A fresh write id. */
function newWriteId(random: Random): string {
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

/** One conditional write of one row; `columns` is null for a delete, and replaces the row but in an update. */
interface RowWrite {
  readonly kind: "put" | "update" | "delete";
  readonly table: TableName;
  readonly key: readonly KeyPart[];
  readonly columns: Columns;
  readonly condition: RowCondition;
}

/** Writes a row. One that no read shows and that is there all the same has expired, and is none. */
export async function writeRow(tools: WriteTools, write: RowWrite): Promise<WriteOutcome> {
  const outcome = await attemptRow(tools, write);
  if (outcome === "written" || !mayHaveExpired(tools, write)) return outcome;
  try {
    if ((await retried(tools, ["notApplied", "unknown"], () => tools.rows.get(write))) !== null) return outcome;
  } catch (error) {
    throw storeFailure(error);
  }
  return attemptRow(tools, { ...write, condition: { kind: "expired" } });
}

/** Whether conditions find such a row until the service takes it away is not documented. */
const mayHaveExpired = ({ codec }: WriteTools, { table, condition }: Pick<RowWrite, "table" | "condition">): boolean =>
  condition.kind === "absent" && codec.forgets(table);

/**
 * Writes a row. After an attempt of unknown outcome the row is read: if it carries this write's id the write happened;
 * else it is sent again under the same condition, and a conflict then is settled by reading once more.
 */
async function attemptRow(tools: WriteTools, write: RowWrite): Promise<WriteOutcome> {
  const { rows } = tools;
  const writeId = write.kind === "delete" ? null : newWriteId(tools.random);
  const ask = { rows: [changeOf(tools, write, writeId)], single: singleCall(tools, write, writeId) };
  const isWritten = () => isDone(tools, write, writeId);
  let doubtful = false;
  try {
    return await retried(tools, ["notApplied", "unknown"], async () => {
      if (doubtful && (await isWritten())) return "written";
      const [failure = null] = await rows.write(ask);
      if (failure === null) return "written";
      if (failure.kind === "unknown") doubtful = true;
      if (failure.kind !== "conflict") throw failure;
      return doubtful && (await isWritten()) ? "written" : "conflict";
    });
  } catch (error) {
    if (doubtful && error instanceof CallFailure && error.kind === "unknown") {
      // The last attempt was in doubt too: one last look before giving up.
      const done = await isWritten().catch(() => false);
      if (done) return "written";
    }
    throw storeFailure(error);
  }
}

/** The row as a batch takes it; `writeId` is null for a delete, which leaves nothing to recognise it by. */
function changeOf({ codec }: WriteTools, write: RowWrite, writeId: string | null): RowChange {
  const { kind, table, key, columns } = write;
  const row = { condition: codec.condition(write.condition), primaryKey: codec.key(table, key) };
  const wire =
    writeId === null
      ? { type: "DELETE" as const, ...row }
      : kind === "put"
        ? { type: "PUT" as const, ...row, attributeColumns: codec.columns(columns, writeId) }
        : { type: "UPDATE" as const, ...row, attributeColumns: [{ PUT: codec.columns(columns, writeId) }] };
  return { table, key, wire, bytes: sizeOf(write) };
}

/** The same as a call of its own, which also an installation knows whose policy lacks batches. */
function singleCall({ caller, codec }: WriteTools, write: RowWrite, writeId: string | null): () => Promise<unknown> {
  const { kind, table, key, columns } = write;
  const row = () => ({
    tableName: table,
    primaryKey: codec.key(table, key),
    condition: codec.condition(write.condition),
  });
  if (writeId === null) return () => caller.call("deleteRow", row());
  if (kind === "put")
    return () => caller.call("putRow", { ...row(), attributeColumns: codec.columns(columns, writeId) });
  return () =>
    caller.call("updateRow", { ...row(), updateOfAttributeColumns: [{ PUT: codec.columns(columns, writeId) }] });
}

async function isDone({ rows }: WriteTools, write: RowWrite, writeId: string | null): Promise<boolean> {
  const row = await rows.get(write);
  if (writeId !== null) return row?.writeId === writeId;
  if (row !== null) return false;
  if (write.condition.kind === "none") return true;
  // Somebody else may have deleted it: to claim this delete would tell two callers that they won.
  throw new StoreFailure("unavailable", "Tablestore: the row is gone, but nobody knows by whose delete");
}

/** Unconditional writes in batches. Rows that fail for now are sent again; the same write twice does no harm. */
export async function writeRows(tools: WriteTools, writes: readonly Write[]): Promise<void> {
  const condition = { kind: "none" } as const;
  const changes = writes.map((write) => {
    const columns = write.kind === "put" ? write.columns : {};
    return changeOf(tools, { ...write, columns, condition }, write.kind === "put" ? newWriteId(tools.random) : null);
  });
  // All have ended when this returns, so that no write goes on behind the caller's back.
  for (const result of await Promise.allSettled(inBatches(changes).map((batch) => writeBatch(tools, batch)))) {
    if (result.status === "rejected") throw storeFailure(result.reason);
  }
}

/**
 * Conditional puts in batches. Answers what is known of each; null for a row whose outcome is not, which is then to be put by itself.
 */
export async function putRows(tools: WriteTools, puts: readonly Put[]): Promise<(WriteOutcome | null)[]> {
  const changes = puts.map((put) => changeOf(tools, { ...put, kind: "put" }, newWriteId(tools.random)));
  const failures = await Promise.all(inBatches(changes).map((rows) => tools.rows.write({ rows, single: null })));
  return failures.flat().map((failure, index) => {
    if (failure?.kind === "final") throw storeFailure(failure);
    const put = puts[index];
    const isSure = failure?.kind === "conflict" && !(put && mayHaveExpired(tools, put));
    return failure === null ? "written" : isSure ? "conflict" : null;
  });
}

async function writeBatch(tools: WriteTools, batch: readonly RowChange[]): Promise<void> {
  let open = batch;
  await retried(tools, ["notApplied", "unknown"], async () => {
    const failures = await tools.rows.write({ rows: open, single: null });
    open = open.filter((_, index) => failures[index] !== null);
    // A row that will never work decides; else the first one says why to try again.
    const found = failures.filter((failure) => failure !== null);
    const worst = found.find(({ kind }) => kind === "final") ?? found[0];
    if (worst !== undefined) throw worst;
  });
}

/** Cuts the rows into batches that fit one request. */
function inBatches(changes: readonly RowChange[]): RowChange[][] {
  const batches: RowChange[][] = [];
  let bytes = 0;
  for (const change of changes) {
    const last = batches.at(-1);
    if (last === undefined || last.length >= WRITTEN_ROWS_MAX || bytes + change.bytes > WRITTEN_BYTES_MAX) {
      batches.push([change]);
      bytes = change.bytes;
    } else {
      last.push(change);
      bytes += change.bytes;
    }
  }
  return batches;
}

/** Bytes of a write on the wire, roughly and from above: UTF-8 takes at most three bytes per unit. */
function sizeOf({ key, columns }: RowWrite): number {
  const width = (value: string | number | boolean) => (typeof value === "string" ? value.length * 3 : 8) + 16;
  const keyBytes = key.reduce<number>((sum, part) => sum + width(part) + 32, 0);
  return Object.entries(columns).reduce((sum, [name, value]) => sum + width(value) + name.length, keyBytes + 64);
}
