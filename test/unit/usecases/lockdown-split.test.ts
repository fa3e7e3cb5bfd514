// A lockdown where drops do not fit and a wide accept also carries core ports and operators: it is closed, what is needed of it stays.
import { describe, expect, test } from "vitest";
import type { RuleSpec } from "../../../shared/domain/rule.ts";
import { entryIdOf, ruleKey } from "../../../shared/domain/rule-key.ts";
import { getLockdown } from "../../../shared/store/lockdowns.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { listLockdowns } from "../../../shared/usecases/lockdown/list-lockdowns.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, Scene } from "../../interleavings/scene.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { dyingAt, letsIn, lift, minutes, NARROW_DOCUMENT, OPERATOR, rulesIn, start } from "./lockdown-scene.ts";

const WIDE = [
  aSpec({ ports: somePorts("1/65535"), peer: fromCidr("0.0.0.0/0") }),
  aSpec({ protocol: "all", ports: { kind: "any" }, peer: fromCidr("10.0.0.0/8"), priority: 5 }),
];
const OTHER = "198.51.100.9/32";

const inScene = async (
  play: (scene: Scene, app: App, before: readonly string[]) => Promise<void>,
  document: object = {},
): Promise<void> => {
  const scene = new Scene("split", { document: { ...NARROW_DOCUMENT, ...document }, isDelivering: false });
  await scene.schedule.run(
    prepare(scene).then(async () => {
      const mallory = scene.person("mallory");
      const rules = WIDE.map((spec) => ({ spec, description: "wide" }));
      await mallory.firewall.authorize(APP, rules, mallory.token(), "open");
      await play(scene, scene.quietApp(), rulesOf(scene));
    }),
  );
};
const rulesOf = (scene: Scene) => rulesIn(scene, APP);
const isLet = (scene: Scene, port: number, source: string) => letsIn(scene, APP, port, source);
/** Core to everybody, the operator's way, and what nobody needs. */
const seen = (scene: Scene) => [
  isLet(scene, 80, OTHER),
  isLet(scene, 22, OPERATOR),
  isLet(scene, 22, OTHER),
  isLet(scene, 3306, OTHER),
  isLet(scene, 3306, "10.1.1.1/32"),
];
/** The app of a process that does something else before it writes. */
const slowed = (app: App, before: (table: string, key: readonly unknown[]) => Promise<void>): App => ({
  ...app,
  tables: {
    ...app.tables,
    put: async (table, key, ...rest) => {
      await before(table, key);
      return app.tables.put(table, key, ...rest);
    },
  },
});
const OPEN = [true, true, true, true, true];
const CLOSED = [true, true, false, false, false];
describe("a wide accept", () => {
  test("is closed but for core ports and operators, and comes back exactly", () =>
    inScene(async (scene, app, before) => {
      expect(seen(scene)).toEqual(OPEN);
      const started = await start(scene, app);
      expect(started.groups[0]).toMatchObject({ way: "suspend", isClosed: true });
      expect(seen(scene)).toEqual(CLOSED);
      // Ping is left in, to whoever it was.
      expect(scene.account.rules(APP.groupId).some(({ protocol }) => protocol === "icmp")).toBe(true);
      expect((await lift(scene, app, started.lockdownId)).state).toBe("lifted");
      expect(rulesOf(scene)).toEqual(before);
      await minutes(scene, 3);
      expect(rulesOf(scene)).toEqual(before);
    }));

  test("stays closed for as long as an alarm that joins asks for, and comes back by itself", () =>
    inScene(async (scene, app, before) => {
      const { lockdownId } = await start(scene, app);
      await minutes(scene, 30);
      await start(scene, app, { cause: "bob" });
      await minutes(scene, 45);
      expect([seen(scene), (await getLockdown(app.tables, lockdownId))?.state]).toEqual([CLOSED, "active"]);
      await minutes(scene, 20);
      expect([rulesOf(scene), (await getLockdown(app.tables, lockdownId))?.state]).toEqual([before, "lifted"]);
    }));

  test("comes back whole though somebody has deleted what was kept of it, which stays away until then", () =>
    inScene(async (scene, app, before) => {
      const { lockdownId } = await start(scene, app);
      const mallory = scene.person("mallory");
      const isCore = ({ peer, ports }: RuleSpec) =>
        ports.kind === "range" && ports.range.to === 80 && peer.kind === "cidr" && peer.cidr.prefix === 0;
      const kept = scene.account.rules(APP.groupId).filter(isCore);
      await mallory.firewall.revoke(
        APP,
        kept.flatMap(({ id }) => id ?? []),
        mallory.token(),
        "end",
      );
      await minutes(scene, 5);
      expect([kept.length, seen(scene)]).toEqual([1, [false, ...CLOSED.slice(1)]]);
      await lift(scene, app, lockdownId);
      await minutes(scene, 1);
      expect([rulesOf(scene), seen(scene)]).toEqual([before, OPEN]);
    }));

  test("stays, and is named, where the cloud takes no narrower ones", () =>
    inScene(async (scene, app, before) => {
      const refusing: App = {
        ...app,
        firewall: {
          ...app.firewall,
          authorize: async (...given) => {
            const { caller, app: other } = scene.newProcess();
            caller.fate = () => "throttled";
            return other.firewall.authorize(...given);
          },
        },
      };
      const started = await start(scene, refusing);
      expect(started.groups[0]).toMatchObject({ way: "suspend", isClosed: false });
      expect(started.groups[0]?.left.join()).toContain("it opens a core port, too");
      expect(seen(scene)).toEqual(OPEN);
      await minutes(scene, 2);
      expect(seen(scene)).toEqual(CLOSED);
      await lift(scene, app, started.lockdownId);
      expect(rulesOf(scene)).toEqual(before);
    }));
});

