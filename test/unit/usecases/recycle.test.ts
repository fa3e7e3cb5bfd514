// The recycling queue on the embedded cloud: what becomes of a rule that nobody uses, by time, by evidence, and by others.
import { afterEach, describe, expect, it } from "vitest";
import { dayAfter } from "../../../shared/domain/evidence.ts";
import type { GroupId } from "../../../shared/domain/ids.ts";
import { entryIdOf, ruleKey } from "../../../shared/domain/rule-key.ts";
import { getLockdown, saveLockdown } from "../../../shared/store/lockdowns.ts";
import { listRecords } from "../../../shared/store/records.ts";
import { listRecyclingItems, saveRecyclingItem } from "../../../shared/store/recycling.ts";
import { schemas } from "../../../shared/store/tables.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { type AllocationAsk, allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { changeEntry } from "../../../shared/usecases/ledger/book-holds.ts";
import { resumeRules } from "../../../shared/usecases/ledger/resume-rules.ts";
import { suspendRules } from "../../../shared/usecases/ledger/suspend-rules.ts";
import { setMode } from "../../../shared/usecases/policy/set-mode.ts";
import { holdDrop } from "../../../shared/usecases/recycling/recycling-ledger.ts";
import { settleItem } from "../../../shared/usecases/recycling/settle-recycling.ts";
import { aLockdown, aQuarantine } from "../../kit/recycling.ts";
import { DROP, IDLE, idleSpec, RecyclingWorld, touched } from "../../kit/recycling-world.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

let one: RecyclingWorld;
afterEach(() => one.world.stop());

const VISITOR = "10.1.2.3";
/** Somebody used the rule long ago, before the window of the verdict. */
const usedOnce = async (): Promise<void> => {
  await one.pass(1, [touched("real", one.today, [VISITOR])]);
  await one.pass(11);
};

describe("a rule that nobody uses", () => {
  it("is noticed, quarantined after a week, deleted after two, and its owner is told each time", async () => {
    one = await RecyclingWorld.start();
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["noticed", [IDLE]]);
    await one.pass(6);
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["noticed", [IDLE]]);
    await one.pass(1);
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["quarantined", [IDLE, DROP]]);
    await one.pass(14);
    await one.recycle();
    expect(await one.state()).toBe("quarantined");
    await one.pass(1);
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
    expect(await one.notices()).toEqual(["recyclingNoticed", "recyclingQuarantined", "recyclingDeleted"]);
    const item = await one.item();
    expect(item?.history.map(({ to, by }) => `${to} by ${by}`)).toEqual([
      "queued by safeport",
      "noticed by safeport",
      "quarantined by safeport",
      "deleted by safeport",
    ]);
    const { records } = await listRecords(one.world.process().tables, { limit: 100, before: null });
    const moves = records.filter(({ lines }) => lines.some((line) => / to (noticed|quarantined|deleted): /.test(line)));
    expect([...new Set(moves.map((it) => it.decidedBy))]).toEqual([
      "recycling.steps.delete: auto; recycling.quarantine: 14",
      "recycling.groups: web; recycling.steps.quarantine: auto",
      "recycling.groups: web; recycling.notice: 7",
    ]);
  });

  it("is only reported in a group that the policy does not name", async () => {
    one = await RecyclingWorld.start({ recycling: { steps: { quarantine: "auto", delete: "auto" } } });
    await one.recycle();
    await one.pass(20);
    await one.recycle();
    expect([await one.state(), one.rules(), await one.notices()]).toEqual(["queued", [IDLE], []]);
    expect((await one.item())?.waiting?.for).toBe("policy");
  });

  it("waits for a person at both steps as shipped, and tells so once", async () => {
    one = await RecyclingWorld.start({ recycling: { groups: ["sg-web"] } });
    await one.recycle();
    await one.pass(20);
    await one.recycle();
    await one.pass(1);
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["noticed", [IDLE]]);
    expect(await one.notices()).toEqual(["recyclingNoticed", "recyclingWaits"]);
    await one.approve("quarantine");
    expect([await one.state(), one.rules()]).toEqual(["quarantined", [IDLE, DROP]]);
    await one.live(30);
    expect(await one.state()).toBe("quarantined");
    await one.approve("delete");
    expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
  });

  it("is said by a dry run of the whole job, which changes nothing", async () => {
    one = await RecyclingWorld.start();
    /** Every row of every table, and every rule. */
    const everything = async () => {
      const { tables } = one.world.process();
      const rows = [];
      for (const { name, key } of schemas) {
        const from = [key[0]?.type === "integer" ? 0 : ""];
        rows.push([name, await one.world.run(tables.range({ table: name, from, to: null, limit: 5000 }))]);
      }
      return JSON.stringify([rows, one.world.ecs.groups()]);
    };
    const dryRun = async () => {
      const before = await everything();
      const report = await one.recycle(one.world.process(), true);
      expect(await everything()).toBe(before);
      expect(report).toMatchObject({ next: null, failed: [] });
      return report.lines.find(({ itemId }) => itemId === one.itemId)?.step;
    };
    expect(await dryRun()).toBe("queue");
    await one.recycle();
    await one.pass(8);
    expect(await dryRun()).toBe("quarantine");
    await one.recycle();
    await one.pass(16, [touched("refused", dayAfter(one.today, 15), ["10.9.9.9"])]);
    expect(await dryRun()).toBe("delete");
    await one.pass(1, [touched("real", one.today, [VISITOR])]);
    expect(await dryRun()).toBe("restore");
    expect([await one.state(), one.rules()]).toEqual(["quarantined", [IDLE, DROP]]);
  });
});

