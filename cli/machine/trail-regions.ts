// Whose trail a machine asks for: the regions of the policy that is in force.
import { policyOfRow } from "../../shared/config/policy-schema.ts";
import { isUnreadable } from "../../shared/errors/app-error.ts";
import type { Tables } from "../../shared/ports/tables.ts";
// biome-ignore lint/style/noRestrictedImports: on one machine nobody else asks for the trail.
import { listPolicies } from "../../shared/store/policy.ts";

/** As far back as the functions look for a version that can be read. */
const VERSIONS_BACK = 20;

/** Its own region before there is a policy, and where none can be read. */
export async function trailRegions(tables: Tables, ownRegion: string): Promise<readonly string[]> {
  // All of them are read only where the newest is not good.
  for (const limit of [1, VERSIONS_BACK])
    for (const row of await listPolicies(tables, limit))
      try {
        return policyOfRow(row, ownRegion).regions;
      } catch (error) {
        if (!isUnreadable(error)) throw error;
      }
  return [ownRegion];
}
