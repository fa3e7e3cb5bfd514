// The embedded cloud as one object: starts its services on one clock, deploys functions, moves time, and resets.

import type { CallRing } from "./call-ring.ts";
import type { CloudClock } from "./clock.ts";
import type { CloudEndpoints, CloudOptions } from "./cloud-options.ts";
import { type CloudWorld, cloudWorld } from "./cloud-world.ts";
import { createControl } from "./control.ts";
import type { DataPlane } from "./dataplane/data-plane.ts";
import { claimDirectory } from "./directory-claim.ts";
import type { FaultTable } from "./faults.ts";
import { LoadBalancers } from "./load-balancers.ts";
import type { Principal, PrincipalSpec, Session } from "./principals.ts";
import type { Ram } from "./ram.ts";
import type { ActionTrail } from "./services/actiontrail/action-trail.ts";
import { defaultTrailSwitches, type TrailSwitches } from "./services/actiontrail/switches.ts";
import type { Cms } from "./services/cms/cms.ts";
import { type CmsSwitches, defaultCmsSwitches } from "./services/cms/switches.ts";
import type { EcsService } from "./services/ecs/ecs-service.ts";
import { instanceEvent } from "./services/ecs/instance-event.ts";
import type { AccountSeed } from "./services/ecs/seed.ts";
import { defaultSwitches, type EcsSwitches } from "./services/ecs/switches.ts";
import type { EventBus } from "./services/eventbridge/event-bus.ts";
import type { FunctionDefinition } from "./services/functions/function-definition.ts";
import { closeServer, type Functions, listen } from "./services/functions/functions.ts";
import type { Sls } from "./services/sls/sls.ts";
import { defaultSlsSwitches, type SlsSwitches } from "./services/sls/switches.ts";
import type { Queues } from "./services/smq/queues.ts";
import type { Tablestore } from "./services/tablestore/server.ts";
import { defaultVpcSwitches, type VpcSwitches } from "./services/vpc/switches.ts";
import { settleHook } from "./settle.ts";
import { startMonitoring } from "./start-monitoring.ts";
import { startPlatform } from "./start-platform.ts";
import { startResources } from "./start-resources.ts";

const FLOW_WINDOW_MS = 600_000;
const DEFAULT_RANGE = "127.10.0.0/16";

export type { CloudOptions } from "./cloud-options.ts";

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
  readonly vpcSwitches: VpcSwitches;
  readonly sls: Sls;
  readonly calls: CallRing;
  /** Policies of users and roles, and what was asked of them. Policies outlive a reset, what was asked does not. */
  readonly ram: Pick<Ram, "attach" | "detach" | "attached" | "used">;
  readonly ecs: EcsService;
  readonly tablestore: Tablestore;
  /** Messages that were sent to queues: dead letters, results of asynchronous invocations. */
  readonly queues: Pick<Queues, "all">;
  readonly functions: Functions;
  readonly dataPlane: DataPlane;
  readonly loadBalancers: Pick<LoadBalancers, "set" | "mappedPorts" | "open" | "problems">;
  readonly endpoints: CloudEndpoints;
  /** A flow log of the whole network into a logstore, both made when missing, from when this resolves until `reset`. */
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

