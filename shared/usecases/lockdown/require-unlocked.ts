// Refuses what would open in a group that is locked down.
import type { EntryId, GroupRef } from "../../domain/ids.ts";
import { formatUtc } from "../../domain/instant.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import type { Policy } from "../../domain/policy.ts";
import { fail } from "../../errors/app-error.ts";
import { isHolding, isOpening, isSuspending, type Refusal } from "../../plan/picture.ts";
import { keptFor } from "../../plan/plan-lockdown.ts";
import type { GroupFacts } from "../../ports/firewall.ts";
import { listEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { isGlassBroken } from "../pass/broken-glass.ts";
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
  return holdingIn(entries, now);
}

function holdingIn(
  entries: readonly Entry[],
  now: number,
): { readonly id: string; readonly until: number | null } | null {
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

/**
 * What may not be opened because a lockdown keeps the group closed by its accepts: leases, but of break-glass, that came in between, and
 * open hours that begin. Drops stop them by themselves. Reads the leases that wait.
 */
export async function lockedOut(
  app: App,
  { ref, entries, policy }: { readonly ref: GroupRef; readonly entries: readonly Entry[]; readonly policy: Policy },
  now: number,
): Promise<ReadonlyMap<EntryId, Refusal>> {
  const refusals = new Map<EntryId, Refusal>();
  const lockdown = holdingIn(
    entries.filter(({ suspension }) => suspension !== null),
    now,
  );
  if (lockdown === null) return refusals;
  const until = lockdown.until === null ? "it is lifted" : formatUtc(lockdown.until);
  const detail = { group: ref.groupId, lockdown: lockdown.id, until };
  const { operatorPath } = policy;
  for (const { entryId, spec, holders } of entries.filter((entry) => isOpening(entry, now))) {
    if (keptFor(spec, { core: policy.lockdown.core, operatorPath }) !== null) continue;
    // One that waits and cannot be read is not opened before it can be, and no refusal is its end.
    if (!(await isGlassBroken(app, holders, 0, (it) => it.openedAt === null)))
      refusals.set(entryId, { code: "GROUP_LOCKED_DOWN", detail });
  }
  return refusals;
}
