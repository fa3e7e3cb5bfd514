// safeport's own code on the embedded ECS and Tablestore, over their wire, on virtual time, with every cloud call in the test's hands.
import * as tablestore from "tablestore";
import { CloudClock, nextTurn } from "../../local/clock.ts";
import type { FaultRule } from "../../local/faults.ts";
import { FaultTable } from "../../local/faults.ts";
import { type Principal, type PrincipalSpec, Principals } from "../../local/principals.ts";
import { seededRandom } from "../../local/random.ts";
import type { RpcEndpoint } from "../../local/rpc-endpoint.ts";
import { createActionTrail } from "../../local/services/actiontrail/action-trail.ts";
import { KeptEvents } from "../../local/services/actiontrail/kept-events.ts";
import { startLookups } from "../../local/services/actiontrail/start-lookups.ts";
import { defaultTrailSwitches, type TrailSwitches } from "../../local/services/actiontrail/switches.ts";
import type { EcsCall, EcsService } from "../../local/services/ecs/ecs-service.ts";
import type { EcsLimits } from "../../local/services/ecs/limits.ts";
import type { AccountSeed } from "../../local/services/ecs/seed.ts";
import { startEcs } from "../../local/services/ecs/start-ecs.ts";
import type { EcsSwitches } from "../../local/services/ecs/switches.ts";
import { startTablestore, type Tablestore } from "../../local/services/tablestore/server.ts";
import { actionTrail } from "../../shared/adapters/alibaba/action-trail.ts";
import { assistantHosts } from "../../shared/adapters/alibaba/assistant-hosts.ts";
import { ecsAddressLists } from "../../shared/adapters/alibaba/ecs-address-lists.ts";
import { ecsFirewall } from "../../shared/adapters/alibaba/ecs-firewall.ts";
import { ecsInventory } from "../../shared/adapters/alibaba/ecs-inventory.ts";
import { actionTrailRpcClient, ecsRpcClient, type RpcClient } from "../../shared/adapters/alibaba/rpc-client.ts";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import { policySchema } from "../../shared/config/document-schema.ts";
import { policyOf } from "../../shared/config/policy-values.ts";
import type { GroupId, GroupRef, LeaseId } from "../../shared/domain/ids.ts";
import type { Lease } from "../../shared/domain/lease-record.ts";
import type { Role } from "../../shared/domain/permission.ts";
import type { Policy } from "../../shared/domain/policy.ts";
import type { Message } from "../../shared/ports/notifier.ts";
import type { TableName, Tables } from "../../shared/ports/tables.ts";
import { getLease } from "../../shared/store/leases.ts";
import { listRecords } from "../../shared/store/records.ts";
import { schemas } from "../../shared/store/tables.ts";
import type { App, Caller, Settings } from "../../shared/usecases/app.ts";
import { type LeaseAnswer, type LeaseAsk, openLease } from "../../shared/usecases/lease/open-lease.ts";
import { allJobs, type Jobs } from "../../shared/usecases/operation/jobs.ts";
import { setUp } from "../../shared/usecases/operation/set-up.ts";
import { type SweepReport, sweep } from "../../shared/usecases/operation/sweep.ts";
import { memoryTables } from "./memory-tables.ts";
import { switchUnderTest } from "./switch-under-test.ts";

export const region = "cn-hangzhou";
const START_MS = Date.UTC(2026, 10, 20, 8, 0, 0);

