// ListTable.

import { encodeMessage } from "../../../protocol/tablestore/messages.ts";
import { tableOperation } from "../operation.ts";

/** Names of all tables of the instance; index tables are told by DescribeTable of their table. */
export const listTable = tableOperation(
  "ListTableRequest",
  () => undefined,
  (call) => {
    const tables = call.store.tablesOf(call.instance).filter(({ definition }) => definition.mainTable === undefined);
    return encodeMessage("ListTableResponse", { table_names: tables.map(({ definition }) => definition.name).sort() });
  },
);
