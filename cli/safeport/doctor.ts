// `safeport doctor`: looks at everything an installation depends on, and says what to do about what is not well.
import { ecsInventory } from "../../shared/adapters/alibaba/ecs-inventory.ts";
import { fcWakeup } from "../../shared/adapters/alibaba/fc-wakeup.ts";
import { flowLogTraffic } from "../../shared/adapters/alibaba/flow-log-traffic.ts";
import { slsClient } from "../../shared/adapters/alibaba/sls-client.ts";
import { systemRandom } from "../../shared/adapters/system/random.ts";
import { policyOfRow } from "../../shared/config/policy-schema.ts";
import { isSealSigned, recordKey } from "../../shared/domain/record-chain.ts";
import { CloudFailure } from "../../shared/ports/firewall.ts";
import { TrafficFailure } from "../../shared/ports/traffic.ts";
// biome-ignore-start lint/style/noRestrictedImports: doctor looks also where the functions, and so their API, are not well.
import { listDrift } from "../../shared/store/drift-items.ts";
import { dueDelete, dueJob, dueWrite } from "../../shared/store/due.ts";
import { lastFullPass } from "../../shared/store/full-pass.ts";
import { getGroupRow } from "../../shared/store/group-rows.ts";
import { readMode } from "../../shared/store/mode.ts";
import { readPolicy } from "../../shared/store/policy.ts";
import { probeDelete, readProbe } from "../../shared/store/probes.ts";
import { newestSeal } from "../../shared/store/seals.ts";
import { checkUnreadable, readTrailCheck } from "../../shared/store/trail-check.ts";
import { canaryState } from "../../shared/usecases/drift/tend-canary.ts";
// biome-ignore-end lint/style/noRestrictedImports: see above
import { type CloudCalls, cloudCalls } from "../setup/cloud-call.ts";
import { stateOf } from "../setup/installation-steps.ts";
import { type Account, accountOf, roleOf, stepsOf } from "./account.ts";
import { type Command, EXIT, readArguments, type Surroundings, tell, UsageError } from "./command.ts";
import { functionFindings } from "./deployed-functions.ts";
import { cloudAssistant } from "./doctor-assistant.ts";
import { listFindings } from "./doctor-lists.ts";
import { quotaFindings, regionsIn } from "./doctor-quotas.ts";
import type { Finding } from "./finding.ts";
import { roleFindings } from "./look-at-role.ts";
import { refuseUnfitTables } from "./own-rules.ts";
import { isOfKeys, remedyOf } from "./remedy.ts";

const SKEW_MAX_MS = 5000;
/** Longer than the timer takes, so that a wake-up that never came is told from one that was late. */
const PROBE_WAIT_MS = 100_000;
const PROBE_AHEAD_MS = 5000;
/** What evidence needs for the 45 days after which a port counts as unused. */
const RETENTION_DAYS = 46;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export const doctor: Command = {
  name: "doctor",
  summary: "look at everything safeport depends on, with a remedy for each finding",
  help: `Usage: safeport doctor [--wake-up] [--contacts GROUPS] [--webhook URL] [--only NAME[,NAME…]] [--json]

Looks at keys, permissions, clocks, quotas and call budget, functions, tables, role and who else has it, alarms, flow logs, events, open drift,
the last sweep, the mode, the records, the prefix lists of lockdowns and Cloud Assistant. Changes nothing.

  --wake-up          also have a wake-up come, and see how late it is; books one row, and takes up to two minutes
  --contacts GROUPS  contact groups that setup made the alarms with; without it, alarms are not looked at
  --webhook URL      address that setup made the alarms with
  --only NAMES       only these, as they are named while it looks; s deploy asks for functions first

Exit code 1 where something fails. Reads what safeport setup reads.
`,
  async run(args, surroundings) {
    const { values } = readArguments(args, {
      "wake-up": { type: "boolean", default: false },
      contacts: { type: "string" },
      webhook: { type: "string" },
      only: { type: "string" },
    });
    const account = accountOf(surroundings);
    const calls = cloudCalls(account);
    const alarms = {
      contacts: typeof values["contacts"] === "string" ? values["contacts"] : null,
      webhook: typeof values["webhook"] === "string" ? values["webhook"] : null,
    };
    const checks: readonly (readonly [string, () => Promise<readonly Finding[]>])[] = [
      ["keys and permissions", () => permissions(calls)],
      ["clock", () => clock(calls)],
      ["quotas", () => quotaFindings(calls, account)],
      ["functions", () => functionFindings(surroundings, account)],
      ["setup", () => settings(surroundings, account, alarms)],
      ["role", () => roleFindings(calls, roleOf(surroundings))],
      ["sweep", () => sweeps(account)],
      ["records", () => sealed(account)],
      ["events", () => events(account)],
      ["drift", () => drift(account)],
      ["flow logs", () => flowLogs(account)],
      ["groups", () => groupsSeen(account)],
      ["lockdown lists", () => listFindings(account)],
      ["cloud assistant", () => cloudAssistant(calls, account)],
      ...(values["wake-up"] === true ? ([["wake-up", () => wakeUp(account)]] as const) : []),
    ];
    const only = typeof values["only"] === "string" ? values["only"].split(",") : checks.map(([name]) => name);
    const unknown = only.find((name) => !checks.some(([known]) => known === name));
    if (unknown !== undefined) throw new UsageError(`--only: there is no ${unknown}`);
    const findings: Finding[] = [];
    for (const [name, check] of checks.filter(([name]) => only.includes(name))) {
      surroundings.err(`looking at ${name}\n`);
      findings.push(...(await check().catch((error: unknown) => [unlooked(name, error)])));
    }
    const lines = findings.map(
      ({ check, state, found, remedy }) =>
        `${state.padEnd(7)} ${check}: ${found}${remedy === "" ? "" : ` → ${remedy}`}`,
    );
    tell(surroundings, values, { json: { findings }, lines });
    return findings.some(({ state }) => state === "fail") ? EXIT.failed : EXIT.ok;
  },
};

