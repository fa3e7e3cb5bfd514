// Steps of the recycling queue that something stands in the way of: they come about all the same, or say what is wrong and what to do.
import { afterEach, describe, expect, it } from "vitest";
import type { Alarm } from "../../../shared/domain/alarm.ts";
import { entryIdOf, ruleKey } from "../../../shared/domain/rule-key.ts";
import { baselineAgrees } from "../../../shared/plan/effective-guard.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import type { Write } from "../../../shared/ports/tables.ts";
import { getGroupRow } from "../../../shared/store/group-rows.ts";
import { listEntries, saveEntry } from "../../../shared/store/ledger.ts";
import { getLockdown } from "../../../shared/store/lockdowns.ts";
import { saveRecyclingItem } from "../../../shared/store/recycling.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { freshEntry } from "../../../shared/usecases/ledger/book-holds.ts";
import { changeAllocations } from "../../../shared/usecases/ledger/change-allocations.ts";
import { resumeRules } from "../../../shared/usecases/ledger/resume-rules.ts";
import { suspendRules } from "../../../shared/usecases/ledger/suspend-rules.ts";
import { setMode } from "../../../shared/usecases/policy/set-mode.ts";
import { decideStep } from "../../../shared/usecases/recycling/move-recycling.ts";
import { restoreRecent } from "../../../shared/usecases/recycling/restore-recent.ts";
import { DROP, IDLE, idleSpec, RecyclingWorld } from "../../kit/recycling-world.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { lift, lock } from "../../kit/standby-world.ts";
import { worldSeed } from "../../kit/world.ts";

let one: RecyclingWorld;
afterEach(() => one.world.stop());

describe("a group that is gone", () => {
  /** A process to which the cloud shows no group `web`. */
  const without = (): App => {
    const app = one.world.process();
    const { groupId } = one.world.web;
    const gone = () => new CloudFailure("groupGone", "DescribeSecurityGroupAttribute");
    return {
      ...app,
      inventory: {
        ...app.inventory,
        group: async (ref, priority) => (ref.groupId === groupId ? null : app.inventory.group(ref, priority)),
        groupPage: async (...ask) => {
          const page = await app.inventory.groupPage(...ask);
          return { ...page, groups: page.groups.filter(({ ref }) => ref.groupId !== groupId) };
        },
      },
      firewall: {
        ...app.firewall,
        readGroup: async (ref, priority) => {
          if (ref.groupId === groupId) throw gone();
          return app.firewall.readGroup(ref, priority);
        },
      },
    };
  };

  it("takes its items with it", async () => {
    one = await RecyclingWorld.start();
    await one.recycle();
    await one.recycle(without());
    expect((await one.item())?.history.at(-1)).toMatchObject({ to: "deleted", by: "somebody else" });
  });

  it("ends the wait of a rule that was to be given back, says so, and holds up no other", async () => {
    one = await RecyclingWorld.start();
    await one.deleted();
    const item = await one.queued();
    const step = { to: "restored", by: "olga", why: "needed", at: one.world.clock.now() } as const;
    await one.world.run(saveRecyclingItem(one.world.process().tables, { ...item, step }));
    await one.recycle(without());
    expect(await one.item()).toMatchObject({
      ...{ state: "deleted", step: null },
      waiting: { for: "person", why: [expect.stringContaining("its group is gone")] },
    });
  });
});

