// The wake-up port on Function Compute: a delayed asynchronous invocation of the sweep.
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Wakeup } from "../../ports/wakeup.ts";
import { type FcPlace, FcRefusal, fcClient } from "./fc-client.ts";

export interface FcWakeupSettings extends FcPlace {
  readonly clock: Clock;
  readonly log: Log;
  /** Name of the function to wake. */
  readonly functionName: string;
}

/** The service's limit is one hour, exclusive. A later instant is cut to it; the sweep, woken early, arms again. */
const DELAY_S_MAX = 3_599;
/** Task ids remembered as sent, so that one due second costs one call of this process. */
const SENT_MAX = 10_000;

/** A wake-up is sent once per shard and due second; that the platform knows it already is success. Failures go to the log. */
export function fcWakeup(settings: FcWakeupSettings): Wakeup {
  const sent = new Set<string>();
  const client = fcClient(settings);
  return {
    async arm(shard, at, again = 0) {
      const nowMs = settings.clock.now();
      const atS = Math.ceil(at / 1000);
      const dueS = Math.min(atS, latestS(nowMs));
      const delayS = Math.ceil((dueS * 1000 - nowMs) / 1000);
      const taskId = `w_${shard}_${dueS}${again > 0 ? `_${again}` : ""}`;
      if (sent.has(taskId)) return;
      remember(sent, taskId);
      const headers: Record<string, string> = { "x-fc-invocation-type": "Async", "x-fc-async-task-id": taskId };
      if (delayS > 0) headers["x-fc-async-delay"] = `${delayS}`;
      try {
        const body = { wakeup: { shard, at, ...(dueS === atS ? { again } : {}) } };
        await client.post(`/functions/${settings.functionName}/invocations`, JSON.stringify(body), headers);
      } catch (error) {
        if (error instanceof FcRefusal && error.status === 409) return;
        sent.delete(taskId);
        settings.log.write("warn", "wake-up not armed", { shard, at, reason: reasonOf(error) });
      }
    },
  };
}

/** The last second that can be asked for now, on the minute, so that far wake-ups share one call. */
function latestS(nowMs: number): number {
  return Math.floor((Math.floor(nowMs / 1000) + DELAY_S_MAX) / 60) * 60;
}

function remember(sent: Set<string>, taskId: string): void {
  sent.add(taskId);
  const oldest = sent.values().next();
  if (sent.size > SENT_MAX && !oldest.done) sent.delete(oldest.value);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message.slice(0, 200)}` : "unknown";
}
