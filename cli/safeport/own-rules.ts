// The rules with a mark of this installation, and its prefix lists, wherever it has ever been allowed to write any. So are those of
// another one that has its state in the same tables: it could not close them without.
import { ecsAddressLists } from "../../shared/adapters/alibaba/ecs-address-lists.ts";
import { ecsFirewall } from "../../shared/adapters/alibaba/ecs-firewall.ts";
import { ecsInventory } from "../../shared/adapters/alibaba/ecs-inventory.ts";
import { parseMark } from "../../shared/domain/mark.ts";
import { isSealSigned, recordKey } from "../../shared/domain/record-chain.ts";
import { isStandbyListName } from "../../shared/domain/standby.ts";
import { CloudFailure } from "../../shared/ports/firewall.ts";
import { StoreFailure } from "../../shared/ports/tables.ts";
// biome-ignore-start lint/style/noRestrictedImports: the state is looked through before it goes, when there is no API any more.
import { otherOwner, readOwnership, requireWhole } from "../../shared/store/due.ts";
import { groupRegions } from "../../shared/store/group-rows.ts";
import { listPolicies, type PolicyRow } from "../../shared/store/policy.ts";
import { newestSeal } from "../../shared/store/seals.ts";
import { listStandbySets } from "../../shared/store/standby-sets.ts";
// biome-ignore-end lint/style/noRestrictedImports: see above
import { cloudCalls } from "../setup/cloud-call.ts";
import { stateOf } from "../setup/installation-steps.ts";
import type { Account } from "./account.ts";

/** More versions than a policy ever has. */
const VERSIONS_MAX = 10_000;

/** Each as `<rule id> in <group id>`. Throws where it cannot be known where to look. */
export async function ownRules(account: Account): Promise<readonly string[]> {
  const { configuration, clock } = account;
  const installations = await installationsHere(account);
  const found: string[] = [];
  for (const region of await regionsOf(account)) {
    const { ecs } = cloudCalls({ ...account, configuration: { ...configuration, region } });
    const firewall = ecsFirewall(ecs);
    for (const { ref } of await ecsInventory(ecs, clock).listGroups(region, "inventory")) {
      const { rules } = await firewall.readGroup(ref, "inventory");
      for (const rule of rules)
        if (installations.has(parseMark(rule.description)?.installation ?? ""))
          found.push(`${rule.id} in ${ref.groupId}`);
    }
  }
  return found;
}

/** A prefix list of the installation. */
export interface FoundList {
  readonly region: string;
  readonly listId: string;
  readonly name: string;
}

export const listInWords = ({ listId }: FoundList): string => `the prefix list ${listId}`;

/**
 * Prefix lists of the installation, which go after the rules that name them; looked for by their names, whether lists are switched on now or
 * not. Throws where that may not be asked, unless lists are off and nothing stored tells of any.
 */
export async function ownLists(account: Account): Promise<readonly FoundList[]> {
  const { configuration } = account;
  const installations = [...(await installationsHere(account))];
  const found: FoundList[] = [];
  try {
    for (const region of await regionsOf(account)) {
      const calls = cloudCalls({ ...account, configuration: { ...configuration, region } });
      for (let NextToken: unknown; ; ) {
        const answer = await calls.ask(calls.ecs, "DescribePrefixLists", { MaxResults: 100, NextToken });
        const lists =
          (answer["PrefixLists"] as { readonly PrefixList?: readonly unknown[] } | undefined)?.PrefixList ?? [];
        for (const list of lists as readonly Readonly<Record<string, unknown>>[])
          if (installations.some((it) => isStandbyListName(it, String(list["PrefixListName"]))))
            found.push({ region, listId: String(list["PrefixListId"]), name: String(list["PrefixListName"]) });
        NextToken = answer["NextToken"] || undefined;
        if (NextToken === undefined) break;
      }
    }
    return found;
  } catch (error) {
    if (!(error instanceof CloudFailure) || error.kind !== "refused" || configuration.lockdownLists.length > 0)
      throw error;
    const kept = await unlessGone(listStandbySets(stateOf(account)));
    if (kept === null || kept.sets.length + kept.unreadable.length > 0) throw error;
    return [];
  }
}

