// Lockdowns, most of them without drops, that meet each other, a mode, or rules that come in between: what is closed stays closed, what is kept stays open.
import { describe, expect, test } from "vitest";
import type { RuleSpec } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { letsThrough } from "../../../shared/domain/verdict.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { StoreFailure } from "../../../shared/ports/tables.ts";
import { listEntries } from "../../../shared/store/ledger.ts";
import { getLockdown } from "../../../shared/store/lockdowns.ts";
import { modeWrite } from "../../../shared/store/mode.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { type AllocationAsk, allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { goOnWithLockdown } from "../../../shared/usecases/lockdown/go-on-with-lockdown.ts";
import { tendLockdown } from "../../../shared/usecases/lockdown/tend-lockdown.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, ruleOf, Scene, WEB } from "../../interleavings/scene.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { anAsk } from "./app-world.ts";
import {
  dyingAt,
  letsIn,
  lift,
  minutes,
  NARROW_DOCUMENT,
  OPERATOR,
  overtakenBy,
  rulesIn,
  start,
} from "./lockdown-scene.ts";

const WIDE = aSpec({ ports: somePorts("1/65535"), peer: fromCidr("0.0.0.0/0"), priority: 5 });
const ALL = aSpec({ protocol: "all", ports: { kind: "any" }, peer: fromCidr("0.0.0.0/0") });
const HOUR_MS = 3_600_000;
const OTHER = "198.51.100.9/32";

const inScene = async (
  wide: RuleSpec,
  play: (scene: Scene, app: App, before: readonly string[]) => Promise<void>,
  document: object = {},
): Promise<void> => {
  const scene = new Scene("overlaps", { document: { ...NARROW_DOCUMENT, ...document }, isDelivering: false });
  await scene.schedule.run(
    prepare(scene).then(async () => {
      await open(scene, wide);
      await play(scene, scene.quietApp(), rulesOf(scene));
    }),
  );
};
const open = async (scene: Scene, spec: RuleSpec) => {
  const mallory = scene.person("mallory");
  await mallory.firewall.authorize(APP, [{ spec, description: "wide" }], mallory.token(), "open");
};
const rulesOf = (scene: Scene) => rulesIn(scene, APP);
const isLet = (scene: Scene, port: number, source: string) => letsIn(scene, APP, port, source);
/** Core to everybody, the operator's way, and what nobody needs. */
const seen = (scene: Scene) => [isLet(scene, 80, OTHER), isLet(scene, 22, OPERATOR), isLet(scene, 3306, OTHER)];
const OPEN = [true, true, true];
const CLOSED = [true, true, false];
const throttled = async () => {
  throw new CloudFailure("throttled", "AuthorizeSecurityGroup");
};
/** Something happens just after the first reading of the group, which says what is to be closed. */
const afterReading = (app: App, happens: () => Promise<unknown>): App => {
  let readings = 0;
  return {
    ...app,
    firewall: {
      ...app.firewall,
      readGroup: async (...given) => {
        const reading = await app.firewall.readGroup(...given);
        if (given[0].groupId !== APP.groupId) return reading;
        readings += 1;
        if (readings === 1) await happens();
        return reading;
      },
    },
  };
};

