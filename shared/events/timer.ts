// The events of the sweep function: a timer's tick, or a wake-up that we asked for.
import { fail } from "../errors/app-error.ts";
import { fieldsOf, parseEvent } from "./event-json.ts";

/** What the sweep is asked to do. */
export interface SweepCommand {
  /** For the records: what made the sweep run. */
  readonly cause: string;
  /** Null for all shards. */
  readonly shard: number | null;
  /** The instant a wake-up was meant for, milliseconds; null for the timer. */
  readonly wakeAt: number | null;
  /** How many wake-ups for the same second have come before this one; null for one that was meant to come earlier. */
  readonly again: number | null;
}

/** A sweep that no wake-up asks for. */
export const EVERY_SHARD = { shard: null, wakeAt: null, again: null } as const;

const TIMER_KEYS = ["triggerTime", "triggerName"];

/**
 * Reads `{"triggerTime","triggerName","payload"}` as a sweep of every shard and `{"wakeup":{"shard","at","again"}}` as one of that shard.
 * What is due is read from the store, whatever time the event tells. Throws EVENT_INVALID on any other shape; the same event would be refused again.
 */
export function readSweepEvent(event: unknown, shards: number): SweepCommand {
  const fields = parseEvent(event);
  const wakeup = fields.value("wakeup");
  if (wakeup !== undefined) return readWakeup(wakeup, shards);
  if (TIMER_KEYS.some((key) => fields.text(key) !== undefined))
    return { cause: `timer ${fields.text("triggerName") ?? ""}`.trim(), ...EVERY_SHARD };
  throw fail("EVENT_INVALID", { why: "it is neither a timer's tick nor a wake-up" });
}

function readWakeup(wakeup: unknown, shards: number): SweepCommand {
  const shard = fieldsOf(wakeup)?.value("shard");
  const at = fieldsOf(wakeup)?.value("at");
  const again = fieldsOf(wakeup)?.value("again");
  if (typeof shard !== "number" || !Number.isInteger(shard) || shard < 0)
    throw fail("EVENT_INVALID", { why: "wakeup.shard is not a whole number from 0" });
  // A shard of an earlier, larger setting: everything is looked at.
  const wakeAt = typeof at === "number" && Number.isSafeInteger(at) ? at : null;
  return {
    cause: "wake-up",
    shard: shard < shards ? shard : null,
    wakeAt,
    again: typeof again === "number" && Number.isSafeInteger(again) && again >= 0 ? again : null,
  };
}
