// The row of a lease cannot be read while every due row is lost: what is to happen to the lease happens all the same.
import { expect, test } from "vitest";
import type { LeaseId } from "../../../shared/domain/ids.ts";
import { getLease } from "../../../shared/store/leases.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { Scene, WEB } from "../../interleavings/scene.ts";
import { anAsk } from "./app-world.ts";
import { DOCUMENT, minutes } from "./lockdown-scene.ts";

const MINUTE_MS = 60_000;
const PORT = "7443";

/** Carol's lease of ten minutes, now or `startsInMs`; every due row is lost while `column` of its row reads `{}`. */
const inScene = async (
  column: "request" | "status",
  startsInMs: number | null,
  play: (scene: Scene, app: App, it: { leaseId: LeaseId; mend: () => Promise<unknown> }) => Promise<void>,
): Promise<void> => {
  const scene = new Scene(`damaged ${column} ${startsInMs}`, { document: DOCUMENT, isDelivering: false });
  await scene.schedule.run(
    prepare(scene).then(async () => {
      const app = scene.quietApp();
      await minutes(scene, 2);
      const startAt = startsInMs === null ? null : app.clock.now() + startsInMs;
      const words = { group: "web", port: PORT, reason: "it has to be looked at", periodMs: 10 * MINUTE_MS, startAt };
      const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
      const { lease } = await openLease(app, scene.asker("carol", "requester"), anAsk(words), options);
      const { leaseId } = lease.request;
      const whole = String((await app.tables.get("lease", [leaseId]))?.columns[column]);
      await app.tables.update("lease", [leaseId], { [column]: "{}" }, { kind: "present" });
      const { rows } = await app.tables.range({ table: "due", from: [0], to: null, limit: 5000 });
      for (const { key } of rows) await app.tables.delete("due", key, { kind: "none" });
      await minutes(scene, 3);
      // Whoever ends it writes its status anew.
      const broken = { kind: "equals", column, value: "{}" } as const;
      const mend = () => app.tables.update("lease", [leaseId], { [column]: whole }, broken);
      await play(scene, app, { leaseId, mend });
    }),
  );
};

const stands = (scene: Scene): boolean =>
  scene.account.rules(WEB.groupId).some(({ ports }) => JSON.stringify(ports).includes(PORT));

test.each(["request", "status"] as const)("one that is open ends at its time while its %s cannot be read", (column) =>
  inScene(column, null, async (scene, app, { leaseId, mend }) => {
    expect(stands(scene)).toBe(true);
    await minutes(scene, 8);
    expect(stands(scene)).toBe(false);
    await mend();
    await minutes(scene, 2);
    expect((await getLease(app.tables, leaseId))?.status.state).toBe("closed");
  }),
);

test("one that starts later is opened at its start, and ends, once its row can be read", () =>
  inScene("status", 6 * MINUTE_MS, async (scene, app, { leaseId, mend }) => {
    await mend();
    await minutes(scene, 5);
    expect([stands(scene), (await getLease(app.tables, leaseId))?.status.state]).toEqual([true, "open"]);
    await minutes(scene, 10);
    expect([stands(scene), (await getLease(app.tables, leaseId))?.status.state]).toEqual([false, "closed"]);
  }));