describe("a lockdown that begins while another one is being lifted", () => {
  test.each([
    ["of the same groups", ["app"]],
    ["of more groups", ["app", "web"]],
  ])("%s keeps closed what is not given back yet", (_, groups) =>
    inScene(WIDE, async (scene, app, before) => {
      const first = await start(scene, app);
      const refusing: App = { ...app, firewall: { ...app.firewall, authorize: throttled } };
      expect((await lift(scene, refusing, first.lockdownId)).state).toBe("lifting");
      const second = await start(scene, app, { groups, cause: "bob" });
      expect([second.lockdownId === first.lockdownId, seen(scene)]).toEqual([false, CLOSED]);
      await minutes(scene, 3);
      expect([seen(scene), (await getLockdown(app.tables, first.lockdownId))?.state]).toEqual([CLOSED, "lifted"]);
      await lift(scene, app, second.lockdownId);
      await minutes(scene, 1);
      expect(rulesOf(scene)).toEqual(before);
    }),
  );

  test("keeps closed what is given back between its two readings", () =>
    inScene(WIDE, async (scene, app, before) => {
      const first = await start(scene, app);
      const racing = afterReading(app, () => lift(scene, app, first.lockdownId));
      const second = await start(scene, racing, { groups: ["app", "web"], cause: "bob" });
      await minutes(scene, 2);
      expect([second.groups[0]?.isClosed, seen(scene)]).toEqual([true, CLOSED]);
      await lift(scene, app, second.lockdownId);
      await minutes(scene, 1);
      expect(rulesOf(scene)).toEqual(before);
    }));
});

test("what somebody opens between the reading and the closing is closed, too, and comes back", () =>
  inScene(WIDE, async (scene, app) => {
    const racing = afterReading(app, () => open(scene, ruleOf(3306, "0.0.0.0/0")));
    const started = await start(scene, racing);
    expect([started.groups[0]?.isClosed, seen(scene)]).toEqual([true, CLOSED]);
    await lift(scene, app, started.lockdownId);
    expect([seen(scene), scene.rule(APP, ruleOf(3306, "0.0.0.0/0"))?.description]).toEqual([OPEN, "wide"]);
  }));

test("an accept of everything stays closed for the second lockdown of a group", () =>
  inScene(ALL, async (scene, app, before) => {
    const first = await start(scene, app);
    expect([first.groups[0]?.isClosed, seen(scene)]).toEqual([true, CLOSED]);
    const second = await start(scene, app, { groups: ["app", "web"], cause: "bob" });
    await lift(scene, app, first.lockdownId);
    await minutes(scene, 2);
    expect(seen(scene)).toEqual(CLOSED);
    await lift(scene, app, second.lockdownId);
    await minutes(scene, 1);
    expect(rulesOf(scene)).toEqual(before);
  }));

const look = async (scene: Scene, app: App, param: string) =>
  tendLockdown(app, { policy: scene.policy, param, deadlineAt: app.clock.monotonicMs() + 30_000 });

const pass = async (scene: Scene, app: App) => {
  const terms = { cause: "due", actor: "safeport", policy: scene.policy, priority: "end", rows: [] } as const;
  await lookAtGroup(app, APP, { ...terms, deadlineAt: app.clock.monotonicMs() + 30_000 });
};

