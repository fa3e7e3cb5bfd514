// The policy of the functions' role, action by action: each is needed, and what needs it is named here.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readServerlessFile } from "../../cli/deploy/serverless-file.ts";
import { environmentOf } from "../../cli/dev/deployment.ts";
import { NEEDED_ACTIONS, type RamPolicy, ramPolicyOf } from "../../cli/setup/ram-policy.ts";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { evaluate } from "../../local/ram.ts";
import { seedUserNames } from "../../local/seed.ts";
import { actionTrail } from "../../shared/adapters/alibaba/action-trail.ts";
import { assistantHosts } from "../../shared/adapters/alibaba/assistant-hosts.ts";
import { cmsMetrics, type MetricAsk, readMetric } from "../../shared/adapters/alibaba/cms-metrics.ts";
import { ecsAddressLists } from "../../shared/adapters/alibaba/ecs-address-lists.ts";
import { ecsFirewall } from "../../shared/adapters/alibaba/ecs-firewall.ts";
import { ecsInventory } from "../../shared/adapters/alibaba/ecs-inventory.ts";
import { fcWakeup } from "../../shared/adapters/alibaba/fc-wakeup.ts";
import { flowLogTraffic } from "../../shared/adapters/alibaba/flow-log-traffic.ts";
import {
  actionTrailRpcClient,
  cloudMonitorRpcClient,
  ecsRpcClient,
  type RpcSettings,
  vpcRpcClient,
} from "../../shared/adapters/alibaba/rpc-client.ts";
import { slsClient } from "../../shared/adapters/alibaba/sls-client.ts";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import { systemClock as clock } from "../../shared/adapters/system/clock.ts";
import { systemRandom as random } from "../../shared/adapters/system/random.ts";
import { type Configuration, readSettings } from "../../shared/config/settings.ts";
import type { GroupId, GroupRef, RuleId } from "../../shared/domain/ids.ts";
import { listProbeWord } from "../../shared/domain/list-probe.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { CloudFailure } from "../../shared/ports/firewall.ts";
import { schemas } from "../../shared/store/tables.ts";
import { aCidr } from "../kit/rules.ts";
import { listsProbed } from "../kit/switch-under-test.ts";

const logs = { project: "safeport-logs", logstore: "functions" };
const ENV = { installation: "test-1", markSecret: "m".repeat(64), alarmSecret: "a".repeat(48) };

let cloud: Cloud;
let configuration: Configuration;
let whole: RamPolicy;
let parts: Parts;

beforeAll(async () => {
  // Time is real here: nothing waits for a reading that is late.
  const switches = { ...listsProbed, readAfterWriteMs: 0 };
  cloud = await startCloud({ engine: "userspace", range: "127.133.0.0/16", switches });
  cloud.sls.ensure("safeport", "flow-log");
  await cloud.recordFlowLogs("safeport", "flow-log", 60);
  // The tokens play no part here.
  configuration = readSettings({
    ...environmentOf(cloud, { ...ENV, tokens: {} as never }),
    SAFEPORT_LOCKDOWN_LISTS: listProbeWord(cloud.account.accountId, region, "20261127"),
  });
  whole = ramPolicyOf({ configuration, functionPrefix: "", logs });
  parts = partsOf(cloud, configuration);
  await parts.tables.createTables(schemas);
});
afterAll(() => cloud?.stop());

const region = "cn-hangzhou";

/** The adapters as the functions have them, with the role's keys. */
type Parts = ReturnType<typeof partsOf>;

function partsOf({ account, endpoints, roleKeys }: Cloud, { endpoints: set }: Configuration) {
  const credentials = roleKeys;
  const at = (host: string): RpcSettings => ({ clock, credentials, endpoint: () => host, protocol: "http" });
  const warned: string[] = [];
  const log = { write: (_: string, what: string, more?: object) => void warned.push(what + JSON.stringify(more)) };
  const rpc = ecsRpcClient(at(endpoints.ecs));
  const cms = cloudMonitorRpcClient(at(endpoints.cms));
  const lab = account.groups.find(({ name }) => name === "lab")?.groupId as GroupId;
  return {
    account,
    ref: { region, groupId: lab } satisfies GroupRef,
    firewall: ecsFirewall(rpc),
    hosts: assistantHosts(rpc),
    lists: ecsAddressLists(rpc, [region]),
    instanceId: account.instances[0]?.instanceId ?? "",
    /** Nothing remembered of before. */
    inventory: () => ecsInventory(rpc, clock),
    trail: actionTrail(actionTrailRpcClient(at(endpoints.actiontrail)), clock),
    metrics: cmsMetrics(cms),
    readMetric: (ask: MetricAsk) => readMetric(cms, ask, { left: 1 }),
    flowLogs: flowLogTraffic({
      clock,
      sls: slsClient({ clock, credentials, endpoint: set.sls }),
      vpc: vpcRpcClient(at(endpoints.vpc)),
      places: [{ region, project: "safeport", logstore: "flow-log" }],
    }),
    tables: tablestoreTables({
      ...{ clock, random, schemas, credentials },
      endpoint: endpoints.tablestore,
      instance: "safeport",
    }),
    async wake() {
      warned.length = 0;
      const place = { accountId: account.accountId, region, functionName: "sweep", endpoint: endpoints.fc };
      await fcWakeup({ ...{ clock, log, credentials, secure: false }, ...place }).arm(0, clock.now() + 60_000);
      // Nothing is deployed here: that the function is not found is what the right to call it looks like.
      const refused = warned.find((line) => line.includes("AccessDenied"));
      if (refused) throw new Error(refused);
    },
  };
}

