// StartLocalTransaction, CommitTransaction and AbortTransaction.

import { encodeMessage } from "../../../protocol/tablestore/messages.ts";
import { encodeKey } from "../keys.ts";
import { findReadyTable, operation } from "../operation.ts";
import { readKeyBytes } from "../row-bytes.ts";

/** Opens a transaction on one partition key of a table that has them enabled. */
export const startLocalTransaction = operation(
  "StartLocalTransactionRequest",
  (request) => request.table_name,
  (call, request) => {
    const table = findReadyTable(call, request.table_name);
    const values = readKeyBytes(table.definition.key.slice(0, 1), request.key, "read");
    const { id } = call.transactions.start(call.store, table, encodeKey(values), call.now());
    return encodeMessage("StartLocalTransactionResponse", { transaction_id: id });
  },
);

/** Makes what the transaction changed durable and ends it. */
export const commitTransaction = operation(
  "TransactionRequest",
  () => undefined,
  async (call, request) => {
    await call.transactions.commit(call.store, call.transactions.use(request.transaction_id, call.now()));
    return encodeMessage("EmptyResponse", {});
  },
);

/** Ends the transaction without a trace. Answers its id, because the Node SDK reads the answer as a request. */
export const abortTransaction = operation(
  "TransactionRequest",
  () => undefined,
  (call, request) => {
    call.transactions.end(call.transactions.use(request.transaction_id, call.now()));
    return encodeMessage("TransactionRequest", request);
  },
);