describe("a group whose ledger is not the one that was confirmed", () => {
  /** Enforced, confirmed as it is, and the rule idle in it. */
  const enforced = async (): Promise<void> => {
    one = await RecyclingWorld.start({ policy: { groups: { guards: { web: "enforce" } } } });
    await one.confirm();
    await one.pass(11);
  };
  /** A row is in the ledger that nobody has confirmed. */
  const disagree = async (): Promise<void> => {
    const { world } = one;
    const allocation = (await one.entry())?.allocation ?? (await one.queued()).allocation;
    const stray = freshEntry(world.web, aSpec({ ports: somePorts("9999/9999") }));
    await world.run(saveEntry(world.process().tables, { ...stray, allocation }));
    await world.ticks(2);
  };

  it("gets a deleted rule back, with its permission, and it is said what the group needs", async () => {
    await enforced();
    await one.deleted();
    await disagree();
    const answer = await one.restore();
    await one.world.ticks(3);
    expect([await one.state(), (await one.queued()).step, one.rules()]).toEqual(["restored", null, [IDLE]]);
    expect(await one.entry()).toMatchObject({ allocation: { owner: "carol" }, suspension: null });
    expect(answer.notes).toEqual([expect.stringMatching(/ledger .* is not the one root confirmed .*\/baseline/)]);
  });

  it("keeps no suspension after a deletion: whoever opens the rule anew has a rule of their own", async () => {
    await enforced();
    await one.quarantined();
    await one.pass(16);
    await disagree();
    await one.recycle();
    await one.world.ticks(3);
    expect([await one.state(), one.rules(), await one.entry()]).toEqual(["deleted", [], null]);
    const { kept } = await one.queued();
    const bob = one.world.process(undefined, "ak-other");
    const rule = { spec: kept.spec, description: "mine now" };
    await one.world.run(bob.firewall.authorize(one.world.web, [rule], "t-1", "open"));
    await one.world.ticks(70);
    expect(one.rules()).toEqual(["accept 10 10.0.0.0/8 mine now"]);
  });
});

describe("a group whose ledger has a row that nobody can read", () => {
  const BROKEN = "e-broken";
  const isConfirmed = async (): Promise<boolean> => {
    const { world } = one;
    const { tables } = world.process();
    const [{ baseline }, { entries }] = await world.run(
      Promise.all([getGroupRow(tables, world.web), listEntries(tables, world.web)]),
    );
    return baseline !== null && baselineAgrees(baseline, entries);
  };

  it("gets a deleted rule back at once, and is enforced by what was confirmed, and by it, as soon as it can be read", async () => {
    one = await RecyclingWorld.start({ policy: { groups: { guards: { web: "enforce" } } } });
    await one.confirm();
    await one.pass(11);
    await one.deleted();
    const { world } = one;
    const { tables } = world.process();
    const { allocation } = await one.queued();
    const other = {
      spec: aSpec({ ports: somePorts("9999/9999") }),
      allocation: allocation && { ...allocation, seenAt: null },
    };
    await world.run(changeAllocations(world.process(), world.web, "carol", [other]));
    await world.ticks(2);
    const key = [world.web.groupId, entryIdOf(world.web.groupId, ruleKey(other.spec))];
    const row = await world.run(tables.get("ledger", key));
    const write = (body: unknown) => world.run(tables.update("ledger", key, { body: String(body) }, { kind: "none" }));
    await write("{");
    await one.restore();
    await world.ticks(3);
    expect([await one.state(), one.rules().includes(IDLE), await isConfirmed()]).toEqual(["restored", true, false]);
    await write(row?.columns["body"]);
    await world.ticks(3);
    expect([one.rules().includes(IDLE), await isConfirmed()]).toEqual([true, true]);
    await world.run(changeAllocations(world.process(), world.web, "carol", [{ ...other, allocation: null }]));
    expect(await isConfirmed(), "and the next change goes on from there").toBe(true);
  });

  it("keeps a deleted rule's permission until it can be read, closed as it is, and is enforced by what was confirmed", async () => {
    one = await RecyclingWorld.start({ policy: { groups: { guards: { web: "enforce" } } } });
    await one.confirm();
    await one.pass(11);
    await one.quarantined();
    await one.pass(16);
    const { world } = one;
    const { tables } = world.process();
    const key = [world.web.groupId, BROKEN];
    await world.run(tables.put("ledger", key, { body: "{", rev: 1 }, { kind: "none" }));
    await one.recycle();
    await world.ticks(3);
    expect([await one.state(), one.rules()]).toEqual(["quarantined", [DROP]]);
    expect(await one.queued()).toMatchObject({
      step: { to: "deleted" },
      waiting: { for: "person", why: [expect.stringContaining(BROKEN)] },
    });
    await world.run(tables.delete("ledger", key, { kind: "none" }));
    await world.ticks(3);
    expect([await one.state(), one.rules(), await one.entry(), await isConfirmed()]).toEqual([
      ...["deleted", [], null, true],
    ]);
  });
});