/** Takes lists away that no rule names any more: the cloud refuses it for others. */
export async function removeLists(account: Account, lists: readonly FoundList[]): Promise<void> {
  const { configuration } = account;
  for (const { region, listId } of lists) {
    const { ecs } = cloudCalls({ ...account, configuration: { ...configuration, region } });
    await ecsAddressLists(ecs, []).remove({ region, listId }, "inventory");
  }
}

/** Null where a run before this one has removed the table: any other failure may hide something that stands. */
export async function unlessGone<Answer>(work: Promise<Answer>): Promise<Answer | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StoreFailure && error.kind === "tableMissing") return null;
    throw error;
  }
}

/** This one, and whichever has its state in the same tables. */
async function installationsHere({ configuration, ...place }: Account): Promise<ReadonlySet<string>> {
  const found = await unlessGone(readOwnership(stateOf({ configuration, ...place })));
  const owner = found?.owner ?? null;
  return new Set([
    ...[configuration.settings.installation, ...(found?.installations ?? [])],
    ...(owner === null ? [] : [owner]),
  ]);
}

/**
 * Throws where the tables are another installation's, which would be taken for one's own: those that another works on, and an audit trail that
 * one has left which was uninstalled.
 */
export async function refuseTablesOfOthers(account: Account): Promise<void> {
  const { settings, endpoints } = account.configuration;
  const tables = stateOf(account);
  const found = await unlessGone(readOwnership(tables));
  const other = found && otherOwner(found, settings.installation);
  if (other !== null)
    throw new Error(
      `the tables of ${endpoints.tablestoreInstance} are of the installation ${other}. Set SAFEPORT_INSTALLATION to that, or SAFEPORT_TABLESTORE_INSTANCE to an instance of its own.`,
    );
  if (found !== null && (found.owner !== null || found.installations.length > 0)) return;
  const seal = await unlessGone(newestSeal(tables));
  if (seal === null || isSealSigned(seal, recordKey(settings.markSecret))) return;
  throw new Error(
    `the tables of ${endpoints.tablestoreInstance} keep the audit trail of an installation that was uninstalled, signed with another secret. Set SAFEPORT_TABLESTORE_INSTANCE to an instance of its own, or SAFEPORT_MARK_SECRET to what it was there.`,
  );
}

/** As `refuseTablesOfOthers`; throws also where an import into them was cut. */
export async function refuseUnfitTables(account: Account): Promise<void> {
  await refuseTablesOfOthers(account);
  const found = await unlessGone(readOwnership(stateOf(account)));
  if (found !== null) requireWhole(found);
}

/** Of every version of the policy, as a region may have left it while a rule stood there, and of every group that is kept track of. */
async function regionsOf(account: Account): Promise<ReadonlySet<string>> {
  const tables = stateOf(account);
  const versions = (await unlessGone(listPolicies(tables, VERSIONS_MAX))) ?? [];
  const kept = (await unlessGone(groupRegions(tables))) ?? [];
  const named = versions.map(regionsIn);
  // A version that cannot be read may have named any.
  const all = named.includes(null) ? await regionsOfCloud(account) : [];
  return new Set([account.configuration.region, ...named.flatMap((regions) => regions ?? []), ...kept, ...all]);
}

/** Read without the schema, which may refuse what an earlier one took. */
function regionsIn({ text }: PolicyRow): readonly string[] | null {
  try {
    const { regions = [] } = JSON.parse(text) as { readonly regions?: unknown };
    return Array.isArray(regions) && regions.every((it) => typeof it === "string") ? regions : null;
  } catch {
    return null;
  }
}

async function regionsOfCloud(account: Account): Promise<readonly string[]> {
  const { ecs, ask } = cloudCalls(account);
  const { Regions } = await ask(ecs, "DescribeRegions");
  const regions = (Regions as { readonly Region?: readonly { readonly RegionId?: unknown }[] } | undefined)?.Region;
  return (regions ?? []).map(({ RegionId }) => String(RegionId));
}