/** Starts every service on loopback. When one cannot start, the others are stopped again. */
export async function startCloud(options: CloudOptions = {}): Promise<Cloud> {
  const started: Array<() => Promise<void> | void> = [];
  const stopAll = async (): Promise<void> => {
    for (const each of started.splice(0).reverse()) await each();
  };
  let stopping: Promise<void> | undefined;
  // Whoever stops it again waits until the first stop has ended.
  const stop = (): Promise<void> => {
    stopping ??= stopAll();
    return stopping;
  };
  try {
    if (options.directory !== undefined) started.push(claimDirectory(options.directory));
    return await start(
      cloudWorld(options, (each) => void started.push(each)),
      stop,
    );
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(world: CloudWorld, stop: () => Promise<void>): Promise<Cloud> {
  const { options, host, ports, account, clock, faults, calls, principals } = world;
  const eventSwitches: TrailSwitches = { ...defaultTrailSwitches, ...options.eventSwitches };
  const cmsSwitches: CmsSwitches = { ...defaultCmsSwitches, ...options.cmsSwitches };
  const slsSwitches: SlsSwitches = { ...defaultSlsSwitches, ...options.slsSwitches };
  const vpcSwitches: VpcSwitches = { ...defaultVpcSwitches, ...options.vpcSwitches };

  // The trail tells the bus, which needs the functions; they start after ECS.
  let trail: ActionTrail | undefined;
  const resources = await startResources(world, (call) => trail?.record(call));
  const { ecs, tablestore, dataPlane } = resources;
  const { switches } = ecs;
  const platform = await startPlatform(world, eventSwitches);
  const { functions, events } = platform;
  const { registry } = functions;
  trail = platform.trail;
  const tell: EventBus["tell"] = (told) => events.tell(told);
  const { accountId } = account;
  ecs.onInstanceChanged((change) =>
    tell(instanceEvent(change, { accountId, random: world.random, now: clock.now(), switches: eventSwitches })),
  );
  const { cms, sls, vpc } = await startMonitoring(world, {
    ...{ dataPlane, cmsSwitches, slsSwitches, vpcSwitches, tell },
    hasEni: (eniId) => ecs.enis().some((eni) => eni.eniId === eniId),
  });

  const loadBalancers = new LoadBalancers({
    ...{ clock, random: world.random, ecs, range: options.range ?? DEFAULT_RANGE },
    see: (packets) => dataPlane.seePackets(packets),
    measure: (measurement) => cms.measure(measurement),
  });
  world.onStop(() => loadBalancers.stop());
  await loadBalancers.set(options.loadBalancers ?? []);

  const settle = settleHook({
    inFlight: () => registry.inFlight + cms.inFlight,
    idle: async () => {
      await Promise.all([registry.idle(), cms.idle()]);
    },
    sleeping: () => clock.sleeping,
  });
  const resetListeners: Array<() => Promise<void>> = [];
  const cloud = {
    ...{
      account,
      clock,
      faults,
      switches,
      eventSwitches,
      cmsSwitches,
      slsSwitches,
      vpcSwitches,
      events,
      cms,
      sls,
      calls,
    },
    ...{ ecs, tablestore, functions, dataPlane, stop },
    trail: platform.trail,
    queues: platform.queues,
    ram: world.ram,
    loadBalancers,
    addPrincipal: (spec: PrincipalSpec) => principals.add(spec),
    roleKeys: () => world.roleKeys(),
    recordFlowLogs: (project: string, logstore: string, ttlDays?: number) => {
      sls.ensure(project, logstore, ttlDays);
      return vpc.recordAll(project, logstore, options.flowWindowMs ?? FLOW_WINDOW_MS);
    },
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
      Object.assign(vpcSwitches, defaultVpcSwitches, options.vpcSwitches);
      clock.toReal();
      // What still runs may write once more; it must not do so into the new state.
      platform.trail.clear();
      events.clear();
      platform.queues.clear();
      cms.reset();
      await vpc.reset();
      sls.reset();
      await loadBalancers.set(options.loadBalancers ?? []);
      registry.reset();
      registry.killAll();
      await registry.idle();
      await resources.reset();
      calls.clear();
      world.ram.forget();
      for (const listener of resetListeners) await listener();
    },
    afterReset: (listener: () => Promise<void>) => void resetListeners.push(listener),
  };
  const controlServer = createControl({
    ...cloud,
    switches: [switches, eventSwitches, cmsSwitches, slsSwitches, vpcSwitches],
  });
  const controlPort = await listen(controlServer, host, ports.control ?? 0);
  world.onStop(() => closeServer(controlServer));
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
      actiontrail: `${host}:${platform.lookupPort}`,
      vpc: `${host}:${vpc.port}`,
      ram: `${host}:${platform.ramPort}`,
    },
  };
}
