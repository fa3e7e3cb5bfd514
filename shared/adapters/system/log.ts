// The log port on standard output: one JSON object a line, as log services read it.
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";

/** Writes `{"time","level","message",...fields}`, one line per call, and never throws. */
export function consoleLog(clock: Clock): Log {
  return {
    write(level, message, fields = {}) {
      const head = { time: new Date(clock.now()).toISOString(), level, message };
      process.stdout.write(`${lineOf(head, fields)}\n`);
    },
  };
}

function lineOf(head: Readonly<Record<string, unknown>>, fields: Readonly<Record<string, unknown>>): string {
  try {
    // The head comes last again, so that a field of the same name cannot hide it, and first, so that it leads the line.
    return JSON.stringify({ ...head, ...fields, ...head }, plain);
  } catch {
    return JSON.stringify({ ...head, unloggable: Object.keys(fields) });
  }
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return { name: value.name, message: value.message };
  return value;
}