describe("what two lockdowns by drops do not stop yet, and one of them closes just before its own end", () => {
  const ROOMY = { limits: { rulesPerInterface: 200, rulesKeptFree: 0 } };
  const TUNNEL = aSpec({ protocol: "gre", ports: { kind: "any" }, peer: fromCidr("0.0.0.0/0"), priority: 5 });
  const isTunnelOpen = (scene: Scene) =>
    letsThrough(aSpec({ ...TUNNEL, peer: fromCidr(OTHER) }), scene.account.rules(APP.groupId));

  test("stays closed for the other, which has not looked since, and goes with its end", () =>
    inScene(
      WIDE,
      async (scene, app) => {
        const first = await start(scene, app);
        const second = await start(scene, app, { groups: ["app", "web"], cause: "bob" });
        await open(scene, TUNNEL);
        const before = isTunnelOpen(scene);
        await look(scene, app, first.lockdownId);
        expect([before, isTunnelOpen(scene), first.groups[0]?.way]).toEqual([true, false, "drops"]);
        await lift(scene, app, first.lockdownId);
        expect(isTunnelOpen(scene)).toBe(false);
        await lift(scene, app, second.lockdownId);
        await minutes(scene, 1);
        expect([isTunnelOpen(scene), rulesOf(scene).filter((text) => /until=/.test(text))]).toEqual([true, []]);
      },
      ROOMY,
    ));

  test("stays closed for the first, where the second has closed it with its start", () =>
    inScene(
      WIDE,
      async (scene, app) => {
        const first = await start(scene, app);
        await open(scene, TUNNEL);
        const second = await start(scene, app, { groups: ["app", "web"], cause: "bob" });
        await lift(scene, app, second.lockdownId);
        expect(isTunnelOpen(scene)).toBe(false);
        await lift(scene, app, first.lockdownId);
        expect(isTunnelOpen(scene)).toBe(true);
      },
      ROOMY,
    ));

  test("is closed for both or not at all, wherever the process dies that looks", async () => {
    const isShutAfter: boolean[] = [];
    for (let dies = 5; dies <= 150; dies += 5)
      await inScene(
        WIDE,
        async (scene, app) => {
          const first = await start(scene, app);
          await start(scene, app, { groups: ["app", "web"], cause: "bob" });
          await open(scene, TUNNEL);
          await look(scene, dyingAt(app, dies), first.lockdownId).catch(() => undefined);
          await scene.schedule.sleep(60_000);
          await pass(scene, app);
          const isShut = !isTunnelOpen(scene);
          await lift(scene, app, first.lockdownId);
          expect(isTunnelOpen(scene)).toBe(!isShut);
          isShutAfter.push(isShut);
        },
        ROOMY,
      );
    expect(new Set(isShutAfter)).toEqual(new Set([false, true]));
  });

  test("is closed although the alarms that have them on cannot be asked", () =>
    inScene(
      WIDE,
      async (scene, app) => {
        const { lockdownId } = await start(scene, app);
        await open(scene, TUNNEL);
        const get: App["tables"]["get"] = async (table, key) => {
          if (table === "alarm") throw new StoreFailure("unavailable", "get alarm");
          return app.tables.get(table, key);
        };
        const blind = { ...app, tables: { ...app.tables, get } };
        await expect(look(scene, blind, lockdownId)).rejects.toThrow(StoreFailure);
        expect(isTunnelOpen(scene)).toBe(false);
      },
      ROOMY,
    ));
});

