// What an answer says a call has cost, in capacity units.

import { type Consumed, decodeMessage } from "../../protocol/tablestore/messages.ts";

/** Capacity units of one call. */
export interface Units {
  readonly reads: number;
  readonly writes: number;
}

/** The units that an answer of `operation` tells of; none of an operation that is not paid for by them. */
export function consumedBy(operation: string, answer: Buffer): Units | undefined {
  if (operation === "GetRow") return sum([decodeMessage("GetRowResponse", answer).consumed]);
  if (operation === "GetRange") return sum([decodeMessage("GetRangeResponse", answer).consumed]);
  if (/^(Put|Update|Delete)Row$/.test(operation)) return sum([decodeMessage("WriteRowResponse", answer).consumed]);
  if (operation !== "BatchGetRow" && operation !== "BatchWriteRow") return undefined;
  const { tables } = decodeMessage("BatchResponse", answer);
  return sum(tables.flatMap(({ rows }) => rows.flatMap(({ consumed }) => consumed ?? [])));
}

const sum = (parts: readonly Consumed[]): Units => ({
  reads: parts.reduce((total, { capacity_unit }) => total + (capacity_unit.read ?? 0), 0),
  writes: parts.reduce((total, { capacity_unit }) => total + (capacity_unit.write ?? 0), 0),
});
