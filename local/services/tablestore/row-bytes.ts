// Reads the PlainBuffer parts of requests, with the service's error for broken ones.

import { decodeRow, type PlainRow } from "../../protocol/tablestore/plain-buffer.ts";
import { asParameterError } from "./errors.ts";

/** The one row in `bytes`. Throws OtsError. */
export function readRowBytes(bytes: Buffer): PlainRow {
  try {
    return decodeRow(bytes);
  } catch (error) {
    throw asParameterError(error);
  }
}
