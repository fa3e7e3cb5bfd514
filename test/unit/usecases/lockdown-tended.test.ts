// Lockdowns that go on: what dies, is opened, is tagged, or is decided anew while they last is seen at the next tick.
import { describe, expect, test } from "vitest";
import { policySchema } from "../../../shared/config/document-schema.ts";
import { policyOf } from "../../../shared/config/policy-values.ts";
import type { RuleId } from "../../../shared/domain/ids.ts";
import type { Policy } from "../../../shared/domain/policy.ts";
import type { RuleSpec } from "../../../shared/domain/rule.ts";
import { shutTimes } from "../../../shared/plan/shut-times.ts";
import { CloudFailure, type Member } from "../../../shared/ports/firewall.ts";
import { getLockdown } from "../../../shared/store/lockdowns.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { goOnWithLockdown } from "../../../shared/usecases/lockdown/go-on-with-lockdown.ts";
import { startLockdown } from "../../../shared/usecases/lockdown/start-lockdown.ts";
import { inTurn } from "../../../shared/usecases/lockdown/watch-lockdown.ts";
import { allJobs } from "../../../shared/usecases/operation/jobs.ts";
import { sweep } from "../../../shared/usecases/operation/sweep.ts";
import { look } from "../../interleavings/incidents.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, ruleOf, Scene, WEB } from "../../interleavings/scene.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { anAsk } from "./app-world.ts";
import {
  DOCUMENT,
  dyingAt,
  letsIn,
  lift,
  minutes,
  NARROW_DOCUMENT,
  OPERATOR,
  overtakenBy,
  rulesIn,
  start,
  terms,
  tick,
} from "./lockdown-scene.ts";

const WIDE = aSpec({ ports: somePorts("1/65535"), peer: fromCidr("0.0.0.0/0"), priority: 5 });
const OTHER = "198.51.100.9/32";
const SECOND = "203.0.113.60/32";

const inScene = async (
  document: Readonly<Record<string, unknown>>,
  play: (scene: Scene, app: App) => Promise<void>,
): Promise<void> => {
  const scene = new Scene("tended", { document, isDelivering: false });
  await scene.schedule.run(prepare(scene).then(() => play(scene, scene.quietApp())));
};
const open = (scene: Scene, spec: RuleSpec) => {
  const mallory = scene.person("mallory");
  return mallory.firewall.authorize(APP, [{ spec, description: "new" }], mallory.token(), "open");
};
const isLet = (scene: Scene, port: number, source = OTHER) => letsIn(scene, APP, port, source);
const GLASS = { breakGlass: { persons: ["carol"], periodMax: 900 } };
const CAROL = "203.0.113.7/32";
const breakGlass = async (scene: Scene, app: App): Promise<void> => {
  const ask = anAsk({ group: "app", port: "9000", breakGlass: true, reason: "to look at it", periodMs: 600_000 });
  const { lease } = await openLease(app, scene.asker("carol", "requester"), ask, {
    ...{ mode: "create", idempotencyKey: null, dryRun: false },
  });
  expect([lease.status.state, isLet(scene, 9000, CAROL)]).toEqual(["open", true]);
};
/** The app of a process that dies when it is to write a lockdown's row. */
const diesTelling = (app: App): App => {
  const put: App["tables"]["put"] = async (table, ...rest) => {
    if (table === "lockdown") throw new Error("dies here");
    return app.tables.put(table, ...rest);
  };
  return { ...app, tables: { ...app.tables, put } };
};
/** A minute passes, and a sweep comes under that policy. */
const tickWith = async (scene: Scene, policy: Policy, app = scene.quietApp()): Promise<void> => {
  await scene.schedule.sleep(60_000);
  await sweep(app, { policy, cause: "tick", deadlineAt: app.clock.monotonicMs() + 45_000, jobs: allJobs });
};
/** The policy of a later version. */
const policyWith = (scene: Scene, document: object): Policy =>
  policyOf(policySchema.parse(document), scene.policy.version + 1, WEB.region);

