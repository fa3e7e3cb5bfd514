// Refuses to keep a lease for longer, or to grant for good, behind a lockdown of its own group or of another one of its hosts.
import { formatUtc } from "../../domain/instant.ts";
import type { LeaseRequest } from "../../domain/lease-record.ts";
import type { Policy } from "../../domain/policy.ts";
import { fail } from "../../errors/app-error.ts";
import type { Member } from "../../ports/firewall.ts";
import type { App } from "../app.ts";
import { membersOf } from "../group/open-facts.ts";
import { requireUnlocked } from "../lockdown/require-unlocked.ts";
import { findPassages } from "../pass/pass-lockdown.ts";

/**
 * A pass judges what opens, and not what is open already: whoever extends such a lease would be told that it is open. What it refuses of
 * a permission for good waits for the next full pass. Reads the ledgers of the other groups of its hosts, of which there are mostly none.
 * Throws GROUP_LOCKED_DOWN.
 */
export async function requireWayIn(
  app: App,
  policy: Policy,
  { group, groupName, specs }: Pick<LeaseRequest, "group" | "groupName" | "specs">,
  members: readonly Member[],
): Promise<void> {
  await requireUnlocked(app, policy, { ref: group, name: groupName });
  const reached = specs.flatMap((spec) => membersOf(members, spec));
  const others = [...new Set(reached.flatMap(({ groupIds }) => groupIds))].filter((id) => id !== group.groupId);
  const [stopped] = await findPassages(
    app,
    others.map((groupId) => ({ ...group, groupId })),
    specs,
  );
  if (stopped === undefined) return;
  const { holderId: lockdown, until } = stopped.holder;
  const name = (await app.inventory.group(stopped.group, "open"))?.name || stopped.group.groupId;
  throw fail("GROUP_LOCKED_DOWN", { group: name, lockdown, until: formatUtc(until) });
}