describe("a rule whose drop somebody has removed, and no pass has looked since", () => {
  /** By their own hand, and nobody hears of it. */
  const undrop = async (): Promise<void> => {
    const { world } = one;
    const other = world.process(undefined, "ak-other");
    const { rules } = await world.run(other.firewall.readGroup(world.web, "open"));
    const ids = rules.flatMap(({ id, policy }) => (policy === "drop" && id !== null ? [id] : []));
    await world.run(other.firewall.revoke(world.web, ids, "t-1", "open"));
  };

  /** The rule is the only one that is recycled, so that nothing else has the group looked at. */
  const alone = async (): Promise<void> => {
    const recycling = { groups: ["web"], steps: { quarantine: "auto", delete: "auto" } };
    one = await RecyclingWorld.start({
      recycling: { ...recycling, neverClose: [{ ports: "1-7000", reason: "other" }] },
    });
    await one.quarantined();
    await one.pass(16);
  };

  it("is not deleted, as it may be in use again, and is given back the same night", async () => {
    await alone();
    await undrop();
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
    expect((await one.queued()).history.at(-1)).toMatchObject({ by: "somebody else" });
  });

  it("is not deleted either where its deletion has begun", async () => {
    await alone();
    const dying = one.world.process(async (call, act) => {
      if (call.name === "ecs RevokeSecurityGroup") throw new Error("died");
      return act();
    });
    await expect(one.recycle(dying)).rejects.toThrow("died");
    await undrop();
    await one.watch();
    expect([await one.state(), (await one.queued()).step, one.rules()[0]]).toEqual(["quarantined", null, IDLE]);
  });
});

describe("a rule that the cloud does not take back", () => {
  it("is asked for again and again, and its item says why it is not there, and what to do", async () => {
    one = await RecyclingWorld.start();
    await one.deleted();
    const fault = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
    one.world.faults([{ service: "ecs", operation: "AuthorizeSecurityGroup", fault }]);
    const answer = await one.restore();
    expect(answer).toMatchObject({ settled: false, item: { state: "deleted", waiting: { for: "person" } } });
    expect(answer.item.waiting?.why.join()).toMatch(/Forbidden.RAM.*\. \w/);
    expect(answer.notes).toContain(answer.item.waiting?.why[0]);
    expect(await one.notices()).toContain("recyclingWaits");
    one.world.faults([]);
    await one.world.ticks(3);
    expect([await one.state(), (await one.queued()).waiting, one.rules()]).toEqual(["restored", null, [IDLE]]);
  });

  it("is closed again by nobody who does not see yet that it is back, and dies there", async () => {
    one = await RecyclingWorld.start();
    await one.confirm();
    await one.deleted();
    const { world } = one;
    // Whoever had it opened again has not lived to tell its item.
    const telling = world.process(async (call, act) => {
      if (call.name === "put recycling" && one.rules().includes(IDLE)) throw new Error("dies here");
      return act();
    });
    await one.restore(telling).catch(() => undefined);
    expect([await one.state(), one.rules()]).toEqual(["deleted", [IDLE]]);
    // As it was before it stood.
    const { firewall } = world.process();
    const old = await world.run(firewall.readGroup(world.web, "open"));
    const rules = old.rules.filter((rule) => ruleKey(rule) !== ruleKey(idleSpec));
    const blind = world.process(async (call, act) => {
      if (call.name === "get group") throw new Error("dies here");
      return act();
    });
    const stale: App = { ...blind, firewall: { ...blind.firewall, readGroup: async () => ({ ...old, rules }) } };
    await one.watch(stale).catch(() => undefined);
    let isClosed = false;
    const passing = world.process(async (_, act) => {
      const answer = await act();
      isClosed ||= !one.rules().includes(IDLE);
      return answer;
    });
    await world.sweep(passing);
    expect(isClosed).toBe(false);
    await world.ticks(12);
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  });

  it("waits out a mode that opens nothing, and says so", async () => {
    one = await RecyclingWorld.start();
    await one.deleted();
    const { world } = one;
    const set = (mode: "halt" | "normal") =>
      world.run(
        setMode(world.process(), world.caller("root", ["admin"]), { mode, reason: "incident" }, { dryRun: false }),
      );
    await set("halt");
    const { item } = await one.restore();
    expect(item.waiting).toEqual({ for: "policy", why: [expect.stringContaining("halt")] });
    await set("normal");
    await world.ticks(7);
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  });
});

