// Unused rules in groups that a lockdown closes by filling prefix lists: in peace the drops on these keep nobody out.
import { afterEach, expect, test } from "vitest";
import { IDLE, RecyclingWorld } from "../../kit/recycling-world.ts";
import { lift, lock } from "../../kit/standby-world.ts";

const HOUR = 3_600_000;
let one: RecyclingWorld;
afterEach(() => one.world.stop());

const start = async (): Promise<void> => {
  const lockdown = { core: ["80"], groups: ["*"], prefixLists: [{ groups: ["web"] }] };
  const policy = { lockdown, operatorPath: [{ port: "22", sources: ["203.0.113.48/29"] }] };
  one = await RecyclingWorld.start({ lockdownLists: true, policy });
  await one.world.ticks(2);
  const drops = one.world.ecs.groups().find(({ groupId }) => groupId === "sg-web")?.rules;
  expect(drops?.filter(({ policy: it }) => it === "Drop").length).toBeGreaterThan(0);
};

test("a rule that nobody uses is idle, quarantined and deleted there as elsewhere", async () => {
  await start();
  await one.deleted();
  expect([await one.state(), one.rules().includes(IDLE)]).toEqual(["deleted", false]);
});

test("what a lockdown by the lists kept out is unknown", async () => {
  await start();
  const { lockdownId } = await lock(one.world, ["web"], one.world.process(), { cause: "ann", periodMs: 23 * HOUR });
  await one.pass(1);
  await lift(one.world, lockdownId);
  await one.recycle();
  expect((await one.item())?.judged?.verdict).toBe("unknown");
});
