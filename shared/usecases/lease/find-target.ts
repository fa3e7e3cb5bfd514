// Where a lease is to open: the group, and the one host when an instance was named.
import { type Cidr, parseObservedCidr } from "../../domain/cidr.ts";
import type { GroupId, GroupRef } from "../../domain/ids.ts";
import type { Policy } from "../../domain/policy.ts";
import { AppError, fail } from "../../errors/app-error.ts";
import type { GroupFacts, Member } from "../../ports/firewall.ts";
import { getGroupRow } from "../../store/group-rows.ts";
import type { App } from "../app.ts";
import { protection } from "../group/open-facts.ts";

export interface Target {
  readonly facts: GroupFacts;
  readonly instanceId: string | null;
  /** Every interface of the group, or only those of the instance. */
  readonly members: readonly Member[];
  /** The host's addresses where the rule is narrowed to it, else empty. */
  readonly dests: readonly Cidr[];
}

const NAMES_MS = 10 * 60_000;
const namesOf = new WeakMap<App, Map<string, { at: number; refs: Promise<readonly GroupRef[]> }>>();

/** Where a lease is asked for, as text. */
export interface Place {
  readonly group: string | null;
  readonly instance: string | null;
  readonly region: string | null;
}

/**
 * The group that such an ask comes to, by its id, or by its name where there is none; empty when it names none and the policy has no default.
 * Throws REQUEST_INVALID, before anything is asked of any region, for one that is not the policy's.
 */
export async function groupsNamedBy(app: App, policy: Policy, ask: Place): Promise<readonly string[]> {
  const region = regionOf(policy, ask);
  if (ask.instance) {
    const own = await app.inventory.instance(region, ask.instance, "open");
    return own?.[0]?.groupIds.slice(0, 1) ?? [ask.instance];
  }
  const name = ask.group ?? policy.defaultTarget;
  if (!name) return [];
  try {
    return [(await groupNamed(app, region, name)).groupId];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [name];
  }
}

/** Throws REQUEST_INVALID for a region that is not the policy's. */
function regionOf({ regions }: Policy, ask: Place): string {
  const region = ask.region ?? regions[0] ?? "";
  if (regions.includes(region)) return region;
  throw fail("REQUEST_INVALID", { field: "region", why: `leases are granted in ${regions.join(", ")} only` });
}

/** Finds the target, or throws what is wrong with it. Makes no call for a group that is known from the last 10 minutes. */
export async function findTarget(app: App, policy: Policy, ask: Place): Promise<Target> {
  if (ask.group && ask.instance) throw fail("TARGET_CONFLICT");
  const region = regionOf(policy, ask);
  if (ask.instance) return instanceTarget(app, policy, region, ask.instance);
  const name = ask.group ?? policy.defaultTarget;
  if (!name) throw fail("TARGET_MISSING", { choices: await choices(app, region) });
  const ref = await groupNamed(app, region, name);
  const [facts, members, row] = await Promise.all([
    app.inventory.group(ref, "open"),
    app.inventory.members(ref, "open"),
    getGroupRow(app.tables, ref),
  ]);
  if (!facts) throw fail("GROUP_UNKNOWN", { group: name, region });
  refuseAs(protection(facts, members, policy, row), facts);
  return { facts, instanceId: null, members, dests: [] };
}

async function instanceTarget(app: App, policy: Policy, region: string, instance: string): Promise<Target> {
  const own = await app.inventory.instance(region, instance, "open");
  const groupId = own?.[0]?.groupIds[0];
  if (!own || !groupId) throw fail("INSTANCE_UNKNOWN", { instance, region });
  const ref = { region, groupId };
  const facts = await app.inventory.group(ref, "open");
  if (!facts) throw fail("GROUP_UNKNOWN", { group: groupId, region });
  const serving = await app.inventory.serviceMembers(ref, "open");
  await refuseProtected(app, facts, [...own, ...serving], policy);
  if (policy.lease.destCidrIp === "never") {
    const others = (await app.inventory.members(ref, "open")).filter((member) => member.instanceId !== instance);
    if (others.length > 0) {
      throw fail("REACH_TOO_WIDE", {
        instance,
        others: others.map((it) => it.instanceName ?? it.instanceId ?? it.eniId).join(", "),
      });
    }
    return { facts, instanceId: instance, members: own, dests: [] };
  }
  const dests = own
    .slice(0, 1)
    .flatMap((member) => [member.address, ...member.ipv6])
    .flatMap((text) => parseObservedCidr(text) ?? []);
  return { facts, instanceId: instance, members: own, dests };
}

/** Throws GROUP_PROTECTED where the group takes no rule from safeport. */
export async function refuseProtected(
  app: App,
  facts: GroupFacts,
  members: readonly Member[],
  policy: Policy,
): Promise<void> {
  refuseAs(protection(facts, members, policy, await getGroupRow(app.tables, facts.ref)), facts);
}

function refuseAs(why: string | null, { name, ref }: GroupFacts): void {
  if (why) throw fail("GROUP_PROTECTED", { group: name || ref.groupId, why });
}

async function groupNamed(app: App, region: string, name: string): Promise<GroupRef> {
  if (name.startsWith("sg-")) return { region, groupId: name as GroupId };
  const refs = await refsNamed(app, region, name);
  const [ref] = refs;
  if (!ref) throw fail("GROUP_UNKNOWN", { group: name, region });
  if (refs.length > 1) throw fail("GROUP_AMBIGUOUS", { group: name, count: refs.length });
  return ref;
}

/** The groups of a name. One group alone is remembered; requests that come together share one list. */
async function refsNamed(app: App, region: string, name: string): Promise<readonly GroupRef[]> {
  const known = namesOf.get(app) ?? new Map<string, { at: number; refs: Promise<readonly GroupRef[]> }>();
  namesOf.set(app, known);
  const key = `${region}/${name}`;
  const kept = known.get(key);
  if (kept && Math.abs(app.clock.now() - kept.at) < NAMES_MS) return kept.refs;
  const refs = app.inventory
    .listGroups(region, "open")
    .then((groups) => groups.filter((it) => it.name === name).map((it) => it.ref));
  known.set(key, { at: app.clock.now(), refs });
  const forget = () => known.delete(key);
  refs.then((found) => found.length === 1 || forget(), forget);
  return refs;
}

async function choices(app: App, region: string): Promise<string> {
  const groups = await app.inventory.listGroups(region, "open");
  const names = groups.filter((it) => !it.serviceManaged).map((it) => it.name || it.ref.groupId);
  return names.slice(0, 20).join(", ") || "none";
}
