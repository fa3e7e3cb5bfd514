// Lockdowns where people, alarms and crashes meet in the same moment.
import { describe, expect, test } from "vitest";
import { checkedPolicyText, policyOfRow } from "../../../shared/config/policy-schema.ts";
import type { Alarm } from "../../../shared/domain/alarm.ts";
import { overlaps } from "../../../shared/domain/cidr.ts";
import type { GroupRef } from "../../../shared/domain/ids.ts";
import { formatUtc } from "../../../shared/domain/instant.ts";
import { lockdownEnd } from "../../../shared/domain/lockdown.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { letsThrough } from "../../../shared/domain/verdict.ts";
import { CloudFailure, type Member } from "../../../shared/ports/firewall.ts";
import { getAlarm, saveAlarm } from "../../../shared/store/alarms.ts";
import { readDue } from "../../../shared/store/due.ts";
import { getLease } from "../../../shared/store/leases.ts";
import { listEntries } from "../../../shared/store/ledger.ts";
import {
  getLockdown,
  listPreparations,
  preparationDelete,
  preparationWrite,
  saveLockdown,
} from "../../../shared/store/lockdowns.ts";
import { readOutbox } from "../../../shared/store/outbox.ts";
import { writeFirstPolicy } from "../../../shared/store/policy.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { decideLease } from "../../../shared/usecases/approval/decide-lease.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { suspendRules } from "../../../shared/usecases/ledger/suspend-rules.ts";
import { actOnAlarm } from "../../../shared/usecases/lockdown/act-on-alarm.ts";
import { chooseLockdown } from "../../../shared/usecases/lockdown/choose-lockdown.ts";
import { goOnWithLockdown } from "../../../shared/usecases/lockdown/go-on-with-lockdown.ts";
import { liftLockdown } from "../../../shared/usecases/lockdown/lift-lockdown.ts";
import { listLockdowns } from "../../../shared/usecases/lockdown/list-lockdowns.ts";
import { prepareLockdowns } from "../../../shared/usecases/lockdown/prepare-lockdowns.ts";
import { recordAlarm } from "../../../shared/usecases/lockdown/record-alarm.ts";
import { type LockdownAsk, startLockdown } from "../../../shared/usecases/lockdown/start-lockdown.ts";
import { changePolicy, type PolicyDocuments } from "../../../shared/usecases/policy/change-policy.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, ruleOf, Scene, WEB } from "../../interleavings/scene.ts";
import { aCidr, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { anAsk } from "./app-world.ts";
import { DOCUMENT, letsIn, lift, rulesIn, terms, tick } from "./lockdown-scene.ts";

const WITH_ALARMS = { ...DOCUMENT, alarms: [{ do: "lockdown", scope: { groups: ["web"] } }] };

const inScene = async (play: (scene: Scene) => Promise<void>, document: object = {}): Promise<void> => {
  const scene = new Scene("races", { document: { ...WITH_ALARMS, ...document }, isDelivering: false });
  await scene.schedule.run(prepare(scene).then(() => play(scene)));
};
const ask = (scene: Scene, app: App, changes: Partial<LockdownAsk> = {}): LockdownAsk => ({
  ...{ scope: { kind: "groups", groups: ["web"] }, policy: scene.policy, cause: "ann", principal: "ann" },
  ...{
    reason: "an attack",
    periodMs: 3_600_000,
    waivedBy: null,
    decidedBy: "roles: operator",
    ...terms(scene, app),
    ...changes,
  },
});
const allocation = (scene: Scene, app: App, policy: "accept" | "drop") =>
  allocateRule(
    app,
    scene.asker("carol"),
    {
      ...{ group: "app", protocol: "tcp", port: "5432", sources: ["10.3.0.0/16"], policy, direction: "ingress" },
      ...{ priority: 1, owner: "carol", backup: "", application: "", reason: "reports", ticket: "" },
      ...{ allowedSources: [], openHours: null, sensitiveConfirmed: true },
    },
    { dryRun: true },
  );
const rulesOf = (scene: Scene) => rulesIn(scene, WEB);
const drops = (scene: Scene) => scene.account.rules(WEB.groupId).filter((rule) => rule.policy === "drop").length;
const alarmOf = (rule: string, state: Alarm["state"], at: number): Alarm => ({
  ...{ rule, ruleId: rule, namespace: "acs_ecs", metric: "bps", level: "CRITICAL", state, dimensions: {}, at },
});
const tell = async (scene: Scene, app: App, alarm: Alarm) => {
  const row = await recordAlarm(app, alarm, scene.policy);
  if (row === null) throw new Error("told before");
  await actOnAlarm(app, row.alarmId, terms(scene, app));
  return (await getAlarm(app.tables, row.alarmId)) ?? row;
};

describe("two alarms", () => {
  test("one that joins between the other's end and the lift keeps the lockdown on", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      const { clock } = app;
      const first = await tell(scene, app, alarmOf("a", "ALERT", clock.now()));
      const lockdownId = first.lockdownId ?? "";
      // What `endCause` leaves, and then the second alarm before the lift is decided.
      const ended = await getLockdown(app.tables, lockdownId);
      if (ended) await saveLockdown(app.tables, { ...ended, causes: [] });
      await tell(scene, app, alarmOf("b", "ALERT", clock.now()));
      await liftLockdown(app, lockdownId, { ...terms(scene, app), by: first.alarmId, isPerson: false });
      const after = await getLockdown(app.tables, lockdownId);
      expect([after?.state, after?.causes.length, drops(scene) > 0]).toEqual(["active", 1, true]);
      await tell(scene, app, alarmOf("b", "OK", clock.now() + 1000));
      expect([(await getLockdown(app.tables, lockdownId))?.state, drops(scene)]).toEqual(["lifted", 0]);
    }));
});