describe("evidence", () => {
  it("of use keeps a rule out, and takes it out of the queue", async () => {
    one = await RecyclingWorld.start();
    await one.recycle();
    await one.pass(3, [touched("real", dayAfter(one.today, 2), [VISITOR])]);
    await one.recycle();
    expect(await one.state()).toBe("restored");
    expect((await one.item())?.history.at(-1)?.why).toContain(VISITOR);
    await one.pass(11);
    await one.recycle();
    expect(await one.state(), "and it may be queued anew").toBe("noticed");
  });

  it("that is missing is never silence: nothing is queued, quarantined or deleted on it", async () => {
    one = await RecyclingWorld.start();
    await one.pass(11, [], { isKnown: false });
    const { verdicts } = await one.recycle();
    expect([verdicts.idle, await one.state()]).toEqual([0, null]);
  });

  it("that ends for a week stops every clock, and goes on when it is back", async () => {
    one = await RecyclingWorld.start();
    await one.recycle();
    await one.pass(8, [], { isKnown: false });
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["noticed", [IDLE]]);
    expect((await one.item())?.waiting?.for).toBe("evidence");
    await one.pass(11);
    await one.recycle();
    expect(await one.state()).toBe("quarantined");
    await one.pass(8, [], { isKnown: false });
    await one.pass(10);
    await one.recycle();
    expect([await one.state(), (await one.item())?.waiting?.for]).toEqual(["quarantined", "evidence"]);
    await one.live(30);
    expect(await one.state()).toBe("deleted");
  });
});

describe("in quarantine", () => {
  it("a visitor with earlier sessions who is refused gets through again, and the owner is told who it was", async () => {
    one = await RecyclingWorld.start();
    await usedOnce();
    await one.quarantined();
    expect(one.rules()).toEqual([IDLE, DROP]);
    await one.pass(2, [touched("refused", dayAfter(one.today, 1), [VISITOR])]);
    await one.watch();
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
    expect((await one.item())?.history.at(-1)?.why).toBe(`${VISITOR}, who used it before, was refused`);
    expect((await one.notices()).at(-1)).toBe("recyclingLifted");
  });

  it("who still talks in spite of the drop lifts it as well, with the daily run alone", async () => {
    one = await RecyclingWorld.start();
    await one.quarantined();
    await one.pass(2, [touched("real", dayAfter(one.today, 1), [VISITOR])]);
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  });

  it("scanners lift nothing and hold up nothing", async () => {
    one = await RecyclingWorld.start();
    await usedOnce();
    await one.quarantined();
    for (let days = 0; days < 16; days++) {
      const ports = [7890, 7891, 7892].map((port) => touched("refused", one.today, ["10.9.9.9"], port));
      await one.pass(1, ports);
      await one.watch();
    }
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
  });

  it("a stranger who keeps asking for this port alone is for a person to judge", async () => {
    one = await RecyclingWorld.start();
    await one.quarantined();
    for (let days = 0; days < 16; days++) await one.pass(1, [touched("refused", one.today, ["10.9.9.9"])]);
    await one.recycle();
    expect(await one.state()).toBe("quarantined");
    expect((await one.item())?.waiting).toMatchObject({
      for: "approval",
      why: [expect.stringContaining("10.9.9.9, who was never seen before, was refused on")],
    });
    await one.approve("delete");
    expect(await one.state()).toBe("deleted");
  });
});

