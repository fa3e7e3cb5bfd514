// A lockdown where it meets resistance: no operators, no room for drops, a cloud that throttles or refuses.
import { describe, expect, test } from "vitest";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { viewLockdown } from "../../../shared/http/lockdown-view.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { listPreparations, preparationDelete } from "../../../shared/store/lockdowns.ts";
import { listRecords } from "../../../shared/store/records.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { goOnWithLockdown } from "../../../shared/usecases/lockdown/go-on-with-lockdown.ts";
import { getLockdown } from "../../../shared/usecases/lockdown/list-lockdowns.ts";
import { prepareLockdowns } from "../../../shared/usecases/lockdown/prepare-lockdowns.ts";
import { type LockdownAsk, previewLockdown, startLockdown } from "../../../shared/usecases/lockdown/start-lockdown.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { Scene, WEB } from "../../interleavings/scene.ts";
import { World, worldSeed } from "../../kit/world.ts";
import { lift, rulesIn, terms, tick } from "./lockdown-scene.ts";

const lockdown = { core: ["80", "443"], groups: ["*"] };
const OPERATORS = [{ port: "22", sources: ["203.0.113.50"] }];

const ask = (scene: Scene, app: App, changes: Partial<LockdownAsk> = {}): LockdownAsk => ({
  scope: { kind: "groups", groups: ["web"] },
  cause: "ann",
  principal: "ann",
  reason: "an attack",
  periodMs: 3_600_000,
  waivedBy: null,
  decidedBy: "roles: operator",
  ...terms(scene, app),
  ...changes,
});

const inScene = async (document: object, play: (scene: Scene) => Promise<void>): Promise<void> => {
  const scene = new Scene("lockdown", { document: { lockdown, ...document }, isDelivering: false });
  await scene.schedule.run(prepare(scene).then(() => play(scene)));
};
const rulesOf = (scene: Scene) => rulesIn(scene, WEB);
const drops = (scene: Scene) => scene.account.rules(WEB.groupId).filter((rule) => rule.policy === "drop");

describe("without an operator path", () => {
  test("it is refused, unless somebody answers for it by name", () =>
    inScene({}, async (scene) => {
      const app = scene.quietApp();
      await expect(startLockdown(app, ask(scene, app))).rejects.toMatchObject({ code: "LOCKDOWN_WITHOUT_OPERATORS" });
      expect(drops(scene)).toEqual([]);
      const started = await startLockdown(app, ask(scene, app, { waivedBy: "ann" }));
      expect([started.waivedBy, started.groups[0]?.isClosed]).toEqual(["ann", true]);
    }));
});

