// The embedded cloud as one object: starts its services on one clock, deploys functions, moves time, and resets.

import { join } from "node:path";
import type { Random } from "../shared/ports/random.ts";
import { CallRing } from "./call-ring.ts";
import { CloudClock } from "./clock.ts";
import { createControl } from "./control.ts";
import { type DataPlane, startDataPlane } from "./dataplane/data-plane.ts";
import { FaultTable } from "./faults.ts";
import { type Principal, type PrincipalSpec, Principals, type Session } from "./principals.ts";
import { machineRandom, seededRandom } from "./random.ts";
import { seedAccount, seedTablestoreInstance, seedUserNames } from "./seed.ts";
import { type ActionTrail, createActionTrail } from "./services/actiontrail/action-trail.ts";
import { KeptEvents } from "./services/actiontrail/kept-events.ts";
import { startLookups } from "./services/actiontrail/start-lookups.ts";
import { defaultTrailSwitches, type TrailSwitches } from "./services/actiontrail/switches.ts";
import { type Cms, startCms } from "./services/cms/cms.ts";
import { type CmsSwitches, defaultCmsSwitches } from "./services/cms/switches.ts";
import type { EcsService } from "./services/ecs/ecs-service.ts";
import type { EcsLimits } from "./services/ecs/limits.ts";
import type { AccountSeed } from "./services/ecs/seed.ts";
import { startEcs } from "./services/ecs/start-ecs.ts";
import { defaultSwitches, type EcsSwitches } from "./services/ecs/switches.ts";
import { topologyOf } from "./services/ecs/topology-of.ts";
import { EventBus } from "./services/eventbridge/event-bus.ts";
import type { FunctionDefinition } from "./services/functions/function-definition.ts";
import { closeServer, type Functions, listen, startFunctions } from "./services/functions/functions.ts";
import { createFlowLogs } from "./services/sls/flow-logs.ts";
import { type Sls, startSls } from "./services/sls/sls.ts";
import { defaultSlsSwitches, type SlsSwitches } from "./services/sls/switches.ts";
import { startTablestore, type Tablestore } from "./services/tablestore/server.ts";
import { settleHook } from "./settle.ts";

/** Ports of the cloud; 0 or absent: chosen by the machine. `api` is the HTTP trigger. */
export interface CloudPorts {
  readonly api?: number;
  readonly control?: number;
  readonly ecs?: number;
  readonly tablestore?: number;
  readonly cms?: number;
  readonly sls?: number;
  readonly fc?: number;
  readonly actiontrail?: number;
}

/** Everything that can be set. */
export interface CloudOptions {
  readonly host?: string;
  readonly ports?: CloudPorts;
  /** Keeps every service's state across restarts; absent: nothing outlives the process. */
  readonly directory?: string;
  /** The account before anybody calls; default: the small one of `seedAccount`, always with the same ids and keys. */
  readonly account?: AccountSeed;
  readonly random?: Random;
  /** Start of virtual time in milliseconds; absent: real time until the first `advance`. */
  readonly startMs?: number;
  readonly tablestoreInstances?: readonly string[];
  readonly engine?: "auto" | "nft" | "userspace";
  /** Name of the data plane's own nftables table. */
  readonly tableName?: string;
  readonly range?: string;
  /** Adds a probe of a stranger to the flow records each so many milliseconds of the clock. Default none. */
  readonly scanNoiseMs?: number;
  /** Length of the windows of flow records. Default ten minutes. */
  readonly flowWindowMs?: number;
  readonly switches?: Partial<EcsSwitches>;
  readonly eventSwitches?: Partial<TrailSwitches>;
  readonly cmsSwitches?: Partial<CmsSwitches>;
  readonly slsSwitches?: Partial<SlsSwitches>;
  readonly limits?: Partial<EcsLimits>;
  /** The built instance harness; found or built when absent. */
  readonly harnessPath?: string;
  readonly freeze?: boolean;
  readonly idleMs?: number;
  /** Life of the keys that functions are given; default 36 hours. */
  readonly roleKeyMs?: number;
}

