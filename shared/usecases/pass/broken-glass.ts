// Whether somebody has broken the glass for a rule.
import type { Holder, LeaseHolder } from "../../domain/ledger-entry.ts";
import { isHolding } from "../../plan/picture.ts";
import { getKeptLease } from "../../store/leases.ts";
import type { App } from "../app.ts";

/**
 * True where a live lease of break-glass, asked for since then, is among the holders. Reads the leases; `isUnread` says of one that nobody can
 * read whether it counts as such, as that must hold up nothing but itself.
 */
export async function isGlassBroken(
  app: App,
  holders: readonly Holder[],
  since: number,
  isUnread: (holder: LeaseHolder) => boolean,
): Promise<boolean> {
  const now = app.clock.now();
  const live = holders.filter((it): it is LeaseHolder => it.kind === "lease" && isHolding(it, now));
  const isBroken = async (holder: LeaseHolder): Promise<boolean> => {
    const lease = await getKeptLease(app.tables, holder.holderId);
    if (lease === "unreadable") return isUnread(holder);
    return (lease?.request.grant?.justifyBy ?? null) !== null && (lease?.request.requestedAt ?? 0) >= since;
  };
  return (await Promise.all(live.map(isBroken))).includes(true);
}
