// Primary keys as bytes whose order is the order of the keys, and the check of keys against a table.

import { isUtf8 } from "node:buffer";
import type { Cell } from "../../protocol/tablestore/plain-buffer.ts";
import { Kind, type Variant } from "../../protocol/tablestore/variant.ts";
import { invalidPrimaryKey, parameterInvalid } from "./errors.ts";
import { limits } from "./limits.ts";
import type { KeyColumn } from "./tables.ts";

// One lead byte per column, so that the bounds sort outside every value.
const leadInfMin = 0x00;
const leadValue = 0x01;
const leadInfMax = 0xff;

/**
 * Bytes that sort like the key: INTEGER big-endian with the sign bit flipped, STRING and BINARY with 00 written
 * as 00 FF and ended by 00 00.
 */
export function encodeKey(values: readonly Variant[]): Buffer {
  let size = 0;
  for (const value of values) size += value.kind === Kind.integer ? 9 : 3 + 2 * value.bytes.length;
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { kind, bytes } of values) {
    if (kind === Kind.infMin || kind === Kind.infMax) {
      out[at++] = kind === Kind.infMin ? leadInfMin : leadInfMax;
      continue;
    }
    out[at++] = leadValue;
    if (kind === Kind.integer) {
      for (let index = 7; index >= 0; index--) {
        const byte = bytes[index] as number;
        out[at++] = index === 7 ? byte ^ 0x80 : byte;
      }
      continue;
    }
    for (const byte of bytes) {
      out[at++] = byte;
      if (byte === 0) out[at++] = 0xff;
    }
    out[at++] = 0;
    out[at++] = 0;
  }
  return out.subarray(0, at);
}

/** Which placeholders a key may hold: the range bounds, the auto-increment one when a row is written, else none. */
export type KeyUse = "read" | "bound" | "write" | "delete";

/** Kinds of values as errors name them. */
export const kindNames: Readonly<Record<number, string>> = {
  [Kind.integer]: "INTEGER",
  [Kind.double]: "DOUBLE",
  [Kind.boolean]: "BOOLEAN",
  [Kind.string]: "STRING",
  [Kind.binary]: "BLOB",
  [Kind.infMin]: "INF_MIN",
  [Kind.infMax]: "INF_MAX",
  [Kind.autoIncrement]: "AUTO_INCREMENT",
};

/** Throws OtsError when the value is a text that is not UTF-8. */
export function checkText(name: string, { kind, bytes }: Variant): void {
  if (kind === Kind.string && !isUtf8(bytes)) {
    throw parameterInvalid(`Value of column ${name} must be UTF8 encoding.`);
  }
}

/** The key's values in schema order. Throws OtsError when the cells do not fit the table. */
export function readKey(schema: readonly KeyColumn[], cells: readonly Cell[], use: KeyUse): Variant[] {
  if (cells.length !== schema.length) {
    throw invalidPrimaryKey(`Validate PK size fail. Input: ${cells.length}, Meta: ${schema.length}.`);
  }
  return schema.map((column, index) => {
    const cell = cells[index] as Cell;
    if (cell.name !== column.name) {
      throw invalidPrimaryKey(`Validate PK name fail. Input: ${cell.name}, Meta: ${column.name}.`);
    }
    const value = cell.value;
    if (value === undefined) throw parameterInvalid(`No value is given for primary key name: ${cell.name}.`);
    if (cell.op !== undefined) throw parameterInvalid(`OpType cannot be given for primary key name: ${cell.name}.`);
    if (cell.timestamp !== undefined) {
      throw parameterInvalid(`Timestamp cannot be given for primary key name: ${cell.name}.`);
    }
    checkKeyValue(column, value, use);
    return value;
  });
}

function checkKeyValue(column: KeyColumn, value: Variant, use: KeyUse): void {
  const mismatch = (): Error =>
    invalidPrimaryKey(`Validate PK type fail. Input: VT_${kindNames[value.kind]}, Meta: VT_${kindNames[column.kind]}.`);
  const invalidType = (): Error => parameterInvalid(`${kindNames[value.kind]} is an invalid type for the primary key.`);
  switch (value.kind) {
    case Kind.double:
    case Kind.boolean:
      throw invalidType();
    case Kind.infMin:
    case Kind.infMax:
      if (use !== "bound") throw invalidType();
      return;
    case Kind.autoIncrement:
      if (use === "delete") throw parameterInvalid("Invalid row to delete which with pk auto increment");
      if (use !== "write") throw parameterInvalid("PKAutoIncr can't be used for read operations.");
      if (!column.autoIncrement) throw mismatch();
      return;
    default:
      if (value.kind !== column.kind) throw mismatch();
      checkText(column.name, value);
      if (value.bytes.length > limits.primaryKeyValueBytesMax) {
        throw parameterInvalid(
          `The length of primary key column: '${column.name}' exceeds the MaxLength:${limits.primaryKeyValueBytesMax} with CurrentLength:${value.bytes.length}.`,
        );
      }
  }
}