describe("other people", () => {
  const other = () => one.world.process(undefined, "ak-other");

  it("who remove the rule end its way, and who open it again have it back", async () => {
    one = await RecyclingWorld.start();
    await one.quarantined();
    const id = one.world.rules().find(({ description }) => description.startsWith("old tool"))?.ruleId ?? "";
    await one.world.run(other().firewall.revoke(one.world.web, [id as never], "t-1", "open"));
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
    const item = await one.item();
    const rule = { spec: item?.kept.spec as never, description: "mine now" };
    await one.world.run(other().firewall.authorize(one.world.web, [rule], "t-2", "open"));
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["restored", ["accept 10 10.0.0.0/8 mine now"]]);
    await one.world.ticks(3);
    expect(one.rules()).toEqual(["accept 10 10.0.0.0/8 mine now"]);
  });

  it("who open a deleted rule again keep it, without a word to us", async () => {
    one = await RecyclingWorld.start();
    await one.deleted();
    const item = await one.item();
    const rule = { spec: item?.kept.spec as never, description: "mine now" };
    await one.world.run(other().firewall.authorize(one.world.web, [rule], "t-2", "open"));
    await one.world.ticks(70);
    expect(one.rules()).toEqual(["accept 10 10.0.0.0/8 mine now"]);
  });

  it("who change the rule take it out of the queue", async () => {
    one = await RecyclingWorld.start();
    await one.quarantined();
    const item = await one.item();
    const id = one.world.rules().find(({ description }) => description.startsWith("old tool"))?.ruleId ?? "";
    const rule = { spec: item?.kept.spec as never, description: "new owner" };
    await one.world.run(other().firewall.modify(one.world.web, id as never, rule, "t-1", "open"));
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["restored", ["accept 10 10.0.0.0/8 new owner"]]);
  });

  it("who make the drop another rule, which no pass has seen, end the quarantine with the next run", async () => {
    one = await RecyclingWorld.start();
    await one.quarantined();
    const drop = one.world.rules().findLast(({ portRange }) => portRange === "7890/7890")?.ruleId ?? "";
    const spec = aSpec({ ports: somePorts("12000/12000"), peer: fromCidr("198.51.100.0/24") });
    const rule = { spec, description: "wider" };
    await one.world.run(other().firewall.modify(one.world.web, drop as never, rule, "t-1", "open"));
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
    expect(one.world.rules().map(({ ruleId }) => ruleId)).not.toContain(drop);
  });

  it("whose rules the drop would hit keep it from being written, and a person may have the rule deleted without", async () => {
    const narrower = { portRange: "7890/7890", sourceCidrIp: "10.5.0.0/16", priority: 20, description: "used" };
    const idle = {
      portRange: "7890/7890",
      sourceCidrIp: "10.0.0.0/8",
      priority: 10,
      description: "old tool, ask bob",
    };
    one = await RecyclingWorld.start({ rules: [idle, narrower] });
    await one.quarantined();
    expect(await one.state()).toBe("noticed");
    expect((await one.item())?.waiting).toMatchObject({
      for: "person",
      why: [expect.stringContaining("would also stop")],
    });
    await expect(one.approve("quarantine")).rejects.toMatchObject({ code: "RECYCLING_NO_QUARANTINE" });
    await one.approve("delete");
    expect([await one.state(), one.rules()]).toEqual(["deleted", ["accept 20 10.5.0.0/16 used"]]);
  });

  it("whose rules the drop would hit by now have it taken away", async () => {
    one = await RecyclingWorld.start();
    await one.quarantined();
    expect(one.rules()).toEqual([IDLE, DROP]);
    const spec = aSpec({ ports: somePorts("7890/7890"), peer: fromCidr("10.5.0.0/16"), priority: 20 });
    const rule = { spec, description: "new user" };
    await one.world.run(other().firewall.authorize(one.world.web, [rule], "t-1", "open"));
    await one.pass(1);
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE, "accept 20 10.5.0.0/16 new user"]]);
    expect((await one.item())?.history.at(-1)?.why).toContain("it would also stop what");
  });

  it("who give a rule open hours have not removed it outside of them: nobody is told so", async () => {
    one = await RecyclingWorld.start();
    await one.recycle();
    const { world } = one;
    const days = [new Date(world.clock.now()).getUTCDay() || 7];
    const grant: AllocationAsk = {
      ...{
        group: "web",
        protocol: "tcp",
        port: "7890",
        sources: ["10.0.0.0/8"],
        policy: "accept",
        direction: "ingress",
      },
      ...{ priority: 10, owner: "bob", application: "tool", reason: "office", ticket: "", allowedSources: [] },
      ...{ openHours: { zone: "UTC", windows: [{ days, from: "00:00", to: "23:00" }] }, sensitiveConfirmed: false },
    };
    await world.run(allocateRule(world.process(), one.operator(), grant, { dryRun: false }));
    await one.pass(1);
    await world.ticks(3);
    expect(one.rules()).toEqual([]);
    await one.recycle();
    expect(await one.item()).toMatchObject({
      state: "noticed",
      waiting: { for: "policy", why: ["the rule is closed until its open hours begin"] },
    });
    await one.pass(6);
    await world.ticks(3);
    await one.recycle();
    expect(await one.state(), "opened by us a moment ago, and no longer unused for a window").toBe("restored");
    expect((await one.item())?.history.at(-1)?.by).toBe("safeport");
    expect(await one.notices()).not.toContain("recyclingDeleted");
  });

  it("who delete another group of a host keep no rule of this one from its turn, though the host is said to be in it yet", async () => {
    one = await RecyclingWorld.start();
    const app = one.world.process();
    const gone = "sg-deleted" as GroupId;
    const members: App["inventory"]["members"] = async (ref, priority) =>
      (await app.inventory.members(ref, priority)).map((it) => ({ ...it, groupIds: [...it.groupIds, gone] }));
    const late = { ...app, inventory: { ...app.inventory, members } };
    await one.recycle(late);
    expect(await one.state()).toBe("noticed");
    await one.pass(8);
    await one.recycle(late);
    expect([await one.state(), one.rules()]).toEqual(["quarantined", [IDLE, DROP]]);
    expect((await one.restore(late)).settled).toBe(true);
  });

  it("who change a rule while the trail is silent have it start its time anew", async () => {
    const description = "old tool, ask bob";
    const before = { portRange: "7889/7889", sourceCidrIp: "10.0.0.0/8", priority: 10, description };
    one = await RecyclingWorld.start({ rules: [before] });
    await one.recycle();
    const id = one.world.rules().find((rule) => rule.description === description)?.ruleId ?? "";
    await one.world.run(
      other().firewall.modify(one.world.web, id as never, { spec: idleSpec, description }, "t-1", "open"),
    );
    expect(one.rules()).toEqual([IDLE]);
    await one.pass(1);
    await one.recycle();
    await one.pass(8);
    await one.recycle();
    expect(await one.state()).toBeNull();
    await one.pass(4);
    await one.recycle();
    expect(await one.state()).toBe("noticed");
  });
});

