// Lets the drop of a quarantine go because a lease was granted on its port: that is use by somebody who answers for it.

import { AppError } from "../../errors/app-error.ts";
import { getRecyclingItem } from "../../store/recycling.ts";
import type { App } from "../app.ts";
import { releaseDrops } from "../ledger/release-drops.ts";
import { decideStep } from "../recycling/move-recycling.ts";
import type { GivingDrop } from "./judge-openings.ts";

/** Whose lease it is. */
export interface Overruler {
  readonly leaseId: string;
  readonly principal: string;
}

/**
 * Decides that each item goes back, and then ends its hold; a pass over the group takes the drop away, and the watch settles the item and
 * has its owner told. Somebody who goes on is booked before either. Repeating it changes nothing.
 */
export async function overruleQuarantine(app: App, drop: GivingDrop, by: Overruler): Promise<void> {
  for (const itemId of drop.items) {
    await turnAround(app, itemId, by);
    await releaseDrops(app, drop.group, itemId, `the lease ${by.leaseId} needs the port`);
  }
}

/** An item that is on its way back already stays so, and so does one that nobody can read: its drop goes all the same. */
async function turnAround(app: App, itemId: string, { leaseId, principal }: Overruler): Promise<void> {
  for (;;) {
    const item = await getRecyclingItem(app.tables, itemId).catch((error: unknown) => {
      if (!(error instanceof AppError)) throw error;
      app.log.write("error", `the recycling item ${itemId} cannot be read; the lease ${leaseId} opens all the same`);
      return null;
    });
    if (item === null || item.state === "deleted") return;
    const goal = item.step?.to ?? item.state;
    if (goal !== "quarantined" && goal !== "deleted") return;
    const why = `the lease ${leaseId} was granted on its port`;
    if (await decideStep(app, item, { to: "restored", by: principal, why, at: app.clock.now() })) return;
  }
}
