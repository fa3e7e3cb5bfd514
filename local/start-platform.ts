// What runs code: Function Compute, the event bus, and the trail that tells it of calls.

import type { CloudWorld } from "./cloud-world.ts";
import { seedUserNames } from "./seed.ts";
import { type ActionTrail, createActionTrail } from "./services/actiontrail/action-trail.ts";
import { KeptEvents } from "./services/actiontrail/kept-events.ts";
import { startLookups } from "./services/actiontrail/start-lookups.ts";
import type { TrailSwitches } from "./services/actiontrail/switches.ts";
import { EventBus } from "./services/eventbridge/event-bus.ts";
import { type Functions, startFunctions } from "./services/functions/functions.ts";
import { startRam } from "./services/ram/ram-service.ts";
import { Queues } from "./services/smq/queues.ts";

/** The running platform. */
export interface Platform {
  readonly functions: Functions;
  readonly events: EventBus;
  readonly trail: ActionTrail;
  readonly queues: Queues;
  /** Port of LookupEvents. */
  readonly lookupPort: number;
  readonly ramPort: number;
}

/** Starts it. The switches may change at run time. */
export async function startPlatform(world: CloudWorld, switches: TrailSwitches): Promise<Platform> {
  const { options, host, ports, clock, random, faults, calls, principals, account } = world;
  const owner = { accountId: account.accountId, regionId: account.regionId };
  const queues = new Queues(world.folder("smq").directory);
  const functions = await startFunctions({
    ...{ clock, random, host, faults, queues, authorize: world.authorize },
    ...world.folder("functions"),
    gatewayPort: ports.api ?? 0,
    apiPort: ports.fc ?? 0,
    region: owner.regionId,
    accountId: owner.accountId,
    role: world.roleKeys,
    findKey: (accessKeyId) => {
      const found = principals.find(accessKeyId);
      return found && { ...found, principal: found.name };
    },
    onCall: ({ accessKeyId, principal, ...call }) =>
      calls.add({ ...call, service: "fc", at: clock.now(), caller: { accessKeyId, principal } }),
    ...(options.harnessPath === undefined ? {} : { harnessPath: options.harnessPath }),
    ...(options.freeze === undefined ? {} : { freeze: options.freeze }),
    ...(options.concurrencyMax === undefined ? {} : { concurrencyMax: options.concurrencyMax }),
    ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
  });
  world.onStop(() => functions.close());
  const { registry } = functions;
  faults.onCrash(() => registry.killAll());

  const events = new EventBus({ clock, random, owner, registry, faults, queues, switches });
  const kept = new KeptEvents(switches, world.folder("actiontrail").directory);
  world.onStop(() => kept.close());
  const trail = createActionTrail({
    ...{ clock, random, switches, kept, ...owner },
    find: (accessKeyId) => principals.find(accessKeyId),
    tell: (told) => events.tell(told),
  });
  const lookups = await startLookups({
    ...{ clock, random, host, kept, switches, faults, authorize: world.authorize },
    regionId: owner.regionId,
    port: ports.actiontrail ?? 0,
    secretOf: world.secretOf,
    onCall: world.listed("actiontrail"),
  });
  world.onStop(() => lookups.stop());
  const ram = await startRam({
    ...{ clock, random, host, faults, authorize: world.authorize, ram: world.ram },
    accountId: owner.accountId,
    ...world.folder("ram"),
    roles: [seedUserNames.role],
    port: ports.ram ?? 0,
    secretOf: world.secretOf,
    onCall: world.listed("ram"),
  });
  world.onStop(() => ram.stop());
  return { functions, events, trail, queues, lookupPort: lookups.port, ramPort: ram.port };
}
