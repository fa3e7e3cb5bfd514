// A group by its id or name, for those who look after it.
import type { GroupId, GroupRef } from "../../domain/ids.ts";
import type { Policy } from "../../domain/policy.ts";
import { fail } from "../../errors/app-error.ts";
import type { CallPriority, GroupFacts } from "../../ports/firewall.ts";
import type { App } from "../app.ts";
import { firstOf } from "./first-of.ts";

/** The group of a name or id in the policy's regions. Throws GROUP_UNKNOWN, GROUP_AMBIGUOUS. */
export async function findGroup(
  app: App,
  policy: Policy,
  name: string,
  priority: CallPriority = "drift",
): Promise<GroupFacts> {
  const found = isId(name) ? await withId(app, policy, name, priority) : await withName(app, policy, name, priority);
  const [facts] = found;
  if (!facts) throw fail("GROUP_UNKNOWN", { group: name, region: policy.regions.join(", ") });
  if (found.length > 1) throw fail("GROUP_AMBIGUOUS", { group: name, count: found.length });
  return facts;
}

/** Where the ledger of a group is kept: by an id also when the group is gone. */
export async function findLedger(app: App, policy: Policy, name: string): Promise<GroupRef> {
  if (isId(name)) return { region: policy.regions[0] ?? "", groupId: name };
  return (await findGroup(app, policy, name)).ref;
}

const isId = (name: string): name is GroupId => name.startsWith("sg-");

async function withId(
  app: App,
  policy: Policy,
  groupId: GroupId,
  priority: CallPriority,
): Promise<readonly GroupFacts[]> {
  // An id is one region's alone.
  const found = await firstOf(policy.regions, (region) => app.inventory.group({ region, groupId }, priority));
  return found === null ? [] : [found];
}

async function withName(
  app: App,
  policy: Policy,
  name: string,
  priority: CallPriority,
): Promise<readonly GroupFacts[]> {
  const all = await Promise.all(policy.regions.map((region) => app.inventory.listGroups(region, priority)));
  return all.flat().filter((facts) => facts.name === name);
}
