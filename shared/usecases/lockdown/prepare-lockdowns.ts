// Computes beforehand what a lockdown would do in each group, so that in an incident nothing has to be found out.
import { parseObservedCidr } from "../../domain/cidr.ts";
import type { GroupRef } from "../../domain/ids.ts";
import type { Preparation } from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import type { Rule } from "../../domain/rule.ts";
import { type LockdownPicture, planLockdown, usedOf } from "../../plan/plan-lockdown.ts";
import { listNamed } from "../../plan/standby-drops.ts";
import { type CallPriority, CloudFailure, type GroupFacts, type Member } from "../../ports/firewall.ts";
import { readableGroupRow } from "../../store/group-rows.ts";
import { listPreparations, preparationDelete, preparationWrite } from "../../store/lockdowns.ts";
import type { App } from "../app.ts";
import { protection } from "../group/open-facts.ts";
import { inParallel } from "../in-parallel.ts";
import { setsThatCanBeRead } from "./sets-that-can-be-read.ts";

/**
 * How often everything is computed anew, and how old it may be when it is used. Drops follow from the policy far more than from the
 * rules; another version of it, and an instance that no plan knows, are computed when they are asked for.
 */
const EVERY_MS = 6 * 60 * 60_000;
export const PREPARED_FOR_MS = 2 * EVERY_MS + 60 * 60_000;
const AGAIN_MS = 60_000;
const AT_ONCE = 8;

/** True when the policy lets a lockdown write in the group. */
export const isNamedForLockdown = ({ lockdown }: Policy, facts: Pick<GroupFacts, "ref" | "name">): boolean =>
  lockdown.groups.some((it) => it === "*" || it === facts.ref.groupId || (facts.name !== "" && it === facts.name));

/** What a plan is made from, read now. Throws CloudFailure. */
export async function readLockdownPicture(
  app: App,
  policy: Policy,
  facts: GroupFacts,
  priority: CallPriority,
): Promise<{
  readonly picture: LockdownPicture;
  readonly members: readonly Member[];
  readonly innerAccess: "accept" | "drop";
}> {
  const [reading, members] = await Promise.all([
    app.firewall.readGroup(facts.ref, priority),
    app.inventory.members(facts.ref, priority),
  ]);
  const others = [...new Set(members.flatMap((it) => it.groupIds))].filter((id) => id !== facts.ref.groupId);
  const siblings = new Map<string, readonly Rule[]>();
  await inParallel(
    others,
    async (groupId) => {
      siblings.set(groupId, (await app.firewall.readGroup({ ...facts.ref, groupId }, priority)).rules);
    },
    AT_ONCE,
  );
  const interfaces = members.map((member) => ({
    addresses: [member.address, ...member.ipv6].flatMap((text) => parseObservedCidr(text) ?? []),
    otherRules: member.groupIds.flatMap((id) => siblings.get(id) ?? []),
  }));
  const { core } = policy.lockdown;
  const { operatorPath, limits } = policy;
  const { rules } = reading;
  const { rulesPerInterface } = limits;
  // They tell only how much room is left. With one that cannot be read a plan may be too large, and the cloud says so; without any nothing is closed.
  const isAnyNamed = [rules, ...siblings.values()].flat().some(({ peer }) => peer.kind === "prefixList");
  const sets = isAnyNamed ? (await setsThatCanBeRead(app)).sets : [];
  const picture = { type: facts.type, rules, interfaces, core, operatorPath, rulesPerInterface, sets };
  return { picture, members, innerAccess: reading.innerAccessPolicy };
}

/**
 * Why a lockdown leaves the group alone, in words, or null. A row that cannot be read leaves no group open in an attack: without it only a
 * denial by a name the group had before is unknown.
 */
export const barredFromLockdown = async (
  app: App,
  policy: Policy,
  facts: GroupFacts,
  members: readonly Member[],
): Promise<string | null> =>
  protection(facts, members, policy, (await readableGroupRow(app.tables, facts.ref)) ?? { deniedName: null });

