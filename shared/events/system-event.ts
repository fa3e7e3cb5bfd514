// System events of products, as EventBridge hands them on: an attack begins or is over, an instance stops.
import type { Alarm } from "../domain/alarm.ts";
import { fail } from "../errors/app-error.ts";
import { type FieldReader, fieldsOf, parseEvent } from "./event-json.ts";

/** What an event means to us. */
export type SystemEvent =
  | { readonly kind: "alarm"; readonly alarm: Alarm }
  /** An instance that is stopped or gone, and since when. */
  | { readonly kind: "instanceGone"; readonly instanceId: string; readonly state: string; readonly at: number }
  | { readonly kind: "other"; readonly type: string };

const BYTES_MAX = 256 * 1024;
const TEXT_MAX = 256;
const AHEAD_MS = 5 * 60_000;
/**
 * Names that end what another began; where one name tells of both, its status does. `Clean` is traffic that is being scrubbed, and so
 * an attack. Source: Anti-DDoS events (function-compute notes, section 8).
 */
const ENDS = /End$/;
const GONE = /^(stopped|stopping|deleted|released|terminated)$/i;

/**
 * Reads a CloudEvent of type `<product>:CloudMonitor:<name>`, or of an instance's change of state. Bytes of the layout are not
 * confirmed anywhere: every field is looked for in all places it may be in. Throws EVENT_INVALID on what is no event.
 */
export function readSystemEvent(event: unknown, now: number): SystemEvent {
  const size = typeof event === "string" ? event.length : event instanceof Uint8Array ? event.byteLength : 0;
  if (size > BYTES_MAX) throw fail("EVENT_INVALID", { why: `it has ${size} bytes, more than an event may have` });
  const fields = parseEvent(event);
  const type = fields.text("type") ?? "";
  const data = fieldsOf(parsed(fields.value("data")));
  if (data === null) throw fail("EVENT_INVALID", { why: "it carries no data" });
  const content = fieldsOf(parsed(data.value("content")));
  const field = (...names: readonly string[]): string => {
    for (const name of names) {
      const value = [data, content].map((it) => it?.value(name)).find((it) => typeof it === "string" && it !== "");
      if (typeof value === "string") return value.slice(0, TEXT_MAX);
    }
    return "";
  };
  const [product = "", , ...rest] = type.split(":");
  const name = rest.join(":") || field("name", "eventName");
  const instanceId = instanceOf(field, data, fields);
  const state = field("state", "instanceState", "status");
  const told = [field("eventTime", "time"), fields.text("time") ?? ""].map(instantOf).find((it) => !Number.isNaN(it));
  const at = Math.min(told ?? now, now + AHEAD_MS);
  if (/StateChange/i.test(name) || /StateChange/i.test(type)) {
    if (instanceId !== "" && GONE.test(state))
      return { kind: "instanceGone", instanceId, state: state.toLowerCase(), at };
    return { kind: "other", type: type || name };
  }
  if (/:CloudMonitor:/.test(type) && name !== "") {
    const ended = ENDS.test(name) || /^(end|ended|finish|finished|recovered)$/i.test(field("status", "eventStatus"));
    const ip = field("ip", "Ip", "publicIp", "eip");
    return {
      kind: "alarm",
      alarm: {
        rule: "",
        ruleId: "",
        namespace: product,
        // What begins and what ends is one alarm.
        metric: name.replace(/(Add|End)$/, ""),
        level: field("level"),
        state: ended ? "OK" : "ALERT",
        dimensions: { ...(instanceId !== "" && { instanceId }), ...(ip !== "" && { ip }) },
        at,
      },
    };
  }
  return { kind: "other", type: type || name };
}

/**
 * NaN for what is no time. CloudMonitor leaves out what ISO 8601 may do without: `20181226T220114.058+0800`. Source: ECS event
 * notifications, https://help.aliyun.com/en/ecs/user-guide/overview-35
 */
const instantOf = (text: string): number =>
  Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)/, "$1-$2-$3T$4:$5:$6"));

/** `i-…` by name, or the end of `acs:ecs:<region>:<account>:instance/<id>`. */
function instanceOf(field: (...names: string[]) => string, data: FieldReader, fields: FieldReader): string {
  const named = field("instanceId", "InstanceId", "resourceId", "subject") || data.text("resourceId") || "";
  for (const text of [named, data.text("resourceId") ?? "", fields.text("subject") ?? ""]) {
    const [found] = /(?:^|[/:])(i-[a-z0-9-]{1,60})$/.exec(text)?.slice(1) ?? [];
    if (found !== undefined) return found;
  }
  return "";
}

function parsed(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return null;
  }
}
