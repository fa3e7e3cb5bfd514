// Lockdowns as the API shows them.
import type * as z from "zod/mini";
import type { LockdownScope } from "../domain/alarm.ts";
import { formatUtc } from "../domain/instant.ts";
import type { Lockdown, LockdownHost } from "../domain/lockdown.ts";
import type { lockdownAnswerView, lockdownView } from "./answers-lockdown.ts";

/** A lockdown with its groups, the hosts it hits beside, and what it cannot stop. */
export function viewLockdown(lockdown: Lockdown): z.output<ReturnType<typeof lockdownView>> {
  const { scope, groups, startedAt, until, endedAt } = lockdown;
  // Whoever names groups, by name or by tag, means all their hosts. Where nothing is done nobody is hit.
  const others = groups.flatMap(({ hosts, way }) =>
    hosts.filter((host) => scope.kind === "instance" && way !== "none" && host.instanceId !== scope.instanceId),
  );
  return {
    id: lockdown.lockdownId,
    state: lockdown.state,
    scope: { kind: scope.kind, name: nameOf(scope) },
    core: [...lockdown.core],
    reason: lockdown.reason,
    by: lockdown.principal,
    causes: lockdown.causes.map((it) => it.by),
    waivedBy: lockdown.waivedBy,
    startedAt: formatUtc(startedAt),
    until: formatUtc(until),
    endedAt: endedAt === null ? null : formatUtc(endedAt),
    endedBy: lockdown.endedBy,
    closed: groups.every((it) => it.isClosed),
    groups: groups.map(({ group, name, way, drops, suspends, isClosed, left, hosts, onLists }) => ({
      group: group.groupId,
      region: group.region,
      name,
      way,
      drops,
      suspends,
      onLists: onLists === true,
      closed: isClosed,
      left: [...left],
      hosts: hosts.map(viewHost),
    })),
    otherHosts: [...new Map(others.map((host) => [host.eniId, host])).values()].map(viewHost),
    cannotStop: [...new Set(groups.flatMap((it) => it.cannotStop))],
    steps: lockdown.steps.map((step) => ({ ...step })),
  };
}

/** What was done, or would be. */
export const viewLockdownAnswer = (
  lockdown: Lockdown,
  dryRun: boolean,
): z.output<ReturnType<typeof lockdownAnswerView>> => ({
  ...viewLockdown(lockdown),
  dryRun,
  plan: lockdown.groups.map(({ group, name, way, drops, suspends, left }) => {
    const what =
      way === "drops" ? `${drops} drops` : way === "suspend" ? `${suspends} accepts revoked and kept` : "left as it is";
    return `${name || group.groupId}: ${what}${left.length > 0 ? `; ${left.join("; ")}` : ""}`;
  }),
});

const nameOf = (scope: LockdownScope): string =>
  scope.kind === "instance" ? scope.instanceId : scope.kind === "tag" ? scope.tag : scope.groups.join(", ");

const viewHost = ({ instanceId, name, address }: LockdownHost) => ({ instanceId, name, address });