/** Where the services listen. */
export interface CloudEndpoints {
  readonly api: string;
  readonly control: string;
  /** `host:port`, as the RPC SDKs take it. */
  readonly ecs: string;
  readonly tablestore: string;
  readonly cms: string;
  readonly sls: string;
  readonly fc: string;
  readonly actiontrail: string;
}

/** A running cloud. */
export interface Cloud {
  readonly account: AccountSeed;
  readonly clock: CloudClock;
  readonly faults: FaultTable;
  readonly switches: EcsSwitches;
  readonly eventSwitches: TrailSwitches;
  readonly cmsSwitches: CmsSwitches;
  readonly events: EventBus;
  /** Tells of calls; also of such as nobody made, or that are not served. */
  readonly trail: Pick<ActionTrail, "record">;
  readonly cms: Cms;
  readonly slsSwitches: SlsSwitches;
  readonly sls: Sls;
  readonly calls: CallRing;
  readonly ecs: EcsService;
  readonly tablestore: Tablestore;
  readonly functions: Functions;
  readonly dataPlane: DataPlane;
  readonly endpoints: CloudEndpoints;
  /** Writes the data plane's flow records to a logstore, made when missing, from when this resolves until `reset`. */
  recordFlowLogs(project: string, logstore: string, ttlDays?: number): Promise<void>;
  /** A key for somebody new: another user, the account itself, a session of a role, a product. It outlives a reset. */
  addPrincipal(spec: PrincipalSpec): Principal;
  /** The present keys of the functions' role. */
  roleKeys(): Session;
  /** Puts functions in place of earlier ones of their names. */
  deploy(definitions: readonly FunctionDefinition[]): void;
  /** Virtual time moves by `ms`; every due tick and invocation happens in order and has ended when this resolves. */
  advance(ms: number): Promise<void>;
  toReal(): void;
  /** Everything as on the first start but the deployed functions; then `afterReset` listeners run. */
  reset(): Promise<void>;
  /** Called at the end of each reset, for instance to provision tables again. */
  afterReset(listener: () => Promise<void>): void;
  stop(): Promise<void>;
}

const ROLE_KEY_MS = 36 * 3_600_000;