describe("an alarm that is over", () => {
  test("takes back what it began last, though its row names one before that was over by its time", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      const first = await tell(scene, app, alarmOf("a", "ALERT", app.clock.now()));
      await tick(scene, 2 * 3_600_000);
      expect(drops(scene)).toBe(0);
      const second = await tell(scene, app, alarmOf("a", "ALERT", app.clock.now()));
      expect(second.lockdownId).not.toBe(first.lockdownId);
      // What is left when whoever began it died before the alarm's row said so.
      await saveAlarm(app.tables, { ...second, isHandled: false, lockdownId: first.lockdownId });
      await tell(scene, app, alarmOf("a", "OK", app.clock.now() + 1000));
      expect([(await getLockdown(app.tables, second.lockdownId ?? ""))?.state, drops(scene)]).toEqual(["lifted", 0]);
    }));
});

describe("two lockdowns where drops have no room", () => {
  test("what the first has closed stays closed for the second, and is given back after both", () =>
    inScene(
      async (scene) => {
        const app = scene.quietApp();
        const before = rulesOf(scene);
        const first = await startLockdown(app, ask(scene, app));
        const closed = rulesOf(scene);
        expect(closed).not.toEqual(before);
        const scope = { kind: "groups", groups: ["web", "app"] } as const;
        const second = await startLockdown(app, ask(scene, app, { scope, cause: "bob" }));
        await lift(scene, app, first.lockdownId);
        await tick(scene, 120_000);
        expect(rulesOf(scene)).toEqual(closed);
        await lift(scene, app, second.lockdownId);
        await tick(scene, 120_000);
        expect(rulesOf(scene)).toEqual(before);
      },
      { limits: { rulesPerInterface: 12, rulesKeptFree: 0 } },
    ));
});

describe("two lockdowns where drops have no room, and what is opened in both", () => {
  test("what was closed for one of them alone stays closed for the other, once that has looked", () =>
    inScene(
      async (scene) => {
        const app = scene.quietApp();
        const first = await startLockdown(app, ask(scene, app));
        const scope = { kind: "groups", groups: ["web", "app"] } as const;
        const second = await startLockdown(app, ask(scene, app, { scope, cause: "bob" }));
        const spec = ruleOf(7777, "198.51.100.0/24");
        const mallory = scene.person("mallory");
        await mallory.firewall.authorize(WEB, [{ spec, description: "new" }], mallory.token(), "open");
        // By whoever has read the ledger before the other one was in it.
        const { lockdownId: itemId, principal, reason, until } = first;
        await suspendRules(app, WEB, { kind: "lockdown", itemId, principal, reason, until }, [spec]);
        await tick(scene, 120_000);
        expect(scene.rule(WEB, spec)).toBeUndefined();
        await lift(scene, app, first.lockdownId);
        expect(scene.rule(WEB, spec)).toBeUndefined();
        await lift(scene, app, second.lockdownId);
        await tick(scene, 120_000);
        expect(scene.rule(WEB, spec)?.description).toBe("new");
      },
      { limits: { rulesPerInterface: 12, rulesKeptFree: 0 } },
    ));
});

