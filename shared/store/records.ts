// The audit trail: records, chained as they are written, and read newest first or in the order of the chain.
import type { KeyObject } from "node:crypto";
import type { GroupRef } from "../domain/ids.ts";
import {
  type ChainedRecord,
  isInstant,
  recordHash,
  recordKey,
  signRecord,
  stampAt,
  stampOf,
} from "../domain/record-chain.ts";
import { fail } from "../errors/app-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Row, Tables, Write } from "../ports/tables.ts";
import { shapedColumn } from "./row-shape.ts";

/** What was changed; `null` is what is not there. */
export interface RecordedChange {
  /** `mode`, `rule sgr-…`, `lease ls-…`, `grants[0].ports` … */
  readonly what: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** One line of the audit trail. */
export interface AuditRecord {
  readonly at: number;
  readonly group: GroupRef | null;
  /** Why the program looked: `open ls-…`, `due`, `recovery` … */
  readonly cause: string;
  readonly actor: string;
  /** From where somebody asked: address, and the token used; absent where nobody did. */
  readonly from?: string | undefined;
  readonly policyVersion: number | null;
  /** The line of the policy that decided, such as `grants: ops-ssh`; absent where none was asked. */
  readonly decidedBy?: string | undefined;
  /** What was done and found, in words with ids. */
  readonly lines: readonly string[];
  readonly changes?: readonly RecordedChange[] | undefined;
}

/** What writes records: an `App` is one. */
export interface Recorder {
  readonly tables: Tables;
  readonly clock: Pick<Clock, "now">;
  readonly random: Random;
  readonly settings: { readonly markSecret: string };
}

const CHAIN = "main";
const PAGE = 200;
const BODY_BYTES_MAX = 1_500_000;
const LINES_MAX = 3000;
/** Rows that one page of a group's is looked for in, as with leases. */
const READ_MAX = 5000;

/** The end of a lane, whose next record follows it. */
interface LaneEnd {
  readonly lane: string;
  readonly n: number;
  readonly sequence: string;
  readonly hash: string;
  readonly stamp: number;
}

/** The lanes of this process that nobody is writing to, and the key they are signed with. */
interface Lanes {
  readonly free: LaneEnd[];
  readonly key: KeyObject;
}

const lanesOfTables = new WeakMap<Tables, Lanes>();

function lanesOf({ tables, settings }: Recorder): Lanes {
  const known = lanesOfTables.get(tables);
  if (known) return known;
  const lanes = { free: [], key: recordKey(settings.markSecret) };
  lanesOfTables.set(tables, lanes);
  return lanes;
}

/**
 * Writes a record, and `beside` it what belongs to the same step, in one call. It follows the last record of a lane that nobody is
 * writing to, or begins one. Where this rejects nobody knows whether the record was written: no other follows it.
 */
export async function writeRecord(
  recorder: Recorder,
  record: AuditRecord,
  beside: readonly Write[] = [],
): Promise<void> {
  const lanes = lanesOf(recorder);
  const end = lanes.free.pop();
  const stamp = Math.max(recorder.clock.now(), end === undefined ? 0 : end.stamp + 1);
  const sequence = `${stampAt(stamp)}-${Buffer.from(recorder.random.bytes(5)).toString("hex")}`;
  const { lane, n, after, prev } =
    end === undefined
      ? { lane: sequence, n: 1, after: "", prev: "" }
      : { lane: end.lane, n: end.n + 1, after: end.sequence, prev: end.hash };
  const group = record.group?.groupId ?? "";
  const chained = signRecord({ sequence, lane, n, after, prev, group, body: bodyOf(record) }, lanes.key);
  await recorder.tables.writeAll([recordWrite(chained), ...beside]);
  lanes.free.push({ lane, n, sequence, hash: recordHash(chained), stamp });
}

/** What is too long for the store's 2 MB in a column is told by its lines alone. */
function bodyOf(record: AuditRecord): string {
  const body = JSON.stringify(record);
  if (Buffer.byteLength(body) <= BODY_BYTES_MAX) return body;
  const { changes: _, ...rest } = record;
  const lines = [...record.lines.slice(0, LINES_MAX), "what was changed is too long to be kept with this record"];
  return JSON.stringify({ ...rest, lines });
}

function recordWrite({ sequence, ...columns }: ChainedRecord): Write {
  return { kind: "put", table: "record", key: [CHAIN, sequence], columns };
}

/** Records, newest first. `before` is the cursor of an earlier page; a group's page may be short, or empty, and go on all the same. */
export async function listRecords(
  tables: Tables,
  query: { limit: number; before: string | null; group?: string },
): Promise<{ records: readonly (AuditRecord & { sequence: string })[]; next: string | null }> {
  const records: (AuditRecord & { sequence: string })[] = [];
  let before = query.before ?? "~";
  for (let read = 0; ; ) {
    if (read >= READ_MAX) return { records, next: before };
    const page = await tables.range({
      table: "record",
      from: [CHAIN],
      to: [CHAIN, before],
      reverse: true,
      limit: PAGE,
    });
    read += page.rows.length;
    for (const row of page.rows) {
      before = String(row.key[1]);
      if (query.group && row.columns["group"] !== query.group) continue;
      records.push({ ...recordOf(row), sequence: before });
      if (records.length === query.limit) return { records, next: before };
    }
    if (!page.more || page.rows.length === 0) return { records, next: null };
  }
}

/** One that cannot be read is shown as such: it hides no other. */
function recordOf({ key, columns }: Row): AuditRecord {
  try {
    const record = shapedColumn<AuditRecord>(columns["body"], "record", {
      ...{ at: "number", group: "object?", cause: "text", actor: "text", lines: "texts", changes: "objects?" },
    });
    if (!isInstant(record.at)) throw fail("STATE_UNREADABLE", { table: "record" });
    return record;
  } catch {
    const lines = ["this record cannot be read; `safeport records verify` tells what is wrong with it"];
    const at = stampOf(String(key[1])) || 0;
    return { at, group: null, cause: "unreadable", actor: "unknown", policyVersion: null, lines };
  }
}

/** Records as they are stored, oldest first: after the sequence `after`, and before `before`. */
export async function readChained(
  tables: Tables,
  query: { readonly after: string; readonly before: string; readonly limit: number },
): Promise<{ readonly records: readonly ChainedRecord[]; readonly more: boolean }> {
  const { after, before, limit } = query;
  const from = after === "" ? [CHAIN] : [CHAIN, `${after}\u0001`];
  const page = await tables.range({ table: "record", from, to: [CHAIN, before], limit });
  return { records: page.rows.map(chainedOf), more: page.more };
}

/** Whatever the row has: what is missing is for the verifier to find. */
function chainedOf({ key, columns }: Row): ChainedRecord {
  const text = (name: string): string => String(columns[name] ?? "");
  return {
    sequence: String(key[1]),
    ...{ lane: text("lane"), n: Number(columns["n"] ?? 0), after: text("after"), prev: text("prev") },
    ...{ group: text("group"), body: text("body"), signature: text("signature") },
  };
}
