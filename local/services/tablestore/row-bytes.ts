// Reads the PlainBuffer parts of requests, with the service's error for broken ones.

import { decodeRow, type PlainRow } from "../../protocol/tablestore/plain-buffer.ts";
import type { Variant } from "../../protocol/tablestore/variant.ts";
import { asParameterError, parameterInvalid } from "./errors.ts";
import { readKey } from "./keys.ts";
import type { KeyColumn } from "./tables.ts";

/** The one row in `bytes`. Throws OtsError. */
export function readRowBytes(bytes: Buffer): PlainRow {
  try {
    return decodeRow(bytes);
  } catch (error) {
    throw asParameterError(error);
  }
}

/** The key that a read names, in schema order: a row of nothing else. Throws OtsError. */
export function readKeyBytes(schema: readonly KeyColumn[], bytes: Buffer, use: "read" | "bound"): Variant[] {
  const { primaryKey, attributes, deleteMarker } = readRowBytes(bytes);
  if (attributes.length > 0) throw parameterInvalid("Attribute column cannot be given while reading data.");
  if (deleteMarker) throw parameterInvalid("Delete marker cannot be given.");
  return readKey(schema, primaryKey, use);
}
