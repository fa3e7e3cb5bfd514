// safeport's collection and verdicts on a whole embedded cloud: real connections through its data plane, its flow logs, its log
// service, CloudMonitor and Tablestore, on virtual time. One host and one group for each label, unless a test says otherwise.
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { seededRandom } from "../../local/random.ts";
import { seedAccount, seedTablestoreInstance, seedUser } from "../../local/seed.ts";
import type { AccountSeed } from "../../local/services/ecs/seed.ts";
import { actionTrail } from "../../shared/adapters/alibaba/action-trail.ts";
import { cmsMetrics } from "../../shared/adapters/alibaba/cms-metrics.ts";
import { balancerTraffic, hostTraffic } from "../../shared/adapters/alibaba/cms-traffic.ts";
import { ecsAddressLists } from "../../shared/adapters/alibaba/ecs-address-lists.ts";
import { ecsFirewall } from "../../shared/adapters/alibaba/ecs-firewall.ts";
import { ecsInventory } from "../../shared/adapters/alibaba/ecs-inventory.ts";
import { flowLogTraffic } from "../../shared/adapters/alibaba/flow-log-traffic.ts";
import {
  actionTrailRpcClient,
  cloudMonitorRpcClient,
  ecsRpcClient,
  type RpcClient,
  type RpcSettings,
  vpcRpcClient,
} from "../../shared/adapters/alibaba/rpc-client.ts";
import { slsClient } from "../../shared/adapters/alibaba/sls-client.ts";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import { policySchema } from "../../shared/config/document-schema.ts";
import { policyOf } from "../../shared/config/policy-values.ts";
import { dayAfter } from "../../shared/domain/evidence.ts";
import type { GroupId, GroupRef } from "../../shared/domain/ids.ts";
import type { Policy } from "../../shared/domain/policy.ts";
import { evidenceWindow, judgeUse, type UseVerdict } from "../../shared/plan/judge-use.ts";
import { readEvidence } from "../../shared/store/evidence.ts";
import { schemas } from "../../shared/store/tables.ts";
import type { App } from "../../shared/usecases/app.ts";
import { collectEvidence } from "../../shared/usecases/recycling/collect-evidence.ts";
import { claimNetwork } from "./deployed-network.ts";
import { type Port, type Visits, visits } from "./visits.ts";

const region = "cn-hangzhou";
const logstore = { project: "safeport", logstore: "flow-log" };
const DAY_MS = 86_400_000;

/** A host of its own group, `name` for both, that serves one port to everybody. */
export interface LabelledHost {
  readonly name: string;
  readonly port: number;
  readonly isUdp?: boolean;
  /** Hosts of the same group beside it. */
  readonly mates?: number;
  /** True where those are not in the group until they are scaled in. */
  readonly isScaled?: boolean;
}

export interface EvidenceCloudOptions {
  readonly hosts: readonly LabelledHost[];
  /** The section `recycling` of the policy, once the first two numbers of the addresses are known. */
  readonly recycling?: (network: string) => Readonly<Record<string, unknown>>;
  readonly startMs: number;
  /** How long the logstore keeps, in days. */
  readonly ttlDays?: number;
}

/** A running cloud with the program's parts on it. */
export interface EvidenceCloud {
  readonly cloud: Cloud;
  readonly app: App;
  readonly policy: Policy;
  readonly visits: Visits;
  /** CloudMonitor, as the program calls it. */
  readonly cms: RpcClient;
  /** First two numbers of the block of addresses that hosts and visitors come from. */
  readonly network: string;
  /** The port of a host; `mate` counts the hosts of its group beside it from 1. */
  port(name: string, mate?: number): Port;
  eniId(name: string): string;
  instanceId(name: string): string;
  /** A mate comes into the group, or leaves it. */
  scale(way: "in" | "out", name: string, mate: number): Promise<void>;
  /** Days pass: `visit` is called at ten in the morning of each. */
  days(count: number, visit?: (day: number) => Promise<void>): Promise<void>;
  /** Collects what there is. */
  collect(): Promise<void>;
  verdict(name: string): Promise<UseVerdict>;
  stop(): Promise<void>;
}