const ok = (check: string, found: string): Finding => ({ check, state: "ok", found, remedy: "" });

function unlooked(check: string, error: unknown): Finding {
  const found = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  const remedy = remedyOf(error) ?? "Mend what the message names and run doctor again.";
  return { check, state: "fail", found, remedy };
}

/** Reads alone: that a write is allowed is known only by writing. */
async function permissions(calls: CloudCalls): Promise<readonly Finding[]> {
  const reads = [
    ["ecs:DescribeSecurityGroups", calls.ecs, "DescribeSecurityGroups"],
    ["ecs:DescribeInstances", calls.ecs, "DescribeInstances"],
    ["ecs:DescribeNetworkInterfaces", calls.ecs, "DescribeNetworkInterfaces"],
    ["cms:DescribeMetricRuleList", calls.cms, "DescribeMetricRuleList"],
    ["actiontrail:LookupEvents", calls.actionTrail, "LookupEvents"],
    ["vpc:DescribeFlowLogs", calls.vpc, "DescribeFlowLogs"],
  ] as const;
  return Promise.all(
    reads.map(async ([check, rpc, action]): Promise<Finding> => {
      try {
        await calls.ask(rpc, action);
        return ok(check, "answered");
      } catch (error) {
        if (!(error instanceof CloudFailure)) throw error;
        const found = error.cloudCode ?? error.message;
        const allow = `Allow ${check} to whoever runs doctor; the functions' role is looked at under setup.`;
        const remedy = error.kind === "refused" && !isOfKeys(found) ? allow : (remedyOf(error) ?? allow);
        return { check, state: error.kind === "throttled" ? "warn" : "fail", found, remedy };
      }
    }),
  );
}

async function clock(calls: CloudCalls): Promise<readonly Finding[]> {
  await calls.ask(calls.ecs, "DescribeRegions");
  const skewMs = calls.ecs.skewMs();
  const found = `this machine is ${(skewMs / 1000).toFixed(1)} s ahead of the cloud`;
  const check = "clock";
  if (Math.abs(skewMs) <= SKEW_MAX_MS) return [ok(check, found)];
  return [{ check, state: "fail", found, remedy: "Correct this machine's clock; the functions have the platform's." }];
}

async function settings(
  surroundings: Surroundings,
  account: Account,
  alarms: { readonly contacts: string | null; readonly webhook: string | null },
): Promise<readonly Finding[]> {
  await refuseUnfitTables(account);
  const { role, logs, tables, first, alarms: rules } = stepsOf(surroundings, account, alarms);
  const findings: Finding[] = [];
  for (const step of [...role, ...logs, ...tables, ...first, ...rules]) {
    try {
      const look = await step.look();
      // A role that others may act as: with their names, and as what it is, under `role`.
      if (look.state === "differs" && step === role[0]) continue;
      if (look.state === "ready") findings.push(ok(step.id, "as it should be"));
      else findings.push({ check: step.id, state: "fail", found: look.what, remedy: "Run safeport setup --apply." });
    } catch (error) {
      findings.push(unlooked(step.id, error));
    }
  }
  if (rules.length === 0) {
    const remedy = "Say with --contacts whom they are told to; safeport setup --contacts makes them.";
    findings.push({ check: "alarms", state: "unknown", found: "not looked at", remedy });
  }
  return findings;
}