/** A group `web` with two customer's rules and one member, a second group with two members, and a managed one. */
export const worldSeed: AccountSeed = {
  accountId: "100000000000",
  regionId: region,
  vpcId: "vpc-1",
  users: [
    { name: "safeport", accessKeyId: "ak", accessKeySecret: "sk", principalId: "20001" },
    { name: "other", accessKeyId: "ak-other", accessKeySecret: "sk-other", principalId: "20002" },
  ],
  groups: [
    {
      groupId: "sg-web",
      name: "web",
      rules: [
        { portRange: "80/80", sourceCidrIp: "0.0.0.0/0", description: "http" },
        { portRange: "443/443", sourceCidrIp: "0.0.0.0/0", description: "https" },
      ],
    },
    { groupId: "sg-app", name: "app", rules: [{ portRange: "8080/8080", sourceCidrIp: "10.0.0.0/8" }] },
    { groupId: "sg-managed", name: "managed", serviceManaged: true, rules: [] },
  ],
  instances: [
    { instanceId: "i-web-1", name: "web-1", address: "127.10.0.11", groupIds: ["sg-web"], listening: [] },
    { instanceId: "i-app-1", name: "app-1", address: "127.10.0.21", groupIds: ["sg-app"], listening: [] },
    { instanceId: "i-app-2", name: "app-2", address: "127.10.0.22", groupIds: ["sg-app"], listening: [] },
  ],
};

/** One cloud call of the program, about to be made. */
export interface ProgramCall {
  /** `ecs RevokeSecurityGroup`, `put ledger` or `trail LookupEvents`. */
  readonly name: string;
  readonly service: "ecs" | "tables" | "trail";
  /** For `writeAll`: makes the first half of the writes only. */
  readonly half?: () => Promise<unknown>;
}

/** Stands around every cloud call of a process: makes the call, or not, or fails it. */
export type Interposer = (call: ProgramCall, act: () => Promise<unknown>) => Promise<unknown>;

export interface WorldOptions {
  readonly seed?: AccountSeed;
  readonly switches?: Partial<EcsSwitches>;
  readonly trailSwitches?: Partial<TrailSwitches>;
  readonly limits?: Partial<EcsLimits>;
  /** The policy document. */
  readonly policy?: Readonly<Record<string, unknown>>;
  readonly settings?: Partial<Settings>;
  /** Real time instead of virtual. */
  readonly realTime?: boolean;
  /** True where hosts are asked by their agents. */
  readonly cloudAssistant?: boolean;
  /**
   * True where state is kept in memory, and not by the embedded Tablestore over its wire: for scenes of many days, which are about what is
   * decided. Both pass the contract of the port.
   */
  readonly inMemory?: boolean;
  /** True where a probe of prefix lists has passed. */
  readonly lockdownLists?: boolean;
}

export class World {
  readonly clock: CloudClock;
  readonly ecs: EcsService;
  /** In force for every caller and tick; replaced by tests. */
  policy: Policy;
  /** Whether lists for lockdowns are switched on; changed by tests. */
  lockdownLists: boolean;
  readonly web: GroupRef = { region, groupId: "sg-web" as GroupId };
  readonly callNames: string[] = [];
  /** Messages that were sent to targets of the policy. */
  readonly told: Message[] = [];
  /** Records of calls as events have brought them so far, for tests to hand on as they like. */
  readonly events: Readonly<Record<string, unknown>>[] = [];
  /** Mutable at run time. */
  readonly trailSwitches: TrailSwitches;
  readonly #tablestore: Tablestore | null;
  readonly #memory: Tables | null;
  readonly #principals: Principals;
  #lookups: RpcEndpoint | undefined;
  readonly #faults: FaultTable;
  readonly #settings: Settings;
  readonly #cloudAssistant: boolean;
  #processes = 0;
  #inFlight = 0;