describe("a lockdown", () => {
  const suspender = { kind: "lockdown", itemId: "ld-1", principal: "ann", reason: "incident", until: null } as const;

  it("that closes a rule has not removed it: its item waits, and the rule is there again afterwards", async () => {
    one = await RecyclingWorld.start();
    await one.quarantined();
    const { world } = one;
    await world.run(suspendRules(world.process(), world.web, suspender, [idleSpec]));
    await world.ticks(3);
    expect(one.rules()).toEqual([DROP]);
    await one.recycle();
    expect(await one.state()).toBe("quarantined");
    await world.run(resumeRules(world.process(), world.web, suspender.itemId));
    await world.ticks(3);
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
    expect(await one.notices()).not.toContain("recyclingDeleted");
  });

  it("of days makes silence unknown, also when it is over: nothing goes forward on it", async () => {
    one = await RecyclingWorld.start();
    await one.recycle();
    const { world } = one;
    const app = world.process();
    const lockdown = aLockdown({ startedAt: world.clock.now() });
    await world.run(saveLockdown(app.tables, lockdown));
    await one.pass(8);
    await one.recycle();
    expect([await one.state(), (await one.item())?.waiting]).toEqual([
      "noticed",
      { for: "evidence", why: [expect.stringContaining(`the lockdown ${lockdown.lockdownId}`)] },
    ]);
    const stored = await world.run(getLockdown(app.tables, lockdown.lockdownId));
    if (!stored) throw new Error("no lockdown");
    await world.run(saveLockdown(app.tables, { ...stored, state: "lifted", endedAt: world.clock.now() }));
    await one.pass(3);
    await one.recycle();
    expect(await one.state()).toBe("noticed");
    await one.pass(8);
    await one.recycle();
    expect(await one.state()).toBe("quarantined");
  });

  it("puts off a deletion that was decided: what it keeps closed it opens again", async () => {
    one = await RecyclingWorld.start();
    await one.quarantined();
    const { world } = one;
    const app = world.process();
    await world.run(suspendRules(app, world.web, suspender, [idleSpec]));
    await world.ticks(3);
    const item = await one.queued();
    const step = { to: "deleted", by: "safeport", why: "unused", at: world.clock.now() } as const;
    await world.run(saveRecyclingItem(app.tables, { ...item, step }));
    const deadlineAt = world.clock.monotonicMs() + 45_000;
    await world.run(settleItem(app, item.itemId, { policy: world.policy, deadlineAt }));
    expect([await one.state(), (await one.item())?.step]).toEqual(["quarantined", null]);
    await world.run(resumeRules(app, world.web, suspender.itemId));
    await world.ticks(3);
    expect(one.rules()).toEqual([IDLE, DROP]);
  });
});

