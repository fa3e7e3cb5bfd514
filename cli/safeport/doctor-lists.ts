// What `safeport doctor` says of the prefix lists by which lockdowns close groups: whether they are there, hold what they should, and are named.
import { ecsAddressLists } from "../../shared/adapters/alibaba/ecs-address-lists.ts";
import { ecsFirewall } from "../../shared/adapters/alibaba/ecs-firewall.ts";
import { ecsInventory } from "../../shared/adapters/alibaba/ecs-inventory.ts";
import { policyOfRow } from "../../shared/config/policy-schema.ts";
import type { GroupRef } from "../../shared/domain/ids.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import { type StandbyList, type StandbySet, setOfListName, standbyHolder } from "../../shared/domain/standby.ts";
// biome-ignore-start lint/style/noRestrictedImports: doctor looks also where the functions, and so their API, are not well; it counts as they do.
import { weightOfRules } from "../../shared/plan/standby-drops.ts";
import { CloudFailure, type GroupReading } from "../../shared/ports/firewall.ts";
import { listEntries } from "../../shared/store/ledger.ts";
import { readPolicy } from "../../shared/store/policy.ts";
import { listStandbySets } from "../../shared/store/standby-sets.ts";
// biome-ignore-end lint/style/noRestrictedImports: see above
import { cloudCalls } from "../setup/cloud-call.ts";
import { stateOf } from "../setup/installation-steps.ts";
import type { Account } from "./account.ts";
import type { Finding } from "./finding.ts";
import { type FoundList, listInWords, ownLists, unlessGone } from "./own-rules.ts";

const CHECK = "lockdown lists";
const SOON = "It is put right within the hour: look at the log of the function sweep, and run safeport setup --apply.";

/** Of the policy's wish, of every set and its groups, and of lists that no set knows. */
export async function listFindings(account: Account): Promise<readonly Finding[]> {
  const tables = stateOf(account);
  const { sets, unreadable } = (await unlessGone(listStandbySets(tables))) ?? { sets: [], unreadable: [] };
  const row = await unlessGone(readPolicy(tables));
  const policy = row && policyOfRow(row, account.configuration.region);
  const spare = await leftOver(account, sets, unreadable);
  const findings = [...unprobed(account, policy), ...unreadable.map(damaged), ...spare];
  for (const set of sets) findings.push(...(await ofSet(account, set, sets, policy?.limits.rulesPerInterface ?? null)));
  if (findings.length > 0) return findings;
  const found = sets.length === 0 ? "none" : `${sets.length} sets, as they should be`;
  return [{ check: CHECK, state: "ok", found, remedy: "" }];
}

function unprobed({ configuration }: Account, policy: ReturnType<typeof policyOfRow> | null): readonly Finding[] {
  if (policy === null || policy.lockdown.prefixLists.length === 0) return [];
  const without = policy.regions.filter((region) => !configuration.lockdownLists.includes(region));
  if (without.length === 0) return [];
  const found = `the policy wants them in ${without.join(", ")}, where no probe has passed: groups are closed by drops of their own`;
  const remedy =
    "Run safeport probe --only emptyPrefixList there and set SAFEPORT_LOCKDOWN_LISTS, or take lockdown.prefixLists out of the policy.";
  return [{ check: CHECK, state: "warn", found, remedy }];
}

/** Its groups are closed by drops of their own, and whatever its lists hold stays in them. */
const damaged = (name: string): Finding => ({
  ...{
    check: CHECK,
    state: "fail",
    found: `the row of the set ${name} cannot be read: its lists are left as they are`,
  },
  remedy: `While no lockdown is on, delete the row (~lists, ${name}) of the table preparation: the sweep finds the lists by their names, empties them, and makes the row anew within the hour.`,
});

/** Lists of this installation's name that no set has: no lockdown fills them, and each is one of the hundred of a region. */
async function leftOver(
  account: Account,
  sets: readonly StandbySet[],
  unreadable: readonly string[],
): Promise<readonly Finding[]> {
  const known = new Set(sets.flatMap(({ lists }) => lists.flatMap(({ listId }) => listId ?? [])));
  // What a row has that cannot be read nobody knows.
  const isLost = ({ name }: FoundList) => unreadable.includes(setOfListName(name));
  const spare = (await ownLists(account)).filter((it) => !known.has(it.listId) && !isLost(it));
  if (spare.length === 0) return [];
  const found = `${spare.map(listInWords).join(", ")} belong to no set`;
  const remedy =
    "Delete them in the console; safeport uninstall does, too. The cloud refuses it while a rule names one.";
  return [{ check: CHECK, state: "warn", found, remedy }];
}