describe("the end", () => {
  const hour = 3_600_000;
  const marks = (scene: Scene) =>
    new Set(
      scene.account
        .rules(WEB.groupId)
        .flatMap((rule) => (rule.policy === "drop" ? (/until=(\S+)/.exec(rule.description)?.[1] ?? []) : [])),
    );

  test("is not moved by the same telling, however often it is acted on", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      const { alarmId, lockdownId } = await tell(scene, app, alarmOf("a", "ALERT", app.clock.now()));
      const { until } = (await getLockdown(app.tables, lockdownId ?? "")) ?? {};
      for (let n = 0; n < 3; n++) {
        await scene.schedule.sleep(120_000);
        // What is left when whoever acted on it died before the alarm's row said so.
        const row = await getAlarm(app.tables, alarmId);
        if (row) await saveAlarm(app.tables, { ...row, isHandled: false, lockdownId: null });
        await actOnAlarm(app, alarmId, terms(scene, app));
      }
      expect((await getLockdown(app.tables, lockdownId ?? ""))?.until).toBe(until);
    }));

  test("is moved by an alarm that joins, on the drops as well", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      await startLockdown(app, ask(scene, app));
      // Early in a second: ends are whole ones.
      await scene.schedule.sleep(hour / 2 + 1001 - (app.clock.now() % 1000));
      const until = lockdownEnd(app.clock.now(), hour);
      await tell(scene, app, alarmOf("b", "ALERT", app.clock.now()));
      const [later] = (await listLockdowns(app, { limit: 10, cursor: null })).lockdowns;
      expect(later).toMatchObject({ until, state: "active", causes: [{ by: "ann" }, {}] });
      expect(later?.groups.every((it) => it.isClosed)).toBe(true);
      expect([...marks(scene)]).toEqual([formatUtc(until)]);
      await tick(scene, hour / 2 + 60_000);
      expect(drops(scene)).toBeGreaterThan(0);
      await tick(scene, hour / 2);
      expect(drops(scene)).toBe(0);
    }));

  test("is moved on the drops by the job where whoever moved it has died, and not for an alarm of the same minute", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      const { until, lockdownId } = await startLockdown(app, ask(scene, app));
      await scene.schedule.sleep(30_000);
      await tell(scene, app, alarmOf("b", "ALERT", app.clock.now()));
      expect((await getLockdown(app.tables, lockdownId))?.until).toBe(until);
      await scene.schedule.sleep(hour / 2);
      const dead: App = {
        ...app,
        firewall: {
          ...app.firewall,
          readGroup: async () => {
            throw new CloudFailure("throttled", "DescribeSecurityGroupAttribute");
          },
        },
      };
      await startLockdown(dead, ask(scene, dead, { cause: "bob" }));
      expect((await getLockdown(app.tables, lockdownId))?.groups.some((it) => it.isClosed)).toBe(false);
      await tick(scene, 60_000);
      expect((await getLockdown(app.tables, lockdownId))?.groups.every((it) => it.isClosed)).toBe(true);
      await tick(scene, hour / 2);
      expect(drops(scene)).toBeGreaterThan(0);
    }));
});

describe("an alarm that is told over and over", () => {
  test("costs two calls while its lockdown is on, and lengthens it by what is left of its period", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      const { clock } = app;
      const row = await tell(scene, app, alarmOf("a", "ALERT", clock.now()));
      const { until } = (await getLockdown(app.tables, row.lockdownId ?? "")) ?? { until: 0 };
      let calls = 0;
      const counted = new Proxy(app.tables, {
        get:
          (target, name: keyof App["tables"]) =>
          (...given: never[]) => {
            calls += 1;
            return (target[name] as (...all: never[]) => unknown)(...given);
          },
      });
      await scene.schedule.sleep(10_000);
      const again = alarmOf("a", "ALERT", clock.now());
      expect(await recordAlarm({ ...app, tables: counted }, again, scene.policy)).toBeNull();
      expect([calls, (await getAlarm(app.tables, row.alarmId))?.alarm.at]).toEqual([2, again.at]);
      // What is older than that says nothing, and what is over is over all the same.
      expect(await recordAlarm(app, alarmOf("a", "OK", again.at - 1), scene.policy)).toBeNull();
      await scene.schedule.sleep(60_000);
      await tell(scene, app, alarmOf("a", "ALERT", clock.now()));
      const moved = (await getLockdown(app.tables, row.lockdownId ?? ""))?.until ?? 0;
      expect(moved).toBeGreaterThanOrEqual(until + 70_000);
      expect(moved).toBeLessThan(until + 80_000);
      await tell(scene, app, alarmOf("a", "OK", clock.now() + 1));
      expect([drops(scene), (await getAlarm(app.tables, row.alarmId))?.lockdownId]).toEqual([0, null]);
      const last = await tell(scene, app, alarmOf("a", "ALERT", clock.now() + 2));
      expect(drops(scene)).toBeGreaterThan(0);
      // Whoever has lifted it is told each time that it would have come back.
      await lift(scene, app, last.lockdownId ?? "");
      await tell(scene, app, alarmOf("a", "ALERT", clock.now() + 3));
      expect(drops(scene)).toBe(0);
    }));
});