it("a quarantine that is given up leaves no hold of its drop behind", async () => {
  one = await RecyclingWorld.start();
  await one.recycle();
  const { world } = one;
  const app = world.process();
  const item = await one.queued();
  const drop = { ...idleSpec, policy: "drop" as const };
  const entryId = entryIdOf(item.group.groupId, ruleKey(drop));
  const quarantine = aQuarantine({ entryId, drop, at: null });
  const now = world.clock.now();
  const step = { to: "quarantined", by: "safeport", why: "unused", at: now - 20 * 60_000 } as const;
  const stepping = { ...item, quarantine, step };
  await world.run(saveRecyclingItem(app.tables, stepping));
  await world.run(holdDrop(app, stepping, "safeport"));
  // Somebody took it away before the item knew that it stood; passes put it back.
  await world.run(changeEntry(app, item.group, entryId, (entry) => entry && { ...entry, undoneAt: [now] }));
  const deadlineAt = world.clock.monotonicMs() + 45_000;
  await world.run(settleItem(app, item.itemId, { policy: world.policy, deadlineAt }));
  await world.ticks(3);
  expect([await one.state(), (await one.item())?.step, one.rules()]).toEqual(["noticed", null, [IDLE]]);
});

it("a quarantine that nobody can read holds up no other rule of its group", async () => {
  one = await RecyclingWorld.start();
  await one.quarantined();
  const { world, itemId } = one;
  const damage = world.process().tables.update("recycling", ["sg-web", itemId], { body: "{" }, { kind: "present" });
  await world.run(damage);
  const { failed, rules } = await one.recycle();
  expect([failed, rules > 0]).toEqual([[], true]);
  expect(one.rules()).toEqual([IDLE, DROP]);
});