const ruleOf = (direction: RuleSpec["direction"], port: number): RuleSpec => ({
  direction,
  protocol: "tcp",
  ports: { kind: "range", range: { from: port, to: port } },
  peer: { kind: "cidr", cidr: aCidr("203.0.113.7/32") },
  policy: "accept",
  priority: 1,
  sourcePorts: { kind: "any" },
  dest: null,
});

/** What stops without an action, and a call of that kind. */
interface Use {
  readonly stops: string;
  /** The program finds another way. */
  readonly isOnlySlower?: true;
  use(parts: Parts): Promise<unknown>;
}

/** What is allowed, and is about nothing. */
const notThere = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((error: unknown) => {
    if (!(error instanceof CloudFailure) || error.cloudCode !== "InvalidPrefixListId.NotFound") throw error;
  });

let tokens = 0;
const token = (): string => `t-${++tokens}`;
const authorize = (direction: RuleSpec["direction"], port: number) => ({
  use: ({ firewall, ref }: Parts) =>
    firewall.authorize(ref, [{ spec: ruleOf(direction, port), description: "ram" }], token(), "open"),
});
/** The id of a rule that the account has itself, in the direction. */
function ruleId({ ref }: Parts, direction: "ingress" | "egress", port: number): RuleId {
  const rules = cloud.ecs.groups().find(({ groupId }) => groupId === ref.groupId)?.rules ?? [];
  const found = rules.find((rule) => rule.direction === direction && rule.portRange === `${port}/${port}`);
  if (found === undefined) throw new Error(`no rule on ${port}`);
  return found.ruleId as RuleId;
}
const changed = (direction: RuleSpec["direction"], port: number) => ({
  use: (all: Parts) =>
    all.firewall.modify(
      all.ref,
      ruleId(all, direction, port),
      { spec: ruleOf(direction, port), description: token() },
      token(),
      "open",
    ),
});
const revoked = (direction: RuleSpec["direction"], port: number) => ({
  async use(all: Parts) {
    // Which of the ids are egress is known from a reading.
    await all.firewall.readGroup(all.ref, "end");
    return all.firewall.revoke(all.ref, [ruleId(all, direction, port)], token(), "end");
  },
});

/**
 * Every action of the policy. `platform`: asked by the platform itself in the role's name, which the embedded one does not do; that the
 * policy meets what s.yaml names is what can be shown here.
 */