  private constructor(
    clock: CloudClock,
    ecs: EcsService,
    tablestore: Tablestore | null,
    faults: FaultTable,
    principals: Principals,
    options: WorldOptions,
  ) {
    this.clock = clock;
    this.ecs = ecs;
    this.#principals = principals;
    this.trailSwitches = { ...defaultTrailSwitches, ...options.trailSwitches };
    this.#tablestore = tablestore;
    this.#memory = tablestore === null ? memoryTables(schemas) : null;
    this.#cloudAssistant = options.cloudAssistant ?? false;
    this.lockdownLists = options.lockdownLists ?? false;
    this.#faults = faults;
    this.policy = policyOf(policySchema.parse({ defaultTarget: "web", ...options.policy }), 1, region);
    this.#settings = {
      installation: "test",
      markSecret: "0123456789abcdef0123456789abcdef",
      lateEffectMaxMs: 60_000,
      lockMs: 30_000,
      lockMarginMs: 12_000,
      answerWithinMs: 10_000,
      skewMaxMs: 5_000,
      shards: 1,
      fullPassGroups: 5000,
      ...options.settings,
    };
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    const clock = new CloudClock(options.realTime ? {} : { startMs: START_MS });
    const faults = new FaultTable();
    const random = seededRandom("world");
    const seed = options.seed ?? worldSeed;
    const { switches = {}, limits = {} } = options;
    const principals = new Principals(seed, seededRandom("world's principals"), () => clock.now());
    const recorders: ((call: EcsCall) => void)[] = [];
    const ecs = await startEcs({
      clock,
      random,
      seed,
      faults,
      limits,
      switches: { ...switchUnderTest(), ...switches },
      findUser: (accessKeyId) => principals.find(accessKeyId),
      onCall: (call) => {
        for (const record of recorders) record(call);
      },
    });
    const credentials = (id: string) => {
      const user = seed.users.find((it) => it.accessKeyId === id);
      return user && { secret: user.accessKeySecret };
    };
    const instances = ["safeport"];
    const tablestore = options.inMemory ? null : await startTablestore({ clock, random, instances, credentials });
    const world = new World(clock, ecs, tablestore, faults, principals, options);
    recorders.push(await world.#startTrail(seed));
    const { installation } = world.#settings;
    await setUp(world.process().tables, { installation, policyText: JSON.stringify(options.policy ?? {}), tokens: [] });
    // The first tick of an installation looks at everything; a test begins after it.
    await world.sweep();
    world.callNames.length = 0;
    return world;
  }

