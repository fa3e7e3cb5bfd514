// Whether a caller's scope takes in a group. The only place where scopes are held against groups.
import type { Policy } from "../../domain/policy.ts";
import { isInScopes, type ScopedGroup } from "../../domain/scope.ts";
import { AppError, fail } from "../../errors/app-error.ts";
import type { GroupFacts } from "../../ports/firewall.ts";
import type { App, Caller } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { findGroup } from "./find-group.ts";

/** Whether a caller may see what belongs to a group; what belongs to none is for callers without a scope. */
export type Sees = (groupId: string | null) => boolean;

/**
 * Throws OUT_OF_SCOPE unless each group, by id or name, is within the caller's scope. A group that is not there is answered alike, so
 * that nothing is learned of groups that are somebody else's. Without a scope no call is made.
 */
export async function requireInScope(app: App, caller: Caller, groups: readonly string[]): Promise<void> {
  for (const group of groups) if (!(await isWithin(app, caller, group))) throw fail("OUT_OF_SCOPE");
}

/** True when the group, by id or name, is there and meets every scope. Without a scope no call is made. */
export async function isWithin(
  app: App,
  { policy, scopes }: Pick<Caller, "policy" | "scopes">,
  group: string,
): Promise<boolean> {
  if (scopes.length === 0) return true;
  const found = await groupOf(app, policy, group);
  return found !== null && isInScopes(scopes, found);
}

/** Throws OUT_OF_SCOPE unless the caller is for the whole account. */
export function requireUnscoped(caller: Caller): void {
  if (caller.scopes.length > 0) throw fail("OUT_OF_SCOPE");
}

/** What of a list the caller may see. Reads the account's groups where the caller has a scope, else nothing. */
export async function seesOf(app: App, caller: Caller): Promise<Sees> {
  if (caller.scopes.length === 0) return () => true;
  const ids = new Set<string>();
  await inParallel(caller.policy.regions, async (region) => {
    for (const facts of await app.inventory.listGroups(region, "inventory"))
      if (isInScopes(caller.scopes, scoped(facts))) ids.add(facts.ref.groupId);
  });
  // What is left of a group that is gone has no name and no tags any more.
  const isNamed = (groupId: string) => isInScopes(caller.scopes, { groupId, name: "", tags: {} });
  return (groupId) => groupId !== null && (ids.has(groupId) || isNamed(groupId));
}

/** The group as scopes see it; of one that is gone only its id is left, and of a name that means none, nothing. */
async function groupOf(app: App, policy: Policy, group: string): Promise<ScopedGroup | null> {
  try {
    return scoped(await findGroup(app, policy, group));
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "GROUP_UNKNOWN") throw error;
    return group.startsWith("sg-") ? { groupId: group, name: "", tags: {} } : null;
  }
}

const scoped = ({ ref, name, tags }: GroupFacts): ScopedGroup => ({ groupId: ref.groupId, name, tags });
