// A short name for a text: equal texts have equal digests, and no two others do.
import { createHash } from "node:crypto";

/** SHA-256 of the text's UTF-8 bytes, 64 hex digits. */
export function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
