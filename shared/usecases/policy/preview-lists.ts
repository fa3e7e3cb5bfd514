// What prefix lists for lockdowns would cost under a policy, group by group, before anything of them stands.
import type { Policy } from "../../domain/policy.ts";
import { fail } from "../../errors/app-error.ts";
import { dropsAround, hasGreDrop, hasSixDrop } from "../../plan/plan-lockdown.ts";
import { listsFor, weightOfDrops } from "../../plan/standby-drops.ts";
import { listPreparations } from "../../store/lockdowns.ts";
import type { App } from "../app.ts";
import { standbyWishes } from "../lockdown/prepare-standby.ts";

/** One group: what its drops on lists count for in the quota of rules, what there is beside them, and why it would be left out. */
interface ListCost {
  readonly group: string;
  readonly name: string;
  readonly weight: number | null;
  readonly used: number | null;
  readonly max: number;
  readonly why: string | null;
}

export interface ListsPreview {
  /** Of a group that lets in IPv4 alone; the others count for more. */
  readonly weight: number | null;
  /** Calls that close all groups of one scope in one region: one a list. */
  readonly writingCalls: number;
  /** Groups that were prepared for lockdowns, which those are that lockdown.groups names in the policy in force. */
  readonly groups: readonly ListCost[];
}

/**
 * Null where the policy asks for none. `isNew`: they are asked for just now; what switches them on throws LOCKDOWN_LISTS_UNPROBED where no
 * probe has passed in one of the policy's regions, and LOCKDOWN_LISTS_TOO_WIDE where no interface could have room for them.
 */
export async function previewLists(app: App, policy: Policy, isNew: boolean): Promise<ListsPreview | null> {
  const { lockdown, operatorPath, regions, limits } = policy;
  if (lockdown.prefixLists.length === 0) return null;
  const probed = (await app.lists()).regions;
  const unprobed = regions.filter((region) => !probed.includes(region));
  if (isNew && unprobed.length > 0) throw fail("LOCKDOWN_LISTS_UNPROBED", { regions: unprobed.join(", ") });
  const max = limits.rulesPerInterface - limits.rulesKeptFree;
  const plain = dropsAround(lockdown.core, operatorPath, { hasSix: false, hasGre: false });
  const weight = weightOfDrops(plain);
  if (isNew && (weight === null || weight > max))
    throw fail("LOCKDOWN_LISTS_TOO_WIDE", { weight: weight ?? "too many", max });
  const prepared = (await listPreparations(app.tables)).preparations.map((it) => ({
    ...it,
    drops: dropsAround(lockdown.core, operatorPath, { hasSix: hasSixDrop(it.drops), hasGre: hasGreDrop(it.drops) }),
  }));
  const { wishes, leftOut } = standbyWishes(policy, probed, prepared);
  const within = [
    ...wishes.flatMap(({ groups }) => groups.map(({ group }) => group)),
    ...leftOut.map(({ group }) => group),
  ];
  return {
    weight,
    writingCalls: listsFor(plain)?.length ?? 0,
    groups: prepared
      .filter(({ group }) => within.some((it) => it.groupId === group.groupId && it.region === group.region))
      .map(({ group, name, drops, otherRules }) => ({
        ...{ group: group.groupId, name, weight: weightOfDrops(drops), used: otherRules ?? null, max },
        why: leftOut.find((it) => it.group === group)?.why ?? null,
      })),
  };
}