describe("the list", () => {
  test("has lockdowns of all scopes, newest first, page by page", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      const ids: string[] = [];
      for (let round = 0; round < 4; round++)
        for (const name of ["web", "app"]) {
          const scope = { kind: "groups", groups: [name] } as const;
          const { lockdownId } = await startLockdown(app, ask(scene, app, { scope }));
          ids.unshift(lockdownId);
          await scene.schedule.sleep(1000);
          await lift(scene, app, lockdownId);
        }
      const found: string[] = [];
      let cursor: string | null = null;
      for (let pages = 0; pages < 10; pages++) {
        const page = await listLockdowns(app, { limit: 3, cursor });
        found.push(...page.lockdowns.map((it) => it.lockdownId));
        cursor = page.next;
        if (cursor === null) break;
      }
      expect(found).toEqual(ids);
    }));
});

describe("a crash", () => {
  test("between the start and the alarm's row leaves a lockdown that OK lifts all the same", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      const before = rulesOf(scene);
      const row = await tell(scene, app, alarmOf("a", "ALERT", app.clock.now()));
      await saveAlarm(app.tables, { ...row, isHandled: false, lockdownId: null });
      expect(drops(scene)).toBeGreaterThan(0);
      await tell(scene, app, alarmOf("a", "OK", app.clock.now() + 1000));
      expect([(await getLockdown(app.tables, row.lockdownId ?? ""))?.state, rulesOf(scene)]).toEqual([
        "lifted",
        before,
      ]);
    }));
});

describe("a lift while groups are still being closed", () => {
  test("leaves nothing closed behind it", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      const before = rulesOf(scene);
      const { caller, app: slow } = scene.newProcess();
      let lifted = false;
      // A person lifts it in the moment in which its row is there and no group is closed yet.
      const tables = slow.tables;
      const racing: App = {
        ...slow,
        tables: {
          ...tables,
          put: async (table, ...rest) => {
            const outcome = await tables.put(table, ...rest);
            if (table !== "lockdown" || lifted) return outcome;
            lifted = true;
            const id = `ld-${String(rest[0][0])}-${String(rest[0][1])}`;
            await lift(scene, app, id);
            return outcome;
          },
        },
      };
      const started = await startLockdown(racing, ask(scene, racing));
      expect([caller.isDead, lifted, started.state]).toEqual([false, true, "lifted"]);
      expect(rulesOf(scene)).toEqual(before);
      await tick(scene, 60_000);
      expect([rulesOf(scene), (await getLockdown(app.tables, started.lockdownId))?.state]).toEqual([before, "lifted"]);
    }));
});

describe("a lockdown without drops", () => {
  test("closes what was opened after it was prepared", () =>
    inScene(
      async (scene) => {
        const app = scene.quietApp();
        const mallory = scene.person("mallory");
        await prepareLockdowns(app, scene.policy, app.clock.monotonicMs() + 30_000);
        const spec = ruleOf(7777, "198.51.100.0/24");
        await mallory.firewall.authorize(APP, [{ spec, description: "new" }], mallory.token(), "open");
        const scope = { kind: "groups", groups: ["app"] } as const;
        const started = await startLockdown(app, ask(scene, app, { scope }));
        expect(started.groups[0]).toMatchObject({ way: "suspend", isClosed: true });
        expect(scene.rule(APP, spec)).toBeUndefined();
        await lift(scene, app, started.lockdownId);
        expect(scene.rule(APP, spec)?.description).toBe("new");
      },
      { limits: { rulesPerInterface: 3, rulesKeptFree: 0 } },
    ));

  test("leaves alone a group that a cloud service has taken over since", () =>
    inScene(
      async (scene) => {
        const app = scene.quietApp();
        await prepareLockdowns(app, scene.policy, app.clock.monotonicMs() + 30_000);
        const group: App["inventory"]["group"] = async (...asked) => {
          const facts = await app.inventory.group(...asked);
          return facts && { ...facts, serviceManaged: true };
        };
        const taken: App = { ...app, inventory: { ...app.inventory, group } };
        const before = scene.account.rules(APP.groupId);
        const started = await startLockdown(taken, ask(scene, taken, { scope: { kind: "groups", groups: ["app"] } }));
        expect(started.groups[0]).toMatchObject({ isClosed: false, left: ["a cloud service manages it"] });
        expect(scene.account.rules(APP.groupId)).toEqual(before);
      },
      { limits: { rulesPerInterface: 3, rulesKeptFree: 0 } },
    ));

  test("keeps new leases out where nothing had to be closed, and leaves no trace when it is lifted", () =>
    inScene(
      async (scene) => {
        const app = scene.quietApp();
        const ids = scene.account.rules(APP.groupId).flatMap(({ id }) => id ?? []);
        const mallory = scene.person("mallory");
        await mallory.firewall.revoke(APP, ids, mallory.token(), "end");
        const scope = { kind: "groups", groups: ["app"] } as const;
        const started = await startLockdown(app, ask(scene, app, { scope }));
        expect(started.groups[0]).toMatchObject({ way: "suspend", suspends: 0, isClosed: true });
        await expect(lease(scene, app, "app", false)).rejects.toMatchObject({ code: "GROUP_LOCKED_DOWN" });
        await expect(allocation(scene, app, "accept")).rejects.toMatchObject({ code: "GROUP_LOCKED_DOWN" });
        expect((await allocation(scene, app, "drop")).plan).toHaveLength(1);
        await lift(scene, app, started.lockdownId);
        expect((await getLockdown(app.tables, started.lockdownId))?.state).toBe("lifted");
        expect((await listEntries(app.tables, APP)).entries.some((entry) => entry.suspension !== null)).toBe(false);
        await expect(lease(scene, app, "app", false)).resolves.toBeDefined();
      },
      { limits: { rulesPerInterface: 3, rulesKeptFree: 0 } },
    ));
});

