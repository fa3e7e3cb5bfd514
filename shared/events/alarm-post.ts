// The form post by which CloudMonitor tells of an alarm. Every field may be missing, doubled, empty or the text `null`.
import type { Alarm, AlarmState } from "../domain/alarm.ts";
import { fail } from "../errors/app-error.ts";

/** Larger than any post of the service, and small enough to be parsed without harm. */
export const ALARM_BYTES_MAX = 64 * 1024;
const TEXT_MAX = 256;
const DIMENSIONS_MAX = 32;
/** A timestamp with more digits is in milliseconds, as the service's own samples have both. */
const SECONDS_DIGITS_MAX = 11;
/** How far ahead of our clock an alarm may be dated: one from further on would overtake all that follow it. */
const AHEAD_MS = 5 * 60_000;

/**
 * Reads the body of a post, a form or, as some senders have it, JSON of the same fields. Source: CloudMonitor alarm callbacks
 * (function-compute notes, section 7). A post without a time counts as of `now`. Throws ALARM_INVALID and BODY_TOO_LARGE.
 */
export function readAlarmPost(body: Uint8Array, contentType: string, now: number): Alarm {
  if (body.byteLength > ALARM_BYTES_MAX) throw fail("BODY_TOO_LARGE", { bytes: body.byteLength, max: ALARM_BYTES_MAX });
  const text = Buffer.from(body).toString("utf8");
  const fields = contentType.includes("json") || text.trimStart().startsWith("{") ? jsonFields(text) : formFields(text);
  const field = (...names: readonly string[]): string => {
    for (const name of names) {
      const value = fields.get(name)?.trim() ?? "";
      if (value !== "" && value !== "null" && value !== "undefined") return clean(value);
    }
    return "";
  };
  const state = stateOf(field("alertState", "state"));
  if (state === null) throw fail("ALARM_INVALID", { why: "alertState is none of ALERT, OK and INSUFFICIENT_DATA" });
  const [rule, ruleId] = [field("alertName", "ruleName"), field("ruleId")];
  if (rule === "" && ruleId === "") throw fail("ALARM_INVALID", { why: "it names no rule" });
  const at = timeOf(field("timestamp", "lastTimestamp")) ?? now;
  return {
    rule,
    ruleId,
    namespace: field("namespace", "metricProject"),
    metric: field("rawMetricName", "metricName"),
    level: field("triggerLevel", "level"),
    state,
    dimensions: dimensionsOf(fields.get("dimensions") ?? ""),
    at: Math.min(at, now + AHEAD_MS),
  };
}

/** The first of doubled fields counts. What is no valid percent-encoding stays as it is. */
function formFields(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) if (!fields.has(name)) fields.set(name, value);
  return fields;
}

function jsonFields(text: string): ReadonlyMap<string, string> {
  try {
    const entries = Object.entries(Object(JSON.parse(text)));
    // What is nested too deep to be written again is no post either.
    return new Map(entries.map(([name, it]) => [name, typeof it === "string" ? it : JSON.stringify(it)]));
  } catch {
    throw fail("ALARM_INVALID", { why: "it is not JSON" });
  }
}

function stateOf(text: string): AlarmState | null {
  const state = text.toUpperCase();
  if (state === "ALARM") return "ALERT";
  return state === "ALERT" || state === "OK" || state === "INSUFFICIENT_DATA" ? state : null;
}

function timeOf(text: string): number | null {
  if (!/^\d{9,14}(\.\d+)?$/.test(text)) return null;
  const digits = text.split(".")[0]?.length ?? 0;
  return Math.floor(Number(text) * (digits > SECONDS_DIGITS_MAX ? 1 : 1000));
}

/** `{instanceId=i-1, userId=12}`, as Java prints a map, or JSON; what is neither names nothing. */
function dimensionsOf(text: string): Readonly<Record<string, string>> {
  const trimmed = text.trim();
  const inner = trimmed.startsWith("{") && trimmed.endsWith("}") ? trimmed.slice(1, -1) : trimmed;
  const pairs: [string, string][] = [];
  try {
    const value: unknown = JSON.parse(trimmed);
    for (const each of Array.isArray(value) ? value : [value])
      if (typeof each === "object" && each !== null)
        for (const [name, it] of Object.entries(each)) pairs.push([clean(name), clean(String(it))]);
  } catch {
    for (const part of inner.split(/[,&]/)) {
      const at = part.indexOf("=");
      if (at > 0) pairs.push([clean(part.slice(0, at).trim()), clean(part.slice(at + 1).trim())]);
    }
  }
  return Object.fromEntries(pairs.filter(([name]) => name !== "__proto__").slice(0, DIMENSIONS_MAX));
}

/** Cut, and without what could pretend to be another line. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, " ").slice(0, TEXT_MAX);
}