  /** The account's trail; answers what is to be told of every call. */
  async #startTrail({ accountId, regionId }: AccountSeed): Promise<(call: EcsCall) => void> {
    const { clock, trailSwitches: switches } = this;
    const random = seededRandom("world's trail");
    const kept = new KeptEvents(switches);
    this.#lookups = await startLookups({
      ...{ clock, random, regionId, kept, switches, host: "127.0.0.1", port: 0, faults: this.#faults },
      secretOf: (accessKeyId, token) => this.#principals.secretOf(accessKeyId, token),
      onCall: () => undefined,
    });
    const trail = createActionTrail({
      ...{ clock, random, accountId, regionId, switches, kept },
      find: (accessKeyId) => this.#principals.find(accessKeyId),
      tell: ({ data }) => this.events.push(data as Readonly<Record<string, unknown>>),
    });
    return (call) => trail.record(call);
  }

  async stop(): Promise<void> {
    await this.#lookups?.stop();
    await this.ecs.stop();
    await this.#tablestore?.stop();
    this.clock.close();
  }

  /** State lost: every table is gone. */
  async loseState(): Promise<void> {
    await this.#stored().reset();
  }

  /** State lost in part: one table is gone. */
  async loseTable(table: TableName): Promise<void> {
    const client = new tablestore.Client({
      accessKeyId: "ak",
      secretAccessKey: "sk",
      endpoint: this.#stored().url,
      instancename: "safeport",
    });
    await client.deleteTable({ tableName: table });
  }

  /** Faults of the cloud itself, on the wire. */
  faults(rules: readonly FaultRule[]): void {
    this.#faults.set(rules);
  }

  /** A key for somebody new, to be a process's own: another user, a session of a role, a product. */
  addPrincipal(spec: PrincipalSpec): Principal {
    return this.#principals.add(spec);
  }

  /** A new process: nothing in its memory, its calls in the hands of `interposer`. */
  process(interposer: Interposer = (_, act) => act(), whose: "ak" | "ak-other" | Principal = "ak"): App {
    this.#processes += 1;
    const { clock } = this;
    const random = seededRandom(`process ${this.#processes}`);
    const around = async <T>(call: ProgramCall, act: () => Promise<T>): Promise<T> => {
      this.callNames.push(call.name);
      return (await interposer(call, () => this.#counted(act))) as T;
    };
    const credentials = () => {
      if (typeof whose === "string") return { accessKeyId: whose, accessKeySecret: whose.replace("ak", "sk") };
      const { accessKeyId, accessKeySecret, securityToken } = whose;
      return { accessKeyId, accessKeySecret, securityToken };
    };
    const bare = ecsRpcClient({ clock, credentials, endpoint: () => this.ecs.endpoint, protocol: "http" });
    const rpc: RpcClient = {
      call: (call) => around({ name: `ecs ${call.action}`, service: "ecs" }, () => bare.call(call)),
      skewMs: () => bare.skewMs(),
    };
    const lookups = actionTrailRpcClient({
      clock,
      credentials,
      endpoint: () => `127.0.0.1:${this.#lookups?.port}`,
      protocol: "http",
    });
    const trailRpc: RpcClient = {
      call: (call) => around({ name: `trail ${call.action}`, service: "trail" }, () => lookups.call(call)),
      skewMs: () => lookups.skewMs(),
    };
    const wire = () =>
      tablestoreTables({ clock, random, schemas, credentials, endpoint: this.#stored().url, instance: "safeport" });
    const tables = this.#tables(this.#memory ?? wire(), around);
    return {
      clock,
      random,
      tables,
      firewall: ecsFirewall(rpc),
      inventory: ecsInventory(rpc, clock),
      traffic: async () => ({}),
      metrics: async () => ({ publish: async () => ({ published: 0, calls: 0 }) }),
      trail: actionTrail(trailRpc, clock),
      wakeup: { arm: async () => undefined },
      ...(this.#cloudAssistant ? { hosts: async () => assistantHosts(rpc) } : {}),
      lists: async () => ecsAddressLists(rpc, this.lockdownLists ? [region] : []),
      notifier: {
        send: async (_, message) => {
          this.told.push(message);
          return { kind: "sent" };
        },
      },
      log: { write: () => undefined },
      settings: this.#settings,
    };
  }

  /** Where the state is served. */
  get tablestoreUrl(): string {
    return this.#stored().url;
  }

  #stored(): Tablestore {
    if (this.#tablestore === null) throw new Error("the state of this world is kept in memory");
    return this.#tablestore;
  }

  #tables(inner: Tables, around: <T>(call: ProgramCall, act: () => Promise<T>) => Promise<T>): Tables {
    const named = (operation: string, table: TableName | ""): ProgramCall => ({
      name: `${operation} ${table}`,
      service: "tables",
    });
    return {
      get: (table, ...rest) => around(named("get", table), () => inner.get(table, ...rest)),
      put: (table, ...rest) => around(named("put", table), () => inner.put(table, ...rest)),
      putEach: async (puts) =>
        (await around(named("putEach", puts[0]?.table ?? ""), async () => inner.putEach?.(puts))) ?? [],
      update: (table, ...rest) => around(named("update", table), () => inner.update(table, ...rest)),
      delete: (table, ...rest) => around(named("delete", table), () => inner.delete(table, ...rest)),
      range: (query) => around(named("range", query.table), () => inner.range(query)),
      writeAll: (writes) => {
        const half = () => inner.writeAll(writes.slice(0, Math.floor(writes.length / 2)));
        const call = named("writeAll", writes[0]?.table ?? "");
        return around(writes.length > 1 ? { ...call, half } : call, () => inner.writeAll(writes));
      },
      createTables: (all) => around(named("createTables", ""), () => inner.createTables(all)),
    };
  }

  async #counted<T>(act: () => Promise<T>): Promise<T> {
    this.#inFlight += 1;
    try {
      return await act();
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** Waits for work of the program; virtual time moves whenever nothing but time can bring it on. */
  async run<T>(work: Promise<T>): Promise<T> {
    const state = { done: false };
    const ended = work.finally(() => {
      state.done = true;
    });
    ended.catch(() => undefined);
    let idleTurns = 0;
    while (!state.done) {
      await nextTurn();
      idleTurns = this.#inFlight === 0 && this.clock.sleeping > 0 ? idleTurns + 1 : 0;
      if (idleTurns > 3 && this.clock.mode === "virtual") await this.clock.advance(20);
    }
    return ended;
  }

  /** Virtual time moves; calls under way end in it. */
  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms, async () => {
      do await nextTurn();
      while (this.#inFlight > 0);
    });
  }

  /** What somebody wrote can be read from here on, also where the cloud shows it late. */
  async written(): Promise<void> {
    const { readAfterWriteMs = 0 } = switchUnderTest();
    if (readAfterWriteMs > 0) await this.advance(readAfterWriteMs);
  }

  caller(principal = "ann", roles: readonly Role[] = ["requester"]): Caller {
    return { principal, roles, scopes: [], policy: this.policy };
  }

  ask(change: Partial<LeaseAsk> = {}): LeaseAsk {
    return {
      protocol: "tcp",
      port: "22",
      sources: ["203.0.113.7"],
      group: "web",
      instance: null,
      region: null,
      periodMs: 600_000,
      reason: "test",
      ticket: "",
      startAt: null,
      breakGlass: false,
      ...change,
    };
  }

  /** Opens a lease by a process of its own. */
  async open(change: Partial<LeaseAsk> = {}, principal = "ann"): Promise<LeaseAnswer> {
    const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
    return this.run(openLease(this.process(), this.caller(principal), this.ask(change), options));
  }

  /** Time passes to the end of the lease and two ticks beyond. */
  async pastEnd(lease: Lease): Promise<void> {
    await this.advance(Math.max(0, lease.status.until - this.clock.now()));
    await this.ticks(2);
  }

  /** The lease as it is stored now. */
  async lease(leaseId: LeaseId): Promise<Lease> {
    const lease = await getLease(this.process().tables, leaseId);
    if (!lease) throw new Error(`there is no lease ${leaseId}`);
    return lease;
  }

  /** Every line of the audit trail, newest record first. */
  async recorded(): Promise<readonly string[]> {
    const { records } = await listRecords(this.process().tables, { limit: 200, before: null });
    return records.flatMap((record) => record.lines);
  }

  /** One sweep by a process of its own, or by the one given. */
  sweep(app: App = this.process(), jobs: Jobs = allJobs): Promise<SweepReport> {
    const options = {
      policy: this.policy,
      cause: "tick",
      deadlineAt: this.clock.monotonicMs() + 45_000,
      jobs,
    };
    return this.run(sweep(app, options));
  }

  /** `count` minutes pass, with a tick at the end of each. */
  async ticks(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      await this.advance(60_000 - (this.clock.now() % 60_000));
      await this.sweep();
    }
  }

  /** The rules of a group as the cloud holds them: port, source, description. */
  rules(groupId = "sg-web"): readonly { ruleId: string; portRange: string; source: string; description: string }[] {
    const group = this.ecs.groups().find((it) => it.groupId === groupId);
    return (group?.rules ?? []).map((rule) => ({
      ruleId: rule.ruleId,
      portRange: rule.portRange,
      source: rule.sourceCidrIp,
      description: rule.description,
    }));
  }

  /** Ports that are open in `sg-web` beside the customer's 80 and 443. */
  openPorts(groupId = "sg-web"): readonly string[] {
    return this.rules(groupId)
      .map((rule) => rule.portRange)
      .filter((range) => range !== "80/80" && range !== "443/443");
  }

  /** Rows of a table, keys only. */
  async rows(table: TableName): Promise<readonly string[]> {
    const schema = schemas.find((it) => it.name === table);
    const lowest = schema?.key[0]?.type === "integer" ? 0 : "";
    const page = await this.process().tables.range({ table, from: [lowest], to: null, limit: 5000 });
    return page.rows.map((row) => row.key.join("/"));
  }
}