/** Starts it; flow logs of everything are on, and the policy reads a day of them at once. */
export async function startEvidenceCloud(options: EvidenceCloudOptions): Promise<EvidenceCloud> {
  const { network, release } = await claimNetwork();
  const account = accountOf(options.hosts, network);
  const cloud = await startCloud({
    engine: "userspace",
    account,
    range: `${network}.0.0/16`,
    tableName: `safeport_evidence_${network.replace(".", "_")}`,
    startMs: options.startMs,
  });
  await cloud.recordFlowLogs(logstore.project, logstore.logstore, options.ttlDays ?? 60);
  const { app, cms, ecs } = await appOn(cloud);
  const recycling = {
    sources: ["flowLog", "balancer", "host"],
    neverClose: [],
    collect: { slice: 86_400, queriesPerDay: 10_000 },
    ...options.recycling?.(network),
  };
  const policy = policyOf(policySchema.parse({ recycling }), 1, region);
  const groupOf = (name: string): GroupRef => ({ region, groupId: `sg-${name}` as GroupId });
  const enis = new Map<string, string>();
  for (const { name } of options.hosts) {
    const [eni] = (await app.inventory.instance(region, `i-${name}`, "inventory")) ?? [];
    enis.set(name, eni?.eniId ?? "");
  }
  return {
    cloud,
    app,
    policy,
    network,
    visits: visits(cloud.dataPlane),
    cms,
    port: (name, mate = 0) => {
      const host = options.hosts.find((it) => it.name === name);
      if (host === undefined) throw new Error(`there is no host ${name}`);
      return { address: addressOf(options.hosts.indexOf(host), mate, network), port: host.port };
    },
    eniId: (name) => enis.get(name) ?? "",
    instanceId: (name) => `i-${name}`,
    scale: async (way, name, mate) => {
      const asked = { RegionId: region, SecurityGroupId: `sg-${name}`, InstanceId: `i-${name}-${mate}` };
      const action = way === "in" ? "JoinSecurityGroup" : "LeaveSecurityGroup";
      const request = () => ({ toMap: () => asked });
      await ecs.call({ action, region, priority: "open", reading: false, request });
    },
    days: async (count, visit) => {
      for (let day = 0; day < count; day += 1) {
        await cloud.advance(DAY_MS - (cloud.clock.now() % DAY_MS) + 10 * 3_600_000);
        await visit?.(day);
      }
    },
    collect: async () => {
      for (;;) {
        const next = await collectEvidence(app, { policy, region, deadlineAt: Number.POSITIVE_INFINITY });
        if (next === null) return;
        await cloud.advance(Math.max(1000, next - cloud.clock.now()));
      }
    },
    verdict: (name) => verdictOn(app, policy, groupOf(name)),
    stop: async () => {
      await cloud.stop();
      release();
    },
  };
}

const addressOf = (host: number, mate: number, network: string): string => `${network}.${1 + mate}.${11 + host}`;

function accountOf(hosts: readonly LabelledHost[], network: string): AccountSeed {
  const base = seedAccount(seededRandom("safeport seeded account"));
  return {
    ...base,
    groups: [
      ...hosts.map(({ name, port, isUdp = false }) => ({
        groupId: `sg-${name}`,
        name,
        rules: [
          {
            ipProtocol: isUdp ? "UDP" : "TCP",
            portRange: `${port}/${port}`,
            sourceCidrIp: "0.0.0.0/0",
            description: name,
          },
        ],
      })),
      // A host is in one group at least.
      ...(hosts.some(({ isScaled }) => isScaled) ? [{ groupId: "sg-spare", name: "spare", rules: [] }] : []),
    ],
    instances: hosts.flatMap(({ name, port, isUdp = false, mates = 0, isScaled = false }, host) =>
      Array.from({ length: 1 + mates }, (_, mate) => ({
        instanceId: mate === 0 ? `i-${name}` : `i-${name}-${mate}`,
        name: mate === 0 ? name : `${name}-${mate}`,
        address: addressOf(host, mate, network),
        groupIds: [isScaled && mate > 0 ? "sg-spare" : `sg-${name}`],
        listening: isUdp ? [] : [port],
        listeningUdp: isUdp ? [port] : [],
      })),
    ),
  };
}

