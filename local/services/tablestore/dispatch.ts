// The operations this service serves, by the name in the path.

import { parameterInvalid } from "./errors.ts";
import type { Operation } from "./operation.ts";
import { batchGetRow } from "./operations/batch-get-row.ts";
import { batchWriteRow } from "./operations/batch-write-row.ts";
import { computeSplitPointsBySize } from "./operations/compute-split-points-by-size.ts";
import { createTable } from "./operations/create-table.ts";
import { addDefinedColumn, deleteDefinedColumn } from "./operations/defined-columns.ts";
import { deleteTable } from "./operations/delete-table.ts";
import { describeTable } from "./operations/describe-table.ts";
import { getRange } from "./operations/get-range.ts";
import { getRow } from "./operations/get-row.ts";
import { createIndex, dropIndex } from "./operations/indexes.ts";
import { listTable } from "./operations/list-table.ts";
import { abortTransaction, commitTransaction, startLocalTransaction } from "./operations/transactions.ts";
import { updateTable } from "./operations/update-table.ts";
import { deleteRow, putRow, updateRow } from "./operations/write-row.ts";

/** Tools ask for these before they delete a table; there are none, ever. */
const answersNothing: Operation = () => ({ tables: [], run: () => Buffer.alloc(0) });

const operations: ReadonlyMap<string, Operation> = new Map([
  ["CreateTable", createTable],
  ["ListTable", listTable],
  ["DescribeTable", describeTable],
  ["UpdateTable", updateTable],
  ["DeleteTable", deleteTable],
  ["GetRow", getRow],
  ["PutRow", putRow],
  ["UpdateRow", updateRow],
  ["DeleteRow", deleteRow],
  ["BatchGetRow", batchGetRow],
  ["BatchWriteRow", batchWriteRow],
  ["GetRange", getRange],
  ["CreateIndex", createIndex],
  ["DropIndex", dropIndex],
  ["AddDefinedColumn", addDefinedColumn],
  ["DeleteDefinedColumn", deleteDefinedColumn],
  ["StartLocalTransaction", startLocalTransaction],
  ["CommitTransaction", commitTransaction],
  ["AbortTransaction", abortTransaction],
  ["ComputeSplitPointsBySize", computeSplitPointsBySize],
  ["ListSearchIndex", answersNothing],
  ["ListTimeseriesTable", answersNothing],
]);

/** The operation of that name. Throws OtsError for every other one. */
export function findOperation(name: string): Operation {
  const found = operations.get(name);
  if (found === undefined) throw parameterInvalid(`Unsupported operation: ${name}.`);
  return found;
}
