// What an account has: ECS with its data plane, and Tablestore.

import type { CloudWorld } from "./cloud-world.ts";
import { type DataPlane, startDataPlane } from "./dataplane/data-plane.ts";
import { seedTablestoreInstance } from "./seed.ts";
import type { EcsCall, EcsService } from "./services/ecs/ecs-service.ts";
import { startEcs } from "./services/ecs/start-ecs.ts";
import { topologyOf } from "./services/ecs/topology-of.ts";
import { startTablestore, type Tablestore } from "./services/tablestore/server.ts";

/** The running resources. */
export interface Resources {
  readonly ecs: EcsService;
  readonly tablestore: Tablestore;
  readonly dataPlane: DataPlane;
  /** Everything as on the first start, on the wire too. */
  reset(): Promise<void>;
}

/** Starts them; `tell` hears of every call to ECS. */
export async function startResources(world: CloudWorld, tell: (call: EcsCall) => void): Promise<Resources> {
  const { options, host, ports, clock, random, faults, calls, principals, account } = world;
  const ecs = await startEcs({
    ...{ clock, random, host, faults, seed: account, authorize: world.authorize },
    findUser: (accessKeyId) => principals.find(accessKeyId),
    ...world.folder("ecs"),
    port: ports.ecs ?? 0,
    ...(options.switches === undefined ? {} : { switches: options.switches }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    onCall: (call) => {
      const { service, operation, accessKeyId, principal, status, at, code, params } = call;
      const caller = { accessKeyId, principal };
      calls.add({ at, service, operation, caller, status, ...(code === undefined ? {} : { code }), params });
      tell(call);
    },
  });
  world.onStop(() => ecs.stop());

  const tablestore = await startTablestore({
    ...{ clock, random, host, authorize: world.authorize, arn: world.arn("ots") },
    ...world.folder("tablestore"),
    port: ports.tablestore ?? 0,
    instances: options.tablestoreInstances ?? [seedTablestoreInstance],
    localTransactions: options.localTransactions ?? false,
    credentials: (accessKeyId, securityToken) => {
      const secret = world.secretOf(accessKeyId, securityToken);
      return secret === undefined ? undefined : { secret };
    },
    onCall: ({ fault, ...call }) => {
      const { accessKeyId, ...told } = callOf(call);
      calls.add({ ...told, caller: { accessKeyId, principal: principals.nameOf(accessKeyId) } });
      faults.ended(callOf(call), fault);
    },
    intercept: (call) => faults.take(callOf(call)),
  });
  world.onStop(() => tablestore.stop());

  const dataPlane = await startDataPlane({
    clock,
    schedule: (delayMs, run) => clock.schedule(delayMs, run),
    ...(options.scanNoiseMs === undefined ? {} : { scanNoise: { everyMs: options.scanNoiseMs, random } }),
    ...(options.flowWindowMs === undefined ? {} : { flowWindowMs: options.flowWindowMs }),
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    ...(options.tableName === undefined ? {} : { tableName: options.tableName }),
    ...(options.range === undefined ? {} : { range: options.range }),
    destCidrIp: () => (ecs.switches.destCidrIp === "honoured" ? "honoured" : "ignored"),
    establishedAfterDeny: () => (ecs.switches.establishedSession === "cut" ? "cut" : "keep"),
  });
  world.onStop(() => dataPlane.stop());
  const applyRules = (): Promise<void> => dataPlane.apply(topologyOf(ecs));
  await applyRules();
  ecs.onRulesChanged(applyRules);
  ecs.giveSessions((instanceId) => dataPlane.sessionsOf(instanceId));
  return {
    ecs,
    tablestore,
    dataPlane,
    reset: async () => {
      await ecs.reset();
      await tablestore.reset();
      await applyRules();
    },
  };
}

/** The table is the one parameter of a Tablestore call that is told. */
function callOf<Call extends { readonly table?: string }>({ table, ...call }: Call) {
  return table === undefined ? call : { ...call, params: { table } };
}
