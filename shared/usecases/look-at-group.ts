// Looks at a group: what people claim is settled, and then a pass compares it with its ledger.
import type { GroupRef } from "../domain/ids.ts";
import type { App } from "./app.ts";
import { type PassOptions, type PassReport, runPass } from "./run-pass.ts";
import { settleClaims } from "./settle-claims.ts";

const TRIES_MAX = 20;
const AGAIN_MS = 100;

/**
 * Runs a pass, waiting a little for another one of the same group; null when that one does not come to an end. Comparing takes more
 * than ending does, and longer, as the trail may have to be asked: what ends is looked at before, and without it.
 */
export async function lookAtGroup(app: App, group: GroupRef, options: PassOptions): Promise<PassReport | null> {
  const { drift, policy, deadlineAt } = options;
  const now = app.clock.monotonicMs();
  if (drift) await settleClaims(app, group, { policy, deadlineAt: now + (deadlineAt - now) / 2 });
  return passWhenFree(app, group, options);
}

async function passWhenFree(app: App, group: GroupRef, options: PassOptions): Promise<PassReport | null> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const report = await runPass(app, group, options);
    if (report || app.clock.monotonicMs() >= options.deadlineAt) return report;
    await app.clock.sleep(AGAIN_MS * (1 + app.random.fraction()));
  }
  return null;
}