describe("whoever dies between closing a group and saying so", () => {
  test("while a lift has finished leaves nothing closed beyond the next ticks", () =>
    inScene(DOCUMENT, async (scene, app) => {
      const before = rulesIn(scene, APP);
      const throttled = async () => {
        throw new CloudFailure("throttled", "AuthorizeSecurityGroup");
      };
      const begun = await start(scene, { ...app, firewall: { ...app.firewall, authorize: throttled } });
      const racing = overtakenBy(app, () => lift(scene, scene.quietApp(), begun.lockdownId));
      const goingOn = goOnWithLockdown(diesTelling(racing), scene.policy, begun, app.clock.monotonicMs() + 30_000);
      await expect(goingOn).rejects.toThrow("dies here");
      expect((await getLockdown(app.tables, begun.lockdownId))?.state).toBe("lifted");
      expect(rulesIn(scene, APP)).not.toEqual(before);
      await minutes(scene, 2);
      expect(rulesIn(scene, APP)).toEqual(before);
      expect((await getLockdown(app.tables, begun.lockdownId))?.state).toBe("lifted");
    }));
});

describe("what somebody opens while a lockdown lasts", () => {
  test.each([
    ["a port", ruleOf(3306, "0.0.0.0/0")],
    ["all ports", WIDE],
  ])("is closed at the next tick where accepts are: %s, and is its owner's again afterwards", (_, spec) =>
    inScene(NARROW_DOCUMENT, async (scene, app) => {
      const { lockdownId } = await start(scene, app);
      await open(scene, spec);
      expect(isLet(scene, 3306)).toBe(true);
      await minutes(scene, 1);
      expect([isLet(scene, 3306), isLet(scene, 80)]).toEqual([false, spec === WIDE]);
      expect((await getLockdown(app.tables, lockdownId))?.groups[0]?.isClosed).toBe(true);
      await lift(scene, app, lockdownId);
      await minutes(scene, 1);
      expect(scene.rule(APP, spec)?.description).toBe("new");
    }),
  );

  test("again and again is left as they want it after some times, also when something else is opened beside it", () =>
    inScene(NARROW_DOCUMENT, async (scene, app) => {
      const mysql = ruleOf(3306, "0.0.0.0/0");
      await start(scene, app);
      let closings = 0;
      for (let times = 0; times < 10; times++) {
        if (scene.rule(APP, mysql) === undefined) {
          closings += 1;
          await open(scene, mysql);
        }
        if (times === 8) await open(scene, ruleOf(5432, "0.0.0.0/0"));
        await look(scene, app, APP, "event");
        await minutes(scene, 1);
      }
      expect([isLet(scene, 3306), isLet(scene, 5432)]).toEqual([true, false]);
      expect(closings).toBeLessThan(6);
    }));

  test("by another family is dropped at the next tick where drops stand", () =>
    inScene(DOCUMENT, async (scene, app) => {
      const { lockdownId } = await start(scene, app);
      await open(scene, aSpec({ ports: somePorts("3306/3306"), peer: fromCidr("2001:db8::/56") }));
      expect(isLet(scene, 3306, "2001:db8::1/128")).toBe(true);
      await minutes(scene, 1);
      expect(isLet(scene, 3306, "2001:db8::1/128")).toBe(false);
      await lift(scene, app, lockdownId);
      expect(scene.account.rules(APP.groupId).some((rule) => rule.policy === "drop")).toBe(false);
    }));

  test("by taking a drop away, or making it weaker, is closed at the next tick, though no event tells of it", () =>
    inScene(DOCUMENT, async (scene, app) => {
      await start(scene, app);
      const before = rulesIn(scene, APP);
      const drops = scene.account.rules(APP.groupId).filter((rule) => rule.policy === "drop");
      const [first, second] = drops;
      const mallory = scene.person("mallory");
      await mallory.firewall.revoke(APP, [first?.id ?? ("" as RuleId)], mallory.token(), "end");
      const weak = { spec: { ...second, priority: 90 } as RuleSpec, description: second?.description ?? "" };
      await mallory.firewall.modify(APP, second?.id ?? ("" as RuleId), weak, mallory.token(), "end");
      expect(rulesIn(scene, APP)).not.toEqual(before);
      await minutes(scene, 1);
      expect(rulesIn(scene, APP)).toEqual(before);
    }));

  test("by taking a drop away again and again is a person's to decide after some times", () =>
    inScene(DOCUMENT, async (scene, app) => {
      await start(scene, app);
      const mallory = scene.person("mallory");
      const [drop] = scene.account.rules(APP.groupId).filter((rule) => rule.policy === "drop");
      let taken = 0;
      for (let times = 0; times < 8; times++) {
        const rule = drop && scene.rule(APP, drop);
        if (rule) {
          taken += 1;
          await mallory.firewall.revoke(APP, [rule.id], mallory.token(), "end");
        }
        await minutes(scene, 1);
      }
      expect([taken, drop && scene.rule(APP, drop)]).toEqual([4, undefined]);
    }));

  test("anew, by the words of what was closed, is closed at the next tick where accepts are, though no event tells of it", () =>
    inScene(NARROW_DOCUMENT, async (scene, app) => {
      const mysql = ruleOf(3306, "0.0.0.0/0");
      await open(scene, mysql);
      const { lockdownId } = await start(scene, app);
      expect(scene.rule(APP, mysql)).toBeUndefined();
      await open(scene, mysql);
      await minutes(scene, 1);
      expect(scene.rule(APP, mysql)).toBeUndefined();
      await lift(scene, app, lockdownId);
      expect(scene.rule(APP, mysql)?.description).toBe("new");
    }));

  test("is closed by the next tick, tick after tick, where these come with the minute", () =>
    inScene(NARROW_DOCUMENT, async (scene, app) => {
      const toTheMinute = () => tick(scene, 60_000 - (app.clock.now() % 60_000));
      await start(scene, app);
      for (const port of [5001, 5002, 5003, 5004]) {
        await toTheMinute();
        await open(scene, ruleOf(port, "0.0.0.0/0"));
        await toTheMinute();
        expect([port, isLet(scene, port)]).toEqual([port, false]);
      }
    }));

  test("is looked for in some fifty groups each minute, in turn", () => {
    const groups = Array.from({ length: 120 }, (_, n) => n);
    const seen = [0, 1, 2].map((minute) => inTurn(groups, minute * 60_000));
    expect(seen.map((it) => it.length)).toEqual([40, 40, 40]);
    expect(new Set(seen.flat()).size).toBe(120);
    expect(inTurn(groups.slice(0, 50), 60_000)).toHaveLength(50);
  });
});