describe("what somebody opens in two lockdowns, and one of them closes just before its own end", () => {
  const FEW = ruleOf(3306, "0.0.0.0/0");

  test.each([
    ["that is closed whole", WIDE, FEW],
    ["that is closed but for core ports and operators", FEW, WIDE],
  ])("stays closed for the other, which has not looked since: an accept %s", (_, earlier, spec) =>
    inScene(earlier, async (scene, app) => {
      const first = await start(scene, app);
      const second = await start(scene, app, { groups: ["app", "web"], cause: "bob" });
      await open(scene, spec);
      const before = rulesOf(scene);
      await look(scene, app, first.lockdownId);
      expect([rulesOf(scene) !== before, seen(scene)]).toEqual([true, CLOSED]);
      await lift(scene, app, first.lockdownId);
      expect(seen(scene)).toEqual(CLOSED);
      await lift(scene, app, second.lockdownId);
      await minutes(scene, 2);
      expect([seen(scene), scene.rule(APP, spec)?.description]).toEqual([OPEN, "wide"]);
      expect(rulesOf(scene).filter((text) => /until=/.test(text))).toEqual([]);
    }),
  );

  test("stays closed for the other where the first ends by its time", () =>
    inScene(WIDE, async (scene, app) => {
      const first = await start(scene, app, { periodMs: 600_000 });
      const second = await start(scene, app, { groups: ["app", "web"], cause: "bob" });
      await scene.schedule.sleep(590_000);
      await open(scene, FEW);
      await look(scene, app, first.lockdownId);
      await scene.schedule.sleep(11_000);
      await pass(scene, app);
      expect(seen(scene)).toEqual(CLOSED);
      // Nor is anything booked for the one that is over.
      await open(scene, ruleOf(3307, "0.0.0.0/0"));
      await look(scene, app, second.lockdownId);
      const { entries } = await listEntries(app.tables, APP);
      const closed = entries.find(({ key }) => key === ruleKey(ruleOf(3307, "0.0.0.0/0")));
      expect(closed?.suspension?.by.map(({ itemId }) => itemId)).toEqual([second.lockdownId]);
    }));

  test("is closed for both or not at all, wherever the process dies", async () => {
    const isShutAfter: boolean[] = [];
    for (let dies = 1; dies <= 12; dies++)
      await inScene(WIDE, async (scene, app) => {
        const first = await start(scene, app);
        await start(scene, app, { groups: ["app", "web"], cause: "bob" });
        await open(scene, FEW);
        await look(scene, dyingAt(app, dies), first.lockdownId).catch(() => undefined);
        await scene.schedule.sleep(60_000);
        await pass(scene, app);
        const isShut = scene.rule(APP, FEW) === undefined;
        await lift(scene, app, first.lockdownId);
        expect(scene.rule(APP, FEW) === undefined).toBe(isShut);
        isShutAfter.push(isShut);
      });
    expect(new Set(isShutAfter)).toEqual(new Set([false, true]));
  });

  test("stays open for a person to decide about, where it was opened too often", () =>
    inScene(WIDE, async (scene, app) => {
      const first = await start(scene, app);
      await start(scene, app, { groups: ["app", "web"], cause: "bob" });
      for (let times = 0; times < 10 && scene.rule(APP, FEW) === undefined; times++) {
        await open(scene, FEW);
        await look(scene, app, first.lockdownId);
      }
      expect(scene.rule(APP, FEW)).toBeDefined();
      await open(scene, ruleOf(3307, "0.0.0.0/0"));
      await look(scene, app, first.lockdownId);
      expect([3306, 3307].map((port) => isLet(scene, port, OTHER))).toEqual([true, false]);
    }));

  test("is given back to whoever has broken the glass of the other", () =>
    inScene(
      WIDE,
      async (scene, app) => {
        await start(scene, app);
        await openLease(
          app,
          scene.asker("carol", "requester"),
          anAsk({ group: "app", port: "8443", reason: "it has to be looked at", breakGlass: true }),
          { mode: "create", idempotencyKey: null, dryRun: false },
        );
        const isIn = () => isLet(scene, 8443, "203.0.113.7/32");
        await scene.schedule.sleep(1000);
        const second = await start(scene, app, { groups: ["app", "web"], cause: "bob" });
        expect(isIn()).toBe(false);
        await lift(scene, app, second.lockdownId);
        await minutes(scene, 1);
        expect([isIn(), seen(scene)]).toEqual([true, CLOSED]);
      },
      { breakGlass: { persons: ["carol"], periodMax: 3600 } },
    ));
});

test("core ports and operators are let in for as long as a mode keeps the wide accept from coming back", () =>
  inScene(WIDE, async (scene, app, before) => {
    await start(scene, app);
    await app.tables.writeAll([modeWrite({ mode: "close-only", since: app.clock.now(), by: "ann", reason: "" })]);
    await scene.schedule.sleep(HOUR_MS);
    await minutes(scene, 30);
    expect(seen(scene)).toEqual(CLOSED);
    await app.tables.writeAll([modeWrite({ mode: "normal", since: app.clock.now(), by: "ann", reason: "" })]);
    await minutes(scene, 10);
    expect(rulesOf(scene)).toEqual(before);
  }));

test("what is kept of a wide accept goes once its row can be read, also when the time of the lockdown is over", () =>
  inScene(WIDE, async (scene, app, before) => {
    await start(scene, app, { periodMs: 600_000 });
    const { entries } = await listEntries(app.tables, APP);
    const kept = entries.find(
      (it) => it.holders.some(({ kind }) => kind === "lockdown") && it.spec.policy === "accept",
    );
    const key = [APP.groupId, kept?.entryId ?? ""];
    const body = (await app.tables.get("ledger", key))?.columns["body"] ?? "";
    await app.tables.update("ledger", key, { body: "{" }, { kind: "present" });
    await minutes(scene, 25).catch(() => undefined);
    expect(seen(scene)).toEqual(OPEN);
    await app.tables.update("ledger", key, { body }, { kind: "present" });
    await minutes(scene, 5);
    expect(rulesOf(scene)).toEqual(before);
  }));

