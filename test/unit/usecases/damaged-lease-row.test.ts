// The row of a lease, or its rule's in the ledger, cannot be read while every due row is lost: what is to happen to leases happens all the same.
import { expect, test } from "vitest";
import type { LeaseId } from "../../../shared/domain/ids.ts";
import { getLease } from "../../../shared/store/leases.ts";
import { listEntries } from "../../../shared/store/ledger.ts";
import { readOutbox } from "../../../shared/store/outbox.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { Scene, WEB } from "../../interleavings/scene.ts";
import { anAsk } from "./app-world.ts";
import { DOCUMENT, minutes } from "./lockdown-scene.ts";

const MINUTE_MS = 60_000;
const PORT = "7443";
/** Of dave's lease, whose rows are whole. */
const OTHERS = "7444";
/** Columns of the lease's row, and the body of the ledger's. */
type Damage = readonly ("request" | "status" | "body")[];

/** Carol's lease of ten minutes, now or `startsInMs`; every due row is lost while the columns read `{}`. */
const inScene = async (
  damage: Damage,
  startsInMs: number | null,
  play: (scene: Scene, app: App, it: { leaseId: LeaseId; mend: () => Promise<unknown> }) => Promise<void>,
): Promise<void> => {
  const scene = new Scene(`damaged ${damage} ${startsInMs}`, { document: DOCUMENT, isDelivering: false });
  await scene.schedule.run(
    prepare(scene).then(async () => {
      const app = scene.quietApp();
      await minutes(scene, 2);
      const startAt = startsInMs === null ? null : app.clock.now() + startsInMs;
      const words = { group: "web", port: PORT, reason: "it has to be looked at", periodMs: 10 * MINUTE_MS, startAt };
      const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
      const { lease } = await openLease(app, scene.asker("carol", "requester"), anAsk(words), options);
      const { leaseId } = lease.request;
      await openLease(app, scene.asker("dave", "requester"), anAsk({ ...words, port: OTHERS, startAt: null }), options);
      const broken = await Promise.all(
        damage.map(async (column) => {
          const [table, key] =
            column === "body"
              ? (["ledger", [WEB.groupId, ...lease.request.entryIds]] as const)
              : (["lease", [leaseId]] as const);
          const whole = String((await app.tables.get(table, key))?.columns[column]);
          await app.tables.update(table, key, { [column]: "{}" }, { kind: "present" });
          return { table, key, column, whole };
        }),
      );
      const { rows } = await app.tables.range({ table: "due", from: [0], to: null, limit: 5000 });
      for (const { key } of rows) await app.tables.delete("due", key, { kind: "none" });
      await minutes(scene, 3);
      // Whoever ends it writes its status anew.
      const mend = () =>
        Promise.all(
          broken.map(({ table, key, column, whole }) =>
            app.tables.update(table, key, { [column]: whole }, { kind: "equals", column, value: "{}" }),
          ),
        );
      await play(scene, app, { leaseId, mend });
    }),
  );
};

const stands = (scene: Scene, port = PORT): boolean =>
  scene.account.rules(WEB.groupId).some(({ ports }) => JSON.stringify(ports).includes(port));

test.each(["request", "status"] as const)("one that is open ends at its time while its %s cannot be read", (column) =>
  inScene([column], null, async (scene, app, { leaseId, mend }) => {
    expect(stands(scene)).toBe(true);
    await minutes(scene, 8);
    expect(stands(scene)).toBe(false);
    await mend();
    await minutes(scene, 2);
    expect((await getLease(app.tables, leaseId))?.status.state).toBe("closed");
  }),
);

test.each<[string, Damage]>([
  ["its rule's row", ["body"]],
  ["its rule's row, and its own,", ["body", "status"]],
])("one that is open ends at its time while %s cannot be read, and holds up nobody else's", (_, damage) =>
  inScene(damage, null, async (scene, app, { leaseId, mend }) => {
    expect([stands(scene), stands(scene, OTHERS)]).toEqual([true, true]);
    await minutes(scene, 8);
    expect([stands(scene), stands(scene, OTHERS)]).toEqual([false, false]);
    await mend();
    await minutes(scene, 2);
    expect((await getLease(app.tables, leaseId))?.status.state).toBe("closed");
    const { entries } = await listEntries(app.tables, WEB);
    expect(entries.flatMap(({ holders }) => holders)).toEqual([]);
  }),
);

test("one whose rule's row cannot be read is entered once that row is out of the way", () =>
  inScene(["body"], null, async (scene, app, { leaseId }) => {
    const { unreadable } = await listEntries(app.tables, WEB);
    expect(unreadable).toHaveLength(1);
    for (const entryId of unreadable) await app.tables.delete("ledger", [WEB.groupId, entryId], { kind: "none" });
    await minutes(scene, 2);
    const { entries } = await listEntries(app.tables, WEB);
    expect(entries.flatMap(({ holders }) => holders.map(({ holderId }) => holderId))).toContain(leaseId);
    expect(stands(scene)).toBe(true);
    await minutes(scene, 6);
    expect([stands(scene), (await getLease(app.tables, leaseId))?.status.state]).toEqual([false, "closed"]);
  }));

test("one that is to start waits for its row, people are told of that once, and no tick fails for it", async () => {
  const scene = new Scene("damaged before its start", { document: DOCUMENT, isDelivering: false });
  await scene.schedule.run(
    prepare(scene).then(async () => {
      const app = scene.quietApp();
      const startAt = app.clock.now() + 2 * MINUTE_MS;
      const words = { group: "web", port: PORT, reason: "it has to be looked at", periodMs: 10 * MINUTE_MS, startAt };
      const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
      const { lease } = await openLease(app, scene.asker("carol", "requester"), anAsk(words), options);
      const key = [lease.request.leaseId];
      const status = String((await app.tables.get("lease", key))?.columns["status"]);
      await app.tables.update("lease", key, { status: "{}" }, { kind: "present" });
      const told: unknown[] = [];
      for (let minute = 0; minute < 5; minute++) {
        await minutes(scene, 1);
        const { pending } = await readOutbox(app.tables, 100);
        told.push(...pending.flatMap(({ notice }) => (notice?.kind === "healthAlarm" ? [notice.data] : [])));
      }
      expect(stands(scene)).toBe(false);
      const what = /^The row ls-\w+ of the table lease cannot be read.* The job .* waits for it\.$/;
      expect(told).toEqual([{ what: expect.stringMatching(what), since: null }]);
      await app.tables.update("lease", key, { status }, { kind: "present" });
      await minutes(scene, 2);
      expect(stands(scene)).toBe(true);
    }),
  );
});

test("one that starts later is opened at its start, and ends, once its row can be read", () =>
  inScene(["status"], 6 * MINUTE_MS, async (scene, app, { leaseId, mend }) => {
    await mend();
    await minutes(scene, 5);
    expect([stands(scene), (await getLease(app.tables, leaseId))?.status.state]).toEqual([true, "open"]);
    await minutes(scene, 10);
    expect([stands(scene), (await getLease(app.tables, leaseId))?.status.state]).toEqual([false, "closed"]);
  }));