describe("a lockdown of a tag", () => {
  /** `web` has the tag; `listed` is told of each time that groups are listed. */
  const tagging = (app: App, listed: () => Promise<unknown> = async () => undefined) => {
    const tagged = new Set([WEB.groupId]);
    const listGroups: App["inventory"]["listGroups"] = async (...asked) => {
      await listed();
      const all = await app.inventory.listGroups(...asked);
      return all.map((facts) => ({ ...facts, tags: tagged.has(facts.ref.groupId) ? { app: "shop" } : {} }));
    };
    return { tagged, own: { ...app, inventory: { ...app.inventory, listGroups } } satisfies App };
  };
  const startTagged = (scene: Scene, app: App, policy = scene.policy) =>
    startLockdown(app, {
      ...{ scope: { kind: "tag", tag: "app=shop" }, cause: "ann", principal: "ann", reason: "an attack" },
      ...{ periodMs: 3_600_000, waivedBy: null, decidedBy: "", ...terms(scene, app), policy },
    });

  test("closes no group that is given the tag just as it is lifted", () =>
    inScene(DOCUMENT, async (scene, app) => {
      let happens = async (): Promise<unknown> => undefined;
      const { tagged, own } = tagging(app, () => happens());
      const { lockdownId } = await startTagged(scene, own);
      tagged.add(APP.groupId);
      happens = () => {
        happens = async () => undefined;
        return lift(scene, scene.quietApp(), lockdownId);
      };
      await tickWith(scene, scene.policy, own);
      await minutes(scene, 5);
      const row = await getLockdown(app.tables, lockdownId);
      expect([row?.state, row?.groups.map(({ name }) => name)]).toEqual(["lifted", ["web"]]);
      expect(scene.changes.filter(({ ref }) => ref.groupId === APP.groupId)).toEqual([]);
    }));

  test("a group that is given the tag joins though another region does not answer", () =>
    inScene(DOCUMENT, async (scene, app) => {
      const { tagged, own } = tagging(app);
      const policy = { ...scene.policy, regions: ["cn-away", ...scene.policy.regions] };
      const listGroups: App["inventory"]["listGroups"] = async (region, priority) => {
        if (region === "cn-away") throw new CloudFailure("unknown", "DescribeSecurityGroups");
        return own.inventory.listGroups(region, priority);
      };
      const half = { ...own, inventory: { ...own.inventory, listGroups } };
      const { lockdownId } = await startTagged(scene, half, policy);
      tagged.add(APP.groupId);
      await tickWith(scene, policy, half);
      const row = await getLockdown(app.tables, lockdownId);
      expect(row?.groups.map(({ name, isClosed }) => [name, isClosed])).toEqual([
        ["web", true],
        ["app", true],
      ]);
    }));

  test.each(["joins", "is taken up by a later policy"])(
    "a group that %s leaves in who has broken the glass before",
    (how) =>
      inScene({ ...DOCUMENT, ...GLASS }, async (scene, app) => {
        await open(scene, ruleOf(9000, "0.0.0.0/0", 5));
        const [host] = scene.account.members();
        const member = { ...host, groupIds: [APP.groupId, WEB.groupId] } as Member;
        const shared: App = { ...app, inventory: { ...app.inventory, members: async () => [member] } };
        const { tagged, own } = tagging(shared);
        const isJoining = how === "joins";
        if (!isJoining) tagged.add(APP.groupId);
        const before = policyWith(scene, {
          ...DOCUMENT,
          ...GLASS,
          lockdown: { ...DOCUMENT.lockdown, groups: ["web"] },
        });
        const after = { ...policyWith(scene, { ...DOCUMENT, ...GLASS }), version: before.version + 1 };
        const { lockdownId } = await startTagged(scene, own, isJoining ? after : before);
        await breakGlass(scene, own);
        tagged.add(APP.groupId);
        await tickWith(scene, after, own);
        const row = await getLockdown(app.tables, lockdownId);
        expect(row?.groups.map(({ name, way }) => [name, way]).sort()).toEqual([
          ["app", "drops"],
          ["web", "drops"],
        ]);
        expect([isLet(scene, 9000, CAROL), isLet(scene, 9000), isLet(scene, 9001, CAROL)]).toEqual([
          true,
          false,
          false,
        ]);
        for (let minute = 0; minute < 12; minute += 1) await tickWith(scene, after, own);
        expect([isLet(scene, 9000, CAROL), row?.state]).toEqual([false, "active"]);
      }),
  );

  test("is joined by a group that is given the tag while it lasts, and gives that back, too", () =>
    inScene(DOCUMENT, async (scene, app) => {
      const { tagged, own } = tagging(app);
      const before = rulesIn(scene, APP);
      const started = await startTagged(scene, own);
      expect(started.groups.map(({ name }) => name)).toEqual(["web"]);
      tagged.add(APP.groupId);
      await tickWith(scene, scene.policy, own);
      const row = await getLockdown(app.tables, started.lockdownId);
      expect(row?.groups.map(({ name, isClosed }) => [name, isClosed])).toEqual([
        ["web", true],
        ["app", true],
      ]);
      expect(rulesIn(scene, APP)).not.toEqual(before);
      await lift(scene, own, started.lockdownId);
      expect(rulesIn(scene, APP)).toEqual(before);
    }));
});

