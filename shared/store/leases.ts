// Leases: the request, written once, and the status, written by passes under the group's fencing number.

import type { GroupId, LeaseId } from "../domain/ids.ts";
import { isFinal } from "../domain/lease.ts";
import type { Lease, LeaseRequest, LeaseStatus } from "../domain/lease-record.ts";
import type { Approval, Justification } from "../domain/second-person.ts";
import { AppError } from "../errors/app-error.ts";
import type { Random } from "../ports/random.ts";
import type { Row, Tables, WriteOutcome } from "../ports/tables.ts";
import { type Shape, shapedColumn, withKey } from "./row-shape.ts";
import { specFromJson, specToJson } from "./spec-json.ts";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** A new lease id: nine base-32 digits of the time, so that later ids sort after earlier ones, and ten of chance. */
export function newLeaseId(now: number, random: Random): LeaseId {
  const chance = [...random.bytes(10)].map((byte) => ALPHABET[byte % 32]).join("");
  return `${firstIdAt(now)}${chance}` as LeaseId;
}

/** What the ids of an instant begin with; ids made earlier sort before it. */
function firstIdAt(at: number): string {
  let time = "";
  for (let rest = at, digits = 0; digits < 9; digits++, rest = Math.floor(rest / 32)) {
    time = `${ALPHABET[rest % 32]}${time}`;
  }
  return `ls-${time}`;
}

const APPROVAL: Shape<Approval> = {
  ...{ needed: "number", change: "text", requester: "text", askedOf: "texts", lapsesAt: "number" },
  ...{ words: "objects", rev: "number" },
};
const JUSTIFICATION: Shape<Justification> = { by: "text", at: "number", text: "text" };

const leaseOf = withKey((row: Row): Lease => {
  const { columns } = row;
  const request = shapedColumn<LeaseRequest & { specs: unknown[] }>(columns["request"], "lease", {
    ...{ leaseId: "text", principal: "text", group: "object", specs: "objects", entryIds: "texts" },
    ...{ periodMs: "number", requestedAt: "number", follows: "object?", grant: "object?" },
  });
  const status = shapedColumn<LeaseStatus>(columns["status"], "lease", {
    ...{ state: "text", until: "number", ruleIds: "texts", standings: "object?", noteDetail: "object?" },
  });
  const orNull = <Value extends object>(column: string, shape: Shape<Value>): Value | null =>
    columns[column] === undefined ? null : shapedColumn(columns[column], "lease", shape);
  return {
    request: {
      ...request,
      specs: request.specs.map((spec) => specFromJson(spec, "lease")),
      // Leases from before grants had rules, starts, and moves.
      grant: request.grant ?? null,
      startAt: request.startAt ?? null,
      follows: request.follows ?? null,
      sessions: request.sessions ?? "keep",
    },
    status,
    approval: orNull("approval", APPROVAL),
    justification: orNull("justification", JUSTIFICATION),
    ...(typeof columns["sessions"] === "string" ? { sessionsOutcome: columns["sessions"] } : {}),
  };
});