/** What a lockdown would do in the group as it is now; `none` with the reason where it may do nothing. Throws CloudFailure. */
export async function prepareGroup(
  app: App,
  policy: Policy,
  facts: GroupFacts,
  priority: CallPriority,
): Promise<Preparation> {
  const { picture, members, innerAccess } = await readLockdownPicture(app, policy, facts, priority);
  const refused = isNamedForLockdown(policy, facts)
    ? await barredFromLockdown(app, policy, facts, members)
    : "the policy names it for no lockdown (lockdown.groups)";
  const nothing = { way: "none", drops: [], suspends: [], keeps: [], why: refused, left: [], isWhole: false } as const;
  const { isWhole: _, keeps: __, ...plan } = refused === null ? planLockdown(picture) : nothing;
  return {
    group: facts.ref,
    name: facts.name,
    tags: facts.tags,
    ...plan,
    hosts: members.map(({ eniId, instanceId, instanceName, address }) => ({
      eniId,
      instanceId,
      name: instanceName,
      address,
    })),
    cannotStop: [
      "sessions that are established: rules decide about new connections only",
      "traffic that comes through a load balancer of the CLB kind",
      "ICMP, which path MTU discovery needs",
      ...(innerAccess === "accept" && members.length > 1 ? ["traffic between the members of the group"] : []),
    ],
    otherRules: usedOf({
      ...picture,
      rules: picture.rules.filter((rule) => listNamed(rule, picture.sets ?? []) === null),
    }),
    policyVersion: policy.version,
    at: app.clock.now(),
  };
}

/**
 * Computes every group the policy names for lockdowns, and forgets the others. Answers when to do it again. Makes no call to the cloud
 * where the policy names none.
 */
export async function prepareLockdowns(app: App, policy: Policy, deadlineAt: number): Promise<number> {
  const { tables, clock } = app;
  const { preparations, unreadable } = await listPreparations(tables);
  const kept = new Map(preparations.map((it) => [nameOf(it.group), it]));
  if (unreadable.length > 0) {
    const groups = unreadable.map(({ groupId }) => groupId);
    app.log.write("error", "what is prepared for lockdowns cannot be read, and is made anew", { groups });
    await tables.writeAll(unreadable.map(preparationDelete));
  }
  if (policy.lockdown.groups.length === 0) {
    if (kept.size > 0) await tables.writeAll([...kept.values()].map((it) => preparationDelete(it.group)));
    return clock.now() + EVERY_MS;
  }
  const silent = new Set<string>();
  const listed = policy.regions.map(async (region): Promise<readonly GroupFacts[]> => {
    try {
      return await app.inventory.listGroups(region, "inventory");
    } catch (error) {
      if (!(error instanceof CloudFailure)) throw error;
      app.log.write("warn", `what is prepared for lockdowns in ${region} stays as it is`, { kind: error.kind });
      silent.add(region);
      return [];
    }
  });
  const named = (await Promise.all(listed)).flat().filter((facts) => isNamedForLockdown(policy, facts));
  const wanted = new Set(named.map(({ ref }) => nameOf(ref)));
  const gone = [...kept.values()].filter(({ group }) => !wanted.has(nameOf(group)) && !silent.has(group.region));
  if (gone.length > 0) await tables.writeAll(gone.map((it) => preparationDelete(it.group)));
  const isFresh = ({ ref }: GroupFacts): boolean => {
    const own = kept.get(nameOf(ref));
    return own?.policyVersion === policy.version && clock.now() - own.at < EVERY_MS / 2;
  };
  let isCut = false;
  await inParallel(
    named.filter((facts) => !isFresh(facts)),
    async (facts) => {
      if (isCut || clock.monotonicMs() >= deadlineAt) {
        isCut = true;
        return;
      }
      try {
        await tables.writeAll([preparationWrite(await prepareGroup(app, policy, facts, "inventory"))]);
      } catch (error) {
        if (!(error instanceof CloudFailure)) throw error;
        isCut ||= error.kind === "throttled";
        app.log.write("warn", `no lockdown can be prepared in ${facts.ref.groupId}`, { kind: error.kind });
      }
    },
    AT_ONCE,
  );
  return clock.now() + (isCut || silent.size > 0 ? AGAIN_MS : EVERY_MS);
}

const nameOf = ({ region, groupId }: GroupRef): string => `${region} ${groupId}`;
