// The bytes of any event as an object whose fields are read without trust.
import { fail } from "../errors/app-error.ts";

/** Reads fields of an object of unknown shape. */
export interface FieldReader {
  value(name: string): unknown;
  /** The field when it is a text, else undefined. */
  text(name: string): string | undefined;
}

/** The platform hands over a Buffer; a text or a parsed object is taken too. Throws EVENT_INVALID on anything else. */
export function parseEvent(event: unknown): FieldReader {
  let value = event;
  if (typeof event === "string" || event instanceof Uint8Array) {
    try {
      value = JSON.parse(typeof event === "string" ? event : Buffer.from(event).toString("utf8"));
    } catch {
      throw fail("EVENT_INVALID", { why: "it is not JSON" });
    }
  }
  const fields = fieldsOf(value);
  if (fields === null) throw fail("EVENT_INVALID", { why: "it is not a JSON object" });
  return fields;
}

/** The fields of an object; null when the value is none. */
export function fieldsOf(value: unknown): FieldReader | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const own = new Map<string, unknown>(Object.entries(value));
  return {
    value: (name) => own.get(name),
    text: (name) => {
      const field = own.get(name);
      return typeof field === "string" ? field : undefined;
    },
  };
}
