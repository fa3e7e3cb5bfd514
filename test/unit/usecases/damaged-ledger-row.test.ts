// A row of a group's ledger that nobody can read holds up nothing but the rule that it is about: no lockdown, and no lease's end.
import { expect, test } from "vitest";
import { listLeases } from "../../../shared/store/leases.ts";
import { listEntries } from "../../../shared/store/ledger.ts";
import { getLockdown } from "../../../shared/store/lockdowns.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { holdDrops } from "../../../shared/usecases/ledger/hold-drops.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, Scene } from "../../interleavings/scene.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { anAsk } from "./app-world.ts";
import { DOCUMENT, letsIn, lift, minutes, NARROW_DOCUMENT, rulesIn, start, terms } from "./lockdown-scene.ts";

const CAROL = "203.0.113.7/32";
const GROUPS = { groups: ["app", "web"] };

const inScene = async (document: object, play: (scene: Scene, app: App) => Promise<void>): Promise<void> => {
  const scene = new Scene("damaged ledger", { document: { ...document }, isDelivering: false });
  await scene.schedule.run(prepare(scene).then(() => play(scene, scene.quietApp())));
};

/** Carol's lease in `app`, for an hour or as asked; answers the entry of its rule. */
const entryOf = async (scene: Scene, app: App, port: string, more: object = {}): Promise<string> => {
  const words = { group: "app", port, reason: "it has to be looked at", periodMs: 3_600_000, startAt: null, ...more };
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

test("a drop of ours gives no way to a lease that starts, and nothing in the group waits for that", () =>
  inScene(DOCUMENT, async (scene, app) => {
    const before = rulesIn(scene, APP);
    const now = app.clock.now();
    const drop = aSpec({ policy: "drop", ports: somePorts("7443/7443"), peer: fromCidr("0.0.0.0/0") });
    const quarantine = { kind: "quarantine", holderId: "rc-1.sg-app", principal: "safeport", reason: "idle" } as const;
    const { rows, entryIds } = await holdDrops(app, APP, { ...quarantine, until: now + 86_400_000 }, [drop]);
    const look = { cause: "test", actor: "safeport", priority: "end", rows, ...terms(scene, app) } as const;
    await lookAtGroup(app, APP, look);
    await entryOf(scene, app, "7444", { periodMs: 600_000 });
    await entryOf(scene, app, "7443", { startAt: Math.ceil(now / 1000) * 1000 + 120_000 });
    await damaged(app, entryIds[0]);
    await minutes(scene, 11);
    expect(rulesIn(scene, APP)).toHaveLength(before.length + 1);
    const { leases } = await listLeases(app.tables, { limit: 10, before: null });
    expect(leases.map(({ status }) => [status.state, status.note])).toEqual([
      ["failed", "LEASE_SHADOWED"],
      ["closed", null],
    ]);
  }));
