// BatchWriteRow.

import { type BatchRowAnswer, encodeMessage, type Messages } from "../../../protocol/tablestore/messages.ts";
import { CellOp } from "../../../protocol/tablestore/plain-buffer.ts";
import { Kind } from "../../../protocol/tablestore/variant.ts";
import { OtsError, parameterInvalid } from "../errors.ts";
import { encodeKey } from "../keys.ts";
import { limits } from "../limits.ts";
import { type Call, findReadyTable, operation } from "../operation.ts";
import { Overlay } from "../overlay.ts";
import type { Table } from "../tables.ts";
import { applyOverlay, type Transaction } from "../transactions.ts";
import { applyChange, type ChangeKind, partitionOf, type RowChange, readChange, type WriteAnswer } from "../writing.ts";
import { changeRow } from "./write-row.ts";

const kinds: Readonly<Record<number, ChangeKind>> = { 1: "put", 2: "update", 3: "delete" };

interface Part {
  readonly table: Table;
  readonly changes: readonly RowChange[];
}

/**
 * Changes of several rows, each on its own: a failed condition fails that row alone. A request that is wrong in
 * itself fails whole, and nothing of it is done. So does an atomic one of which any row fails.
 */
export const batchWriteRow = operation(
  "BatchWriteRowRequest",
  (request) => request.tables.map(({ table_name }) => table_name),
  (call, request) =>
    call.store.write(() => {
      checkShape(request);
      const nowMs = call.now();
      const parts = request.tables.map((part): Part => {
        const table = findReadyTable(call, part.table_name);
        return { table, changes: readChanges(table, part, nowMs) };
      });
      const transaction = transactionOf(call, parts, request.transaction_id, nowMs);
      const tables = request.is_atomic
        ? changeAtomically(call, parts, { transaction, nowMs })
        : parts.map(({ table, changes }) => ({
            table_name: table.definition.name,
            rows: changes.map((change) => changeOne(call, table, change, { transaction, nowMs })),
          }));
      return encodeMessage("BatchResponse", { tables });
    }),
);

function transactionOf(
  call: Call,
  parts: readonly Part[],
  id: string | undefined,
  nowMs: number,
): Transaction | undefined {
  let transaction: Transaction | undefined;
  for (const { table } of parts) transaction = call.transactions.of(table, id, nowMs);
  return transaction;
}

function checkShape(request: Messages["BatchWriteRowRequest"]): void {
  const names = new Set<string>();
  let rows = 0;
  let bytes = 0;
  for (const part of request.tables) {
    if (names.has(part.table_name)) throw parameterInvalid(`Duplicated table name: ${part.table_name}.`);
    names.add(part.table_name);
    if (part.rows.length === 0) throw parameterInvalid(`No operation is specified for table:${part.table_name}.`);
    rows += part.rows.length;
    for (const row of part.rows) bytes += row.row_change.length;
  }
  if (rows === 0) throw parameterInvalid("No row is specified in BatchWriteRow.");
  if (rows > limits.batchWriteRowsMax) {
    throw parameterInvalid(`Rows count exceeds the upper limit:${limits.batchWriteRowsMax}.`);
  }
  if (bytes > limits.rowWriteBytesMax) {
    throw parameterInvalid(
      `The total data size of BatchWriteRow request exceeds the limit, limit size: ${limits.rowWriteBytesMax}, data size: ${bytes}.`,
    );
  }
}

function readChanges(table: Table, part: Messages["BatchWriteRowRequest"]["tables"][number], now: number): RowChange[] {
  const byKey = new Map<string, RowChange[]>();
  const changes = part.rows.map((row) => {
    const kind = kinds[row.type];
    if (kind === undefined) throw parameterInvalid("The modify type is invalid.");
    const request = { bytes: row.row_change, condition: row.condition, returnContent: row.return_content };
    const change = readChange(table, kind, request, now);
    // A row whose key is yet to be assigned is like no other.
    if (change.values.some((value) => value.kind === Kind.autoIncrement)) return change;
    const key = encodeKey(change.values).toString("latin1");
    const ofRow = byKey.get(key);
    if (ofRow === undefined) byKey.set(key, [change]);
    else ofRow.push(change);
    return change;
  });
  for (const ofRow of byKey.values()) if (ofRow.length > 1) checkRepeated(table, ofRow);
  return changes;
}

/** A row may be changed several times in one batch, in their order, while none of them looks at what is stored. */
function checkRepeated(table: Table, changes: readonly RowChange[]): void {
  if (changes.some((change) => change.existence !== 0)) {
    throw parameterInvalid("Repeated rows do not support row exist expectation check in BatchModify.");
  }
  if (changes.some((change) => change.columnCondition !== undefined)) {
    throw parameterInvalid("Repeated rows do not support row condition check in BatchModify.");
  }
  const counts = changes.some(({ cells }) => cells.some((cell) => cell.op === CellOp.increment));
  if (counts || table.definition.indexes !== undefined) {
    throw parameterInvalid("Duplicate rows detected in MultiPut.");
  }
}

interface Context {
  readonly transaction: Transaction | undefined;
  readonly nowMs: number;
}

function changeAtomically(
  call: Call,
  parts: readonly Part[],
  context: Context,
): { table_name: string; rows: BatchRowAnswer[] }[] {
  const [part] = parts;
  const first = part?.changes[0];
  if (part === undefined || first === undefined || parts.length > 1) {
    throw parameterInvalid("An atomic BatchWriteRow must be about one table.");
  }
  if (context.transaction !== undefined) throw parameterInvalid("An atomic BatchWriteRow can't be in a transaction.");
  const partition = partitionOf(first);
  if (part.changes.some((change) => !partitionOf(change).equals(partition))) {
    throw parameterInvalid("The rows of an atomic BatchWriteRow must have the same partition key.");
  }
  call.transactions.checkFree(part.table, partition, context.nowMs);
  const overlay = new Overlay(call.store);
  const when = { nowMs: context.nowMs, keepsExpired: call.keepsExpired };
  const rows = part.changes.map((change) => answerOf(applyChange(overlay, part.table, change, when)));
  applyOverlay(call.store, part.table, overlay);
  return [{ table_name: part.table.definition.name, rows }];
}

function changeOne(call: Call, table: Table, change: RowChange, context: Context): BatchRowAnswer {
  try {
    return answerOf(changeRow(call, table, change, context));
  } catch (error) {
    if (!(error instanceof OtsError)) throw error;
    return { is_ok: false, error: { code: error.code, message: error.message } };
  }
}

function answerOf(answer: WriteAnswer): BatchRowAnswer {
  return {
    is_ok: true,
    consumed: { capacity_unit: answer.consumed },
    ...(answer.row === undefined ? {} : { row: answer.row }),
  };
}
