// A world whose policy has the groups `web` and `app` closed by filling prefix lists, and a third one by drops of its own.
import type { Packet } from "../../local/dataplane/topology.ts";
import { verdict } from "../../local/dataplane/verdict.ts";
import { topologyOf } from "../../local/services/ecs/topology-of.ts";
import type { App } from "../../shared/usecases/app.ts";
import { liftLockdown } from "../../shared/usecases/lockdown/lift-lockdown.ts";
import { startLockdown } from "../../shared/usecases/lockdown/start-lockdown.ts";
import { World, type WorldOptions, worldSeed } from "./world.ts";

export const OPERATOR = "203.0.113.50";
export const VISITOR = "198.51.100.9";
const EVERYBODY = "0.0.0.0/0";

export const STANDBY_POLICY = {
  lockdown: { core: ["80", "443"], groups: ["*"], prefixLists: [{ groups: ["web", "app"] }] },
  operatorPath: [{ port: "22", sources: ["203.0.113.48/29"] }],
  breakGlass: { persons: ["carol"], periodMax: 900 },
};

const seed = {
  ...worldSeed,
  groups: [
    {
      groupId: "sg-web",
      name: "web",
      rules: [
        { portRange: "80/80", sourceCidrIp: EVERYBODY },
        { portRange: "22/22", sourceCidrIp: EVERYBODY },
        { portRange: "8000/9000", sourceCidrIp: EVERYBODY },
      ],
    },
    { groupId: "sg-app", name: "app", rules: [{ portRange: "8080/8080", sourceCidrIp: EVERYBODY }] },
    { groupId: "sg-other", name: "other", rules: [{ portRange: "8080/8080", sourceCidrIp: EVERYBODY }] },
  ],
  instances: [
    { instanceId: "i-web-1", name: "web-1", address: "127.10.0.11", groupIds: ["sg-web"], listening: [] },
    { instanceId: "i-app-1", name: "app-1", address: "127.10.0.21", groupIds: ["sg-app"], listening: [] },
    { instanceId: "i-other-1", name: "other-1", address: "127.10.0.31", groupIds: ["sg-other"], listening: [] },
  ],
};

/** A world in which the drops on lists stand. */
export async function standbyWorld(options: WorldOptions = {}): Promise<World> {
  const world = await World.start({ seed, lockdownLists: true, inMemory: true, policy: STANDBY_POLICY, ...options });
  await world.ticks(2);
  world.callNames.length = 0;
  return world;
}

const HOSTS = { web: "127.10.0.11", app: "127.10.0.21", other: "127.10.0.31" } as const;

/** True when the data plane lets the source reach the TCP port. */
export function lets(world: World, host: keyof typeof HOSTS, destPort: number, sourceAddress = VISITOR): boolean {
  const packet: Packet = { sourceAddress, destAddress: HOSTS[host], protocol: "TCP", sourcePort: 40_000, destPort };
  return verdict(topologyOf(world.ecs), packet, { destCidrIp: "honoured" }).accept;
}

/** What is open, of the ports that the seed opens to everybody. */
export const openPorts = (world: World): readonly string[] =>
  (
    [
      ["web", 80],
      ["web", 22],
      ["web", 8443],
      ["app", 8080],
      ["other", 8080],
    ] as const
  )
    .filter(([host, port]) => lets(world, host, port))
    .map(([host, port]) => `${host} ${port}`);

/** What the world's prefix lists hold, as numbers of blocks. */
export const filled = (world: World): readonly number[] =>
  world.ecs
    .lists()
    .filter(({ kind }) => kind === "prefix")
    .map(({ entries }) => entries.length);

export const lock = (
  world: World,
  groups: readonly string[],
  app: App = world.process(),
  { cause = "ann", periodMs = 3_600_000 }: { readonly cause?: string; readonly periodMs?: number } = {},
) =>
  world.run(
    startLockdown(app, {
      ...{ scope: { kind: "groups", groups }, cause, principal: cause, reason: "an attack", policy: world.policy },
      ...{ periodMs, waivedBy: null, decidedBy: "", arrivedAt: app.clock.monotonicMs() },
      deadlineAt: app.clock.monotonicMs() + 30_000,
    }),
  );

export const lift = (world: World, lockdownId: string, app: App = world.process()) =>
  world.run(
    liftLockdown(app, lockdownId, {
      ...{ policy: world.policy, by: "ann", isPerson: true },
      deadlineAt: app.clock.monotonicMs() + 30_000,
    }),
  );

/** Calls to the cloud that write. */
export const writingCalls = (world: World): readonly string[] =>
  world.callNames.filter((name) => /^ecs (?!Describe)/.test(name)).map((name) => name.slice(4));