it("a rule that the cloud does not take back keeps no lockdown of its group on", async () => {
  const lockdown = { core: ["80", "443"], groups: ["*"] };
  const operatorPath = [{ port: "22", sources: ["203.0.113.50"] }];
  one = await RecyclingWorld.start({ policy: { lockdown, operatorPath } });
  await one.deleted();
  const { lockdownId } = await lock(one.world, ["web"]);
  const fault = { kind: "reject", status: 403, code: "AuthorizationLimitExceed" } as const;
  const full = { service: "ecs", operation: "AuthorizeSecurityGroup", times: 1000, fault } as const;
  const state = async () => {
    await one.world.ticks(2);
    return (await one.world.run(getLockdown(one.world.process().tables, lockdownId)))?.state;
  };
  one.world.faults([full, { ...full, operation: "RevokeSecurityGroup" }]);
  await one.restore();
  await lift(one.world, lockdownId);
  expect([await state(), await one.state()]).toEqual(["lifting", "deleted"]);
  one.world.faults([full]);
  expect([await state(), await one.state(), one.rules()]).toEqual(["lifted", "deleted", []]);
  one.world.faults([]);
  await one.world.ticks(3);
  expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
});

describe("in a lockdown that closes the group by its accepts", () => {
  const http = aSpec({ ports: somePorts("80/80"), peer: fromCidr("0.0.0.0/0") });
  const lockdown = { kind: "lockdown", itemId: "ld-1", principal: "ann", reason: "", until: null } as const;

  it("a deleted rule is given back at its end, and its item says so meanwhile", async () => {
    one = await RecyclingWorld.start();
    await one.deleted();
    const { world } = one;
    await world.run(suspendRules(world.process(), world.web, lockdown, [http]));
    const { item } = await one.restore();
    await world.ticks(3);
    expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
    expect(item.waiting).toEqual({
      for: "policy",
      why: [expect.stringContaining("a lockdown keeps the group closed")],
    });
    await world.run(resumeRules(world.process(), world.web, lockdown.itemId));
    await world.ticks(3);
    expect([await one.state(), one.rules(), (await one.queued()).waiting]).toEqual(["restored", [IDLE], null]);
  });

  it("that begins just as a rule is deleted does not give it back", async () => {
    one = await RecyclingWorld.start();
    await one.quarantined();
    await one.pass(16);
    const { world } = one;
    let [before, isOn] = ["", false];
    const overtaken = world.process(async ({ name }, act) => {
      if (!isOn && !one.rules().includes(IDLE) && before === "get ledger" && name.startsWith("ecs Describe")) {
        isOn = true;
        await suspendRules(world.process(), world.web, lockdown, [http, idleSpec]);
      }
      before = name;
      return act();
    });
    await one.recycle(overtaken);
    expect([isOn, await one.state()]).toEqual([true, "deleted"]);
    await world.ticks(3);
    await world.run(resumeRules(world.process(), world.web, lockdown.itemId));
    await world.ticks(3);
    expect([one.rules(), await one.entry()]).toEqual([[], null]);
  });

  it("what is a core port comes back at once", async () => {
    one = await RecyclingWorld.start({ policy: { lockdown: { core: ["7890"] } } });
    await one.deleted();
    const { world } = one;
    await world.run(suspendRules(world.process(), world.web, lockdown, [http]));
    await one.restore();
    await world.ticks(3);
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  });
});

