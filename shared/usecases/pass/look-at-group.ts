// Looks at a group: what people claim is settled, and then a pass compares it with its ledger.
import type { GroupRef } from "../../domain/ids.ts";
import type { App } from "../app.ts";
import type { PassOptions, PassReport } from "./pass-report.ts";
import { runPass } from "./run-pass.ts";
import { settleClaims } from "./settle-claims.ts";

const TRIES_MAX = 20;
const AGAIN_MS = 100;

/**
 * Runs a pass, waiting a little for another one of the same group; null when that one does not come to an end. Comparing takes more
 * than ending does: where it fails, what else is due still has its pass, and then the failure is thrown.
 */
export async function lookAtGroup(app: App, group: GroupRef, options: PassOptions): Promise<PassReport | null> {
  if (!options.drift) return passWhenFree(app, group, options);
  try {
    const { policy, rows, deadlineAt } = options;
    const now = app.clock.monotonicMs();
    // Asking the trail takes its time, and a lease that ends has none.
    const isPressed = rows.some(({ kind }) => kind !== "drift");
    await settleClaims(app, group, { policy, deadlineAt: now + (deadlineAt - now) / 2, isPressed });
    return await passWhenFree(app, group, options);
  } catch (error) {
    const rows = options.rows.filter(({ kind }) => kind !== "drift");
    if (rows.length > 0)
      await passWhenFree(app, group, { ...options, rows, drift: false }).catch((cause: unknown) =>
        app.log.write("error", `nothing can be ended in ${group.groupId}`, { cause }),
      );
    throw error;
  }
}

async function passWhenFree(app: App, group: GroupRef, options: PassOptions): Promise<PassReport | null> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const report = await runPass(app, group, options);
    if (report || app.clock.monotonicMs() >= options.deadlineAt) return report;
    await app.clock.sleep(AGAIN_MS * (1 + app.random.fraction()));
  }
  return null;
}
