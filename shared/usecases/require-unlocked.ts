// Refuses what would open in a group that is locked down.
import type { GroupRef } from "../domain/ids.ts";
import { formatUtc } from "../domain/instant.ts";
import type { Policy } from "../domain/policy.ts";
import { fail } from "../errors/app-error.ts";
import { isHolding } from "../plan/picture.ts";
import { isSuspending } from "../plan/plan-suspended.ts";
import type { GroupFacts } from "../ports/firewall.ts";
import { listEntries } from "../store/ledger.ts";
import type { App } from "./app.ts";
import { isNamedForLockdown } from "./prepare-lockdowns.ts";

/** Throws GROUP_LOCKED_DOWN. */
export async function requireUnlocked(
  app: App,
  policy: Policy,
  facts: Pick<GroupFacts, "ref" | "name">,
): Promise<void> {
  const lockdown = await lockdownIn(app, policy, facts);
  if (lockdown === null) return;
  const until = lockdown.until === null ? "it is lifted" : formatUtc(lockdown.until);
  throw fail("GROUP_LOCKED_DOWN", { group: facts.name || facts.ref.groupId, lockdown: lockdown.id, until });
}

/** The lockdown a group is in, or null. Reads the group's ledger, and that only where the policy names the group for lockdowns. */
export async function lockdownIn(
  app: App,
  policy: Policy,
  facts: Pick<GroupFacts, "ref" | "name">,
): Promise<{ readonly id: string; readonly until: number | null } | null> {
  return isNamedForLockdown(policy, facts) ? lockdownHolding(app, facts.ref) : null;
}

/** The lockdown that holds anything in a group, or null. Reads the group's ledger. */
export async function lockdownHolding(
  app: App,
  group: GroupRef,
): Promise<{ readonly id: string; readonly until: number | null } | null> {
  const now = app.clock.now();
  const { entries } = await listEntries(app.tables, group);
  for (const { spec, holders, suspension } of entries) {
    // An accept that it has kept of a wider one may outlast it, until that is given back.
    const holder =
      spec.policy === "drop" ? holders.find((it) => it.kind === "lockdown" && isHolding(it, now)) : undefined;
    if (holder) return { id: holder.holderId, until: holder.until };
    const suspender = suspension?.by.find((it) => it.kind === "lockdown" && isSuspending(it, now));
    if (suspender) return { id: suspender.itemId, until: suspender.until };
  }
  return null;
}