const uses: Readonly<Record<string, Use | { readonly platform: string; resource(): string }>> = {
  "ecs:DescribeSecurityGroups": {
    stops: "the full pass finds no group",
    use: ({ inventory }) => inventory().listGroups(region, "inventory"),
  },
  "ecs:DescribeSecurityGroupAttribute": {
    stops: "no group is read, so that nothing is opened, closed or compared",
    use: ({ firewall, ref }) => firewall.readGroup(ref, "end"),
  },
  "ecs:DescribeInstances": {
    stops: "the reach of a lease does not name its hosts",
    use: ({ inventory, ref }) => inventory().members(ref, "open"),
  },
  "ecs:DescribeNetworkInterfaces": {
    stops: "a group of a load balancer is not known as such",
    use: ({ inventory, ref }) => inventory().serviceMembers(ref, "open"),
  },
  "ecs:DescribePrefixListAssociations": {
    stops: "the groups that a changed prefix list opens are not looked at",
    use: ({ inventory }) => inventory().groupsNaming({ region, listId: "pl-none", kind: "prefix" }, "drift"),
  },
  "ecs:DescribePrefixListAttributes": {
    stops: "nobody is told which blocks of a changed list are beyond what is allowed",
    use: ({ inventory }) => inventory().prefixes({ region, listId: "pl-none", kind: "prefix" }, "drift"),
  },
  "ecs:DescribePortRangeListAssociations": {
    stops: "the groups that a changed port list opens are not looked at",
    use: ({ inventory }) => inventory().groupsNaming({ region, listId: "prl-none", kind: "port" }, "drift"),
  },
  "ecs:AuthorizeSecurityGroup": { stops: "no lease opens", ...authorize("ingress", 9001) },
  "ecs:AuthorizeSecurityGroupEgress": { stops: "no egress drop is put back", ...authorize("egress", 9001) },
  "ecs:ModifySecurityGroupRule": {
    stops: "the mark of an extended lease keeps its old end",
    ...changed("ingress", 9001),
  },
  "ecs:ModifySecurityGroupEgressRule": { stops: "an edited egress rule is not put back", ...changed("egress", 9001) },
  "ecs:RevokeSecurityGroup": { stops: "no lease ends", ...revoked("ingress", 9001) },
  "ecs:RevokeSecurityGroupEgress": { stops: "an added egress rule stays", ...revoked("egress", 9001) },
  "ecs:DescribeCloudAssistantStatus": {
    stops: "Session Manager is not suggested, and no lease may end with its sessions",
    use: ({ hosts, instanceId }) => hosts.agents(region, [instanceId]),
  },
  "ecs:RunCommand": {
    stops: "no session is cut",
    use: ({ hosts, instanceId }) => hosts.run(region, instanceId, "ss -lnt", token()),
  },
  "ecs:DescribeInvocationResults": {
    stops: "what came of cutting sessions is not known",
    use: ({ hosts, instanceId }) => hosts.result(region, instanceId, "t-none"),
  },
  "ecs:DescribePrefixLists": {
    stops: "a list whose id was lost in a crash is made twice",
    use: ({ lists }) => lists.find(region, "safeport-none", "inventory"),
  },
  "ecs:CreatePrefixList": {
    stops: "no drop can stand on a list",
    use: ({ lists }) => lists.create(region, { name: "safeport-made", family: 4, blocksMax: 2 }, token(), "inventory"),
  },
  "ecs:ModifyPrefixList": {
    stops: "no list is filled in an incident, and none is emptied after it",
    use: ({ lists }) =>
      notThere(lists.change({ region, listId: "pl-none" }, { add: ["0.0.0.0/1"], remove: [] }, "lockdown")),
  },
  "ecs:DeletePrefixList": {
    stops: "lists that nobody wants any more stay",
    use: ({ lists }) => lists.remove({ region, listId: "pl-none" }, "inventory"),
  },
  "ots:GetRow": { stops: "no lease is read", use: ({ tables }) => tables.get("lease", ["x"]) },
  "ots:PutRow": {
    stops: "no lease is booked",
    use: ({ tables }) => tables.put("lock", ["x"], { version: 1 }, { kind: "none" }),
  },
  "ots:UpdateRow": {
    stops: "no entry changes",
    use: ({ tables }) => tables.update("lock", ["x"], { version: 2 }, { kind: "none" }),
  },
  "ots:DeleteRow": {
    stops: "no lock is given back",
    use: ({ tables }) => tables.delete("lock", ["x"], { kind: "none" }),
  },
  "ots:GetRange": {
    stops: "nothing that is due is found",
    use: ({ tables }) => tables.range({ table: "due", from: [0], to: [1], limit: 1 }),
  },
  "ots:BatchGetRow": {
    stops: "what many ask for at once is read one by one, and a lockdown of many groups is late",
    isOnlySlower: true,
    use: ({ tables }) => Promise.all(Array.from({ length: 9 }, (_, index) => tables.get("lease", [`l-${index}`]))),
  },
  "ots:BatchWriteRow": {
    stops: "nothing is booked that takes several rows",
    use: ({ tables }) =>
      tables.writeAll(["a", "b"].map((id) => ({ kind: "put", table: "lock", key: [id], columns: {} }))),
  },
  "ots:CreateTable": {
    stops: "a table that was lost stays lost",
    use: async ({ tables }) => {
      await cloud.tablestore.reset();
      await tables.createTables(schemas.slice(0, 1));
    },
  },
  "ots:ListTable": { stops: "a lost table is not noticed", use: ({ tables }) => tables.createTables([]) },
  "actiontrail:LookupEvents": {
    stops: "what an event says of somebody trusted is not confirmed",
    use: ({ trail }) => trail.lookUp(region, "none"),
  },
  "fc:InvokeFunction": { stops: "no wake-up is armed, and ends wait for the minute timer", use: ({ wake }) => wake() },
  "cms:PutCustomMetric": {
    stops: "there is no heartbeat, so that the alarm on its silence goes off",
    use: ({ metrics }) =>
      metrics.publish(region, [{ name: "tick", dimensions: { installation: "x" }, value: 1, at: clock.now() }], 1),
  },
  "cms:DescribeMetricList": {
    stops: "evidence of load balancers and hosts is not read",
    use: ({ readMetric: read }) =>
      read({
        ...{ region, namespace: "acs_slb_dashboard", metric: "NewConnection", dimensions: [] },
        ...{ from: clock.now() - 600_000, until: clock.now() },
      }),
  },
  "log:GetLogStore": {
    stops: "how far back flow logs reach is not known, so that every port is",
    use: ({ flowLogs }) => flowLogs.reach(region),
  },
  "log:GetLogStoreLogs": {
    stops: "there is no evidence of use",
    use: ({ flowLogs }) => {
      const until = Math.floor(clock.now() / 600_000) * 600_000;
      const recycling = { session: { packets: 3, bytes: 100 } } as never;
      return flowLogs.read({ region, from: until - 600_000, until, recycling }, 10);
    },
  },
  "vpc:DescribeFlowLogs": {
    stops: "what flow logs capture is not known, so that their silence means nothing",
    async use({ flowLogs }) {
      const reach = await flowLogs.reach(region);
      if (reach?.blind) throw new Error(reach.blind);
    },
  },
  "log:PostLogStoreLogs": {
    platform: "functions leave no logs",
    resource: () => {
      const env = { SAFEPORT_INSTALLATION: "x", SAFEPORT_MARK_SECRET: "x", SAFEPORT_TABLESTORE_INSTANCE: "x" };
      const { accountId } = cloud.account;
      const [first] = Object.values(readServerlessFile(readFileSync("s.yaml", "utf8"), { env, accountId }));
      return `acs:log:${region}:${accountId}:project/${first?.logConfig?.project}/logstore/${first?.logConfig?.logstore}`;
    },
  },
};

