// Changes of allocations: what is written in which order, what a crash leaves, and who else may change at the same time.
import { describe, expect, test } from "vitest";
import type { Allocation } from "../../../shared/domain/allocation.ts";
import type { RuleId } from "../../../shared/domain/ids.ts";
import { entryIdOf, ruleKey } from "../../../shared/domain/rule-key.ts";
import { allocationsDigest, baselineAgrees } from "../../../shared/plan/effective-guard.ts";
import { readDue } from "../../../shared/store/due.ts";
import { getGroupRow, saveGroupRow } from "../../../shared/store/group-rows.ts";
import { listHistory } from "../../../shared/store/history.ts";
import { getEntry, listEntries, saveEntry } from "../../../shared/store/ledger.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { freshEntry } from "../../../shared/usecases/ledger/book-holds.ts";
import {
  type AllocationChange,
  changeAllocations,
  changeUnconfirmed,
  confirmAllocations,
  type OwedAgain,
} from "../../../shared/usecases/ledger/change-allocations.ts";
import { aSpec, somePorts } from "../../kit/rules.ts";
import { appWorld, GROUP, START } from "./app-world.ts";
import { dyingAt } from "./dying-app.ts";
import { frozenAt } from "./frozen-app.ts";

const specOf = (port: number) => aSpec({ ports: somePorts(`${port}/${port}`) });
const idOf = (port: number) => entryIdOf(GROUP.groupId, ruleKey(specOf(port)));

function anAllocation(changes: Partial<Allocation> = {}): Allocation {
  return {
    provenance: "adopted",
    owner: "ann",
    application: "",
    reason: "needed",
    ticket: "",
    allowedSources: [],
    openHours: null,
    description: "",
    by: "root",
    at: START,
    seenAt: START,
    ...changes,
  };
}

const give = (port: number, changes: Partial<Allocation> = {}): AllocationChange => ({
  spec: specOf(port),
  allocation: anAllocation(changes),
});
const retire = (port: number): AllocationChange => ({ spec: specOf(port), allocation: null });
const again = (port: number): OwedAgain => ({ spec: specOf(port), again: true });
const confirmation = { confirmedBy: "root", confirmedAt: START };
/** As `confirmation`, by somebody who has looked at the ledger as it is now. */
const looking = async (app: App) => ({ ...confirmation, looked: allocationsDigest(await entriesOf(app)) });

/** A world whose group has a confirmed baseline of these ports. */
async function confirmed(...ports: number[]) {
  const world = await appWorld();
  await confirmAllocations(
    world.app,
    GROUP,
    await looking(world.app),
    ports.map((port) => give(port)),
  );
  return world;
}

