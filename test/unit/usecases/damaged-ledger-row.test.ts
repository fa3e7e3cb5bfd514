// A row of a group's ledger that nobody can read keeps a lockdown from nothing but the rule that it is about.
import { expect, test } from "vitest";
import { listEntries } from "../../../shared/store/ledger.ts";
import { getLockdown } from "../../../shared/store/lockdowns.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, Scene } from "../../interleavings/scene.ts";
import { anAsk } from "./app-world.ts";
import { DOCUMENT, letsIn, lift, minutes, NARROW_DOCUMENT, rulesIn, start } from "./lockdown-scene.ts";

const CAROL = "203.0.113.7/32";
const GROUPS = { groups: ["app", "web"] };

const inScene = async (document: object, play: (scene: Scene, app: App) => Promise<void>): Promise<void> => {
  const scene = new Scene("damaged ledger", { document: { ...document }, isDelivering: false });
  await scene.schedule.run(prepare(scene).then(() => play(scene, scene.quietApp())));
};

/** Carol's lease in `app`, for an hour; answers the entry of its rule. */
const entryOf = async (scene: Scene, app: App, port: string): Promise<string> => {
  const words = { group: "app", port, reason: "it has to be looked at", periodMs: 3_600_000, startAt: null };
  const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
  const { lease } = await openLease(app, scene.asker("carol", "requester"), anAsk(words), options);
  return String(lease.request.entryIds[0]);
};

/** Nobody can read the entry; answers how it is put right. */
const damaged = async ({ tables }: App, entryId: string | undefined): Promise<() => Promise<unknown>> => {
  const key = [APP.groupId, String(entryId)];
  const body = String((await tables.get("ledger", key))?.columns["body"]);
  await tables.update("ledger", key, { body: "{" }, { kind: "present" });
  return () => tables.update("ledger", key, { body }, { kind: "present" });
};
const closed = async ({ tables }: App, lockdownId: string) =>
  (await getLockdown(tables, lockdownId))?.groups.map(({ isClosed }) => isClosed);

test("by accepts: all others are closed, and this one once its row can be read", () =>
  inScene(NARROW_DOCUMENT, async (scene, app) => {
    const [entryId] = [await entryOf(scene, app, "7443"), await entryOf(scene, app, "7444")];
    const before = rulesIn(scene, APP);
    const lets = (): readonly boolean[] => [7443, 7444].map((port) => letsIn(scene, APP, port, CAROL));
    const mend = await damaged(app, entryId);
    const { lockdownId, groups } = await start(scene, app, GROUPS);
    const left = [`not closed in full yet: the row ${APP.groupId} ${entryId} of its ledger cannot be read`];
    expect(groups).toMatchObject([{ way: "suspend", isClosed: false, left }, { isClosed: true }]);
    expect(lets()).toEqual([true, false]);
    await mend();
    await minutes(scene, 2);
    expect([lets(), await closed(app, lockdownId)]).toEqual([
      [false, false],
      [true, true],
    ]);
    await lift(scene, app, lockdownId);
    expect(rulesIn(scene, APP)).toEqual(before);
  }));

test("by drops: the other groups are closed, and what a lift could not read is lifted once it can be", () =>
  inScene(DOCUMENT, async (scene, app) => {
    const before = rulesIn(scene, APP);
    const first = await start(scene, app);
    const { entries } = await listEntries(app.tables, APP);
    const mend = await damaged(app, entries.find(({ spec }) => spec.policy === "drop")?.entryId);
    const second = await start(scene, app, { ...GROUPS, cause: "bob" });
    expect(second.groups).toMatchObject([{ way: "drops", isClosed: false }, { isClosed: true }]);
    await lift(scene, app, first.lockdownId);
    await lift(scene, app, second.lockdownId);
    await minutes(scene, 10);
    expect(rulesIn(scene, APP)).toHaveLength(before.length + 1);
    await mend();
    await minutes(scene, 2);
    expect(rulesIn(scene, APP)).toEqual(before);
  }));
