// The heartbeat: what alarms outside of the program watch it by. A tick that failed does not beat.
import type { Policy } from "../../domain/policy.ts";
import type { App } from "../app.ts";
import { canaryState } from "../drift/tend-canary.ts";
import { health } from "./health.ts";
import type { SweepReport } from "./sweep.ts";

/** Names of the metrics. Alarms are set on them, so that they are never renamed. */
export const METRICS = {
  /** 1 at every tick that went through. */
  tick: "safeport_tick",
  /** Seconds by which the most overdue lease is past its end; 0 where none is. */
  overdue: "safeport_overdue_seconds",
  /** 1 while events of the account's trail do not come; every five minutes, with a canary alone. */
  deaf: "safeport_events_late",
} as const;

const MINUTE_MS = 60_000;
const CANARY_EVERY = 5;
const CALLS_MAX = 1;

/** Publishes after a tick. An idle one costs one call. Never rejects. */
export async function beat(
  app: App,
  region: string,
  tick: { readonly report: SweepReport; readonly policy: () => Promise<Policy> },
): Promise<void> {
  try {
    const isLeft = tick.report.left > 0;
    const values: { readonly name: string; readonly value: number }[] = [
      { name: METRICS.tick, value: 1 },
      { name: METRICS.overdue, value: isLeft ? await overdueS(app, await tick.policy()) : 0 },
    ];
    if (Math.floor(app.clock.now() / MINUTE_MS) % CANARY_EVERY === 0) {
      const state = await canaryState(app, await tick.policy());
      if (state !== "off") values.push({ name: METRICS.deaf, value: state === "deaf" ? 1 : 0 });
    }
    const at = app.clock.now();
    const dimensions = { installation: app.settings.installation };
    const points = values.map((it) => ({ ...it, dimensions, at }));
    await (await app.metrics()).publish(region, points, CALLS_MAX);
  } catch (error) {
    app.log.write("warn", "the heartbeat could not be published", { cause: error });
  }
}

async function overdueS(app: App, policy: Policy): Promise<number> {
  const { now, overdueEnds } = await health(app, policy);
  return Math.max(0, ...overdueEnds.map(({ dueAt }) => Math.round((now - dueAt) / 1000)));
}
