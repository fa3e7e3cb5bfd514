// What was told to whom, kept a while to know a repeated notice by, and the pace of each target.
import { type DeliveryState, freshPace, type TargetPace } from "../domain/delivery.ts";
import type { Tables, Write } from "../ports/tables.ts";
import { shapedColumn, withKey } from "./row-shape.ts";

const paceKey = (target: string): string => `target/${target}`;

const deliveryOf = withKey((row) => shapedColumn<DeliveryState>(row.columns["body"], "delivery", {}));

/** How the telling of a notice ended; null when it did not, or nobody remembers. */
export async function readDelivery(tables: Tables, noticeId: string): Promise<DeliveryState | null> {
  const row = await tables.get("delivery", [noticeId]);
  return row && deliveryOf(row);
}

/** Notes that the notice is in the outbox, or was, where nothing is remembered of it yet. */
export async function noteDelivery(tables: Tables, noticeId: string): Promise<void> {
  await tables.put("delivery", [noticeId], { body: "{}" }, { kind: "absent" });
}

export const deliveryWrite = (noticeId: string, state: DeliveryState): Write => ({
  kind: "put",
  table: "delivery",
  key: [noticeId],
  columns: { body: JSON.stringify(state) },
});

/** How a target takes messages. What cannot be read is forgotten: at worst a robot is silent for a while. */
export async function readPace(tables: Tables, target: string): Promise<TargetPace> {
  const row = await tables.get("delivery", [paceKey(target)]);
  try {
    return row
      ? shapedColumn<TargetPace>(row.columns["body"], "delivery", {
          sentAt: "list",
          pausedUntil: "number",
          failures: "number",
        })
      : freshPace;
  } catch {
    return freshPace;
  }
}

export const paceWrite = (target: string, pace: TargetPace): Write => ({
  kind: "put",
  table: "delivery",
  key: [paceKey(target)],
  columns: { body: JSON.stringify(pace) },
});
