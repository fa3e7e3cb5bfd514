// Which groups a lockdown is in, and what it does in each: by what was computed beforehand, and by reading now where that is missing.
import type { LockdownScope } from "../../domain/alarm.ts";
import type { GroupId, GroupRef } from "../../domain/ids.ts";
import type { LockdownGroup, Preparation } from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import { AppError, fail } from "../../errors/app-error.ts";
import { CloudFailure, type GroupFacts } from "../../ports/firewall.ts";
import { listPreparations } from "../../store/lockdowns.ts";
import type { App } from "../app.ts";
import { findGroup } from "../group/find-group.ts";
import { type FoundHost, findHost } from "../group/find-host.ts";
import { PREPARED_FOR_MS, prepareGroup } from "./prepare-lockdowns.ts";

/**
 * The groups of a scope. A name that means no group is answered as a group in which nothing is done: the others are not left open for
 * it. `refusing`: groups where the cloud has refused the drops. Throws INSTANCE_UNKNOWN, LOCKDOWN_EMPTY, CloudFailure, and GROUP_UNKNOWN or GROUP_AMBIGUOUS where no name means one.
 */
export async function chooseLockdown(
  app: App,
  policy: Policy,
  scope: LockdownScope,
  refusing: ReadonlySet<GroupId> = new Set(),
): Promise<readonly Preparation[]> {
  const usable = await usablePreparations(app, policy);
  const chosen = await byScope(app, policy, scope, usable, refusing);
  const [first] = chosen;
  // Of which nothing at all can be read, that is to be tried again as a whole.
  if (first && chosen.every(({ way }) => way === "unread"))
    throw new CloudFailure("throttled", "lockdown", { message: first.why ?? "" });
  if (chosen.length === 0) throw fail("LOCKDOWN_EMPTY", { scope: inWords(scope) });
  return chosen;
}

/**
 * What was prepared under this version of the policy, not long ago. That nothing may be done in a group is looked at anew: what stood in
 * the way may be gone, and the group would stay open.
 */
async function usablePreparations(app: App, policy: Policy): Promise<readonly Preparation[]> {
  const now = app.clock.now();
  // Where a row cannot be read the group is prepared now.
  const { preparations } = await listPreparations(app.tables);
  const isUsable = (it: Preparation): boolean =>
    it.policyVersion === policy.version && it.way !== "none" && now - it.at < PREPARED_FOR_MS;
  return preparations.filter(isUsable);
}

/** Groups that a lockdown is in already, wherever its scope is by now. Never throws CloudFailure: what cannot be read is answered so. */
export async function prepareRows(
  app: App,
  policy: Policy,
  rows: readonly LockdownGroup[],
): Promise<readonly Preparation[]> {
  if (rows.length === 0) return [];
  const usable = await usablePreparations(app, policy);
  return Promise.all(
    rows.map(async ({ group, name }) => {
      const own = usable.find((it) => isSameGroup(it.group, group));
      if (own) return own;
      try {
        const facts = await app.inventory.group(group, "lockdown");
        if (facts) return await prepareNow(app, policy, facts);
        return { ...nothingFor(app, policy, name, "the group is gone"), group };
      } catch (error) {
        if (!(error instanceof CloudFailure)) throw error;
        return { ...unread(app, policy, name, error), group };
      }
    }),
  );
}

async function byScope(
  app: App,
  policy: Policy,
  scope: LockdownScope,
  usable: readonly Preparation[],
  refusing: ReadonlySet<GroupId>,
): Promise<readonly Preparation[]> {
  switch (scope.kind) {
    case "instance": {
      const { found, interfaces } = await ofInstance(app, policy, scope.instanceId, usable);
      return narrowed(found, interfaces, refusing);
    }
    case "groups":
      return ofNames(app, policy, scope.groups, usable);
    case "tag": {
      const failures: CloudFailure[] = [];
      // What was prepared may be a part of it alone: after a change of the policy, or where a group was tagged since.
      const groups = policy.regions.map(async (region): Promise<readonly (GroupFacts | Preparation)[]> => {
        try {
          return await app.inventory.listGroups(region, "lockdown");
        } catch (error) {
          if (!(error instanceof CloudFailure)) throw error;
          failures.push(error);
          return usable.filter(({ group }) => group.region === region);
        }
      });
      const tagged = (await Promise.all(groups)).flat().filter((it) => isTaggedFor(scope.tag, it));
      const [failure] = failures;
      if (tagged.length === 0 && failure) throw failure;
      return Promise.all(
        tagged.map((it) => {
          if (!("ref" in it)) return it;
          const own = usable.find(({ group }) => isSameGroup(group, it.ref));
          return own ?? prepareNow(app, policy, it);
        }),
      );
    }
  }
}

/** True for a group with the tag, `key=value`. */
export const isTaggedFor = (tag: string, { tags }: Pick<GroupFacts, "tags">): boolean => {
  const [key = "", ...rest] = tag.split("=");
  return tags[key] === rest.join("=");
};

const isSameGroup = (a: GroupRef, b: GroupRef): boolean => a.region === b.region && a.groupId === b.groupId;

