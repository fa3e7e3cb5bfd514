// The event of an EventBridge trigger, as the ActionTrail records that it carries.
import { fail } from "../errors/app-error.ts";
import { fieldsOf, parseEvent } from "./event-json.ts";

/** Larger than any event of the bus: 64 KiB there, and some room. */
const BYTES_MAX = 256 * 1024;
const RECORDS_MAX = 100;

/**
 * The records of one invocation: the `data` of a CloudEvent, the data alone where the trigger sends that, or a list of either. A
 * record may be an object or JSON text. Throws EVENT_INVALID on anything else; what a record says is not looked at.
 */
export function readAuditEvent(event: unknown): readonly unknown[] {
  const size = typeof event === "string" ? event.length : event instanceof Uint8Array ? event.byteLength : 0;
  if (size > BYTES_MAX) throw fail("EVENT_INVALID", { why: `it has ${size} bytes, more than an event may have` });
  const list = listOf(event);
  if (list.length > RECORDS_MAX) throw fail("EVENT_INVALID", { why: `it holds ${list.length} events` });
  return list.map(recordOf);
}

function listOf(event: unknown): readonly unknown[] {
  if (Array.isArray(event)) return event;
  if (typeof event !== "string" && !(event instanceof Uint8Array)) return [event];
  const text = typeof event === "string" ? event : Buffer.from(event).toString("utf8");
  if (!text.trimStart().startsWith("[")) return [event];
  try {
    return JSON.parse(text) as unknown[];
  } catch {
    throw fail("EVENT_INVALID", { why: "it is not JSON" });
  }
}

function recordOf(event: unknown): unknown {
  const fields = parseEvent(event);
  const data = fields.value("data");
  if (data === undefined && fields.text("eventName") !== undefined)
    return event instanceof Uint8Array ? parsed(event) : event;
  if (typeof data === "string") return parsed(data);
  if (fieldsOf(data) === null) throw fail("EVENT_INVALID", { why: "it carries no data" });
  return data;
}

function parsed(text: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof text === "string" ? text : Buffer.from(text).toString("utf8"));
  } catch {
    throw fail("EVENT_INVALID", { why: "its data is not JSON" });
  }
}
