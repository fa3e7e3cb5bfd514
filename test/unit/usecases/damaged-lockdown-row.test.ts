// The row of a lockdown cannot be read: nobody breaks its glass, and starting another and lifting this one lets them.
import { expect, test } from "vitest";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { Scene, WEB } from "../../interleavings/scene.ts";
import { anAsk } from "./app-world.ts";
import { DOCUMENT, letsIn, lift, minutes, NARROW_DOCUMENT, start } from "./lockdown-scene.ts";

const CAROL = "203.0.113.7/32";
const OTHER = "198.51.100.99/32";

test("breaking the glass is refused and opens nothing, until the lockdown was started once more and the damaged one lifted", async () => {
  const scene = new Scene("damaged lockdown", {
    document: { ...DOCUMENT, breakGlass: { persons: ["carol"], periodMax: 900 } },
    isDelivering: false,
  });
  const seen: unknown[] = [];
  await scene.schedule.run(
    prepare(scene).then(async () => {
      const app = scene.quietApp();
      const letIn = () => seen.push([CAROL, OTHER].map((source) => letsIn(scene, WEB, 8443, source)));
      const breakGlass = () =>
        openLease(
          app,
          scene.asker("carol", "requester"),
          anAsk({
            ...{ group: "web", port: "8443", reason: "it has to be looked at", breakGlass: true },
            periodMs: 300_000,
          }),
          { mode: "create", idempotencyKey: null, dryRun: false },
        );
      const { lockdownId } = await start(scene, app, { groups: ["web"] });
      const [, scope = "", sequence] = lockdownId.split("-");
      await app.tables.update("lockdown", [scope, Number(sequence)], { body: "{" }, { kind: "present" });
      await expect(breakGlass()).rejects.toMatchObject({ code: "STATE_UNREADABLE" });
      letIn();
      await start(scene, app, { groups: ["web"], cause: "bob" });
      letIn();
      await lift(scene, app, lockdownId);
      letIn();
      const { lease } = await breakGlass();
      seen.push(lease.status.state);
      letIn();
      await minutes(scene, 7);
      letIn();
    }),
  );
  const [nobody, carol] = [
    [false, false],
    [true, false],
  ];
  expect(seen).toEqual([nobody, nobody, nobody, "open", carol, nobody]);
});

test("where it has closed accepts, breaking the glass for another rule is granted: nothing of it is in the way", async () => {
  const scene = new Scene("damaged accepts", {
    document: { ...NARROW_DOCUMENT, breakGlass: { persons: ["carol"], periodMax: 900 } },
    isDelivering: false,
  });
  await scene.schedule.run(
    prepare(scene).then(async () => {
      const app = scene.quietApp();
      const { lockdownId, groups } = await start(scene, app, { groups: ["web"] });
      const [, scope = "", sequence] = lockdownId.split("-");
      await app.tables.update("lockdown", [scope, Number(sequence)], { body: "{" }, { kind: "present" });
      const ask = anAsk({ group: "web", port: "8443", breakGlass: true, reason: "to look at it", periodMs: 300_000 });
      const { lease } = await openLease(app, scene.asker("carol", "requester"), ask, {
        ...{ mode: "create", idempotencyKey: null, dryRun: false },
      });
      const seen = [CAROL, OTHER].map((source) => letsIn(scene, WEB, 8443, source));
      expect([groups[0]?.way, lease.status.state, seen]).toEqual(["suspend", "open", [true, false]]);
    }),
  );
});