describe("with one", () => {
  test("no drop covers an operator, and the dry run says the same and writes nothing", () =>
    inScene({ operatorPath: OPERATORS }, async (scene) => {
      const app = scene.quietApp();
      const before = rulesOf(scene);
      const preview = await previewLockdown(app, ask(scene, app));
      expect([rulesOf(scene), preview.groups[0]?.way]).toEqual([before, "drops"]);
      const started = await startLockdown(app, ask(scene, app));
      expect(started.groups[0]?.drops).toBe(preview.groups[0]?.drops);
      const on22 = drops(scene).filter((rule) => ruleKey(rule).includes("|22/22|"));
      expect(on22.length).toBe(32);
      expect(on22.some((rule) => ruleKey(rule).includes("203.0.113.50/32"))).toBe(false);
      expect((await lift(scene, scene.quietApp(), started.lockdownId)).state).toBe("lifted");
      expect(rulesOf(scene)).toEqual(before);
      const { records } = await listRecords(app.tables, { limit: 100, before: null });
      const decided = records.filter((it) => / ?lockdown|lift/.test(it.cause) && it.group === null);
      expect(decided.map((it) => it.decidedBy)).toEqual(["lockdown:change, a person's word", "ann: roles: operator"]);
    }));

  test("where drops do not fit, accepts are closed that nobody needs, and come back as they were", () =>
    inScene({ operatorPath: OPERATORS, limits: { rulesPerInterface: 10, rulesKeptFree: 0 } }, async (scene) => {
      const app = scene.quietApp();
      const before = rulesOf(scene);
      const started = await startLockdown(app, ask(scene, app));
      const [group] = started.groups;
      expect([group?.way, group?.isClosed]).toEqual(["suspend", true]);
      expect(group?.left.join()).toMatch(/it opens a core port, too.*operators come in by it/);
      const left = scene.account.rules(WEB.groupId).map((rule) => ruleKey(rule).split("|")[2]);
      expect(left.sort()).toEqual(["22/22", "443/443", "80/80"]);
      await lift(scene, scene.quietApp(), started.lockdownId);
      expect(rulesOf(scene)).toEqual(before);
    }));

  test("what is throttled is named, nobody is cut off, and the job closes it when it can", () =>
    inScene({ operatorPath: OPERATORS }, async (scene) => {
      const { caller, app: other } = scene.newProcess();
      caller.fate = ({ service, isWrite }) => (service === "ecs" && isWrite ? "throttled" : "answered");
      const started = await startLockdown(other, ask(scene, other));
      expect([started.groups[0]?.isClosed, drops(scene)]).toEqual([false, []]);
      expect(started.groups[0]?.left.join()).toContain("do not stand yet");
      await tick(scene, 60_000);
      expect((await getLockdown(scene.quietApp(), started.lockdownId)).groups[0]?.isClosed).toBe(true);
    }));

  test("a group the policy does not name is left as it is, and says so", () =>
    inScene({ operatorPath: OPERATORS, lockdown: { ...lockdown, groups: ["app"] } }, async (scene) => {
      const app = scene.quietApp();
      const started = await startLockdown(app, ask(scene, app));
      expect(started.groups[0]).toMatchObject({ way: "none", isClosed: false });
      expect(started.groups[0]?.left.join()).toContain("the policy names it for no lockdown");
      expect(drops(scene)).toEqual([]);
    }));

  test("a group in which nothing could be done when it was prepared is looked at anew", () =>
    inScene({ operatorPath: OPERATORS }, async (scene) => {
      const app = scene.quietApp();
      const group: App["inventory"]["listGroups"] = async (...asked) =>
        (await app.inventory.listGroups(...asked)).map((facts) => ({ ...facts, serviceManaged: true }));
      const managed: App = { ...app, inventory: { ...app.inventory, listGroups: group } };
      const { preparations: kept } = await listPreparations(app.tables);
      await app.tables.writeAll(kept.map((it) => preparationDelete(it.group)));
      await prepareLockdowns(managed, scene.policy, app.clock.monotonicMs() + 30_000);
      expect((await listPreparations(app.tables)).preparations.map(({ way }) => way)).toEqual(["none", "none"]);
      const started = await startLockdown(app, ask(scene, app));
      expect(started.groups[0]).toMatchObject({ way: "drops", isClosed: true });
    }));
});

test("a lockdown whose row somebody has damaged holds up no new one of its scope, which takes the next number", () =>
  inScene({ operatorPath: OPERATORS }, async (scene) => {
    const first = await startLockdown(scene.quietApp(), ask(scene, scene.quietApp()));
    await lift(scene, scene.quietApp(), first.lockdownId);
    const [, name = "", sequence] = first.lockdownId.split("-");
    const { tables } = scene.quietApp();
    await tables.update("lockdown", [name, Number(sequence)], { body: "[" }, { kind: "present" });
    const said: string[] = [];
    const app = { ...scene.quietApp(), log: { write: (_level: string, what: string) => void said.push(what) } };
    const second = await startLockdown(app, ask(scene, app));
    expect([second.lockdownId, second.groups[0]?.isClosed]).toEqual([`ld-${name}-${Number(sequence) + 1}`, true]);
    expect(drops(scene).length).toBeGreaterThan(0);
    expect(said.join()).toContain(`the row of ${first.lockdownId} cannot be read`);
    // Whoever asks next joins the one that can be read.
    expect((await startLockdown(app, ask(scene, app, { cause: "bob" }))).lockdownId).toBe(second.lockdownId);
  }));

