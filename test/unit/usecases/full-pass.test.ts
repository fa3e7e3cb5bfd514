// Full passes in parts: every group is looked at once, whatever stops them in between.
import { describe, expect, test } from "vitest";
import { FULL_PASS_EVERY_MS } from "../../../shared/domain/full-pass.ts";
import type { Guard } from "../../../shared/domain/guard.ts";
import { settlementOf } from "../../../shared/domain/settlement.ts";
import { GUARD_TAG } from "../../../shared/plan/effective-guard.ts";
import { type Due, dueWrite } from "../../../shared/store/due.ts";
import { lastFullPass } from "../../../shared/store/full-pass.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { memoryTables } from "../../kit/memory-tables.ts";
import { type FullPassWorld, factsOf, fullPassWorld, REGION, refOf, START } from "./full-pass-world.ts";

const ids = (world: FullPassWorld): string[] => world.groups.map((group) => group.ref.groupId).sort();

/** Full passes that are still to come. */
async function coming(world: FullPassWorld): Promise<readonly number[]> {
  const page = await world.tables.range({ table: "due", from: [0, world.app.clock.now() + 1], to: null, limit: 100 });
  return page.rows.filter((row) => row.key[2] === "full-pass").map((row) => Number(row.key[1]) - START);
}

describe("a full pass", () => {
  test("glances at every group once, and comes again an hour after it began", async () => {
    const world = await fullPassWorld();
    await world.makeDue();
    await world.tick();
    expect([...world.glanced].sort()).toEqual(ids(world));
    expect(await world.due()).toEqual([]);
    expect(await coming(world)).toEqual([FULL_PASS_EVERY_MS]);
    expect(await lastFullPass(world.tables)).toEqual({ startedAt: START, endedAt: START, groups: 10 });
  });

  test("lists a small account once", async () => {
    const world = await fullPassWorld({ groups: 4 });
    await world.makeDue();
    await world.tick();
    expect(world.pages).toEqual(["", "3"]);
  });

  test("goes on where its time was over, and neither lists nor looks at all of it anew", async () => {
    const world = await fullPassWorld({ groups: 40, perPart: 10 });
    await world.makeDue();
    let ticks = 0;
    for (; (await world.due()).length > 0 && ticks < 50; ticks++) {
      world.callsLeft = 13;
      await world.tick();
    }
    expect([...new Set(world.glanced)].sort()).toEqual(ids(world));
    // A batch that was cut off by the deadline was begun, and is over.
    expect(world.glanced).toHaveLength(40);
    expect(ticks).toBeLessThan(15);
  });

  test.each(["throttled", "unknown"] as const)("waits for the next tick when a page is %s", async (kind) => {
    const world = await fullPassWorld();
    await world.makeDue();
    world.failures.set("page 6", kind);
    await world.tick();
    expect(world.glanced).toEqual([]);
    world.failures.clear();
    world.pages.length = 0;
    await world.tick();
    expect([...world.glanced].sort()).toEqual(ids(world));
    expect(world.pages[0]).not.toBe("");
  });

  test.each(["throttled", "unknown"] as const)("a region that is %s keeps no other one waiting", async (kind) => {
    const world = await fullPassWorld();
    world.policy = { ...world.policy, regions: ["cn-away", REGION] };
    world.failures.set("cn-away", kind);
    await world.makeDue();
    for (let minute = 0; minute < 59; minute++) {
      await world.tick();
      world.advance(60_000);
    }
    expect([...world.glanced].sort()).toEqual(ids(world));
    expect(await lastFullPass(world.tables)).toBeNull();
    for (let minute = 0; minute < 4; minute++) {
      await world.tick();
      world.advance(60_000);
    }
    // It is left to the next pass, which looks at the others once more.
    expect(world.glanced).toHaveLength(20);
    expect(world.errors.join()).toContain("the groups of cn-away could not be looked at");
    const notices = await world.tables.range({ table: "outbox", from: [], to: null, limit: 100 });
    expect(notices.rows.filter(({ columns }) => JSON.stringify(columns).includes("cn-away"))).toHaveLength(1);
  });

  test("a region that answers again within the hour is part of the same pass", async () => {
    const world = await fullPassWorld();
    world.policy = { ...world.policy, regions: [REGION, "cn-away"] };
    world.failures.set("cn-away", "unknown");
    await world.makeDue();
    for (let minute = 0; minute < 5; minute++) await world.tick();
    expect([...world.glanced].sort()).toEqual(ids(world));
    world.failures.clear();
    await world.tick();
    await world.tick();
    expect(world.glanced).toHaveLength(10);
    expect(await world.due()).toEqual([]);
    expect(await lastFullPass(world.tables)).toMatchObject({ groups: 10 });
  });

  test("a part of a region that falls silent is left to the next pass after an hour", async () => {
    const world = await fullPassWorld();
    await world.makeDue();
    world.callsLeft = 4;
    await world.tick();
    expect((await world.due()).length).toBeGreaterThan(1);
    world.callsLeft = Number.POSITIVE_INFINITY;
    world.failures.set(REGION, "unknown");
    await world.tick();
    expect((await world.due()).length).toBeGreaterThan(1);
    world.advance(FULL_PASS_EVERY_MS);
    await world.tick();
    await world.tick();
    expect(await lastFullPass(world.tables)).not.toBeNull();
    world.failures.clear();
    world.glanced.length = 0;
    for (let tick = 0; tick < 3; tick++) {
      world.advance(1000);
      await world.tick();
    }
    expect([...world.glanced].sort()).toEqual(ids(world));
  });

  test("begins the list anew when the cloud takes a cursor no longer, and still looks at each group", async () => {
    const world = await fullPassWorld();
    await world.makeDue();
    world.failures.set("page 6", "throttled");
    await world.tick();
    world.failures.clear();
    world.failures.set("page 6 once", "invalid");
    world.pages.length = 0;
    await world.tick();
    expect(world.pages.slice(0, 2)).toEqual(["6", ""]);
    expect([...world.glanced].sort()).toEqual(ids(world));
    expect(await world.due()).toEqual([]);
  });

  test("finds a part whose cursor is taken no longer by counting from the beginning", async () => {
    const world = await fullPassWorld({ perPart: 3 });
    await world.makeDue();
    // The list is walked and the first part is done.
    world.callsLeft = 7;
    await world.tick();
    world.callsLeft = Number.POSITIVE_INFINITY;
    world.failures.set("page 6 once", "invalid");
    world.pages.length = 0;
    await world.tick();
    expect(world.pages).toEqual(["3", "6", "", "3", "6", "9"]);
    expect([...world.glanced].sort()).toEqual(ids(world));
    expect(await world.due()).toEqual([]);
  });

  test("waits with a part that can be found in no way", async () => {
    const world = await fullPassWorld({ perPart: 3 });
    await world.makeDue();
    world.callsLeft = 7;
    await world.tick();
    world.callsLeft = Number.POSITIVE_INFINITY;
    world.failures.set("page 6", "invalid");
    await world.tick();
    expect(world.glanced).toHaveLength(7);
    world.failures.clear();
    await world.tick();
    expect([...world.glanced].sort()).toEqual(ids(world));
  });

  test("keeps none from its turn when one cannot be read, and tries that one again", async () => {
    const world = await fullPassWorld({ groups: 30, perPart: 30 });
    await world.makeDue();
    world.failures.set("sg-11", "unknown");
    await world.tick();
    expect([...world.glanced].sort()).toEqual(ids(world));
    world.glanced.length = 0;
    world.failures.clear();
    await world.tick();
    expect(world.glanced).toContain("sg-11");
    expect(await world.due()).toEqual([]);
  });

  test("looks at a group whose row is damaged for what ends, tells of it, and takes no other of its page for a new one", async () => {
    const world = await fullPassWorld({ groups: 3 });
    await world.tables.put("group", [REGION, "sg-1"], { body: "{", rev: 1 }, { kind: "none" });
    // What the policy says of it is not all there is to its guard.
    world.policy = { ...world.policy, groups: { ...world.policy.groups, guards: { "sg-1": "observe" } } };
    await world.keepRow(refOf("sg-2"), { tagGuard: "observe" });
    await world.makeDue();
    await world.tick();
    expect(world.looked.sort()).toEqual(["sg-1 full pass", "sg-2 full pass drift"]);
    expect(world.glanced).toEqual(["sg-0"]);
    expect(world.errors).toEqual([expect.stringContaining(`the row ${REGION} sg-1 of the table group`)]);
    expect(await world.due()).toEqual([]);
  });

  test.each(["damaged", "late"])(
    "wakes nobody again for a group that is %s, as long as another one keeps it from its end",
    async (how) => {
      const world = await fullPassWorld({ groups: 3 });
      const guards = { "sg-1": "observe", "sg-2": "observe" } as const;
      world.policy = { ...world.policy, groups: { ...world.policy.groups, guards } };
      if (how === "damaged") await world.tables.put("group", [REGION, "sg-1"], { body: "{", rev: 1 }, { kind: "none" });
      else world.busy.add("sg-1");
      if (how === "damaged") world.busy.add("sg-2");
      else world.failures.set("sg-0", "throttled");
      await world.makeDue();
      if (how === "late") world.advance(FULL_PASS_EVERY_MS);
      for (let ticks = 0; ticks < 3; ticks++) {
        await world.tick();
        world.advance(1000);
      }
      expect(world.errors.length).toBeGreaterThanOrEqual(3);
      expect(await world.due()).not.toEqual([]);
      expect(world.woken).toEqual([0]);
    },
  );

  test("leaves out what is gone, refused or managed by a service", async () => {
    const world = await fullPassWorld({ groups: 4, perPart: 10 });
    world.groups.push(factsOf("sg-lb", { serviceManaged: true }));
    world.failures.set("sg-1", "groupGone");
    world.failures.set("sg-2", "refused");
    await world.makeDue();
    await world.tick();
    expect(await world.due()).toEqual([]);
    expect(world.glanced).not.toContain("sg-lb");
    expect(world.errors).toEqual(["the group sg-2 cannot be read"]);
  });

  test("stops at throttling, and asks for no other part of the region", async () => {
    const world = await fullPassWorld({ groups: 40, perPart: 10 });
    await world.makeDue();
    for (const group of world.groups) world.failures.set(group.ref.groupId, "throttled");
    await world.tick();
    expect(world.glanced.length).toBeLessThan(10);
  });

  test("is done once when an older row of one is left over", async () => {
    const world = await fullPassWorld();
    await world.makeDue();
    await world.tick();
    world.advance(FULL_PASS_EVERY_MS / 2);
    await world.makeDue();
    world.glanced.length = 0;
    await world.tick();
    expect([world.glanced, await world.due()]).toEqual([[], []]);
    expect(await coming(world)).toEqual([FULL_PASS_EVERY_MS]);
  });

  test("tells when groups have not been seen for long", async () => {
    const world = await fullPassWorld();
    await world.makeDue();
    await world.tick();
    world.advance(3 * FULL_PASS_EVERY_MS);
    world.failures.set("sg-1", "throttled");
    await world.tick();
    expect(world.errors.join()).toContain("have not been looked at for over twice");
  });
});