async function ofSet(
  account: Account,
  set: StandbySet,
  sets: readonly StandbySet[],
  rulesMax: number | null,
): Promise<readonly Finding[]> {
  const { ecs } = cloudCalls({ ...account, configuration: { ...account.configuration, region: set.region } });
  const lists = ecsAddressLists(ecs, []);
  const findings: Finding[] = [];
  for (const list of set.lists) {
    const { listId } = list;
    const held = listId === null ? null : await lists.read({ region: set.region, listId }, "inventory");
    const finding = ofList(set, list, held);
    if (finding) findings.push(finding);
  }
  const [firewall, inventory] = [ecsFirewall(ecs), ecsInventory(ecs, account.clock)];
  const readings = new Map<string, Promise<GroupReading | null>>();
  const read = (group: GroupRef): Promise<GroupReading | null> => {
    const reading = readings.get(group.groupId) ?? unlessGroupGone(firewall.readGroup(group, "inventory"));
    readings.set(group.groupId, reading);
    return reading;
  };
  for (const groupId of set.members) {
    const group = { region: set.region, groupId };
    const reading = await read(group);
    if (reading === null) continue;
    const missing = await dropsMissing(account, set, reading);
    if (missing > 0) findings.push(gap(group, missing));
    const members = await inventory.members(group, "inventory");
    for (const { eniId, groupIds } of members) {
      const merged = await Promise.all(groupIds.map((id) => read({ ...group, groupId: id })));
      const used = weightOfRules(
        merged.flatMap((it) => it?.rules ?? []),
        sets,
      );
      if (rulesMax === null || used <= rulesMax) continue;
      const found = `the rules of ${eniId} count for ${used} of ${rulesMax}, drops on lists for the room these have`;
      const remedy =
        "Remove rules, or name fewer or wider sources of operators: nothing more can be opened or dropped.";
      findings.push({ check: CHECK, state: "fail", found, remedy });
    }
  }
  return findings;
}

function ofList({ holders, members, name }: StandbySet, list: StandbyList, held: readonly string[] | null) {
  const said = (found: string, remedy: string): Finding => ({ check: CHECK, state: "fail", found, remedy });
  if (list.listId === null) return said(`a list of the set ${name} is not made yet`, SOON);
  if (held === null) return said(`${list.listId} of the set ${name} is gone`, SOON);
  if (holders.length === 0 && held.length > 0) {
    const found = `${list.listId} holds ${held.length} blocks in peace: ${members.length} groups are closed to them`;
    return said(found, "Take its entries out in the console now. The sweep does within the hour where its role may.");
  }
  const isFilled = list.blocks.every((block) => held.includes(block));
  if (holders.length === 0 || isFilled) return null;
  const found = `${list.listId} is not filled, and ${holders.join(", ")} count on it`;
  return said(
    found,
    "Look at the log of the function sweep: it fills it within a minute, or closes the groups otherwise.",
  );
}

/**
 * How many of the drops that the ledger has stand by are in no rule. Nothing has to be asked about their strength: a drop of priority 1 comes
 * before every other rule, and one that was given another is another rule.
 */
async function dropsMissing(
  account: Account,
  { name, holders: lockdowns }: StandbySet,
  { ref, rules }: GroupReading,
): Promise<number> {
  const standing = new Set(rules.map(ruleKey));
  const { entries } = await listEntries(stateOf(account), ref);
  const holder = standbyHolder(name);
  const own = entries.filter(({ holders }) => holders.some((it) => it.holderId === holder && it.ended === null));
  const missing = own.filter(({ key }) => !standing.has(key)).length;
  // While a lockdown lasts, drops over blocks stand where break-glass has passed.
  return own.length === 0 && lockdowns.length === 0 ? 1 : missing;
}

const gap = ({ groupId }: GroupRef, missing: number): Finding => ({
  ...{ check: CHECK, state: "fail", remedy: SOON },
  found: `${missing} drops on lists are missing in ${groupId}: filling them would leave it open until drops of its own stand`,
});

async function unlessGroupGone(reading: Promise<GroupReading>): Promise<GroupReading | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof CloudFailure && error.kind === "groupGone") return null;
    throw error;
  }
}
