// Every row that says when to look at something is lost while groups are locked down: what was closed comes back all the same.
import { expect, test } from "vitest";
import type { Alarm } from "../../../shared/domain/alarm.ts";
import { type KeptTable, StoreFailure, type TableName } from "../../../shared/ports/tables.ts";
import { getAlarm } from "../../../shared/store/alarms.ts";
import { getLockdown } from "../../../shared/store/lockdowns.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { recordAlarm } from "../../../shared/usecases/lockdown/record-alarm.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, ruleOf, Scene } from "../../interleavings/scene.ts";
import { letsIn, minutes, NARROW_DOCUMENT, start, tick } from "./lockdown-scene.ts";

const MYSQL = ruleOf(3306, "0.0.0.0/0");
const DOCUMENT = { ...NARROW_DOCUMENT, alarms: [{ do: "lockdown", scope: { groups: ["app"] } }] };

/** The group is not guarded, and has no room for drops: its accepts are closed. */
const inScene = async (play: (scene: Scene, app: App) => Promise<void>): Promise<void> => {
  const scene = new Scene("lost due rows", { document: DOCUMENT, isDelivering: false });
  await scene.schedule.run(
    prepare(scene).then(async () => {
      const mallory = scene.person("mallory");
      await mallory.firewall.authorize(APP, [{ spec: MYSQL, description: "hers" }], mallory.token(), "open");
      await play(scene, scene.quietApp());
    }),
  );
};

async function lose({ tables }: Scene, table: Exclude<TableName, KeptTable>): Promise<void> {
  const { rows } = await tables.range({ table, from: [table === "due" ? 0 : ""], to: null, limit: 1000 });
  for (const { key } of rows) await tables.delete(table, key, { kind: "none" });
}

const isOpen = (scene: Scene): boolean => letsIn(scene, APP, 3306, "198.51.100.9/32");

test("a lockdown ends at its time and gives back what it has closed", () =>
  inScene(async (scene, app) => {
    const { lockdownId } = await start(scene, app, { periodMs: 600_000 });
    expect(isOpen(scene)).toBe(false);
    await lose(scene, "due");
    await minutes(scene, 5);
    expect(isOpen(scene)).toBe(false);
    await minutes(scene, 8);
    expect([isOpen(scene), scene.rule(APP, MYSQL)?.description]).toEqual([true, "hers"]);
    expect((await getLockdown(app.tables, lockdownId))?.state).toBe("lifted");
  }));

test("what a ledger has closed comes back though the lockdown's own row is lost as well", () =>
  inScene(async (scene, app) => {
    await start(scene, app, { periodMs: 600_000 });
    await lose(scene, "due");
    await lose(scene, "lockdown");
    await minutes(scene, 13);
    expect(scene.rule(APP, MYSQL)?.description).toBe("hers");
  }));

test.each(["{", "{}"])("a lockdown whose row is %s for a time is tended as soon as it can be read", (broken) =>
  inScene(async (scene, app) => {
    const { lockdownId } = await start(scene, app, { periodMs: 600_000 });
    const key = lockdownId
      .split("-")
      .map((part, index) => (index === 2 ? Number(part) : part))
      .slice(1);
    const whole = (await app.tables.get("lockdown", key))?.columns["body"] ?? "";
    await app.tables.update("lockdown", key, { body: broken }, { kind: "present" });
    await lose(scene, "due");
    await minutes(scene, 2).catch(() => undefined);
    await app.tables.update("lockdown", key, { body: whole }, { kind: "present" });
    await minutes(scene, 13);
    expect((await getLockdown(app.tables, lockdownId))?.state).toBe("lifted");
  }),
);

test("an alarm that was stored, and not acted on yet, still locks down", () =>
  inScene(async (scene, app) => {
    const alarm: Alarm = {
      ...{ rule: "flood", ruleId: "flood", namespace: "acs_ecs", metric: "bps", level: "CRITICAL", state: "ALERT" },
      ...{ dimensions: {}, at: app.clock.now() },
    };
    const row = await recordAlarm(app, alarm, scene.policy);
    await lose(scene, "due");
    await minutes(scene, 2);
    expect((await getAlarm(app.tables, row?.alarmId ?? ""))?.isHandled).toBe(true);
    expect(isOpen(scene)).toBe(false);
  }));

test("a table of lockdowns that is away when the recovery begins holds up no group, and is read before it is over", () =>
  inScene(async (scene, app) => {
    const { lockdownId } = await start(scene, app, { periodMs: 600_000 });
    await lose(scene, "due");
    let isAway = true;
    const range: App["tables"]["range"] = (query) =>
      isAway && query.table === "lockdown"
        ? Promise.reject(new StoreFailure("unavailable", "away"))
        : app.tables.range(query);
    const without: App = { ...app, tables: { ...app.tables, range } };
    await expect(tick(scene, 60_000, without)).rejects.toThrow(StoreFailure);
    const { rows } = await app.tables.range({ table: "due", from: [0], to: null, limit: 100 });
    expect(rows.map(({ key }) => key.slice(2).join(" "))).toContain("group cn-hangzhou sg-app");
    isAway = false;
    await tick(scene, 60_000, without);
    await minutes(scene, 11);
    expect((await getLockdown(app.tables, lockdownId))?.state).toBe("lifted");
  }));
