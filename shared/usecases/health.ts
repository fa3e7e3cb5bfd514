// How the program is: what is due and not done, and how far its clock is off.
import type { Policy } from "../domain/policy.ts";
import { readDue } from "../store/due.ts";
import type { App } from "./app.ts";

export interface Health {
  readonly status: "ok" | "overdue" | "not-installed";
  readonly now: number;
  /** Instant of the oldest due row that is past, or null. */
  readonly oldestDue: number | null;
  /** Leases that are more than 30 s past their end and not closed. */
  readonly overdueEnds: readonly { readonly lease: string; readonly group: string; readonly dueAt: number }[];
  readonly clockSkewMs: number;
  readonly policyVersion: number;
}

const OVERDUE_MS = 30_000;

/** Reads the due table; makes no call to ECS. */
export async function health(app: App, policy: Policy): Promise<Health> {
  const now = app.clock.now();
  const shards = await Promise.all(
    Array.from({ length: app.settings.shards }, (_, shard) => readDue(app.tables, shard, now, 1000)),
  );
  const due = shards.flatMap((it) => it.due);
  const overdueEnds = due
    .filter((it) => it.kind === "lease" && it.at < now - OVERDUE_MS)
    .map((it) => ({ lease: it.id, group: it.groupId as string, dueAt: it.at }));
  const oldest = due.filter((it) => it.kind === "lease").map((it) => it.at);
  const installed = shards.some((it) => it.installed);
  return {
    status: !installed ? "not-installed" : overdueEnds.length > 0 ? "overdue" : "ok",
    now,
    oldestDue: oldest.length > 0 ? Math.min(...oldest) : null,
    overdueEnds,
    clockSkewMs: app.firewall.skewMs(),
    policyVersion: policy.version,
  };
}