async function sweeps(account: Account): Promise<readonly Finding[]> {
  const tables = stateOf(account);
  const [{ mode, by, reason }, last] = await Promise.all([readMode(tables), lastFullPass(tables)]);
  const modeFinding: Finding =
    mode === "normal"
      ? ok("mode", mode)
      : {
          check: "mode",
          state: "warn",
          found: `${mode} by ${by}: ${reason}`,
          remedy: "safeport mode normal, when it is over.",
        };
  const check = "full pass";
  const remedy = "Look at the log of the function sweep, and whether its timer is on; s deploy sets it.";
  if (last === null) return [modeFinding, { check, state: "fail", found: "no full pass has ended yet", remedy }];
  const hours = (account.clock.now() - last.endedAt) / HOUR_MS;
  const found = `the last one ended ${hours.toFixed(1)} hours ago and saw ${last.groups} groups`;
  return [modeFinding, hours <= 2 ? ok(check, found) : { check, state: "fail", found, remedy }];
}

/** Seals come once an hour where anything happens, and once a day where nothing does. */
async function sealed(account: Account): Promise<readonly Finding[]> {
  const check = "records";
  const newest = await newestSeal(stateOf(account));
  const remedy = "Look at the log of the function sweep, and run safeport records verify.";
  if (newest === null)
    return [{ check, state: "warn", found: "nothing is sealed yet: that begins half an hour after setup", remedy }];
  if (newest.says === null || !isSealSigned(newest, recordKey(account.configuration.settings.markSecret)))
    return [{ check, state: "fail", found: `seal ${newest.number} is not as it was signed`, remedy }];
  const last = await readTrailCheck(stateOf(account));
  const [fault, ...more] = last === "unreadable" ? [checkUnreadable(account.clock.now())] : (last?.faults ?? []);
  if (fault !== undefined) {
    const found = `${fault.of} is not as it was written (${fault.kind}: ${fault.why}), and ${more.length} more`;
    return [
      { check, state: "fail", found, remedy: "Run safeport records verify; look at who has keys of the tables." },
    ];
  }
  const hours = (account.clock.now() - newest.says.at) / HOUR_MS;
  const found = `sealed ${hours.toFixed(1)} hours ago, head ${newest.number}:${newest.digest}`;
  return [hours <= 26 ? ok(check, found) : { check, state: "fail", found, remedy }];
}

/** The canary is the one proof that events come. */
async function events(account: Account): Promise<readonly Finding[]> {
  const check = "events of the trail";
  const { configuration, clock } = account;
  const tables = stateOf(account);
  const row = await readPolicy(tables);
  const policy = row && policyOfRow(row, configuration.region);
  const canary = policy?.drift.canary ?? null;
  if (policy === null || canary === null) {
    const remedy = "safeport setup --apply --canary VPC makes a group; name it in drift.canary of the policy.";
    return [{ check, state: "unknown", found: "there is no canary, so nothing proves that events come", remedy }];
  }
  const region = canary.region ?? policy.regions[0] ?? configuration.region;
  const group = { region, groupId: canary.groupId as Parameters<typeof getGroupRow>[1]["groupId"] };
  const { heardAt } = await getGroupRow(tables, group);
  const remedy =
    "Look at the trigger trail of the function audit, and at the account's trail; make one if there is none.";
  const minutes = heardAt === null ? null : ((clock.now() - heardAt) / 60_000).toFixed(0);
  const found = minutes === null ? "none of the canary has come yet" : `the canary was heard ${minutes} minutes ago`;
  // In time it is only where the mode lets its rule be opened.
  if ((await canaryState({ tables, clock }, policy)) === "deaf") return [{ check, state: "fail", found, remedy }];
  return [minutes === null ? { check, state: "warn", found, remedy } : ok(check, found)];
}

/** What cannot be read keeps everything in its group from being rolled back. */
async function drift(account: Account): Promise<readonly Finding[]> {
  const { items, unreadable } = await listDrift(stateOf(account), {
    states: ["waiting", "reported", "held", "rollingBack"],
    limit: Number.POSITIVE_INFINITY,
  });
  const check = "drift";
  if (unreadable.length === 0) return [ok(check, `${items.length} open, all of them can be read`)];
  const found = `cannot be read, so that nothing of their groups is rolled back: ${unreadable.join(", ")}`;
  return [{ check, state: "fail", found, remedy: "Take the rows out: docs/operations.md, drift that cannot be read." }];
}

