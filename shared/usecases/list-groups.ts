// The security groups a lease may name.
import type { Policy } from "../domain/policy.ts";
import type { GroupFacts } from "../ports/firewall.ts";
import type { App } from "./app.ts";
import { protection } from "./open-facts.ts";

export interface GroupView {
  readonly region: string;
  readonly groupId: string;
  readonly name: string;
  readonly type: GroupFacts["type"];
  /** Why it takes no rule from safeport, or null. */
  readonly protectedBy: string | null;
}

/** Every group of the policy's regions. */
export async function listGroups(app: App, policy: Policy): Promise<readonly GroupView[]> {
  const regions = await Promise.all(policy.regions.map((region) => app.inventory.listGroups(region, "inventory")));
  return regions.flat().map((facts) => ({
    region: facts.ref.region,
    groupId: facts.ref.groupId,
    name: facts.name,
    type: facts.type,
    protectedBy: protection(facts, [], policy),
  }));
}