it("a step that a broken row holds up says so, and holds up no other step and no watch", async () => {
  one = await RecyclingWorld.start();
  await one.deleted();
  const { world } = one;
  const item = await one.queued();
  const step = { to: "restored", by: "olga", why: "needed", at: world.clock.now() } as const;
  await world.run(decideStep(world.process(), item, step));
  const { tables } = world.process();
  const columns = { spec: "{", version: 1 };
  await world.run(tables.put("ledger", [item.group.groupId, item.entryId], columns, { kind: "none" }));
  expect(await one.watch(), "and it is looked at again").toBeLessThanOrEqual(world.clock.now() + 60_000);
  expect(await one.queued()).toMatchObject({
    ...{ state: "deleted", step: { to: "restored" } },
    waiting: { for: "person", why: [expect.stringContaining("ledger")] },
  });
  await one.recycle();
});

it("where the cloud takes no drop, as enterprise groups may not, a person may have the rule deleted without", async () => {
  const groups = worldSeed.groups.map((it) => (it.groupId === "sg-web" ? { ...it, type: "enterprise" as const } : it));
  one = await RecyclingWorld.start({ seed: { ...worldSeed, groups }, switches: { enterpriseDrop: "refused" } });
  await one.quarantined();
  const why = expect.stringContaining("InvalidGroupParameter.OperationDenied");
  expect([await one.state(), (await one.queued()).step, one.rules()]).toEqual(["noticed", null, [IDLE]]);
  expect((await one.queued()).waiting).toEqual({ for: "person", why: [why] });
  expect(await one.notices()).toContain("recyclingWaits");
  await one.approve("delete");
  expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
  expect((await one.queued()).history.at(-1)).toMatchObject({ by: "ada", why });
});

it("a quarantine in a region that the policy takes in no more is lifted: nobody would look at it again", async () => {
  one = await RecyclingWorld.start();
  await one.quarantined();
  const { world } = one;
  world.policy = { ...world.policy, regions: ["cn-nowhere"] };
  await one.recycle(world.process(), true);
  expect(await one.state()).toBe("quarantined");
  await one.recycle();
  expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  expect((await one.queued()).history.at(-1)?.why).toContain("region");
});

it("what was closed lately is found for an alarm among any number of rules that were closed before", async () => {
  one = await RecyclingWorld.start();
  await one.deleted();
  const { world } = one;
  const app = world.process();
  const row = await world.run(app.tables.get("recycling", ["sg-web", one.itemId]));
  const columns = { ...row?.columns, body: String(row?.columns["body"]).replaceAll("sg-web", "sg-app") };
  const old = Array.from({ length: 1200 }, (_, n): Write => {
    const itemId = `rc-${n.toString(16).padStart(16, "0")}.sg-app`;
    return { kind: "put", table: "recycling", key: ["sg-app", itemId], columns };
  });
  await world.run(app.tables.writeAll(old));
  const alarm = { rule: "refusals", metric: "refused", dimensions: { instanceId: "i-web-1" } } as unknown as Alarm;
  const deadlineAt = world.clock.monotonicMs() + 45_000;
  expect(await world.run(restoreRecent(app, world.policy, alarm, deadlineAt))).toContain(one.itemId);
  expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
});