async function flowLogs(account: Account): Promise<readonly Finding[]> {
  const { configuration, credentials, clock } = account;
  const { endpoints, flowLogs: places } = configuration;
  if (places.length === 0) {
    const remedy = "Make VPC flow logs and set SAFEPORT_FLOW_LOGS; without evidence nothing is ever recycled.";
    return [{ check: "flow logs", state: "warn", found: "none are set", remedy }];
  }
  const { vpc } = cloudCalls(account);
  const sls = slsClient({ clock, credentials: () => credentials, endpoint: endpoints.sls });
  const traffic = flowLogTraffic({ clock, sls, vpc, places });
  return Promise.all(
    places.map(async ({ region, project, logstore }): Promise<Finding> => {
      const check = `flow logs of ${region}`;
      try {
        const reach = await traffic.reach(region);
        const remedy = `Look at the flow logs into ${project}/${logstore}: active, all traffic, kept for ${RETENTION_DAYS} days.`;
        if (reach === null) return { check, state: "fail", found: "none write there", remedy };
        if (reach.blind !== null) return { check, state: "fail", found: reach.blind, remedy };
        if (reach.trouble !== null) return { check, state: "warn", found: reach.trouble, remedy };
        const days = reach.retentionMs / DAY_MS;
        const found = `kept for ${Number.isFinite(days) ? days.toFixed(0) : "all"} days`;
        return days >= RETENTION_DAYS ? ok(check, found) : { check, state: "warn", found, remedy };
      } catch (error) {
        if (!(error instanceof TrafficFailure)) throw error;
        const remedy = "Check SAFEPORT_FLOW_LOGS, and that the role may read there.";
        return { check, state: "fail", found: `${error.kind}: ${error.cloudCode ?? error.message}`, remedy };
      }
    }),
  );
}

async function groupsSeen(account: Account): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const region of await regionsIn(account)) {
    const { ecs } = cloudCalls({ ...account, configuration: { ...account.configuration, region } });
    const { length } = await ecsInventory(ecs, account.clock).listGroups(region, "inventory");
    const check = `groups of ${region}`;
    const remedy = "Check SAFEPORT_REGION and the regions of the policy, and that these keys may see the groups.";
    if (length > 0) findings.push(ok(check, `${length} are seen`));
    else findings.push({ check, state: "warn", found: "no security group is seen", remedy });
  }
  return findings;
}

/** A wake-up for a row that does nothing but say when it ran. */
async function wakeUp(account: Account): Promise<readonly Finding[]> {
  const { configuration, credentials, clock } = account;
  const { accountId, region, endpoints, wakeups } = configuration;
  const check = "wake-up";
  if (!wakeups)
    return [
      { check, state: "warn", found: "off: leases end with the minute timer", remedy: "Set SAFEPORT_WAKEUPS=on." },
    ];
  const tables = stateOf(account);
  const id = Buffer.from(systemRandom.bytes(6)).toString("hex");
  const at = Math.ceil((clock.now() + PROBE_AHEAD_MS) / 1000) * 1000;
  const row = dueJob("probe", id, at);
  const failures: string[] = [];
  const wakeup = fcWakeup({
    ...{ clock, accountId, region, credentials: () => credentials },
    functionName: endpoints.sweepFunction,
    endpoint: endpoints.fc,
    secure: endpoints.fc.startsWith("https:"),
    log: { write: (_level, message) => failures.push(message) },
  });
  await tables.writeAll([dueWrite(row)]);
  await wakeup.arm(row.shard, at);
  const until = clock.now() + PROBE_WAIT_MS;
  let ranAt: number | null = null;
  while (ranAt === null && clock.now() < until) {
    await clock.sleep(500);
    ranAt = await readProbe(tables, id);
  }
  await tables.writeAll([probeDelete(id), dueDelete(row)]);
  const remedy = `Look at the function ${endpoints.sweepFunction}: its async task mode, its role's fc:InvokeFunction, its log.`;
  if (ranAt === null) return [{ check, state: "fail", found: `nothing ran within ${PROBE_WAIT_MS / 1000} s`, remedy }];
  if (failures.length > 0) return [{ check, state: "fail", found: failures.join("; "), remedy }];
  const lateMs = ranAt - at;
  const found = `it came ${(lateMs / 1000).toFixed(2)} s after its second`;
  if (lateMs <= 2000) return [ok(check, found)];
  return [{ check, state: "warn", found: `${found}: the minute timer may have been first`, remedy }];
}
