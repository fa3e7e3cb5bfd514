// Many leases of one group at once: ends in one second, and opens side by side.
import { afterEach, expect, test } from "vitest";
import { openLease } from "../../shared/usecases/lease/open-lease.ts";
import { World } from "../kit/world.ts";

let world: World;
afterEach(() => world.stop());

const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;

test("200 leases that end in one second are closed together, and nothing else is", async () => {
  world = await World.start();
  const app = world.process();
  await world.run(
    Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        openLease(app, world.caller(`user-${n % 7}`), world.ask({ port: String(10_000 + n) }), options),
      ),
    ),
  );
  expect(world.openPorts().length).toBe(200);
  const until = Math.max(...(await leases()).map((lease) => lease.status.until));
  await world.advance(until - world.clock.now());
  world.callNames.length = 0;
  const report = await world.sweep();
  expect(report.closed.length).toBe(200);
  expect(world.rules().map((rule) => rule.portRange)).toEqual(["80/80", "443/443"]);
  const calls = world.callNames.filter((name) => name.startsWith("ecs "));
  expect(calls.filter((name) => name === "ecs RevokeSecurityGroup").length).toBe(2);
  expect(calls.length).toBeLessThanOrEqual(5);
  await world.ticks(2);
  for (const table of ["ledger", "intent"] as const) expect(await world.rows(table)).toEqual([]);
});

test("200 opens side by side, 50 of them the same: one rule for each, no lease lost", async () => {
  world = await World.start();
  // Five processes, as a platform would start.
  const apps = Array.from({ length: 5 }, () => world.process());
  const answers = await world.run(
    Promise.all(
      Array.from({ length: 200 }, (_, n) => {
        const app = apps[n % 5] ?? world.process();
        const same = n % 4 === 0;
        const port = same ? "22" : String(10_000 + n);
        const mode = same ? "repeat" : "create";
        return openLease(app, world.caller("ann"), world.ask({ port }), { ...options, mode });
      }),
    ),
  );
  expect(answers.length).toBe(200);
  await world.ticks(1);
  const ports = world.openPorts();
  expect(new Set(ports).size).toBe(151);
  expect(ports.length).toBe(151);
  for (const { lease } of answers)
    expect((await world.lease(lease.request.leaseId)).status.state, lease.request.leaseId).toBe("open");
  await world.ticks(12);
  expect(world.rules().map((rule) => rule.portRange)).toEqual(["80/80", "443/443"]);
  expect((await leases()).every((lease) => lease.status.state === "closed")).toBe(true);
});

test.each([
  ["the policy's", { policy: { limits: { rulesPerInterface: 52, rulesKeptFree: 20 } } }],
  ["the cloud's", { limits: { rulesPerGroup: 32, rulesPerEni: 32 } }],
])("%s quota of rules stops exactly those opens that find no room", async (_whose, limits) => {
  world = await World.start(limits);
  const apps = Array.from({ length: 5 }, () => world.process());
  const outcomes = await world.run(
    Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        openLease(
          apps[n % 5] ?? world.process(),
          world.caller(),
          world.ask({ port: String(10_000 + n) }),
          options,
        ).then(
          () => "open",
          (error: { code?: string }) => error.code ?? String(error),
        ),
      ),
    ),
  );
  const open = outcomes.filter((outcome) => outcome === "open").length;
  const refused = outcomes.filter((outcome) => outcome === "RULE_QUOTA_REACHED").length;
  expect({ open, refused }).toEqual({ open: 30, refused: 30 });
  expect(world.openPorts().length).toBe(30);
  const states = (await leases()).map((lease) => lease.status.state).toSorted();
  expect(states).toEqual([...Array(30).fill("failed"), ...Array(30).fill("open")]);
  await world.ticks(12);
  expect(world.rules().length).toBe(2);
});

async function leases() {
  const { listLeases } = await import("../../shared/store/leases.ts");
  return (await listLeases(world.process().tables, { limit: 1000, before: null })).leases;
}

test("one rule that the cloud will not revoke holds up no other that ends with it", async () => {
  world = await World.start();
  const app = world.process();
  const answers = await world.run(
    Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        openLease(app, world.caller(), world.ask({ port: String(10_000 + n) }), options),
      ),
    ),
  );
  const stuck = answers[7]?.lease.status.ruleIds[0] ?? "";
  const fault = { kind: "reject", status: 400, code: "InvalidParameter" } as const;
  // A batch holds the rule at one place or another; alone it is the first.
  world.faults(
    Array.from({ length: 30 }, (_, n) => ({
      service: "ecs" as const,
      operation: "RevokeSecurityGroup",
      match: { [`SecurityGroupRuleId.${n + 1}`]: stuck },
      fault,
    })),
  );
  await world.advance(600_000);
  await world.ticks(1);
  expect(
    world
      .rules()
      .map((rule) => rule.ruleId)
      .slice(2),
  ).toEqual([stuck]);
  world.faults([]);
  await world.ticks(2);
  expect(world.rules().length).toBe(2);
});

test("a pass makes no more changes than the policy allows, ends apart", async () => {
  world = await World.start({ policy: { limits: { changesPerPass: 5 } } });
  // Twelve leases whose openers die before their pass: one pass of the sweep finds them all.
  for (let n = 0; n < 12; n++) {
    const dying = world.process(async (call, act) => {
      if (call.name === "get lock") throw new Error("dead");
      return act();
    });
    const asked = openLease(dying, world.caller(), world.ask({ port: String(10_000 + n) }), options);
    await expect(world.run(asked)).rejects.toThrow("dead");
  }
  for (const open of [5, 10, 12]) {
    await world.ticks(1);
    expect(world.openPorts().length).toBe(open);
  }
  await world.advance(600_000);
  await world.sweep();
  expect(world.openPorts()).toEqual([]);
});