async function ofNames(
  app: App,
  policy: Policy,
  names: readonly string[],
  usable: readonly Preparation[],
): Promise<readonly Preparation[]> {
  const unknown: AppError[] = [];
  const chosen = await Promise.all(
    names.map(async (name): Promise<Preparation> => {
      const found = usable.filter((it) => it.group.groupId === name || (it.name !== "" && it.name === name));
      const [only] = found;
      if (only && found.length === 1) return only;
      try {
        return await prepareNow(app, policy, await findGroup(app, policy, name, "lockdown"));
      } catch (error) {
        if (error instanceof CloudFailure) return unread(app, policy, name, error);
        if (!(error instanceof AppError) || !["GROUP_UNKNOWN", "GROUP_AMBIGUOUS"].includes(error.code)) throw error;
        unknown.push(error);
        return nothingFor(app, policy, name, error.message);
      }
    }),
  );
  const [first] = unknown;
  if (first && unknown.length === names.length) throw first;
  return chosen;
}

/** One group that cannot be read leaves no other one open. */
async function prepareNow(app: App, policy: Policy, facts: GroupFacts): Promise<Preparation> {
  try {
    return await prepareGroup(app, policy, facts, "lockdown");
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    const { ref: group, name, tags } = facts;
    return { ...unread(app, policy, name, error), group, tags };
  }
}

const unread = (app: App, policy: Policy, name: string, { kind }: CloudFailure): Preparation => ({
  ...nothingFor(app, policy, name, `it could not be read yet: ${kind}`),
  way: "unread",
});

const nothingFor = (app: App, policy: Policy, name: string, why: string): Preparation => ({
  ...{ group: { region: policy.regions[0] ?? "", groupId: name as GroupId }, name, tags: {}, way: "none", why },
  ...{ drops: [], suspends: [], left: [], hosts: [], cannotStop: [] },
  ...{ policyVersion: policy.version, at: app.clock.now() },
});

/** The groups of an instance, and those of each of its interfaces. */
async function ofInstance(
  app: App,
  policy: Policy,
  instanceId: string,
  usable: readonly Preparation[],
): Promise<{ readonly found: readonly Preparation[]; readonly interfaces: readonly (readonly GroupId[])[] }> {
  const prepared = usable.filter((it) => it.hosts.some((host) => host.instanceId === instanceId));
  const regions = new Set(prepared.map(({ group }) => group.region));
  const findIn = (some: readonly string[]): Promise<FoundHost | null> =>
    findHost(app, some, instanceId, "lockdown").catch((error: unknown) => {
      if (!(error instanceof CloudFailure) || prepared.length === 0) throw error;
      return null;
    });
  // Where the instance is now is asked: it may have been given another group since.
  const place = (await findIn([...regions])) ?? (await findIn(policy.regions.filter((region) => !regions.has(region))));
  if (place !== null) {
    const { region, members } = place;
    const interfaces = members.map(({ groupIds }) => groupIds);
    const chosen = [...new Set<GroupId>(interfaces.flat())].map(async (groupId) => {
      const ref = { region, groupId };
      const own = prepared.find(({ group }) => isSameGroup(group, ref));
      if (own) return own;
      const facts = await app.inventory.group(ref, "lockdown");
      return facts && prepareNow(app, policy, facts);
    });
    return { found: (await Promise.all(chosen)).filter((it): it is Preparation => it !== null), interfaces };
  }
  if (prepared.length === 0)
    throw fail("INSTANCE_UNKNOWN", { instance: instanceId, region: policy.regions.join(", ") });
  const known = prepared.flatMap(({ hosts }) => hosts.filter((host) => host.instanceId === instanceId));
  const interfaces = [...new Set(known.map(({ eniId }) => eniId))].map((eniId) =>
    prepared.filter(({ hosts }) => hosts.some((host) => host.eniId === eniId)).map(({ group }) => group.groupId),
  );
  return { found: prepared, interfaces };
}

/**
 * A drop in one group of an interface is enough, as the rules of all its groups are merged: the group with the fewest hosts is taken.
 * Accepts have to be closed in every group.
 */
function narrowed(
  found: readonly Preparation[],
  interfaces: readonly (readonly GroupId[])[],
  refusing: ReadonlySet<GroupId>,
): readonly Preparation[] {
  const chosen = new Set<Preparation>();
  for (const groupIds of interfaces) {
    const own = found.filter(({ group }) => groupIds.includes(group.groupId));
    const isRefusing = ({ group }: Preparation): boolean => refusing.has(group.groupId);
    const [smallest] = own
      .filter((it) => it.way === "drops" && !isRefusing(it))
      .sort((a, b) => a.hosts.length - b.hosts.length);
    for (const it of smallest ? [smallest, ...own.filter(isRefusing)] : own) chosen.add(it);
  }
  return [...chosen];
}

const inWords = (scope: LockdownScope): string =>
  scope.kind === "instance" ? scope.instanceId : scope.kind === "tag" ? scope.tag : scope.groups.join(", ");