it("a drop whose row in the ledger cannot be read holds up no other rule of its group, and its item says so", async () => {
  const rule = (port: number) => ({
    ...{ portRange: `${port}/${port}`, sourceCidrIp: "10.0.0.0/8", priority: 10, description: "old tool, ask bob" },
  });
  one = await RecyclingWorld.start({ rules: [7889, 7890, 7891].map(rule) });
  await one.quarantined();
  const { world } = one;
  const { quarantine } = await one.queued();
  const key = ["sg-web", quarantine?.entryId ?? ""];
  await world.run(world.process().tables.update("ledger", key, { body: "{" }, { kind: "present" }));
  await one.pass(16);
  const { failed } = await one.recycle();
  expect(failed).toEqual([{ group: "sg-web", why: "STATE_UNREADABLE" }]);
  const { items } = await world.run(
    listRecyclingItems(world.process().tables, { groupId: world.web.groupId, limit: 10 }),
  );
  expect(items.flatMap(({ itemId, state }) => (state === "deleted" ? [] : [itemId]))).toEqual([one.itemId]);
  expect((await one.item())?.waiting).toMatchObject({ for: "person", why: [expect.stringContaining("ledger")] });
  expect(one.rules()).toEqual([IDLE, DROP]);
});

describe("a halt that lasts", () => {
  const set = (mode: "halt" | "normal") => {
    const admin = one.world.caller("root", ["admin"]);
    return one.world.run(setMode(one.world.process(), admin, { mode, reason: "incident" }, { dryRun: false }));
  };

  it("has a quarantine that was decided just before given up, and not written on old evidence when it ends", async () => {
    one = await RecyclingWorld.start();
    await one.recycle();
    await one.pass(8);
    const app = one.world.process(async (call, act) => {
      if (call.name === "put recycling") await set("halt");
      return act();
    });
    await one.recycle(app);
    expect([await one.state(), (await one.item())?.step?.to, one.rules()]).toEqual(["noticed", "quarantined", [IDLE]]);
    await one.world.ticks(20);
    expect([await one.state(), (await one.item())?.step, one.rules()]).toEqual(["noticed", null, [IDLE]]);
    await set("normal");
    await one.world.ticks(7);
    expect(one.rules()).toEqual([IDLE]);
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["quarantined", [IDLE, DROP]]);
  });

  it("has a deletion that was decided just before given up: the quarantine goes on", async () => {
    one = await RecyclingWorld.start();
    await one.quarantined();
    await one.pass(16);
    const app = one.world.process(async (call, act) => {
      if (call.name === "put recycling") await set("halt");
      return act();
    });
    await one.recycle(app);
    expect([await one.state(), (await one.item())?.step?.to, one.rules()]).toEqual([
      "quarantined",
      "deleted",
      [IDLE, DROP],
    ]);
    await one.world.ticks(20);
    expect([await one.state(), (await one.item())?.step, one.rules()]).toEqual(["quarantined", null, [IDLE, DROP]]);
    await set("normal");
    await one.world.ticks(7);
    expect(one.rules()).toEqual([IDLE, DROP]);
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
  });
});

it("a drop lapses by itself when nobody looks for a month", async () => {
  one = await RecyclingWorld.start();
  await one.quarantined();
  await one.pass(31);
  await one.world.sweep();
  expect(one.rules()).toEqual([IDLE]);
  await one.recycle();
  expect(await one.state()).toBe("restored");
});

it("a mode that is not normal begins nothing, and gives back all the same", async () => {
  one = await RecyclingWorld.start();
  await usedOnce();
  await one.recycle();
  await one.pass(8);
  const app = one.world.process();
  const admin = one.world.caller("root", ["admin"]);
  const set = (mode: "halt" | "normal") =>
    one.world.run(setMode(app, admin, { mode, reason: "incident" }, { dryRun: false }));
  await set("halt");
  await one.recycle();
  expect([await one.state(), one.rules()]).toEqual(["noticed", [IDLE]]);
  await set("normal");
  await one.recycle();
  expect(await one.state()).toBe("quarantined");
  await set("halt");
  await one.pass(2, [touched("refused", dayAfter(one.today, 1), [VISITOR])]);
  await one.watch();
  expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
});