/** True when somebody from anywhere is stopped by no drop on that port. */
const isUndropped = (scene: Scene, port: number): boolean =>
  !scene.account
    .rules(WEB.groupId)
    .some(
      ({ policy, protocol, ports, peer }) =>
        policy === "drop" &&
        protocol === "tcp" &&
        ports.kind === "range" &&
        ports.range.from <= port &&
        port <= ports.range.to &&
        peer.kind === "cidr" &&
        overlaps(peer.cidr, aCidr("198.51.100.99/32")),
    );

const lease = (scene: Scene, app: App, group: string, breakGlass: boolean, dryRun = false) =>
  openLease(
    app,
    scene.asker("carol", "requester"),
    anAsk({ group, port: "8443", reason: "it has to be looked at", breakGlass }),
    { mode: "create", idempotencyKey: null, dryRun },
  );

describe("break-glass", () => {
  test("passes a lockdown only for whom the policy lets break it, and is loud even where no second person is needed", async () => {
    await inScene(async (scene) => {
      const app = scene.quietApp();
      await startLockdown(app, ask(scene, app));
      await expect(lease(scene, app, "web", true)).rejects.toMatchObject({ code: "BREAK_GLASS_FORBIDDEN" });
    });
    await inScene(
      async (scene) => {
        const app = scene.quietApp();
        await startLockdown(app, ask(scene, app));
        const preview = await lease(scene, app, "web", true, true);
        expect(preview.plan.join()).toMatch(/drops in the place of .*authorize/);
        const before = rulesOf(scene);
        expect((await lease(scene, app, "web", true)).lease.status.state).toBe("open");
        expect(rulesOf(scene)).not.toEqual(before);
      },
      { breakGlass: { persons: ["carol"] } },
    );
  });

  test("opens its own port for its own source, and the group is as it was after the lockdown", () =>
    inScene(
      async (scene) => {
        const app = scene.quietApp();
        const before = rulesOf(scene);
        const started = await startLockdown(app, ask(scene, app));
        const { lease: opened } = await lease(scene, app, "web", true);
        const isLet = (port: number, source: string): boolean => letsIn(scene, WEB, port, source);
        expect(opened.status.state).toBe("open");
        const own = "203.0.113.7/32";
        const here = () => [isLet(8443, own), isLet(8443, "198.51.100.99/32"), isLet(8444, own), isLet(80, own)];
        expect(here()).toEqual([true, false, false, true]);
        // Whoever asks again for a later end closes it anew, beside the passage.
        await scene.schedule.sleep(120_000);
        const again = await startLockdown(app, ask(scene, app, { cause: "bob" }));
        expect(again.until).toBeGreaterThan(started.until);
        expect(here()).toEqual([true, false, false, true]);
        await lift(scene, app, started.lockdownId);
        await tick(scene, 3_600_000);
        expect(rulesOf(scene)).toEqual(before);
      },
      { breakGlass: { persons: ["carol"] } },
    ));

  test("leaves the group no more open than by the passage, wherever the process dies", async () => {
    for (let dies = 1; dies <= 12; dies++)
      await inScene(
        async (scene) => {
          const app = scene.quietApp();
          await startLockdown(app, ask(scene, app));
          let writes = 0;
          const count = () => {
            writes += 1;
            if (writes >= dies) throw new Error("dies here");
          };
          const dying: App = {
            ...app,
            firewall: {
              ...app.firewall,
              authorize: async (...given) => {
                count();
                return app.firewall.authorize(...given);
              },
              revoke: async (...given) => {
                count();
                return app.firewall.revoke(...given);
              },
            },
            tables: {
              ...app.tables,
              put: async (...given) => {
                count();
                return app.tables.put(...given);
              },
            },
          };
          await lease(scene, dying, "web", true).catch(() => undefined);
          const isOpen = (port: number) => isUndropped(scene, port);
          expect([isOpen(8444), isOpen(3306)]).toEqual([false, false]);
          await tick(scene, 60_000);
          expect([isOpen(8444), isOpen(3306)]).toEqual([false, false]);
        },
        { breakGlass: { persons: ["carol"] } },
      );
  });
});