test.each([
  ["i-app-1", ["i-app-2"]],
  ["i-web-1", []],
])("one of the instance %s names the other hosts of its group, and what no drop stops", async (instanceId, others) => {
  const world = await World.start({ inMemory: true, policy: { lockdown, operatorPath: OPERATORS } });
  try {
    const app = world.process();
    const started = await world.run(
      startLockdown(app, {
        ...{ scope: { kind: "instance", instanceId }, cause: "ann", principal: "ann", reason: "an attack" },
        ...{ policy: world.policy, periodMs: 3_600_000, waivedBy: null, decidedBy: "roles: operator" },
        ...{ arrivedAt: app.clock.monotonicMs(), deadlineAt: app.clock.monotonicMs() + 30_000 },
      }),
    );
    const { otherHosts, cannotStop, closed } = viewLockdown(started);
    expect([closed, otherHosts.map((host) => host.instanceId)]).toEqual([true, others]);
    expect(cannotStop).toEqual([
      expect.stringContaining("sessions that are established"),
      expect.stringContaining("load balancer"),
      expect.stringContaining("ICMP"),
      ...(others.length > 0 ? [expect.stringContaining("between the members of the group")] : []),
    ]);
  } finally {
    await world.stop();
  }
});

describe("whoever stands still before it is stored, so that the job looks for it in vain, and then dies", () => {
  /** Dies right after it has stored the lockdown, or when it is about to book the first drop. */
  const slowAndDying = (scene: Scene, app: App, dies: "once it is stored" | "before it books a drop"): App => {
    let [isSlow, isDead] = [true, false];
    const { tables } = app;
    const put: App["tables"]["put"] = async (...given) => {
      const [table] = given;
      if (table === "lockdown" && isSlow) await tick(scene, 60_000);
      if (table === "lockdown") isSlow = false;
      if (table === "ledger") isDead = true;
      if (isDead) throw new Error("dead");
      const outcome = await tables.put(...given);
      isDead = table === "lockdown" && dies === "once it is stored";
      return outcome;
    };
    const writeAll: App["tables"]["writeAll"] = async (writes) => {
      if (isDead) throw new Error("dead");
      return tables.writeAll(writes);
    };
    return { ...app, tables: { ...tables, put, writeAll } };
  };

  test("has it closed by the job", () =>
    inScene({ operatorPath: OPERATORS }, async (scene) => {
      const slow = slowAndDying(scene, scene.quietApp(), "before it books a drop");
      await startLockdown(slow, ask(scene, slow)).catch(() => null);
      expect(drops(scene)).toEqual([]);
      await tick(scene, 60_000);
      expect(drops(scene).length).toBeGreaterThan(0);
    }));

  test("has it closed by the job once it is asked for again", () =>
    inScene({ operatorPath: OPERATORS }, async (scene) => {
      const slow = slowAndDying(scene, scene.quietApp(), "once it is stored");
      await startLockdown(slow, ask(scene, slow)).catch(() => null);
      await tick(scene, 60_000);
      expect(drops(scene)).toEqual([]);
      const app = scene.quietApp();
      await startLockdown(app, ask(scene, app, { periodMs: 3_000_000 }));
      await tick(scene, 60_000);
      expect(drops(scene).length).toBeGreaterThan(0);
    }));
});

test("a group that another policy has it close as well is open after it, though whoever closed it died before saying so", () =>
  inScene({ operatorPath: OPERATORS, lockdown: { ...lockdown, groups: ["app"] } }, async (scene) => {
    const app = scene.quietApp();
    const started = await startLockdown(app, ask(scene, app));
    expect(started.groups[0]?.way).toBe("none");
    const { policy } = scene;
    const later = { ...policy, version: policy.version + 1, lockdown: { ...policy.lockdown, groups: ["*"] } };
    const put: App["tables"]["put"] = async (...given) => {
      if (given[0] === "lockdown" && drops(scene).length > 0) throw new Error("dies here");
      return app.tables.put(...given);
    };
    const dying = { ...app, tables: { ...app.tables, put } };
    const { deadlineAt } = terms(scene, app);
    await expect(goOnWithLockdown(dying, later, started, deadlineAt)).rejects.toThrow("dies here");
    expect(drops(scene).length).toBeGreaterThan(0);
    await lift(scene, app, started.lockdownId);
    expect(drops(scene)).toEqual([]);
  }));

