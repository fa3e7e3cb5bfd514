// Limits of the service, from its documentation of the wide-column model.

const kib = 1024;

/** Numbers the service refuses to exceed. Lengths are in bytes. */
export const limits = {
  bodyBytesMax: 5 * kib * kib,
  tablesMax: 64,
  primaryKeyColumnsMax: 4,
  definedColumnsMax: 32,
  nameBytesMax: 255,
  primaryKeyValueBytesMax: kib,
  attributeValueBytesMax: 2 * kib * kib,
  attributeColumnsMax: 1024,
  rowWriteBytesMax: 4 * kib * kib,
  columnsToGetMax: 128,
  streamHoursMax: 168,
  indexesMax: 5,
  indexKeyColumnsMax: 4,
  indexColumnsMax: 32,
  transactionMsMax: 60_000,
  transactionBytesMax: 4 * kib * kib,
  batchGetRowsMax: 100,
  batchWriteRowsMax: 200,
  rangeRowsMax: 5000,
  rangeBytesMax: 4 * kib * kib,
  capacityUnitsMax: 100_000,
  capacityUnitBytes: 4 * kib,
} as const;

/** Capacity units that `bytes` cost: 4 KB each, rounded up, at least one. */
export function capacityUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / limits.capacityUnitBytes));
}

/** True for a legal name of a table or column. */
export function isName(name: string): boolean {
  return name.length <= limits.nameBytesMax && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}