describe("a lockdown of an instance", () => {
  /** The host of `web`, wherever it is by now. */
  const moving = (scene: Scene, app: App) => {
    const host = scene.account.members().find(({ groupIds }) => groupIds.includes(WEB.groupId));
    if (!host) throw new Error("nobody is in web");
    const at = { groupIds: host.groupIds };
    const { inventory } = app;
    const members: App["inventory"]["members"] = async (group, ...asked) => [
      ...(await inventory.members(group, ...asked)).filter(({ eniId }) => eniId !== host.eniId),
      ...(at.groupIds.includes(group.groupId) ? [{ ...host, ...at }] : []),
    ];
    const instance: App["inventory"]["instance"] = async () => [{ ...host, ...at }];
    return { at, instanceId: host.instanceId ?? "", own: { ...app, inventory: { ...inventory, members, instance } } };
  };

  test.each([
    ["drops do in one of its groups", DOCUMENT, ["web"]],
    ["accepts are closed in each", NARROW_DOCUMENT, ["web", "app"]],
  ] as const)("goes with it: %s", (_, document, both) =>
    inScene(document, async (scene, app) => {
      await open(scene, WIDE);
      const { at, instanceId, own } = moving(scene, app);
      const before = [WEB, APP].map((group) => rulesIn(scene, group));
      const { lockdownId, groups } = await startLockdown(own, {
        ...{ scope: { kind: "instance", instanceId }, cause: "ann", principal: "ann", reason: "an attack" },
        ...{ periodMs: 3_600_000, waivedBy: null, decidedBy: "", ...terms(scene, own) },
      });
      const namesOf = async () =>
        (await getLockdown(app.tables, lockdownId))?.groups.map(({ name, isClosed }) => [name, isClosed]);
      expect([groups.map(({ name }) => name), isLet(scene, 3306)]).toEqual([["web"], true]);
      at.groupIds = [WEB.groupId, APP.groupId];
      await tickWith(scene, scene.policy, own);
      expect(await namesOf()).toEqual(both.map((name) => [name, true]));
      at.groupIds = [APP.groupId];
      await tickWith(scene, scene.policy, own);
      expect(await namesOf()).toEqual(["web", "app"].map((name) => [name, true]));
      expect([isLet(scene, 3306), isLet(scene, 443)]).toEqual([false, true]);
      await lift(scene, own, lockdownId);
      expect([WEB, APP].map((group) => rulesIn(scene, group))).toEqual(before);
    }),
  );
});

