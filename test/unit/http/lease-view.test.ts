// What the API says of a lease in words.
import { expect, test } from "vitest";
import { viewLease } from "../../../shared/http/lease-view.ts";
import { RULE_MISSING } from "../../../shared/usecases/lease/lease-status.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { anAsk, appWorld } from "../usecases/app-world.ts";

test("a live lease whose rule is not shown is not called open", async () => {
  const world = await appWorld();
  const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
  const { lease } = await openLease(world.app, world.caller(), anAsk(), options);
  expect(viewLease(lease).message).toContain("is open");
  const { message } = viewLease({ ...lease, status: { ...lease.status, note: RULE_MISSING } });
  expect(message).not.toContain("is open");
  expect(message).toContain(RULE_MISSING);
});