test("what the hosts' other groups let in is named, where these are in no lockdown", () =>
  inScene(WIDE, async (scene, app) => {
    const members = scene.account.members().map((it) => ({ ...it, groupIds: [APP.groupId, WEB.groupId] }));
    const shared: App = { ...app, inventory: { ...app.inventory, members: async () => members } };
    const leftOf = async (groups: readonly string[]) => {
      const { lockdownId, groups: found } = await start(scene, shared, { groups });
      await lift(scene, app, lockdownId);
      return found.find(({ name }) => name === "app")?.left.join();
    };
    expect(await leftOf(["app"])).toContain("2 hosts are in other groups, too");
    expect(await leftOf(["app", "web"])).not.toContain("other groups");
  }));

describe("what would open in a group that is closed by its accepts", () => {
  test("a lease that was asked for just before is refused, and nothing of it is open", () =>
    inScene(WIDE, async (scene, app) => {
      let isOn = false;
      const racing = overtakenBy(app, async () => {
        isOn = true;
        await start(scene, scene.quietApp());
      });
      const asked = openLease(
        racing,
        scene.asker("carol", "requester"),
        anAsk({ group: "app", port: "8443", reason: "it has to be looked at" }),
        { mode: "create", idempotencyKey: null, dryRun: false },
      );
      await expect(asked).rejects.toMatchObject({ code: "GROUP_LOCKED_DOWN" });
      await minutes(scene, 2);
      expect([isOn, isLet(scene, 8443, "203.0.113.7/32")]).toEqual([true, false]);
    }));

  test("open hours that begin wait for its end", () =>
    inScene(WIDE, async (scene, app) => {
      const openHours = { zone: "UTC", windows: [{ days: [5], from: "08:30", to: "17:00" }] };
      const grant: AllocationAsk = {
        ...{ group: "app", protocol: "tcp", port: "5432", sources: ["198.51.100.0/24"], policy: "accept" },
        ...{ direction: "ingress", priority: 1, owner: "carol", backup: "", application: "", reason: "reports" },
        ...{ ticket: "", allowedSources: [], openHours, sensitiveConfirmed: true },
      };
      await allocateRule(app, scene.asker("carol"), grant, { dryRun: false });
      await start(scene, app);
      await minutes(scene, 40);
      expect([seen(scene), isLet(scene, 5432, OTHER)]).toEqual([CLOSED, false]);
      await minutes(scene, 30);
      expect(scene.rule(APP, ruleOf(5432, "198.51.100.0/24"))).toBeDefined();
    }));
});

describe("an end that is moved while the group is still being closed", () => {
  test.each([
    ["is not moved back by whoever began to close it", false],
    ["is kept by the job where whoever moved it has died", true],
  ])("%s", (_, dies) =>
    inScene(WIDE, async (scene, app) => {
      const refusing = { ...app, firewall: { ...app.firewall, authorize: throttled } };
      const begun = await start(scene, refusing);
      expect(begun.groups[0]?.isClosed).toBe(false);
      await scene.schedule.sleep(120_000);
      const second = dies ? { ...app, firewall: { ...app.firewall, readGroup: throttled } } : app;
      const racing = afterReading(scene.quietApp(), () => start(scene, second, { cause: "bob" }));
      const row = await getLockdown(app.tables, begun.lockdownId);
      if (row) await goOnWithLockdown(racing, scene.policy, row, racing.clock.monotonicMs() + 45_000);
      expect(seen(scene)).toEqual(CLOSED);
      await minutes(scene, 1);
      await scene.schedule.sleep(HOUR_MS - 170_000);
      await minutes(scene, 1);
      expect([seen(scene), (await getLockdown(app.tables, begun.lockdownId))?.state]).toEqual([CLOSED, "active"]);
    }),
  );
});
