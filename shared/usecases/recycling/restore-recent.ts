// Gives back what recycling has closed a short time ago where refusals are up since.
import type { Alarm } from "../../domain/alarm.ts";
import type { Policy } from "../../domain/policy.ts";
import { OTHERS, type RecyclingItem } from "../../domain/recycling-item.ts";
import { AppError } from "../../errors/app-error.ts";
import { listRecyclingItems } from "../../store/recycling.ts";
import type { App } from "../app.ts";
import { findHost } from "../group/find-host.ts";
import { restoreItem } from "./decide-recycling.ts";
import { isRemovedByOthers } from "./standing-rule.ts";

/** How long ago a close may be that refusals are blamed on. */
const RECENT_MS = 3 * 24 * 60 * 60_000;

/** Answers what was given back; of an alarm that names no instance nothing can be told. Whoever was given back starts anew: it is held. */
export async function restoreRecent(
  app: App,
  policy: Policy,
  alarm: Alarm,
  deadlineAt: number,
): Promise<readonly string[]> {
  const { instanceId } = alarm.dimensions;
  if (!instanceId) return [];
  const found = await findHost(app, policy.regions, instanceId, "open");
  const groups = new Set(found?.members.flatMap((it) => it.groupIds));
  const states = ["quarantined", "deleted"] as const;
  const limit = Number.POSITIVE_INFINITY;
  const items = await Promise.all(
    [...groups].map((groupId) => listRecyclingItems(app.tables, { states, groupId, limit })),
  );
  const since = app.clock.now() - RECENT_MS;
  const own = items.flatMap((page) => page.items).filter((it) => it.since >= since);
  const restored: string[] = [];
  for (const item of own) {
    if (await isOthersDoing(app, item)) continue;
    const { itemId } = item;
    const caller = { principal: "alarm", roles: ["operator"], scopes: [], policy } as const;
    const reason = `refusals are up: ${alarm.rule || alarm.metric} of ${instanceId}`;
    try {
      await restoreItem(app, caller, itemId, { reason }, { dryRun: false, deadlineAt });
      restored.push(itemId);
    } catch (error) {
      if (!(error instanceof AppError) || error.entry.retry !== "never") throw error;
      app.log.write("warn", `${itemId} cannot be given back`, { code: error.code });
    }
  }
  return restored;
}

/** True where it was not recycling that closed the rule: whoever removed it meant it, and only a person's word opens it again. */
async function isOthersDoing(app: App, item: RecyclingItem): Promise<boolean> {
  if (item.state === "deleted") return item.history.at(-1)?.by === OTHERS;
  return isRemovedByOthers(app, item);
}