test("what is kept of a wide accept is not let go by a lift that was there before the closing", () =>
  inScene(async (scene, app, before) => {
    const wide = entryIdOf(APP.groupId, ruleKey(WIDE[0] as RuleSpec));
    let resumed = (): void => undefined;
    let closed = (): void => undefined;
    const isResumed = new Promise<void>((resolve) => (resumed = resolve));
    const isClosed = new Promise<void>((resolve) => (closed = resolve));
    const cut: string[] = [];
    // It has given back what it found, and waits for the group that is being closed.
    const lifting = slowed(scene.quietApp(), async (table) => {
      if (!isLet(scene, 80, OTHER)) cut.push(table);
      if (table !== "lock") return;
      resumed();
      await isClosed;
    });
    let lifted: Promise<unknown> | null = null;
    const closing = slowed(app, async (table, key) => {
      if (table === "ledger" && key.at(-1) === wide && lifted === null) {
        const id = (await listLockdowns(app, { limit: 1, cursor: null })).lockdowns[0]?.lockdownId ?? "";
        lifted = lift(scene, lifting, id);
        await isResumed;
      }
      if (table !== "lockdown" || lifted === null) return;
      closed();
      await lifted;
    });
    await start(scene, closing);
    expect([lifted === null, cut]).toEqual([false, []]);
    await minutes(scene, 2);
    expect([rulesOf(scene), seen(scene)]).toEqual([before, OPEN]);
  }));

test("core ports and operators are let in at every moment, and the group is as it was in the end, wherever the process dies", async () => {
  let calls = 0;
  let dies = 1;
  // Until nobody dies any more in closing and lifting.
  for (; dies <= calls + 3; dies += 3)
    await inScene(async (scene, app, before) => {
      calls = 0;
      const cut: string[] = [];
      const dying = dyingAt(app, dies, (call) => {
        calls = call;
        if (!isLet(scene, 80, OTHER) || !isLet(scene, 22, OPERATOR)) cut.push(`before call ${call}`);
      });
      const started = await start(scene, dying).catch(() => null);
      if (started !== null) await lift(scene, dying, started.lockdownId).catch(() => undefined);
      expect([dies, cut]).toEqual([dies, []]);
      for (let minute = 0; minute < 90; minute += 15) {
        await minutes(scene, 1);
        expect([dies, minute, ...seen(scene).slice(0, 2)]).toEqual([dies, minute, true, true]);
        await scene.schedule.sleep(14 * 60_000);
      }
      await minutes(scene, 2);
      expect([dies, rulesOf(scene)]).toEqual([dies, before]);
    });
  expect(calls).toBeLessThan(dies);
  expect(dies).toBeGreaterThan(30);
}, 120_000);
