// The bytes of any event as an object whose fields are read without trust.

/** Reads fields of an object of unknown shape. */
export interface FieldReader {
  value(name: string): unknown;
  /** The field when it is a text, else undefined. */
  text(name: string): string | undefined;
}

export type EventReading =
  | { readonly kind: "event"; readonly fields: FieldReader }
  | { readonly kind: "refused"; readonly why: string };

/** The platform hands over a Buffer; a text or a parsed object is taken too. */
export function parseEvent(event: unknown): EventReading {
  let value = event;
  if (typeof event === "string" || event instanceof Uint8Array) {
    try {
      value = JSON.parse(typeof event === "string" ? event : Buffer.from(event).toString("utf8"));
    } catch {
      return { kind: "refused", why: "the event is not JSON" };
    }
  }
  const fields = fieldsOf(value);
  return fields === null ? { kind: "refused", why: "the event is not a JSON object" } : { kind: "event", fields };
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
