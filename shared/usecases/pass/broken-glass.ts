// Whether somebody has broken the glass for a rule.
import type { Holder, LeaseHolder } from "../../domain/ledger-entry.ts";
import { isHolding } from "../../plan/picture.ts";
import { getLease } from "../../store/leases.ts";
import type { App } from "../app.ts";

/** True where a live lease of break-glass, asked for since then, is among the holders. Reads the leases. */
export async function isGlassBroken(app: App, holders: readonly Holder[], since: number): Promise<boolean> {
  const now = app.clock.now();
  const live = holders.filter((it): it is LeaseHolder => it.kind === "lease" && isHolding(it, now));
  const leases = await Promise.all(live.map((it) => getLease(app.tables, it.holderId)));
  return leases.some(
    (lease) => (lease?.request.grant?.justifyBy ?? null) !== null && (lease?.request.requestedAt ?? 0) >= since,
  );
}