describe("a full pass over several shards", () => {
  test("wakes the others for their parts, and does its own", async () => {
    const world = await fullPassWorld({ shards: 3, perPart: 3 });
    await world.makeDue();
    await world.tick(0);
    expect([...world.woken].sort()).toEqual([1, 2]);
    expect(world.glanced.length).toBeLessThan(10);
    await world.tick(1);
    await world.tick(2);
    expect([...world.glanced].sort()).toEqual(ids(world));
    await world.tick(0);
    expect(await world.due()).toEqual([]);
    expect(world.glanced).toHaveLength(10);
  });

  test("does without the others when no wake-up comes", async () => {
    const world = await fullPassWorld({ shards: 3, perPart: 3 });
    await world.makeDue();
    await world.tick(0);
    await world.tick(0);
    expect([...world.glanced].sort()).toEqual(ids(world));
    expect(await world.due()).toEqual([]);
  });
});

describe("what becomes of a group", () => {
  const DIGEST = "a.b";
  const same = (digest: string | null) =>
    digest === DIGEST ? ({ kind: "same" } as const) : ({ kind: "other", marked: false } as const);
  const marked = () => ({ kind: "other", marked: true }) as const;
  const other = () => ({ kind: "other", marked: false }) as const;

  interface Case {
    readonly what: string;
    readonly policy?: Guard;
    readonly tag?: string;
    /** Null: there is a row, and it is not settled. */
    readonly settled?: { readonly guard: Guard; readonly policyVersion?: number } | null;
    readonly tagGuard?: Guard;
    readonly glance: (digest: string | null) => ReturnType<typeof same> | ReturnType<typeof marked>;
    readonly glanced: boolean;
    readonly looked: string | null;
  }
  const cases: readonly Case[] = [
    { what: "no guard, no mark", glance: other, glanced: true, looked: null },
    { what: "no guard, a mark", glance: marked, glanced: true, looked: "full pass" },
    { what: "no guard, a mark, settled", settled: { guard: "none" }, glance: same, glanced: true, looked: null },
    { what: "guarded, nothing known", policy: "observe", glance: other, glanced: false, looked: "full pass drift" },
    { what: "guarded by tag", tag: "observe", glance: other, glanced: false, looked: "full pass drift" },
    {
      what: "guarded, settled",
      policy: "enforce",
      settled: { guard: "enforce" },
      glance: same,
      glanced: true,
      looked: null,
    },
    {
      what: "guarded by tag, settled",
      tag: "observe",
      tagGuard: "observe",
      settled: { guard: "observe" },
      glance: same,
      glanced: true,
      looked: null,
    },
    {
      what: "guarded, other rules",
      policy: "observe",
      settled: { guard: "observe" },
      glance: other,
      glanced: true,
      looked: "full pass drift",
    },
    {
      what: "settled under another guard",
      policy: "enforce",
      settled: { guard: "observe" },
      glance: same,
      glanced: false,
      looked: "full pass drift",
    },
    {
      what: "guarded no more",
      settled: { guard: "enforce", policyVersion: 0 },
      glance: same,
      glanced: false,
      looked: "full pass drift",
    },
    {
      what: "guarded once, and changed since",
      settled: null,
      glance: other,
      glanced: false,
      looked: "full pass drift",
    },
    {
      what: "settled under another policy",
      policy: "observe",
      settled: { guard: "observe", policyVersion: 7 },
      glance: same,
      glanced: false,
      looked: "full pass drift",
    },
    {
      what: "a tag that is gone",
      tagGuard: "observe",
      settled: { guard: "observe" },
      glance: same,
      glanced: false,
      looked: "full pass drift",
    },
    {
      what: "a new tag where the policy decides",
      policy: "enforce",
      tag: "observe",
      settled: { guard: "enforce" },
      glance: same,
      glanced: false,
      looked: "full pass drift",
    },
  ];

  test.each(cases)("$what", async (it) => {
    const world = await fullPassWorld({ groups: 1 });
    world.groups = [factsOf("sg-0", { tags: it.tag === undefined ? {} : { [GUARD_TAG]: it.tag } })];
    if (it.policy)
      world.policy = { ...world.policy, groups: { ...world.policy.groups, guards: { "sg-0": it.policy } } };
    const { settled, tagGuard = "none" } = it;
    if (settled !== undefined || it.tagGuard)
      await world.keepRow(refOf("sg-0"), {
        tagGuard,
        settled: settled
          ? { rules: settlementOf(settled.guard, DIGEST), policyVersion: settled.policyVersion ?? world.policy.version }
          : null,
      });
    world.glances.set("sg-0", it.glance);
    await world.makeDue();
    await world.tick();
    expect(world.glanced).toEqual(it.glanced ? ["sg-0"] : []);
    expect(world.looked).toEqual(it.looked === null ? [] : [`sg-0 ${it.looked}`]);
  });

  test("in a recovery every mark and every guarded group is looked at, whatever was settled", async () => {
    const world = await fullPassWorld({ groups: 3 });
    const settled = { rules: settlementOf("none", DIGEST), policyVersion: world.policy.version };
    await world.keepRow(refOf("sg-0"), { settled });
    await world.keepRow(refOf("sg-1"), { settled: { ...settled, rules: settlementOf("observe", DIGEST) } });
    world.policy = { ...world.policy, groups: { ...world.policy.groups, guards: { "sg-1": "observe" } } };
    world.glances.set("sg-0", (digest) => (digest === null ? marked() : same(digest)));
    const row: Due = { ...(await world.makeDue()), id: "recovery" };
    await world.tables.writeAll([
      dueWrite(row),
      { kind: "delete", table: "due", key: [0, row.at, "full-pass", "hourly"] },
    ]);
    await world.tick();
    expect([...world.looked].sort()).toEqual(["sg-0 recovery lost", "sg-1 recovery lost drift"]);
    expect(await world.tables.get("due", [0, 0, "installation", "test"])).not.toBeNull();
  });

  test("a group whose pass cannot be run stays to be looked at", async () => {
    const world = await fullPassWorld({ groups: 1 });
    world.glances.set("sg-0", marked);
    world.busy.add("sg-0");
    await world.makeDue();
    await world.tick();
    expect(await world.due()).not.toEqual([]);
    world.busy.clear();
    await world.tick();
    expect(await world.due()).toEqual([]);
    expect(world.looked).toHaveLength(2);
  });

  test("a group whose passes never can be run keeps the others from one full pass, and no more", async () => {
    const world = await fullPassWorld();
    world.policy = { ...world.policy, groups: { ...world.policy.groups, guards: { "sg-3": "observe" } } };
    world.busy.add("sg-3");
    await world.makeDue();
    await world.tick();
    expect(await world.due()).not.toEqual([]);
    world.advance(FULL_PASS_EVERY_MS);
    await world.tick();
    expect(world.errors.join()).toContain("sg-3 could not be looked at");
    world.glanced.length = 0;
    for (let ticks = 0; ticks < 3; ticks++) {
      world.advance(1000);
      await world.tick();
    }
    expect(new Set(world.glanced).size).toBeGreaterThanOrEqual(9);
  });
});

