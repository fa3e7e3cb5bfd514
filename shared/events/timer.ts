// The events of the sweep function: a timer's tick, or a wake-up that we asked for.
import { fieldsOf, parseEvent } from "./event-json.ts";

/** What the sweep is asked to do. */
export interface SweepCommand {
  readonly kind: "sweep";
  /** For the records: what made the sweep run. */
  readonly cause: string;
  /** Null for all shards. */
  readonly shard: number | null;
}

/** A command, or why the event is none. Refusals are final: the same event would be refused again. */
export type SweepReading = SweepCommand | { readonly kind: "refused"; readonly why: string };

const TIMER_KEYS = ["triggerTime", "triggerName"];

/**
 * Reads `{"triggerTime","triggerName","payload"}` as a sweep of every shard and `{"wakeup":{"shard","at"}}` as one of that shard.
 * The time in either is told but not used: what is due is read from the store.
 */
export function readSweepEvent(event: unknown, shards: number): SweepReading {
  const parsed = parseEvent(event);
  if (parsed.kind === "refused") return parsed;
  const wakeup = parsed.fields.value("wakeup");
  if (wakeup !== undefined) return readWakeup(wakeup, shards);
  if (TIMER_KEYS.some((key) => parsed.fields.text(key) !== undefined))
    return { kind: "sweep", cause: `timer ${parsed.fields.text("triggerName") ?? ""}`.trim(), shard: null };
  return { kind: "refused", why: "the event is neither a timer's tick nor a wake-up" };
}

function readWakeup(wakeup: unknown, shards: number): SweepReading {
  const shard = fieldsOf(wakeup)?.value("shard");
  if (typeof shard !== "number" || !Number.isInteger(shard) || shard < 0)
    return { kind: "refused", why: "wakeup.shard is not a whole number from 0" };
  // A shard of an earlier, larger setting: everything is looked at.
  return { kind: "sweep", cause: "wake-up", shard: shard < shards ? shard : null };
}