describe("a policy that changes while a lockdown lasts", () => {
  const operatorPath = [{ port: "22", sources: ["203.0.113.50", "203.0.113.60"] }];
  const lockdown = { core: ["80", "8443"], groups: ["*"] };
  /** Operators, old and new, core ports, old and new, and what nobody needs. */
  const seen = (scene: Scene) => [
    isLet(scene, 22, OPERATOR),
    isLet(scene, 22, SECOND),
    isLet(scene, 443),
    isLet(scene, 8443),
    isLet(scene, 3306),
  ];

  test.each([
    ["drops", DOCUMENT, { limits: {} }],
    ["suspend", NARROW_DOCUMENT, { limits: NARROW_DOCUMENT.limits }],
  ] as const)("has its groups closed as it says now: by %s", (way, document, { limits }) =>
    inScene(document, async (scene, app) => {
      await open(scene, WIDE);
      await open(scene, ruleOf(8443, "198.51.100.0/24"));
      const before = rulesIn(scene, APP);
      const { lockdownId, groups } = await start(scene, app);
      expect([groups[0]?.way, seen(scene)]).toEqual([way, [true, false, true, false, false]]);
      const policy = policyWith(scene, { ...document, limits, operatorPath, lockdown });
      await tickWith(scene, policy);
      expect(seen(scene)).toEqual([true, true, false, true, false]);
      const row = await getLockdown(app.tables, lockdownId);
      expect([row?.core, row?.groups[0]?.isClosed]).toEqual([["80", "8443"], true]);
      await lift(scene, app, lockdownId);
      await tickWith(scene, policy);
      expect(rulesIn(scene, APP)).toEqual(before);
    }),
  );

  test.each([
    ["drops", DOCUMENT],
    ["accepts", NARROW_DOCUMENT],
  ])("cuts off no operator that both have, whoever dies meanwhile: by %s", async (_, document) => {
    let calls = 0;
    for (let dies = 1; dies <= calls + 7; dies += 7)
      await inScene(document, async (scene, app) => {
        calls = 0;
        await open(scene, WIDE);
        const before = rulesIn(scene, APP);
        const { lockdownId } = await start(scene, app);
        const policy = policyWith(scene, { ...document, operatorPath, lockdown });
        const cut: number[] = [];
        const dying = dyingAt(app, dies, (call) => {
          calls = call;
          if (!isLet(scene, 22, OPERATOR) || !isLet(scene, 80)) cut.push(call);
        });
        const row = await getLockdown(app.tables, lockdownId);
        if (row) await goOnWithLockdown(dying, policy, row, app.clock.monotonicMs() + 30_000).catch(() => undefined);
        await tickWith(scene, policy);
        await tickWith(scene, policy);
        expect([dies, cut, seen(scene)]).toEqual([dies, [], [true, true, false, true, false]]);
        await lift(scene, app, lockdownId);
        await tickWith(scene, policy);
        expect([dies, rulesIn(scene, APP)]).toEqual([dies, before]);
      });
    expect(calls).toBeGreaterThan(10);
  });

  test("and has drops close what accepts did lets in who has broken the glass, for as long as their lease lasts", () =>
    inScene({ ...NARROW_DOCUMENT, ...GLASS }, async (scene, app) => {
      await open(scene, WIDE);
      const { lockdownId, groups } = await start(scene, app);
      await breakGlass(scene, app);
      const policy = policyWith(scene, { ...DOCUMENT, ...GLASS, limits: {} });
      await tickWith(scene, policy);
      const seenNow = () => [isLet(scene, 9000, CAROL), isLet(scene, 9000), isLet(scene, 9001, CAROL)];
      const row = await getLockdown(app.tables, lockdownId);
      expect([groups[0]?.way, row?.groups[0]?.way, seenNow()]).toEqual(["suspend", "drops", [true, false, false]]);
      for (let minute = 0; minute < 12; minute += 1) await tickWith(scene, policy);
      expect(seenNow()).toEqual([false, false, false]);
    }));

  test("and names a group no longer gives back what was closed there", () =>
    inScene(DOCUMENT, async (scene, app) => {
      const before = rulesIn(scene, APP);
      const { lockdownId } = await start(scene, app, { groups: ["app", "web"] });
      const policy = policyWith(scene, { ...DOCUMENT, lockdown: { ...DOCUMENT.lockdown, groups: ["web"] } });
      await tickWith(scene, policy);
      expect(rulesIn(scene, APP)).toEqual(before);
      const row = await getLockdown(app.tables, lockdownId);
      expect(row?.groups.map(({ name, way, isClosed }) => [name, way, isClosed])).toEqual([
        ["app", "none", false],
        ["web", "drops", true],
      ]);
      // Nor has anybody shown by staying away meanwhile that they do not need its rules.
      const asked = { rule: ruleOf(3306, OTHER), item: null, entries: [], now: app.clock.now() };
      const lockdowns = row ? [row] : [];
      expect(shutTimes({ ...asked, groupIds: new Set([APP.groupId]), lockdowns })).toHaveLength(1);
    }));

  test.each(["is lifted", "lasts"])(
    "and names a group no longer leaves nothing there when it %s, whoever closed it late and died",
    (how) =>
      inScene(DOCUMENT, async (scene, app) => {
        const before = rulesIn(scene, APP);
        const { lockdownId } = await start(scene, app, { groups: ["app", "web"], periodMs: 600_000 });
        const earlier = await getLockdown(app.tables, lockdownId);
        const policy = policyWith(scene, { ...DOCUMENT, lockdown: { ...DOCUMENT.lockdown, groups: ["web"] } });
        await tickWith(scene, policy);
        expect(rulesIn(scene, APP)).toEqual(before);
        if (!earlier) throw new Error("no lockdown");
        const groups = earlier.groups.map((it) => ({ ...it, isClosed: false }));
        const goingOn = goOnWithLockdown(
          diesTelling(app),
          scene.policy,
          { ...earlier, groups },
          app.clock.monotonicMs() + 30_000,
        );
        await expect(goingOn).rejects.toThrow("dies here");
        expect(rulesIn(scene, APP)).not.toEqual(before);
        if (how === "is lifted") await lift(scene, app, lockdownId);
        for (let minute = 0; minute < 2; minute += 1) await tickWith(scene, policy);
        expect(rulesIn(scene, APP)).toEqual(before);
      }),
  );

  test("and names a group again has it closed, whoever gives it back late, and dies", () =>
    inScene(DOCUMENT, async (scene, app) => {
      await open(scene, ruleOf(3306, "0.0.0.0/0", 5));
      const { lockdownId } = await start(scene, app, { groups: ["app", "web"] });
      const between = policyWith(scene, { ...DOCUMENT, lockdown: { ...DOCUMENT.lockdown, groups: ["web"] } });
      const earlier = await getLockdown(app.tables, lockdownId);
      if (!earlier) throw new Error("no lockdown");
      const policy = { ...policyWith(scene, DOCUMENT), version: between.version + 1 };
      await tickWith(scene, policy);
      const late = goOnWithLockdown(diesTelling(app), between, earlier, app.clock.monotonicMs() + 30_000);
      await expect(late).rejects.toThrow("dies here");
      expect(isLet(scene, 3306)).toBe(true);
      await tickWith(scene, policy);
      expect(isLet(scene, 3306)).toBe(false);
    }));

  test("and has no operators any more changes nothing, unless somebody answers for it", () =>
    inScene(DOCUMENT, async (scene, app) => {
      await open(scene, ruleOf(22, "0.0.0.0/0", 5));
      await start(scene, app);
      const during = rulesIn(scene, APP);
      await tickWith(scene, policyWith(scene, { ...DOCUMENT, operatorPath: [] }));
      expect([rulesIn(scene, APP), isLet(scene, 22, OPERATOR)]).toEqual([during, true]);
    }));
});