test("whatever call to the store a full pass dies at, the next ticks look at every group, and one pass is to come", async () => {
  for (let at = 0; ; at++) {
    const inner = memoryTables(schemas);
    let turn = 0;
    let isDead = false;
    const dying = new Proxy(inner, {
      get:
        (target, name: keyof typeof inner) =>
        (...input: never[]) => {
          if (isDead || turn++ === at) {
            isDead = true;
            return Promise.reject(new Error("died"));
          }
          return (target[name] as (...it: never[]) => unknown)(...input);
        },
    });
    const first = await fullPassWorld({ perPart: 3, tables: dying });
    turn = Number.NEGATIVE_INFINITY;
    const row = await first.makeDue();
    turn = 0;
    void row;
    const died = await first.tick().then(
      () => false,
      () => true,
    );
    const second = await fullPassWorld({ perPart: 3, tables: inner });
    for (let ticks = 0; ticks < 3; ticks++) await second.tick();
    const seen = new Set([...first.glanced, ...second.glanced]);
    expect([...seen].sort(), `died at ${at}`).toEqual(ids(second));
    expect(await second.due(), `died at ${at}`).toEqual([]);
    expect(await coming(second), `died at ${at}`).toEqual([FULL_PASS_EVERY_MS]);
    if (!died) {
      expect(at).toBeGreaterThan(15);
      return;
    }
  }
});
