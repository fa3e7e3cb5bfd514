// Who else is hit by a lockdown, as its answer says.
import { expect, test } from "vitest";
import type { LockdownScope } from "../../../shared/domain/alarm.ts";
import type { GroupId } from "../../../shared/domain/ids.ts";
import type { Lockdown, LockdownGroup } from "../../../shared/domain/lockdown.ts";
import { viewLockdown } from "../../../shared/http/lockdown-view.ts";

const hostOf = (instanceId: string) => ({ eniId: `eni-${instanceId}`, instanceId, name: null, address: "10.0.0.1" });

const groupOf = (name: string, way: LockdownGroup["way"], ...instances: readonly string[]): LockdownGroup => ({
  ...{ group: { region: "cn-hangzhou", groupId: `sg-${name}` as GroupId }, name, way, drops: 4, suspends: 0 },
  ...{ isClosed: way !== "none", left: [], hosts: instances.map(hostOf), cannotStop: [] },
});

const lockdownOf = (scope: LockdownScope): Lockdown => ({
  ...{ lockdownId: "ld-0123456789ab-1", scope, core: ["80"], principal: "ann", reason: "", waivedBy: null, causes: [] },
  ...{ startedAt: 0, until: 3_600_000, state: "active", endedAt: null, endedBy: null, steps: [], rev: 1 },
  groups: [
    groupOf("web", "drops", "i-1", "i-2", "i-3"),
    groupOf("app", "suspend", "i-1", "i-3"),
    groupOf("db", "none", "i-1", "i-4"),
  ],
});

const othersOf = (scope: LockdownScope) => viewLockdown(lockdownOf(scope)).otherHosts.map((it) => it.instanceId);

test("of an instance: each host once that shares a group in which something is closed, and no other", () => {
  expect(othersOf({ kind: "instance", instanceId: "i-1" })).toEqual(["i-2", "i-3"]);
});

test("of groups and tags: nobody, as all their hosts are meant, and stand with each group", () => {
  expect(othersOf({ kind: "groups", groups: ["web", "app", "db"] })).toEqual([]);
  expect(othersOf({ kind: "tag", tag: "app=shop" })).toEqual([]);
  const { groups } = viewLockdown(lockdownOf({ kind: "tag", tag: "app=shop" }));
  expect(groups.map(({ hosts }) => hosts.length)).toEqual([3, 2, 2]);
});
