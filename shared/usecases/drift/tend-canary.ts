// The canary: a rule nobody can use, in an empty group that setup made, opened and closed every hour to see that events still come.
import type { Allocation, OpenHours } from "../../domain/allocation.ts";
import { parseGrant } from "../../domain/grant.ts";
import type { GroupId, GroupRef } from "../../domain/ids.ts";
import { formatUtc } from "../../domain/instant.ts";
import { noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { entryIdOf, ruleKey } from "../../domain/rule-key.ts";
import { getGroupRow, saveGroupRow } from "../../store/group-rows.ts";
import { getEntry } from "../../store/ledger.ts";
import { readMode } from "../../store/mode.ts";
import { writeRecord } from "../../store/records.ts";
import type { App } from "../app.ts";
import { changeAllocations } from "../ledger/change-allocations.ts";
import { tell } from "../notices/tell.ts";

/** The tag by which setup says whose canary a group is; its value is the installation. */
export const CANARY_TAG = "safeport:canary";

/** An address for documentation (RFC 5737), and the discard port: whoever reads the rule sees that it is for nobody. */
const NOBODY = { protocol: "tcp", port: "9", sources: ["192.0.2.1/32"], priority: 100 } as const;

const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];
const HOUR_MS = 60 * 60_000;
const CAS_MAX = 3;

/** The first five minutes of every hour. */
const hourly: OpenHours = {
  zone: "UTC",
  windows: Array.from({ length: 24 }, (_, hour) => {
    const name = String(hour).padStart(2, "0");
    return { days: EVERY_DAY, from: `${name}:00`, to: `${name}:05` };
  }),
};

/** `deaf`: no event of our own canary has come for an hour and the time allowed, in which it was opened; `unfit`: the group is not what setup made. */
export type CanaryState = "off" | "ok" | "deaf" | "unfit";

/** Keeps the canary's rule in the ledger and says so where events do not come. Costs two writing calls and a few reads an hour. */
export async function tendCanary(app: App, policy: Policy): Promise<CanaryState> {
  const group = canaryGroup(policy);
  if (group === null) return "off";
  const [facts, members] = await Promise.all([
    app.inventory.group(group, "inventory"),
    app.inventory.members(group, "inventory"),
  ]);
  if (facts === null || facts.tags[CANARY_TAG] !== app.settings.installation || members.length > 0) {
    await report(
      app,
      policy,
      group,
      `the canary's group ${group.groupId} is not the empty one that setup made: it is left alone`,
    );
    return "unfit";
  }
  const spec = canarySpec();
  const entry = await getEntry(app.tables, group, entryIdOf(group.groupId, ruleKey(spec)));
  if (!entry?.allocation) {
    const allocation = allocationAt(app.clock.now());
    await changeAllocations(app, group, "safeport", [{ spec, allocation }]);
    return "ok";
  }
  const state = await canaryState(app, policy);
  if (state === "deaf")
    await report(
      app,
      policy,
      group,
      "no event of the canary has come in time: drift is found by the full pass alone; look at the rule of EventBridge and at the trail",
    );
  return state;
}

/** How the canary is, from what is stored; makes no call to ECS. */
export async function canaryState(
  app: Pick<App, "tables" | "clock">,
  policy: Policy,
): Promise<Exclude<CanaryState, "unfit">> {
  const group = canaryGroup(policy);
  if (group === null) return "off";
  const spec = canarySpec();
  const entry = await getEntry(app.tables, group, entryIdOf(group.groupId, ruleKey(spec)));
  const { mode, since: modeSince } = await readMode(app.tables);
  // In another one its rule is not opened, and no event can come.
  if (!entry?.allocation || mode !== "normal") return "ok";
  const { heardAt } = await getGroupRow(app.tables, group);
  const since = Math.max(heardAt ?? 0, entry.allocation.at, modeSince ?? 0);
  return app.clock.now() > since + HOUR_MS + (policy.drift.canary?.withinMs ?? 0) ? "deaf" : "ok";
}

/**
 * An event of our own call of that instant has come; of the canary's group it is what was waited for. One that is delivered again proves
 * nothing of today.
 */
export async function hearCanary(app: App, policy: Policy, group: GroupRef, at: number): Promise<void> {
  const canary = canaryGroup(policy);
  if (canary === null || group.groupId !== canary.groupId || group.region !== canary.region) return;
  for (let tries = 0; tries < CAS_MAX; tries++) {
    const row = await getGroupRow(app.tables, group);
    if (row.heardAt !== null && row.heardAt >= at) return;
    if (await saveGroupRow(app.tables, { ...row, heardAt: at })) return;
  }
}

function canaryGroup({ drift, regions }: Policy): GroupRef | null {
  const { canary } = drift;
  const [first = ""] = regions;
  return canary && { region: canary.region ?? first, groupId: canary.groupId as GroupId };
}

function canarySpec(): RuleSpec {
  const grant = parseGrant(NOBODY);
  const spec = grant.ok ? grant.specs[0] : undefined;
  if (spec === undefined) throw new RangeError("the canary's rule is no rule");
  return spec;
}

const allocationAt = (at: number): Allocation => ({
  provenance: "adopted",
  owner: "safeport",
  application: "safeport",
  reason: "canary: open for five minutes of every hour, to nobody",
  ticket: "",
  allowedSources: [],
  openHours: hourly,
  description: "safeport canary",
  by: "safeport",
  at,
  seenAt: null,
});

async function report(app: App, policy: Policy, group: GroupRef, line: string): Promise<void> {
  app.log.write("error", line);
  const at = app.clock.now();
  await tell(app, [
    noticeOf("healthAlarm", {
      at,
      group,
      to: [{ kind: "role", role: "operator" }],
      dedupe: `canary/${line}/${formatUtc(at).slice(0, 10)}`,
      data: { what: line, since: null },
    }),
  ]);
  const record = {
    at,
    group,
    cause: "canary",
    actor: "safeport",
    policyVersion: policy.version,
    lines: [line],
  };
  await writeRecord(app, record);
}
