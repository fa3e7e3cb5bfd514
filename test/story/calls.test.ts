// What the program costs in calls, counted by the cloud that answers them.
import { expect, it, onTestFinished } from "vitest";
import type { CloudCall } from "../../local/call-ring.ts";
import { type Deployed, type DeployedOptions, deploy, inWords } from "../kit/deployed.ts";

const SHARDS = 3;
const COLD_CALLS_MAX = 6;
const WARM_CALLS = ["AuthorizeSecurityGroup", "DescribeSecurityGroupAttribute", "DescribeSecurityGroupAttribute"];

async function start(options: DeployedOptions = {}): Promise<Deployed> {
  // As it is shipped: with it, a request for 22 or 3389 asks the agents once more, and waits for nothing that takes longer.
  const environment = { SAFEPORT_CLOUD_ASSISTANT: "off", ...options.environment };
  const world = await deploy({ ...options, environment });
  onTestFinished(() => world.stop());
  // The first tick finds a new installation and looks at all of it once, the second one prepares lockdowns, and the next compare guarded groups.
  await world.advance(240_000);
  return world;
}

async function during(world: Deployed, work: () => Promise<unknown>): Promise<readonly CloudCall[]> {
  const since = world.next();
  await work();
  return world.calls(since);
}

const ecs = (calls: readonly CloudCall[]): readonly string[] =>
  calls.flatMap(({ service, operation }) => (service === "ecs" ? [operation] : []));

async function allow(world: Deployed, query: string): Promise<void> {
  const { body } = await world.api("PUT", `/safeport/temp_allow?period=600&source=203.0.113.7&${query}`);
  expect(body, JSON.stringify(body)).toMatchObject({ state: "open" });
}

/** As after a time without requests: the platform has let the instances go. */
function coolDown(world: Deployed): void {
  for (const name of ["api", "sweep"]) world.cloud.functions.registry.kill(name);
}

it("an idle minute reads one range of the due table per shard, and calls nothing else", async () => {
  const world = await start({ environment: { SAFEPORT_SHARDS: `${SHARDS}` } });
  const calls = await during(world, () => world.advance(60_000));
  expect(
    calls.map(({ service, operation, params }) => `${service} ${operation} ${params?.["table"]}`),
    inWords(calls),
  ).toEqual(Array.from({ length: SHARDS }, () => "ots GetRange due"));
});

it("an idle minute with an open lease makes no ECS call", async () => {
  const world = await start();
  await allow(world, "port=22");
  await world.advance(60_000);
  const calls = await during(world, () => world.advance(60_000));
  expect(ecs(calls), inWords(calls)).toEqual([]);
});

it("a warm open by group reads, authorizes and reads back: 3 ECS calls", async () => {
  const world = await start();
  await allow(world, "port=8000");
  const calls = await during(world, () => allow(world, "port=8001"));
  expect([...ecs(calls)].sort(), inWords(calls)).toEqual(WARM_CALLS);
});

it("a cold open by group makes at most 6 ECS calls", async () => {
  const world = await start();
  coolDown(world);
  const calls = await during(world, () => allow(world, "port=22&group=web"));
  expect(ecs(calls).length, inWords(calls)).toBeLessThanOrEqual(COLD_CALLS_MAX);
  expect(ecs(calls)).toEqual(expect.arrayContaining(WARM_CALLS));
});

it("an open by instance makes at most 6 ECS calls, cold and warm", async () => {
  // Elsewhere a host of a group with more members is refused, or takes a rule as wide as the group.
  const world = await start({ switches: { destCidrIp: "honoured" } });
  coolDown(world);
  const instance = world.instanceId("web-1");
  for (const port of [22, 3306]) {
    const calls = await during(world, () => allow(world, `port=${port}&instance=${instance}`));
    expect(ecs(calls).length, inWords(calls)).toBeLessThanOrEqual(COLD_CALLS_MAX);
    expect(ecs(calls)).toEqual(expect.arrayContaining(WARM_CALLS));
  }
});