describe("an approval", () => {
  test("of what was asked for before the lockdown opens nothing during it, and can be given afterwards", () =>
    inScene(
      async (scene) => {
        const app = scene.quietApp();
        const { leaseId } = (await lease(scene, app, "web", false)).lease.request;
        const started = await startLockdown(app, ask(scene, app));
        const word = { decision: "approve", reason: "", change: null, via: "api" } as const;
        const approve = () => decideLease(app, scene.asker("dave"), leaseId, word, { dryRun: false });
        await expect(approve()).rejects.toMatchObject({ code: "GROUP_LOCKED_DOWN" });
        await lift(scene, app, started.lockdownId);
        expect((await approve()).lease.status.state).toBe("open");
      },
      { approval: { ports: ["8443"] } },
    ));
});

describe("an approval whose approver has died", () => {
  test("opens nothing during a lockdown that came in between, and opens after it", () =>
    inScene(
      async (scene) => {
        const app = scene.quietApp();
        const { leaseId } = (await lease(scene, app, "web", false)).lease.request;
        const word = { decision: "approve", reason: "", change: null, via: "api" } as const;
        const dying: App = {
          ...app,
          tables: {
            ...app.tables,
            update: async (table, key, columns, condition) => {
              if (columns["state"] === "opening") throw new Error("dies here");
              return app.tables.update(table, key, columns, condition);
            },
          },
        };
        await decideLease(dying, scene.asker("dave"), leaseId, word, { dryRun: false }).catch(() => undefined);
        const stateOf = async () => (await getLease(app.tables, leaseId))?.status.state;
        expect(await stateOf()).toBe("approved");
        const started = await startLockdown(app, ask(scene, app));
        await tick(scene, 60_000);
        expect(await stateOf()).toBe("approved");
        await lift(scene, app, started.lockdownId);
        await tick(scene, 60_000);
        expect(await stateOf()).toBe("open");
      },
      { approval: { ports: ["8443"] } },
    ));
});

describe("a group that is deleted during its lockdown", () => {
  test("keeps the lift waiting no longer", () =>
    inScene(
      async (scene) => {
        const app = scene.quietApp();
        const started = await startLockdown(app, ask(scene, app, { scope: { kind: "groups", groups: ["app"] } }));
        expect(started.groups[0]).toMatchObject({ way: "suspend", isClosed: true });
        const gone = async () => {
          throw new CloudFailure("groupGone", "DescribeSecurityGroupAttribute");
        };
        const { firewall, inventory } = app;
        const bereft: App = {
          ...app,
          firewall: { ...firewall, readGroup: gone, glance: gone, authorize: gone },
          inventory: { ...inventory, group: async () => null },
        };
        const options = { ...terms(scene, app), by: "ann", isPerson: true };
        expect((await liftLockdown(bereft, started.lockdownId, options)).state).toBe("lifted");
      },
      { limits: { rulesPerInterface: 3, rulesKeptFree: 0 } },
    ));
});

describe("a change of the policy", () => {
  test("has every lockdown prepared anew at the next tick", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      await writeFirstPolicy(app.tables, checkedPolicyText({ lease: { periodMax: 7200 } }));
      const documents: PolicyDocuments = {
        textOf: checkedPolicyText,
        policyOf: (row) => policyOfRow(row, WEB.region),
        warningsOf: () => [],
      };
      const ask = { document: { lease: { periodMax: 3600 } }, reason: "", base: null };
      const options = { dryRun: false, deadlineAt: app.clock.monotonicMs() + 30_000 };
      const { state } = await changePolicy(app, scene.asker("ann"), documents, ask, options);
      expect(state).toBe("applied");
      const { due } = await readDue(app.tables, 0, app.clock.now(), 100);
      expect(due.map(({ id }) => id)).toContain("lockdown-plan");
    }));
});

describe("a lockdown that was prepared hours ago", () => {
  test("closes what has come with another family or protocol since", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      await prepareLockdowns(app, scene.policy, app.clock.monotonicMs() + 30_000);
      const mallory = scene.person("mallory");
      const fresh = [
        { spec: aSpec({ ports: somePorts("3306/3306"), peer: fromCidr("2001:db8::/56") }), description: "new" },
      ];
      await mallory.firewall.authorize(WEB, fresh, mallory.token(), "open");
      const started = await startLockdown(app, ask(scene, app));
      expect(started.groups[0]).toMatchObject({ way: "drops", isClosed: true });
      const families = scene.account
        .rules(WEB.groupId)
        .flatMap(({ policy, peer }) => (policy === "drop" && peer.kind === "cidr" ? [peer.cidr.family] : []));
      expect(new Set(families)).toEqual(new Set([4, 6]));
      await lift(scene, app, started.lockdownId);
      expect(drops(scene)).toBe(0);
    }));
});