test("one of an instance waits for no region that does not answer where another one has it", async () => {
  const world = await World.start({ inMemory: true, policy: { lockdown, operatorPath: OPERATORS } });
  try {
    const policy = { ...world.policy, regions: ["cn-away", ...world.policy.regions] };
    const app = world.process();
    const instance: App["inventory"]["instance"] = (region, ...rest) =>
      region === "cn-away" ? new Promise(() => undefined) : app.inventory.instance(region, ...rest);
    const half = { ...app, inventory: { ...app.inventory, instance } };
    const started = startLockdown(half, {
      ...{ scope: { kind: "instance", instanceId: "i-app-1" }, cause: "ann", principal: "ann", reason: "an attack" },
      ...{ policy, periodMs: 3_600_000, waivedBy: null, decidedBy: "roles: operator" },
      ...{ arrivedAt: app.clock.monotonicMs(), deadlineAt: app.clock.monotonicMs() + 30_000 },
    });
    expect((await world.run(started)).groups).toMatchObject([{ name: "app", isClosed: true }]);
  } finally {
    await world.stop();
  }
});

test("one of a tag closes the groups of regions that answer, and those of the others once these do", async () => {
  const seed = { ...worldSeed, groups: worldSeed.groups.map((it) => ({ ...it, tags: { tier: it.name } })) };
  const world = await World.start({ inMemory: true, seed, policy: { lockdown, operatorPath: OPERATORS } });
  try {
    const policy = { ...world.policy, regions: ["cn-away", ...world.policy.regions] };
    const app = world.process();
    const listGroups: App["inventory"]["listGroups"] = async (name, priority) => {
      if (name === "cn-away") throw new CloudFailure("unknown", "DescribeSecurityGroups");
      return app.inventory.listGroups(name, priority);
    };
    const half = { ...app, inventory: { ...app.inventory, listGroups } };
    const by = (tag: string) =>
      startLockdown(half, {
        ...{ scope: { kind: "tag", tag }, cause: "ann", principal: "ann", reason: "an attack" },
        ...{ policy, periodMs: 3_600_000, waivedBy: null, decidedBy: "roles: operator" },
        ...{ arrivedAt: app.clock.monotonicMs(), deadlineAt: app.clock.monotonicMs() + 30_000 },
      });
    expect((await world.run(by("tier=app"))).groups).toMatchObject([{ name: "app", isClosed: true }]);
    // Those of the region that does not answer may be the only ones.
    await expect(world.run(by("tier=db"))).rejects.toMatchObject({ kind: "unknown" });
  } finally {
    await world.stop();
  }
});

test("what one would do is prepared in regions that answer, and kept in one that does not", async () => {
  const world = await World.start({ inMemory: true, policy: { lockdown, operatorPath: OPERATORS } });
  try {
    const policy = { ...world.policy, regions: ["cn-away", ...world.policy.regions] };
    const app = world.process();
    let isAway = false;
    const listGroups: App["inventory"]["listGroups"] = async (name, priority) => {
      const groups = await app.inventory.listGroups(world.web.region, priority);
      if (name !== "cn-away") return groups.filter(({ ref }) => ref.groupId === "sg-web");
      if (isAway) throw new CloudFailure("unknown", "DescribeSecurityGroups");
      return groups
        .filter(({ ref }) => ref.groupId === "sg-app")
        .map((it) => ({ ...it, ref: { ...it.ref, region: name } }));
    };
    const readGroup: App["firewall"]["readGroup"] = ({ groupId }, priority) =>
      app.firewall.readGroup({ ...world.web, groupId }, priority);
    const members: App["inventory"]["members"] = ({ groupId }, priority) =>
      app.inventory.members({ ...world.web, groupId }, priority);
    const inventory = { ...app.inventory, listGroups, members };
    const half = { ...app, firewall: { ...app.firewall, readGroup }, inventory };
    const prepared = async (version: number) => {
      const deadlineAt = app.clock.monotonicMs() + 30_000;
      const next = await world.run(prepareLockdowns(half, { ...policy, version }, deadlineAt));
      const { preparations } = await listPreparations(app.tables);
      const found = preparations.map(({ group, policyVersion }) => `${group.region} ${group.groupId} ${policyVersion}`);
      return [found.sort(), next - app.clock.now()];
    };
    expect(await prepared(1)).toEqual([["cn-away sg-app 1", "cn-hangzhou sg-web 1"], 6 * 3_600_000]);
    isAway = true;
    expect(await prepared(2)).toEqual([["cn-away sg-app 1", "cn-hangzhou sg-web 2"], 60_000]);
  } finally {
    await world.stop();
  }
});
