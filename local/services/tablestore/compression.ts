// Bodies that clients compress (an option of the SDKs of Java and C++). Answers are never compressed, which a client that asks for it
// has to expect.

import { inflateSync } from "node:zlib";
import type { OtsHeaders } from "../../protocol/tablestore/signature.ts";
import { parameterInvalid } from "./errors.ts";
import { limits } from "./limits.ts";

/** The message in a body, compressed or not. The digest in the headers is that of the body as it came. Throws OtsError. */
export function inflate(body: Buffer, headers: OtsHeaders): Buffer {
  const type = headers["x-ots-request-compress-type"];
  if (type === undefined) return body;
  if (type.trim().toLowerCase() !== "deflate") throw parameterInvalid(`Unsupported compress type: ${type}.`);
  let message: Buffer;
  try {
    message = inflateSync(body, { maxOutputLength: limits.bodyBytesMax });
  } catch {
    throw parameterInvalid("The compressed body can't be read.");
  }
  if (Number(headers["x-ots-request-compress-size"]) !== message.length) {
    throw parameterInvalid(`The compress size is invalid: ${headers["x-ots-request-compress-size"] ?? "missing"}.`);
  }
  return message;
}