/** Starts every service on loopback. When one cannot start, the others are stopped again. */
export async function startCloud(options: CloudOptions = {}): Promise<Cloud> {
  const started: Array<() => Promise<void> | void> = [];
  const stop = async (): Promise<void> => {
    for (const each of started.splice(0).reverse()) await each();
  };
  try {
    return await start(options, started, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  options: CloudOptions,
  started: Array<() => Promise<void> | void>,
  stop: () => Promise<void>,
): Promise<Cloud> {
  const { host = "127.0.0.1", ports = {}, random = machineRandom() } = options;
  const account = options.account ?? seedAccount(seededRandom("safeport seeded account"));
  const clock = new CloudClock(options.startMs === undefined ? {} : { startMs: options.startMs });
  started.push(() => clock.close());
  const faults = new FaultTable();
  const calls = new CallRing();
  const principals = new Principals(account, random, () => clock.now());
  const principalOf = (accessKeyId: string): string => principals.nameOf(accessKeyId);
  const secretOf = (accessKeyId: string, securityToken?: string): string | undefined =>
    principals.secretOf(accessKeyId, securityToken);
  const roleKeys = (): Session => principals.sessionOf(seedUserNames.role, options.roleKeyMs ?? ROLE_KEY_MS);
  const folder = (name: string): { directory?: string } =>
    options.directory === undefined ? {} : { directory: join(options.directory, name) };

  // The bus needs the functions, which start after ECS.
  let trail: ActionTrail | undefined;
  const ecs = await startEcs({
    clock,
    random,
    seed: account,
    findUser: (accessKeyId) => principals.find(accessKeyId),
    ...folder("ecs"),
    host,
    port: ports.ecs ?? 0,
    ...(options.switches === undefined ? {} : { switches: options.switches }),
    faults,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    onCall: (call) => {
      const { service, operation, accessKeyId, principal, status, at, code, params } = call;
      calls.add({
        at,
        service,
        operation,
        caller: { accessKeyId, principal },
        status,
        ...(code === undefined ? {} : { code }),
        params,
      });
      trail?.record(call);
    },
  });
  started.push(() => ecs.stop());
  const { switches } = ecs;

  const tablestore = await startTablestore({
    clock,
    random,
    ...folder("tablestore"),
    host,
    port: ports.tablestore ?? 0,
    instances: options.tablestoreInstances ?? [seedTablestoreInstance],
    credentials: (accessKeyId, securityToken) => {
      const secret = secretOf(accessKeyId, securityToken);
      return secret === undefined ? undefined : { secret };
    },
    onCall: ({ fault, ...call }) => {
      const { accessKeyId, ...told } = callOf(call);
      calls.add({ ...told, caller: { accessKeyId, principal: principalOf(accessKeyId) } });
      faults.ended(callOf(call), fault);
    },
    intercept: (call) => faults.take(callOf(call)),
  });
  started.push(() => tablestore.stop());

  const dataPlane = await startDataPlane({
    clock,
    schedule: (delayMs, run) => clock.schedule(delayMs, run),
    ...(options.scanNoiseMs === undefined ? {} : { scanNoise: { everyMs: options.scanNoiseMs, random } }),
    ...(options.flowWindowMs === undefined ? {} : { flowWindowMs: options.flowWindowMs }),
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    ...(options.tableName === undefined ? {} : { tableName: options.tableName }),
    ...(options.range === undefined ? {} : { range: options.range }),
    destCidrIp: () => (switches.destCidrIp === "honoured" ? "honoured" : "ignored"),
    establishedAfterDeny: () => (switches.establishedSession === "cut" ? "cut" : "keep"),
  });
  started.push(() => dataPlane.stop());
  const applyRules = (): Promise<void> => dataPlane.apply(topologyOf(ecs));
  await applyRules();
  ecs.onRulesChanged(applyRules);

  const functions = await startFunctions({
    clock,
    random,
    ...folder("functions"),
    host,
    gatewayPort: ports.api ?? 0,
    apiPort: ports.fc ?? 0,
    region: account.regionId,
    accountId: account.accountId,
    role: roleKeys,
    findKey: (accessKeyId) => {
      const found = principals.find(accessKeyId);
      return found && { ...found, principal: found.name };
    },
    faults,
    onCall: ({ accessKeyId, principal, ...call }) =>
      calls.add({ ...call, service: "fc", at: clock.now(), caller: { accessKeyId, principal } }),
    ...(options.harnessPath === undefined ? {} : { harnessPath: options.harnessPath }),
    ...(options.freeze === undefined ? {} : { freeze: options.freeze }),
    ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
  });
  started.push(() => functions.close());
  const { registry } = functions;
  faults.onCrash(() => registry.killAll());

  const { accountId, regionId } = account;
  const eventSwitches: TrailSwitches = { ...defaultTrailSwitches, ...options.eventSwitches };
  const owner = { accountId, regionId };
  const events = new EventBus({ clock, random, owner, registry, faults, switches: eventSwitches });
  const kept = new KeptEvents(eventSwitches);
  const toldBy = createActionTrail({
    clock,
    random,
    ...owner,
    switches: eventSwitches,
    find: (accessKeyId) => principals.find(accessKeyId),
    tell: (told) => events.tell(told),
    kept,
  });
  trail = toldBy;
  const lookups = await startLookups({
    clock,
    random,
    regionId,
    host,
    port: ports.actiontrail ?? 0,
    kept,
    switches: eventSwitches,
    faults,
    secretOf,
    onCall: ({ accessKeyId, ...call }) =>
      calls.add({
        ...call,
        service: "actiontrail",
        at: clock.now(),
        caller: { accessKeyId, principal: principalOf(accessKeyId) },
      }),
  });
  started.push(() => lookups.stop());

  const cmsSwitches: CmsSwitches = { ...defaultCmsSwitches, ...options.cmsSwitches };
  const cms = await startCms({
    clock,
    random,
    accountId,
    regionId,
    ...folder("cms"),
    host,
    port: ports.cms ?? 0,
    switches: cmsSwitches,
    faults,
    secretOf,
    instanceName: (instanceId) => account.instances.find((each) => each.instanceId === instanceId)?.name,
    tell: (told) => events.tell(told),
    onCall: ({ accessKeyId, ...call }) =>
      calls.add({
        ...call,
        service: "cms",
        at: clock.now(),
        caller: { accessKeyId, principal: principalOf(accessKeyId) },
      }),
  });
  started.push(() => cms.stop());

  const slsSwitches: SlsSwitches = { ...defaultSlsSwitches, ...options.slsSwitches };
  const sls = await startSls({
    clock,
    random,
    host,
    port: ports.sls ?? 0,
    switches: slsSwitches,
    faults,
    secretOf,
    onCall: ({ accessKeyId, ...call }) =>
      calls.add({
        ...call,
        service: "sls",
        at: clock.now(),
        caller: { accessKeyId, principal: principalOf(accessKeyId) },
      }),
  });
  started.push(() => sls.stop());
  const flowLogs = createFlowLogs({ clock, sls, switches: slsSwitches, dataPlane, account });

  const settle = settleHook({
    inFlight: () => registry.inFlight + cms.inFlight,
    idle: async () => {
      await Promise.all([registry.idle(), cms.idle()]);
    },
    sleeping: () => clock.sleeping,
  });
  const resetListeners: Array<() => Promise<void>> = [];
  const cloud = {
    account,
    clock,
    faults,
    switches,
    eventSwitches,
    cmsSwitches,
    events,
    trail: toldBy,
    addPrincipal: (spec: PrincipalSpec) => principals.add(spec),
    roleKeys,
    cms,
    slsSwitches,
    sls,
    recordFlowLogs: (project: string, logstore: string, ttlDays?: number) => flowLogs.start(project, logstore, ttlDays),
    calls,
    ecs,
    tablestore,
    functions,
    dataPlane,
    deploy: (definitions: readonly FunctionDefinition[]) => {
      for (const definition of definitions) registry.deploy(definition);
    },
    advance: (ms: number) => clock.advance(ms, settle),
    toReal: () => clock.toReal(),
    reset: async () => {
      faults.set([]);
      Object.assign(switches, defaultSwitches, options.switches);
      Object.assign(eventSwitches, defaultTrailSwitches, options.eventSwitches);
      Object.assign(cmsSwitches, defaultCmsSwitches, options.cmsSwitches);
      Object.assign(slsSwitches, defaultSlsSwitches, options.slsSwitches);
      clock.toReal();
      // What still runs may write once more; it must not do so into the new state.
      toldBy.clear();
      events.clear();
      cms.reset();
      await flowLogs.stop();
      sls.reset();
      registry.reset();
      registry.killAll();
      await registry.idle();
      await ecs.reset();
      await tablestore.reset();
      await applyRules();
      calls.clear();
      for (const listener of resetListeners) await listener();
    },
    afterReset: (listener: () => Promise<void>) => void resetListeners.push(listener),
    stop,
  };
  const controlServer = createControl({ ...cloud, switches: [switches, eventSwitches, cmsSwitches, slsSwitches] });
  const controlPort = await listen(controlServer, host, ports.control ?? 0);
  started.push(() => closeServer(controlServer));
  return {
    ...cloud,
    endpoints: {
      api: `http://${host}:${functions.gatewayPort}`,
      control: `http://${host}:${controlPort}`,
      ecs: `${host}:${ecs.port}`,
      tablestore: tablestore.url,
      cms: `${host}:${cms.port}`,
      sls: `${host}:${sls.port}`,
      fc: `http://${host}:${functions.apiPort}`,
      actiontrail: `${host}:${lookups.port}`,
    },
  };
}

/** The table is the one parameter of a Tablestore call that is told. */
function callOf<Call extends { readonly table?: string }>({ table, ...call }: Call) {
  return table === undefined ? call : { ...call, params: { table } };
}
