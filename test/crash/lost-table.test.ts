// One table is deleted while leases are open, by mistake or by somebody: every lease ends on time all the same.
import { afterEach, beforeEach, expect, test } from "vitest";
import { policySchema } from "../../shared/config/document-schema.ts";
import { policyOf } from "../../shared/config/policy-values.ts";
import { parseGrant } from "../../shared/domain/grant.ts";
import type { TableName } from "../../shared/ports/tables.ts";
import { schemas } from "../../shared/store/tables.ts";
import { openLease } from "../../shared/usecases/lease/open-lease.ts";
import { region, World } from "../kit/world.ts";

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.stop());

const tables: readonly TableName[] = schemas.map((schema) => schema.name);

/** Somebody else allows port 25 to the address of the world's asks. */
async function strangersRule(): Promise<void> {
  const grant = parseGrant({ protocol: "tcp", port: "25", sources: ["203.0.113.7"], priority: 100 });
  const rules = (grant.ok ? grant.specs : []).map((spec) => ({ spec, description: "mine" }));
  await world.run(world.process(undefined, "ak-other").firewall.authorize(world.web, rules, "stranger", "open"));
}

test.each(tables)(
  "without the table %s leases close on time, riders leave what they rode on, and work goes on",
  async (table) => {
    await strangersRule();
    const own = await world.open();
    const shared = await world.open({ periodMs: 900_000 }, "ben");
    const rider = await world.open({ port: "25" });
    expect(rider.lease.status.preExisting).toBe(true);
    await world.ticks(1);

    await world.loseTable(table);
    await world.ticks(1);
    expect(world.openPorts()).toEqual(["25/25", "22/22"]);
    await world.pastEnd(shared.lease);

    expect(world.openPorts()).toEqual(["25/25"]);
    if (table !== "lease")
      for (const { lease } of [own, shared, rider])
        expect((await world.lease(lease.request.leaseId)).status.state).toBe("closed");
    // Nothing is left to be done but the hourly look at the region.
    await world.ticks(3);
    expect((await world.rows("due")).filter((row) => !/full-pass|job|installation/.test(row))).toEqual([]);
    const next = await world.open({ port: "23" });
    expect(next.lease.status.state).toBe("open");
  },
);

test("tables that were made anew by a process that died before it claimed them are claimed by the next, and all is looked at", async () => {
  const { lease } = await world.open();
  for (const table of tables) await world.loseTable(table);
  const calls: string[] = [];
  const dying = world.process(async (call, act) => {
    calls.push(call.name);
    if (call.name === "put due") throw new Error("died");
    return act();
  });
  await expect(world.sweep(dying)).rejects.toThrow("died");
  expect(calls.at(-2)).toBe("range due");
  expect([await world.rows("due"), world.openPorts()]).toEqual([[], ["22/22"]]);
  await world.sweep();
  expect((await world.rows("due")).join()).toContain("installation");
  await world.pastEnd(lease);
  expect(world.openPorts()).toEqual([]);
});

test("what a lost ledger row held is entered again from its lease", async () => {
  const { lease } = await world.open();
  await world.ticks(1);
  const [row = ""] = await world.rows("ledger");
  await world.process().tables.delete("ledger", row.split("/"), { kind: "none" });
  await world.pastEnd(lease);
  expect(world.openPorts()).toEqual([]);
  expect((await world.lease(lease.request.leaseId)).status.state).toBe("closed");
  expect((await world.rows("due")).filter((it) => !/full-pass|job|installation/.test(it))).toEqual([]);
});

test("a lease whose rule and ledger row are both gone is not opened again", async () => {
  const { lease } = await world.open();
  const [rule] = world.rules().slice(-1);
  await world.run(
    world.process(undefined, "ak-other").firewall.revoke(world.web, lease.status.ruleIds, "stranger", "end"),
  );
  expect(rule?.portRange).toBe("22/22");
  await world.loseTable("ledger");
  await world.ticks(3);
  expect(world.openPorts()).toEqual([]);
  await world.pastEnd(lease);
  expect(world.openPorts()).toEqual([]);
  expect((await world.lease(lease.request.leaseId)).status.state).toBe("closed");
});

test("the row of a lease that is just being booked is kept, and one that no lease follows goes", async () => {
  const { tables } = world.process();
  const columns = { region: world.web.region, group: world.web.groupId };
  await tables.put("due", [0, world.clock.now(), "lease", "ls-unborn"], columns, { kind: "none" });
  const unborn = async () => (await world.rows("due")).filter((row) => row.endsWith("ls-unborn")).length;
  await world.advance(30_000);
  await world.sweep();
  expect(await unborn()).toBe(1);
  await world.ticks(2);
  expect(await unborn()).toBe(0);
});

test("without what is due, what starts later starts, what waits lapses, and what is to be told is told", async () => {
  world.policy = policyOf(
    policySchema.parse({
      defaultTarget: "web",
      approval: { ports: ["3306"], decideWithin: 3600 },
      breakGlass: { roles: ["operator"], periodMax: 900, justifyWithin: 7200 },
    }),
    2,
    region,
  );
  const startAt = Math.ceil((world.clock.now() + 20 * 60_000) / 1000) * 1000;
  const later = (await world.open({ startAt })).lease;
  const waiting = (await world.open({ port: "3306" })).lease;
  const ask = world.ask({ port: "3306", breakGlass: true, reason: "the queue is stuck", sources: ["198.51.100.9"] });
  const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
  const loud = await world.run(openLease(world.process(), world.caller("olga", ["operator"]), ask, options));
  expect([later, waiting, loud.lease].map(({ status }) => status.state)).toEqual(["approved", "requested", "open"]);
  await world.loseTable("due");
  await world.ticks(2);
  const due = (await world.rows("due")).join("\n");
  for (const row of [`start/${later.request.leaseId}`, `approval/${waiting.request.leaseId}`, "justify/"])
    expect(due).toContain(row);
  await world.advance(startAt - world.clock.now());
  await world.ticks(1);
  expect((await world.lease(later.request.leaseId)).status.state).toBe("open");
  await world.pastEnd(later);
  await world.advance(3_600_000);
  await world.ticks(2);
  const states = await Promise.all(
    [later, waiting].map(async ({ request }) => (await world.lease(request.leaseId)).status.state),
  );
  expect([states, world.openPorts()]).toEqual([["closed", "lapsed"], []]);
});
