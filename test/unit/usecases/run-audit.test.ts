// The monthly audit where something stored cannot be read.
import { afterEach, expect, it } from "vitest";
import { monthOf } from "../../../shared/domain/audit.ts";
import type { GroupId } from "../../../shared/domain/ids.ts";
import { listAuditedGroups, readAudit } from "../../../shared/store/audits.ts";
import { runAudit } from "../../../shared/usecases/operation/run-audit.ts";
import { RecyclingWorld } from "../../kit/recycling-world.ts";

let one: RecyclingWorld;
afterEach(() => one.world.stop());

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
  const summary = (await world.run(readAudit(tables, month)))?.summary;
  expect(summary).toMatchObject({ groups: 3, failed: 1 });
  const { groups } = await world.run(listAuditedGroups(tables, month, summary?.run ?? 0, { after: null, limit: 10 }));
  expect(groups.filter(({ failed }) => failed !== null).map(({ group }) => group.groupId)).toEqual(["sg-app"]);
});
