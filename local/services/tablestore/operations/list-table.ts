// ListTable.

import { encodeMessage } from "../../../protocol/tablestore/messages.ts";
import { operation } from "../operation.ts";

/** Names of all tables of the instance. */
export const listTable = operation(
  "ListTableRequest",
  () => undefined,
  (call) => encodeMessage("ListTableResponse", { table_names: call.store.tableNames(call.instance) }),
);