const entriesOf = async (app: App) => (await listEntries(app.tables, GROUP)).entries;
const baselineOf = async (app: App) => (await getGroupRow(app.tables, GROUP)).baseline;
const portsOf = async (app: App) =>
  (await entriesOf(app))
    .flatMap(({ allocation, key }) => (allocation ? [Number(/\|(\d+)\//.exec(key)?.[1])] : []))
    .sort((a, b) => a - b);
const dueOf = async (app: App) => (await readDue(app.tables, 0, START + 86_400_000, 100)).due;

describe("a rule that is owed again", () => {
  test("stays allocated as somebody has changed it meanwhile", async () => {
    const { app } = await confirmed(80);
    await changeAllocations(app, GROUP, "ann", [give(80, { owner: "the night shift" })]);
    await changeAllocations(app, GROUP, "bob", [again(80)]);
    expect((await getEntry(app.tables, GROUP, idOf(80)))?.allocation).toEqual(
      anAllocation({ owner: "the night shift", seenAt: null }),
    );
    expect(await baselineOf(app)).toMatchObject({ ...allocationsDigest(await entriesOf(app)), next: null });
  });

  test("stays away where nobody is granted it", async () => {
    const { app } = await confirmed(80);
    await changeAllocations(app, GROUP, "ann", [retire(80)]);
    await changeAllocations(app, GROUP, "bob", [again(80), again(443)]);
    expect(await portsOf(app)).toEqual([]);
  });
});

describe("a change", () => {
  test("of a group without a baseline writes entry and history, and has the group looked at", async () => {
    const { app } = await appWorld();
    await changeAllocations(app, GROUP, "ann", [give(80)]);
    expect((await getEntry(app.tables, GROUP, idOf(80)))?.allocation).toEqual(anAllocation());
    expect(await listHistory(app.tables, GROUP, idOf(80), 10)).toMatchObject([
      { kind: "allocated", by: "ann", before: null, after: { owner: "ann" } },
    ]);
    expect((await dueOf(app)).map((row) => row.groupId)).toEqual([GROUP.groupId]);
    expect(await baselineOf(app)).toBeNull();
  });

  test("of a confirmed group leaves a baseline that is the ledger, and keeps who confirmed it", async () => {
    const { app } = await confirmed(80);
    await changeAllocations(app, GROUP, "ann", [give(443), retire(80)]);
    const expected = allocationsDigest(await entriesOf(app));
    expect(await baselineOf(app)).toEqual({ ...confirmation, ...expected, next: null });
    expect(await portsOf(app)).toEqual([443]);
  });

  test("keeps the holders of an entry, and an entry that somebody holds", async () => {
    const { app } = await appWorld();
    const holder = {
      kind: "lease",
      holderId: "ls-1",
      principal: "ann",
      reason: "",
      until: START + 1000,
      openedAt: null,
      statedUntil: null,
      ended: null,
    } as never;
    await saveEntry(app.tables, { ...freshEntry(GROUP, specOf(80)), holders: [holder] });
    await changeAllocations(app, GROUP, "ann", [give(80)]);
    expect(await getEntry(app.tables, GROUP, idOf(80))).toMatchObject({
      allocation: { owner: "ann" },
      holders: [holder],
    });
    await changeAllocations(app, GROUP, "ann", [retire(80)]);
    expect(await getEntry(app.tables, GROUP, idOf(80))).toMatchObject({ allocation: null, holders: [holder] });
  });

  test.each([
    ["reads the ledger", 0],
    ["announces it", 1],
    ["tells the history", 2],
    ["writes the entry", 3],
    ["closes it off", 4],
  ] as const)("whose process is frozen before it %s has the group looked at afterwards", async (_what, nth) => {
    const { app, advance } = await confirmed(80);
    await changeAllocations(
      frozenAt(app, nth, () => advance(60_000)),
      GROUP,
      "ann",
      [give(443)],
    );
    expect((await dueOf(app)).some((row) => row.at > app.clock.now())).toBe(true);
  });

  test("in a ledger nobody confirmed has the group looked at afterwards, however long it took", async () => {
    const { app, advance } = await appWorld();
    await changeUnconfirmed(
      frozenAt(app, 2, () => advance(60_000)),
      GROUP,
      "ann",
      give(443),
    );
    expect((await dueOf(app)).some((row) => row.at > app.clock.now())).toBe(true);
  });

  test("that retires deletes the row only when nothing stands and no opening is on its way", async () => {
    const { app } = await appWorld();
    await changeAllocations(app, GROUP, "ann", [give(80), give(81, { seenAt: null }), give(82)]);
    const standing = await getEntry(app.tables, GROUP, idOf(82));
    if (standing)
      await saveEntry(app.tables, { ...standing, standing: { kind: "preExisting", ruleId: "sgr-1" as RuleId } });
    await changeAllocations(app, GROUP, "ann", [retire(80), retire(81), retire(82)]);
    expect((await entriesOf(app)).map((entry) => entry.entryId).sort()).toEqual([idOf(81), idOf(82)].sort());
    expect(await portsOf(app)).toEqual([]);
    const lines = await listHistory(app.tables, GROUP, idOf(80), 10);
    expect(lines.map((line) => line.kind).sort()).toEqual(["allocated", "retired"]);
  });

  test("to what is there already changes nothing and tells nothing, and of what was never there neither", async () => {
    const { app } = await confirmed(80);
    const before = await entriesOf(app);
    await changeAllocations(app, GROUP, "bob", [give(80, { by: "bob", at: START + 5000 }), retire(81)]);
    expect(await entriesOf(app)).toEqual(before);
    expect(await listHistory(app.tables, GROUP, idOf(80), 10)).toHaveLength(1);
    expect(await baselineOf(app)).toMatchObject({ count: 1, next: null });
  });

  test("makes what was settled unsettled, without a baseline too", async () => {
    const { app } = await appWorld();
    const row = await getGroupRow(app.tables, GROUP);
    await saveGroupRow(app.tables, { ...row, settled: { rules: "x", policyVersion: 1 } });
    await changeAllocations(app, GROUP, "ann", [give(80)]);
    expect((await getGroupRow(app.tables, GROUP)).settled).toBeNull();
  });
});

describe("a crash at any write", () => {
  test.each([
    ["an addition", [give(443)], [80, 443]],
    ["a retirement", [retire(80)], []],
    ["a replacement", [retire(80), give(8080)], [8080]],
  ] as const)(
    "of %s leaves a ledger the baseline knows, told and due; the same call finishes",
    async (_what, changes, ports) => {
      let deaths = 0;
      for (let n = 0; ; n++) {
        const { app, advance } = await confirmed(80);
        advance(60_000);
        const known = new Set((await dueOf(app)).map((row) => row.at));
        const entries = await entriesOf(app);
        const died = await changeAllocations(dyingAt(app, n), GROUP, "ann", changes).then(
          () => false,
          () => true,
        );
        const baseline = await baselineOf(app);
        const left = await entriesOf(app);
        expect(baseline && baselineAgrees(baseline, left), `after ${n} writes`).toBe(true);
        const isLookDue = (await dueOf(app)).some((row) => !known.has(row.at));
        expect(isLookDue || n === 0, `look after ${n} writes`).toBe(true);
        for (const port of [80, 443, 8080]) {
          const [was, is] = [entries, left].map((all) => all.some((it) => it.entryId === idOf(port) && it.allocation));
          const told = await listHistory(app.tables, GROUP, idOf(port), 10);
          if (was !== is) expect(told[0]?.kind, `${port} after ${n} writes`).toBe(is ? "allocated" : "retired");
        }
        await changeAllocations(app, GROUP, "ann", changes);
        expect(await portsOf(app)).toEqual(ports);
        expect(await baselineOf(app)).toMatchObject({ ...allocationsDigest(await entriesOf(app)), next: null });
        if (!died) break;
        deaths += 1;
      }
      expect(deaths).toBe(5 * changes.length - (changes.length - 1));
    },
  );

  test("of a confirmation leaves the group without one, or with one that agrees; the same call finishes", async () => {
    const changes = [give(80), give(443), give(22)];
    for (let n = 0; ; n++) {
      const { app } = await appWorld();
      const died = await confirmAllocations(dyingAt(app, n), GROUP, await looking(app), changes).then(
        () => false,
        () => true,
      );
      expect((await baselineOf(app)) === null, `after ${n} writes`).toBe(died);
      await confirmAllocations(app, GROUP, await looking(app), changes);
      expect(await portsOf(app)).toEqual([22, 80, 443]);
      expect(await baselineOf(app)).toEqual({
        ...confirmation,
        ...allocationsDigest(await entriesOf(app)),
        next: null,
      });
      if (!died) break;
    }
  });
});

describe("a ledger nobody confirmed", () => {
  async function disagreeing() {
    const world = await confirmed(80, 443);
    const entry = await getEntry(world.app.tables, GROUP, idOf(80));
    if (entry) await saveEntry(world.app.tables, { ...entry, allocation: null });
    return world;
  }

  test("is not changed, and stays a disagreement", async () => {
    const { app } = await disagreeing();
    await expect(changeAllocations(app, GROUP, "ann", [give(22)])).rejects.toMatchObject({
      code: "BASELINE_DISAGREES",
    });
    expect(await portsOf(app)).toEqual([443]);
    const baseline = await baselineOf(app);
    expect(baseline && baselineAgrees(baseline, await entriesOf(app))).toBe(false);
  });

  test("is made the baseline by a person's confirmation alone", async () => {
    const { app } = await disagreeing();
    await confirmAllocations(app, GROUP, { ...(await looking(app)), confirmedBy: "eve" }, [give(22)]);
    expect(await baselineOf(app)).toMatchObject({ confirmedBy: "eve", count: 2, next: null });
  });

  test("that changed while the person looked is not confirmed", async () => {
    const { app } = await confirmed(80);
    const looked = await looking(app);
    await changeAllocations(app, GROUP, "ann", [give(443)]);
    await expect(confirmAllocations(app, GROUP, looked, [give(22)])).rejects.toMatchObject({
      code: "BASELINE_CHANGED",
    });
    expect(await portsOf(app)).toEqual([80, 443]);
  });

  test("is confirmed by nobody whose turn is over", async () => {
    const { app } = await confirmed(80);
    const baseline = await baselineOf(app);
    const word = { ...(await looking(app)), confirmedBy: "eve" };
    await expect(confirmAllocations(app, GROUP, word, [give(22)], () => false)).rejects.toMatchObject({
      code: "GROUP_BUSY",
    });
    expect([await portsOf(app), (await baselineOf(app))?.confirmedBy]).toEqual([[80], baseline?.confirmedBy]);
  });

  test("is one with a row that cannot be read", async () => {
    const { app, tables } = await confirmed(80);
    await tables.put("ledger", [GROUP.groupId, "e-broken"], { body: "{", rev: 1 }, { kind: "none" });
    await expect(changeAllocations(app, GROUP, "ann", [give(22)])).rejects.toMatchObject({ code: "STATE_UNREADABLE" });
  });
});

describe("two changes of one group", () => {
  test("at the same time both happen, and the baseline is the ledger", async () => {
    const { app } = await confirmed(80);
    await Promise.all([
      changeAllocations(app, GROUP, "ann", [give(443)]),
      changeAllocations(app, GROUP, "bob", [give(22)]),
    ]);
    expect(await portsOf(app)).toEqual([22, 80, 443]);
    expect(await baselineOf(app)).toMatchObject({ ...allocationsDigest(await entriesOf(app)), next: null });
  });

  describe("one of them frozen until it counts as dead", () => {
    const freezes = [2, 3] as const;
    const changes: readonly (readonly [string, AllocationChange])[] = [
      ["grants", give(443)],
      ["retires", retire(80)],
    ];
    const cases = freezes.flatMap((nth) => changes.map(([what, change]) => [what, nth, change] as const));

    test.each(cases)(
      "before it %s with its write %i: what it makes of the other's ledger is the baseline",
      async (_what, nth, change) => {
        const { app } = await confirmed(80);
        const other = () => changeAllocations(app, GROUP, "bob", [give(8080)]);
        await changeAllocations(frozenAt(app, nth, other), GROUP, "ann", [change]);
        expect(await baselineOf(app)).toMatchObject({ ...allocationsDigest(await entriesOf(app)), next: null });
        expect(await portsOf(app)).toContain(8080);
      },
    );

    test.each(cases)(
      "before it %s with its write %i, while the other dies: the baseline is the ledger",
      async (_what, nth, change) => {
        const { app } = await confirmed(80);
        const other = () => changeAllocations(dyingAt(app, 2), GROUP, "bob", [give(8080)]).catch(() => undefined);
        await changeAllocations(frozenAt(app, nth, other), GROUP, "ann", [change]);
        expect(await baselineOf(app)).toMatchObject({ ...allocationsDigest(await entriesOf(app)), next: null });
      },
    );

    test.each(cases)(
      "before it %s with its write %i, which has no say in a ledger nobody confirmed",
      async (_what, nth, change) => {
        const { app } = await confirmed(80);
        const meddle = async (): Promise<void> => {
          await changeAllocations(app, GROUP, "bob", [give(8080)]);
          const entry = await getEntry(app.tables, GROUP, idOf(8080));
          if (entry) await saveEntry(app.tables, { ...entry, allocation: anAllocation({ owner: "nobody" }) });
        };
        await changeAllocations(frozenAt(app, nth, meddle), GROUP, "ann", [change]);
        const baseline = await baselineOf(app);
        expect(baseline && baselineAgrees(baseline, await entriesOf(app))).toBe(false);
      },
    );
  });

  test("one of them dead: it is waited for, then settled by what the ledger is", async () => {
    const { app } = await confirmed(80);
    // The look, the announcement, and no more.
    await expect(changeAllocations(dyingAt(app, 2), GROUP, "ann", [give(443)])).rejects.toThrow("died");
    expect((await baselineOf(app))?.next).not.toBeNull();
    const since = app.clock.now();
    await changeAllocations(app, GROUP, "bob", [give(22)]);
    expect(app.clock.now() - since).toBeGreaterThanOrEqual(2000);
    expect(await portsOf(app)).toEqual([22, 80]);
  });
});
