// ComputeSplitPointsBySize.

import { encodeMessage } from "../../../protocol/tablestore/messages.ts";
import { type Cell, encodeRows } from "../../../protocol/tablestore/plain-buffer.ts";
import { parameterInvalid } from "../errors.ts";
import { findReadyTable, operation } from "../operation.ts";
import { decodeStored } from "../rows.ts";
import type { Store } from "../store.ts";
import type { Table } from "../tables.ts";

const defaultUnitBytes = 100 * 1024 * 1024;
const keysAtOnce = 2_000;
// Where rows are is nobody's business here: one place holds them all.
const location = "0";

/** Keys that cut the table into parts of about the size asked for. A part starts at its key. */
export const computeSplitPointsBySize = operation(
  "ComputeSplitPointsBySizeRequest",
  (request) => request.table_name,
  (call, request) => {
    const { store } = call;
    const table = findReadyTable(call, request.table_name);
    const unit = request.split_size_unit_in_byte ?? defaultUnitBytes;
    if (request.split_size <= 0) throw parameterInvalid("The split size must be greater than 0.");
    if (unit <= 0) throw parameterInvalid("The split size unit must be greater than 0.");
    const points = findPoints(store, table, request.split_size * unit);
    return encodeMessage("ComputeSplitPointsBySizeResponse", {
      consumed: { capacity_unit: { read: points.length + 1, write: 0 } },
      schema: table.definition.key.map(({ name, type }) => ({ name, type })),
      split_points: points.map((primaryKey) => encodeRows([{ primaryKey, attributes: [], deleteMarker: false }])),
      locations: [{ location, repeat: points.length + 1 }],
    });
  },
);

function findPoints(store: Store, table: Table, splitBytes: number): (readonly Cell[])[] {
  const points: (readonly Cell[])[] = [];
  let after: Buffer = Buffer.alloc(0);
  let size = 0;
  for (;;) {
    const entries = store.sizes(table, after, keysAtOnce);
    for (const [key, bytes] of entries) {
      after = key;
      if (size > 0 && size + bytes > splitBytes) {
        points.push(decodeStored(store.get(table, key) as Buffer).primaryKey);
        size = 0;
      }
      size += bytes;
    }
    if (entries.length < keysAtOnce) return points;
  }
}