/** The program's real parts, in this process. Nothing of them waits on virtual time. */
async function appOn(cloud: Cloud): Promise<{ readonly app: App; readonly cms: RpcClient; readonly ecs: RpcClient }> {
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, "admin");
  const random = seededRandom("evidence");
  const clock = { now: () => cloud.clock.now(), monotonicMs: () => 0, sleep: async () => undefined };
  const credentials = () => ({ accessKeyId, accessKeySecret });
  const at = (endpoint: string): RpcSettings => ({ clock, credentials, endpoint: () => endpoint, protocol: "http" });
  const ecs: RpcClient = ecsRpcClient(at(cloud.endpoints.ecs));
  const cms = cloudMonitorRpcClient(at(cloud.endpoints.cms));
  const flowLog = flowLogTraffic({
    clock,
    sls: slsClient({ clock, credentials, endpoint: `http://${cloud.endpoints.sls}` }),
    vpc: vpcRpcClient(at(cloud.endpoints.vpc)),
    places: [{ region, ...logstore }],
  });
  const tables = tablestoreTables({
    ...{ clock, random, schemas, credentials },
    endpoint: cloud.endpoints.tablestore,
    instance: seedTablestoreInstance,
  });
  await tables.createTables(schemas);
  const app: App = {
    ...{ clock, random, tables },
    firewall: ecsFirewall(ecs),
    // Its memory of members ages by the virtual clock.
    inventory: ecsInventory(ecs, { ...clock, monotonicMs: () => cloud.clock.now() }),
    trail: actionTrail(actionTrailRpcClient(at(cloud.endpoints.actiontrail)), clock),
    traffic: async () => ({
      flowLog,
      balancer: balancerTraffic(cms),
      host: hostTraffic(cms, cloud.account.accountId),
    }),
    metrics: async () => cmsMetrics(cms),
    lists: async () => ecsAddressLists(ecs, []),
    wakeup: { arm: async () => undefined },
    notifier: { send: async () => ({ kind: "sent" }) } as unknown as App["notifier"],
    log: { write: () => undefined },
    settings: {
      installation: "test",
      markSecret: "0123456789abcdef0123456789abcdef",
      ...{ lateEffectMaxMs: 60_000, lockMs: 30_000, lockMarginMs: 12_000, answerWithinMs: 10_000, skewMaxMs: 5_000 },
      ...{ shards: 1, fullPassGroups: 5000 },
    },
  };
  return { app, cms, ecs };
}

/** The verdict on the first rule of a group, of what the cloud and the tables have. */
async function verdictOn(app: App, policy: Policy, ref: GroupRef): Promise<UseVerdict> {
  const [reading, members] = await Promise.all([
    app.firewall.readGroup(ref, "inventory"),
    app.inventory.members(ref, "inventory"),
  ]);
  const [rule] = reading.rules;
  if (rule === undefined) throw new Error(`${ref.groupId} has no rule`);
  const terms = { recycling: policy.recycling, foreignWriters: [], now: app.clock.now() };
  const group = { groupId: ref.groupId, name: ref.groupId };
  const { from, until } = evidenceWindow({ rule, group }, terms);
  const known = await Promise.all(
    members.map(async ({ eniId, instanceId, instanceName, address }) => ({
      eniId,
      name: instanceName ?? eniId,
      addresses: [address],
      days: (
        await Promise.all([eniId, instanceId ?? ""].map((id) => readEvidence(app.tables, id, from, dayAfter(until, 1))))
      ).flat(),
    })),
  );
  const sameGroup = reading.innerAccessPolicy === "accept" ? members.map(({ address }) => address) : [];
  const shared = { rule, group, isProtected: false, changedAt: null, entry: null, shut: [] };
  return judgeUse({ ...shared, members: known, sameGroup }, terms);
}