/** The policy without one action. */
function without(action: string): RamPolicy {
  const left = whole.Statement.map((it) => ({ ...it, Action: it.Action.filter((name) => name !== action) }));
  return { ...whole, Statement: left.filter(({ Action }) => Action.length > 0) };
}

describe("the policy of the functions' role", () => {
  it("has a line here for each of its actions, and each of the lines is in it", () => {
    const inPolicy = [...new Set(whole.Statement.flatMap(({ Action }) => Action))].sort();
    expect(Object.keys(uses).sort()).toEqual(inPolicy);
    expect([...new Set(NEEDED_ACTIONS.map(({ action }) => action))].sort()).toEqual(inPolicy);
  });

  it("has no action of a feature that is switched off", () => {
    const bare = { ...configuration, heartbeat: false, flowLogs: [], cloudAssistant: false };
    const actions = ramPolicyOf({ configuration: bare, functionPrefix: "", logs: null }).Statement.flatMap(
      ({ Action }) => Action,
    );
    const gone = Object.keys(uses).filter((action) => !actions.includes(action));
    expect(gone.sort()).toEqual([
      "cms:PutCustomMetric",
      "ecs:DescribeCloudAssistantStatus",
      "ecs:DescribeInvocationResults",
      "ecs:RunCommand",
      "log:GetLogStore",
      "log:GetLogStoreLogs",
      "log:PostLogStoreLogs",
      "vpc:DescribeFlowLogs",
    ]);
  });

  it("names no other account's resource, and everything only where the service knows no less", () => {
    for (const { Action, Resource } of whole.Statement)
      for (const resource of Resource)
        if (resource === "*") expect(Action.every((name) => /^(actiontrail|cms|vpc):/.test(name))).toBe(true);
        else expect(resource).toContain(`:${cloud.account.accountId}:`);
  });

  for (const [action, it_] of Object.entries(uses)) {
    const words = "platform" in it_ ? it_.platform : it_.stops;
    it(`needs ${action}: without it ${words}`, async () => {
      const lacking = without(action);
      if ("platform" in it_) {
        expect(evaluate([whole], action, it_.resource())).toBe("Allow");
        expect(evaluate([lacking], action, it_.resource())).toBe("ImplicitDeny");
        return;
      }
      cloud.ram.attach(seedUserNames.role, [lacking]);
      if (it_.isOnlySlower) await it_.use(parts);
      else await expect(it_.use(parts)).rejects.toThrow();
      const refused = cloud.ram.used().filter((used) => used.denied > 0 && used.action === action);
      expect(refused.map(({ principal }) => principal)).toContain(seedUserNames.role);
      cloud.ram.attach(seedUserNames.role, [whole]);
      await it_.use(parts);
    });
  }
});