describe("a lockdown of several groups", () => {
  test("closes those that can be read where another one cannot, and that one when it can", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      await app.tables.writeAll([preparationDelete(APP)]);
      const { inventory } = app;
      const throttled: App = {
        ...app,
        inventory: {
          ...inventory,
          members: async (ref, priority) => {
            if (ref.groupId === APP.groupId) throw new CloudFailure("throttled", "DescribeNetworkInterfaces");
            return inventory.members(ref, priority);
          },
        },
      };
      const scope = { kind: "groups", groups: ["app", "web"] } as const;
      const started = await startLockdown(throttled, ask(scene, throttled, { scope }));
      expect(started.groups.map((it) => [it.name, it.way, it.isClosed])).toEqual([
        ["app", "unread", false],
        ["web", "drops", true],
      ]);
      expect(started.groups[0]?.left.join()).toContain("throttled");
      await tick(scene, 60_000);
      const after = await getLockdown(app.tables, started.lockdownId);
      expect(after?.groups.map((it) => [it.name, it.isClosed])).toEqual([
        ["app", true],
        ["web", true],
      ]);
    }));

  test("gives back what was closed of one that could not be read at first, though nobody lived to say so", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      const before = rulesOf(scene);
      await app.tables.writeAll([preparationDelete(WEB)]);
      const { inventory, tables } = app;
      const members: App["inventory"]["members"] = async (ref, priority) => {
        if (ref.groupId === WEB.groupId) throw new CloudFailure("throttled", "DescribeNetworkInterfaces");
        return inventory.members(ref, priority);
      };
      const listGroups: App["inventory"]["listGroups"] = async () => {
        throw new CloudFailure("throttled", "DescribeSecurityGroups");
      };
      for (const blind of [{ members }, { listGroups }]) {
        const throttled: App = { ...app, inventory: { ...inventory, ...blind } };
        const scope = { kind: "groups", groups: ["app", "web"] } as const;
        const row = await startLockdown(throttled, ask(scene, throttled, { scope }));
        expect(row.groups.map(({ way }) => way)).toEqual(["drops", "unread"]);
        const dying: App = {
          ...app,
          tables: {
            ...tables,
            put: async (table, ...rest) => {
              if (table === "lockdown") throw new Error("dies here");
              return tables.put(table, ...rest);
            },
          },
        };
        const goingOn = goOnWithLockdown(dying, scene.policy, row, app.clock.monotonicMs() + 30_000);
        await expect(goingOn).rejects.toThrow("dies here");
        expect(drops(scene)).toBeGreaterThan(0);
        await lift(scene, app, row.lockdownId);
        expect([drops(scene), rulesOf(scene)]).toEqual([0, before]);
      }
    }));

  test("closes those that are there where another one is gone, and names it", () =>
    inScene(
      async (scene) => {
        const app = scene.quietApp();
        await tell(scene, app, alarmOf("a", "ALERT", app.clock.now()));
        expect(drops(scene)).toBeGreaterThan(0);
        const { lockdowns } = await listLockdowns(app, { limit: 10, cursor: null });
        expect(lockdowns[0]?.groups.map((it) => [it.name, it.isClosed])).toEqual([
          ["gone", false],
          ["web", true],
        ]);
        expect(lockdowns[0]?.groups[0]?.left.join()).toContain("gone");
      },
      { alarms: [{ do: "lockdown", scope: { groups: ["gone", "web"] } }] },
    ));

  test("asks for what was not prepared ahead of all other work", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      await app.tables.writeAll(
        (await listPreparations(app.tables)).preparations.map(({ group }) => preparationDelete(group)),
      );
      const asked: string[] = [];
      const { inventory } = app;
      const told: App = {
        ...app,
        inventory: {
          ...inventory,
          group: async (ref, priority) => {
            asked.push(priority);
            return inventory.group(ref, priority);
          },
          listGroups: async (region, priority) => {
            asked.push(priority);
            return inventory.listGroups(region, priority);
          },
        },
      };
      const scope = { kind: "groups", groups: ["web", APP.groupId] } as const;
      expect(await chooseLockdown(told, scene.policy, scope)).toHaveLength(2);
      expect(new Set(asked)).toEqual(new Set(["lockdown"]));
    }));

  test("by a tag has every group with it, also those that were not prepared yet", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      await prepareLockdowns(app, scene.policy, app.clock.monotonicMs() + 30_000);
      await app.tables.writeAll([preparationDelete(APP)]);
      const tagged: App = {
        ...app,
        inventory: {
          ...app.inventory,
          listGroups: async (...asked) =>
            (await app.inventory.listGroups(...asked)).map((facts) => ({ ...facts, tags: { app: "shop" } })),
        },
      };
      const { preparations: kept } = await listPreparations(app.tables);
      await app.tables.writeAll(kept.map((it) => preparationWrite({ ...it, tags: { app: "shop" } })));
      const chosen = await chooseLockdown(tagged, scene.policy, { kind: "tag", tag: "app=shop" });
      expect(chosen.map(({ group }) => group.groupId).sort()).toEqual([APP.groupId, WEB.groupId]);
    }));
});