/** Null for a row that cannot be read. */
function readableLease(row: Row): Lease | null {
  try {
    return leaseOf(row);
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

/** Stores a new lease; `conflict` when the id exists. */
export function createLease(tables: Tables, lease: Omit<Lease, "justification">): Promise<WriteOutcome> {
  const request = JSON.stringify({ ...lease.request, specs: lease.request.specs.map(specToJson) });
  return tables.put(
    "lease",
    [lease.request.leaseId],
    {
      request,
      status: JSON.stringify(lease.status),
      state: lease.status.state,
      group: lease.request.group.groupId,
      fence: 0,
      ...(lease.approval === null ? {} : { approval: JSON.stringify(lease.approval), approvalRev: 0 }),
      ...((lease.request.grant?.justifyBy ?? null) === null ? {} : { justified: 0 }),
    },
    { kind: "absent" },
  );
}

/**
 * Moves a lease that needs approval on its way to `opening`, unless it has been moved since it was read: of two who decide at the
 * same time one is answered null. From `opening` on only passes write where it stands. Answers the lease as it is then.
 */
export async function writeDecision(
  tables: Tables,
  read: Lease,
  next: { readonly status: LeaseStatus; readonly approval: Approval },
): Promise<Lease | null> {
  const { rev } = next.approval;
  const approval = { ...next.approval, rev: rev + 1 };
  const columns = { status: JSON.stringify(next.status), state: next.status.state, approvalRev: rev + 1 };
  const outcome = await tables.update(
    "lease",
    [read.request.leaseId],
    { ...columns, approval: JSON.stringify(approval) },
    { kind: "equals", column: "approvalRev", value: rev },
  );
  return outcome === "written" ? { ...read, status: next.status, approval } : null;
}

/** Keeps why a lease was opened without its second person, as it was said first: of two at the same time one is answered false. */
export async function writeJustification(tables: Tables, leaseId: LeaseId, said: Justification): Promise<boolean> {
  const columns = { justification: JSON.stringify(said), justified: 1 };
  const first = { kind: "equals", column: "justified", value: 0 } as const;
  if ((await tables.update("lease", [leaseId], columns, first)) === "written") return true;
  const row = await tables.get("lease", [leaseId]);
  // Leases of earlier versions have no such column.
  if (row === null || row.columns["justified"] !== undefined || row.columns["justification"] !== undefined)
    return false;
  return (await tables.update("lease", [leaseId], columns, { kind: "present" })) === "written";
}

/** Keeps what came of a lease's sessions at its end. */
export async function writeSessionsOutcome(tables: Tables, leaseId: LeaseId, outcome: string): Promise<void> {
  await tables.update("lease", [leaseId], { sessions: outcome }, { kind: "present" });
}

/** The lease, or null. */
export async function getLease(tables: Tables, leaseId: LeaseId): Promise<Lease | null> {
  const row = await tables.get("lease", [leaseId]);
  return row ? leaseOf(row) : null;
}

/** As `getLease`; `unreadable` where there is a row, and nobody can tell what it says. */
export async function getKeptLease(tables: Tables, leaseId: LeaseId): Promise<Lease | "unreadable" | null> {
  const row = await tables.get("lease", [leaseId]);
  return row && (readableLease(row) ?? "unreadable");
}

/** Those of these leases that are there and can be read: one that cannot keeps nobody from the others. */
export async function readableLeases(tables: Tables, ids: readonly LeaseId[]): Promise<readonly Lease[]> {
  const rows = await Promise.all(ids.map((id) => getKeptLease(tables, id)));
  return rows.filter((lease) => lease !== null && lease !== "unreadable");
}

/** Later than any fence: the row of a lease that is over is written by nobody any more. */
const SEALED = Number.MAX_SAFE_INTEGER;

/** Writes where a lease stands, unless it is over or a pass with a later fencing number has written since. */
export function writeStatus(
  tables: Tables,
  leaseId: LeaseId,
  status: LeaseStatus,
  fence: number,
): Promise<WriteOutcome> {
  return tables.update(
    "lease",
    [leaseId],
    { status: JSON.stringify(status), state: status.state, fence: isFinal(status.state) ? SEALED : fence },
    { kind: "atMost", column: "fence", value: fence },
  );
}

/**
 * Hands every lease that was asked for in a time to `each`, a page in memory at a time; `until` is not included. Answers the ids of those
 * that cannot be read.
 */
export async function eachLease(
  tables: Tables,
  { from, until }: { readonly from: number; readonly until: number },
  each: (request: LeaseRequest) => void,
): Promise<readonly string[]> {
  const unreadable: string[] = [];
  for (let start = firstIdAt(from); ; ) {
    const page = await tables.range({ table: "lease", from: [start], to: [firstIdAt(until)], limit: 500 });
    for (const row of page.rows) {
      const lease = readableLease(row);
      if (lease === null) unreadable.push(String(row.key[0]));
      else each(lease.request);
    }
    const last = page.rows.at(-1);
    if (!page.more || !last) return unreadable;
    start = `${String(last.key[0])}\u0001`;
  }
}

/** Rows that one page is looked for in: whoever has few of many leases asks on, instead of waiting until the call is cut off. */
const READ_MAX = 5000;

/**
 * Leases, newest first. `before` continues after an earlier page; filters are applied while scanning, so that a page may be short, or empty, and
 * go on all the same. A row that cannot be read keeps no other out of it: its id is told.
 */
export async function listLeases(
  tables: Tables,
  query: {
    limit: number;
    before: string | null;
    state?: string;
    group?: GroupId;
    principal?: string;
    /** Groups whose leases are listed; all when absent. */
    sees?: (groupId: string) => boolean;
  },
): Promise<{ leases: readonly Lease[]; unreadable: readonly string[]; next: string | null }> {
  const leases: Lease[] = [];
  const unreadable: string[] = [];
  let before = query.before;
  for (let read = 0; ; ) {
    if (read >= READ_MAX) return { leases, unreadable, next: before };
    const page = await tables.range({
      table: "lease",
      from: [""],
      to: before === null ? null : [before],
      reverse: true,
      limit: 200,
    });
    read += page.rows.length;
    for (const row of page.rows) {
      before = String(row.key[0]);
      if (query.state && row.columns["state"] !== query.state) continue;
      if (query.sees && !query.sees(String(row.columns["group"]))) continue;
      if (query.group && row.columns["group"] !== query.group) continue;
      const lease = readableLease(row);
      if (lease === null) unreadable.push(before);
      if (lease === null || (query.principal && lease.request.principal !== query.principal)) continue;
      leases.push(lease);
      if (leases.length === query.limit) return { leases, unreadable, next: before };
    }
    if (!page.more || page.rows.length === 0) return { leases, unreadable, next: null };
  }
}
