// The monthly audit where something stored cannot be read.
import { afterEach, expect, it } from "vitest";
import { monthOf } from "../../../shared/domain/audit.ts";
import type { GroupId } from "../../../shared/domain/ids.ts";
import type { KeyPart, TableName, Tables } from "../../../shared/ports/tables.ts";
import { listAuditedGroups, getAudit as storedAudit } from "../../../shared/store/audits.ts";
import { askAudit, getAudit, listAudits } from "../../../shared/usecases/operation/list-audits.ts";
import { runAudit } from "../../../shared/usecases/operation/run-audit.ts";
import { RecyclingWorld } from "../../kit/recycling-world.ts";

let one: RecyclingWorld;
afterEach(() => one.world.stop());

it("tells what it could not read and count, is finished all the same, and is made anew where its own row is damaged", async () => {
  one = await RecyclingWorld.start();
  const { world } = one;
  const app = world.process();
  const { tables } = app;
  const [good, bad] = [(await world.open({}, "ann")).lease, (await world.open({ port: "23" }, "ben")).lease];
  const month = monthOf(world.clock.now());
  const put = (table: TableName, key: readonly KeyPart[], column = "body") =>
    world.run(tables.put(table, key, { [column]: "{", rev: 1 }, { kind: "none" }));
  await put("lease", [bad.request.leaseId], "request");
  await put("recycling", ["sg-app", "rc-0123456789abcdef.sg-app"]);
  await put("ledger", ["sg-app", "e-damaged"]);
  await put("audit", ["#", month]);
  expect(await listAudits(app)).toEqual({ audits: [], unreadable: [month] });
  await expect(getAudit(app, month, { after: null, limit: 1 })).rejects.toMatchObject({ code: "STATE_UNREADABLE" });
  expect(await askAudit(app, month, { dryRun: true })).toBe(true);
  const deadlineAt = world.clock.monotonicMs() + 45_000;
  expect(await world.run(runAudit(app, { policy: world.policy, month, deadlineAt }))).toBeNull();
  const { summary, groups } = await getAudit(app, month, { after: null, limit: 10 });
  expect(summary).toMatchObject({ groups: 3, failed: 1, unreadable: 2, totals: { leases: 1 } });
  expect(groups.flatMap(({ failed }) => failed ?? [])).toEqual(["its ledger cannot be read: e-damaged"]);
  expect(groups.flatMap(({ owners }) => owners).filter(({ leases }) => leases > 0)).toMatchObject([
    { owner: good.request.principal },
  ]);
});

it("says of a group that its evidence cannot be read, and goes on with all others", async () => {
  one = await RecyclingWorld.start();
  const { world } = one;
  const app = world.process();
  const { tables, inventory } = app;
  const [host] = await world.run(inventory.members({ ...world.web, groupId: "sg-app" as GroupId }, "open"));
  await world.run(
    tables.put("evidence", [host?.eniId ?? "", one.today, "tcp", 1], { body: "{", rev: 1 }, { kind: "none" }),
  );
  const month = monthOf(world.clock.now());
  const deadlineAt = world.clock.monotonicMs() + 45_000;
  expect(await world.run(runAudit(app, { policy: world.policy, month, deadlineAt }))).toBeNull();
  const summary = (await world.run(storedAudit(tables, month)))?.summary;
  expect(summary).toMatchObject({ groups: 3, failed: 1 });
  const { groups } = await world.run(listAuditedGroups(tables, month, summary?.run ?? 0, { after: null, limit: 10 }));
  expect(groups.filter(({ failed }) => failed !== null).map(({ group }) => group.groupId)).toEqual(["sg-app"]);
});

it("makes some way with each run, though all its time goes by before it comes to a group", async () => {
  one = await RecyclingWorld.start();
  const { world } = one;
  const process = world.process();
  let isCounted = false;
  const range: Tables["range"] = (query) => {
    isCounted ||= query.table === "lease";
    return process.tables.range(query);
  };
  const { clock } = world;
  const app = {
    ...process,
    tables: { ...process.tables, range },
    clock: {
      now: () => clock.now(),
      monotonicMs: () => (isCounted ? 45_000 : 0),
      sleep: (...given: Parameters<typeof clock.sleep>) => clock.sleep(...given),
    },
  };
  const month = monthOf(world.clock.now());
  let next: number | null = 0;
  for (let runs = 0; next !== null && runs < 5; runs++) {
    isCounted = false;
    next = await world.run(runAudit(app, { policy: world.policy, month, deadlineAt: 45_000 }));
  }
  expect([next, (await world.run(storedAudit(app.tables, month)))?.summary?.groups]).toEqual([null, 3]);
});