describe("a lockdown of an instance", () => {
  test("is in the group that the instance has now, not in the one it had when it was prepared", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      await prepareLockdowns(app, scene.policy, app.clock.monotonicMs() + 30_000);
      const [host] = scene.account.members().filter(({ groupIds }) => groupIds.includes(WEB.groupId));
      const instanceId = host?.instanceId ?? "";
      const moved = scene.account
        .members()
        .map((it) => (it.instanceId === instanceId ? { ...it, groupIds: [APP.groupId] } : it));
      const elsewhere: App = {
        ...app,
        inventory: {
          ...app.inventory,
          members: async (ref) => moved.filter(({ groupIds }) => groupIds.includes(ref.groupId)),
          instance: async (_region, id) => moved.filter((it) => it.instanceId === id),
        },
      };
      const chosen = await chooseLockdown(elsewhere, scene.policy, { kind: "instance", instanceId });
      expect(chosen.map(({ group }) => group.groupId)).toEqual([APP.groupId]);
    }));

  test("is in a group of each interface that the instance has now", () =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      const [host] = scene.account.members();
      if (!host) throw new Error("nobody there");
      const withInterfaces = (...groups: (readonly GroupRef[])[]): App => {
        // The last ones are of another instance.
        const members = [...groups, [WEB], [WEB]].map((own, index) => ({
          ...{ ...host, eniId: `eni-${index}`, groupIds: own.map(({ groupId }) => groupId) },
          ...(index >= groups.length && { instanceId: "i-other" }),
        }));
        return {
          ...app,
          inventory: {
            ...app.inventory,
            members: async (ref) => members.filter(({ groupIds }) => groupIds.includes(ref.groupId)),
            instance: async () => members.slice(0, groups.length),
          },
        };
      };
      const then = withInterfaces([WEB, APP], [APP]);
      await prepareLockdowns(then, { ...scene.policy, version: 2 }, app.clock.monotonicMs() + 30_000);
      const scope = { kind: "instance", instanceId: host.instanceId ?? "" } as const;
      const chosen = await chooseLockdown(withInterfaces([WEB], [APP]), { ...scene.policy, version: 2 }, scope);
      expect(chosen.map(({ group }) => group.groupId).sort()).toEqual([APP.groupId, WEB.groupId]);
    }));

  test.each(["drops", "accepts"])("is in its other groups, too, where one takes no drops: by %s", (way) =>
    inScene(async (scene) => {
      const app = scene.quietApp();
      const mallory = scene.person("mallory");
      for (const ref of [WEB, APP]) {
        const spec = ruleOf(3306, "0.0.0.0/0", 5);
        await mallory.firewall.authorize(ref, [{ spec, description: "new" }], mallory.token(), "open");
      }
      const rules = () => [WEB, APP].flatMap(({ groupId }) => scene.account.rules(groupId));
      const before = rules().map(ruleKey).sort();
      const [host] = scene.account.members();
      const members = [{ ...host, groupIds: [APP.groupId, WEB.groupId] }] as readonly Member[];
      const full: App = {
        ...app,
        inventory: { ...app.inventory, members: async () => members, instance: async () => members },
        firewall: {
          ...app.firewall,
          authorize: async (ref, specs, ...rest) => {
            const isDrop = specs.some(({ spec }) => spec.policy === "drop");
            if (isDrop && (way === "accepts" || ref.groupId === APP.groupId))
              throw new CloudFailure("quota", "AuthorizeSecurityGroup");
            return app.firewall.authorize(ref, specs, ...rest);
          },
        },
      };
      const scope = { kind: "instance", instanceId: host?.instanceId ?? "" } as const;
      const started = await startLockdown(full, ask(scene, full, { scope }));
      const isLet = letsThrough(aSpec({ ports: somePorts("3306/3306"), peer: fromCidr("198.51.100.9/32") }), rules());
      expect([isLet, ...started.groups.map((it) => [it.name, it.way, it.isClosed])]).toEqual([
        false,
        ["app", "suspend", true],
        ["web", way === "drops" ? "drops" : "suspend", true],
      ]);
      await lift(scene, app, started.lockdownId);
      expect(rules().map(ruleKey).sort()).toEqual(before);
    }),
  );
});

describe("an alarm that no lockdown can follow", () => {
  test("is told to people", () =>
    inScene(
      async (scene) => {
        const app = scene.quietApp();
        await tell(scene, app, alarmOf("a", "ALERT", app.clock.now()));
        expect(drops(scene)).toBe(0);
        expect(JSON.stringify((await readOutbox(app.tables, 100)).pending)).toContain("alarmReceived");
      },
      { operatorPath: [] },
    ));
});
