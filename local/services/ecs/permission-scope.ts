// What one permission of a call is checked against: the group, and what stands around it.
import type { EcsDirection, EcsGroup, EcsList } from "./model.ts";
import type { EcsSwitches } from "./switches.ts";

/** What a permission is checked against. */
export interface PermissionScope {
  readonly direction: EcsDirection;
  readonly group: EcsGroup;
  readonly groups: readonly EcsGroup[];
  readonly lists: readonly EcsList[];
  readonly switches: Readonly<EcsSwitches>;
  /** What the call does with it: some refusals differ. */
  readonly purpose: "authorize" | "revoke" | "modify";
  /** The account of the call; a group said to be its own is looked up. */
  readonly accountId: string;
}
