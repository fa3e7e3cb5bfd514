// Somebody removes a lease's rule just as its mark is written again.
import { expect, test } from "vitest";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { getLease } from "../../../shared/store/leases.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { extendLease } from "../../../shared/usecases/lease/extend-lease.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { anAsk, appWorld, GROUP } from "./app-world.ts";

const create = { mode: "create", idempotencyKey: null, dryRun: false } as const;
const MINUTE = 60_000;

/** A lease of ten minutes; `app` is one in which somebody removes its rule after it was read, before any change of it. */
async function removedUnderneath() {
  const world = await appWorld();
  const { lease } = await openLease(world.app, world.caller(), anAsk(), create);
  world.advance(MINUTE);
  const app: App = {
    ...world.app,
    firewall: {
      ...world.app.firewall,
      modify: async () => {
        world.rules = [];
        throw new CloudFailure("ruleGone", "ModifySecurityGroupRule");
      },
    },
  };
  const look = async (): Promise<void> => {
    await lookAtGroup(app, GROUP, {
      ...{ cause: "test", actor: "test", policy: world.policy, priority: "end", rows: [] },
      deadlineAt: app.clock.monotonicMs() + 45_000,
    });
  };
  const statusOf = async () => (await getLease(world.tables, lease.request.leaseId))?.status;
  return { world, app, look, leaseId: lease.request.leaseId, statusOf };
}

test("a lease that is extended then is not opened again: it ends, and says why", async () => {
  const { world, app, look, leaseId, statusOf } = await removedUnderneath();
  const answer = await extendLease(app, world.caller(), leaseId, 10 * MINUTE, { dryRun: false });
  expect([world.rules, answer.settled]).toEqual([[], false]);
  world.advance(app.settings.lateEffectMaxMs);
  await look();
  expect(world.rules).toEqual([]);
  expect(await statusOf()).toMatchObject({ state: "closed", note: "its rule was removed by somebody else" });
});
