// What a person says of drift, for every kind and state, and what passes make of it.
import { describe, expect, test } from "vitest";
import type { DriftItem, DriftState } from "../../../shared/domain/drift-item.ts";
import type { Guard } from "../../../shared/domain/guard.ts";
import type { RuleId } from "../../../shared/domain/ids.ts";
import type { Role } from "../../../shared/domain/permission.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { entryIdOf, ruleKey } from "../../../shared/domain/rule-key.ts";
import type { Tables } from "../../../shared/ports/tables.ts";
import { getDrift as readDrift, saveDrift } from "../../../shared/store/drift-items.ts";
import { getGroupRow, saveGroupRow } from "../../../shared/store/group-rows.ts";
import { getEntry, listEntries } from "../../../shared/store/ledger.ts";
import { listRecords } from "../../../shared/store/records.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { type DriftWord, decideDrift } from "../../../shared/usecases/drift/decide-drift.ts";
import { shownDriftId } from "../../../shared/usecases/drift/drift-id.ts";
import { getDrift, listDrift } from "../../../shared/usecases/drift/list-drift.ts";
import { getGroup } from "../../../shared/usecases/group/list-groups.ts";
import { changeAllocations } from "../../../shared/usecases/ledger/change-allocations.ts";
import { retireEntry } from "../../../shared/usecases/ledger/retire-entry.ts";
import { aCidr } from "../../kit/rules.ts";
import { GROUP } from "./app-world.ts";
import { dyingAt } from "./dying-app.ts";
import { type GuardedApp, guardedApp, ruleOf, specOf } from "./guarded-app.ts";

type Verb = Parameters<typeof decideDrift>[3];
const WAIT_MS = 1_000_000;
const STANDING = [ruleOf(80), ruleOf(443)];

interface Found {
  readonly guarded: GuardedApp;
  readonly item: DriftItem;
}

/** Somebody changes a group with a baseline of 80 and 443; in an enforced group that is rolled back. */
async function changed(guard: Guard, change: (rules: readonly Rule[]) => readonly Rule[]): Promise<GuardedApp> {
  const guarded = await guardedApp(guard, STANDING);
  await guarded.confirm();
  await guarded.look();
  guarded.world.rules = [...change(guarded.world.rules)];
  // The event never comes; a stale reading must not count either.
  for (let looks = 0; looks < 3; looks++) {
    await guarded.look();
    guarded.world.advance(WAIT_MS);
  }
  await guarded.look();
  return guarded;
}

/** As `changed`, with the one item that follows. */
async function found(guard: Guard, change: (rules: readonly Rule[]) => readonly Rule[]): Promise<Found> {
  const guarded = await changed(guard, change);
  return { guarded, item: await itemOf(guarded) };
}

async function itemOf(guarded: GuardedApp): Promise<DriftItem> {
  const { items } = await guarded.drift();
  const [item] = items;
  if (!item || items.length > 1) throw new Error(`there are ${items.length} items`);
  return item;
}

const add = (rules: readonly Rule[]) => [...rules, ruleOf(8080)];
const addDatabase = (rules: readonly Rule[]) => [...rules, ruleOf(3306, "0.0.0.0/0")];
const remove = (rules: readonly Rule[]) => rules.filter((rule) => !rule.id?.endsWith("-443"));
const edit = (rules: readonly Rule[]) =>
  rules.map((rule) => (rule.id?.endsWith("-443") ? { ...rule, ...specOf(8443) } : rule));

const decide = (
  { guarded, item }: Found,
  verb: Verb,
  word: Partial<DriftWord> = { owner: "dba", reason: "needed" },
  { role = "operator" as Role, dryRun = false, app = guarded.app as App } = {},
) => {
  const said = { owner: "", reason: "", ticket: "", sensitiveConfirmed: false, ...word };
  return decideDrift(app, guarded.caller(role), shownDriftId(item), verb, said, { dryRun });
};

const allocationOf = async ({ guarded }: Found, port: number, source?: string) =>
  (await getEntry(guarded.app.tables, GROUP, entryIdOf(GROUP.groupId, ruleKey(specOf(port, source)))))?.allocation ??
  null;
const stateOf = async (it: Found) => (await readDrift(it.guarded.app.tables, GROUP, it.item.driftId))?.state;
/** Passes go on for an hour and find nothing more to do, and nothing that differs. */
async function isAtRest({ guarded }: Found): Promise<boolean> {
  await guarded.look();
  const changes = guarded.world.changes.length;
  for (let looks = 0; looks < 4; looks++) {
    guarded.world.advance(WAIT_MS);
    await guarded.look();
  }
  const { items } = await guarded.drift();
  const isOpen = items.some((item) => ["waiting", "reported", "held", "rollingBack"].includes(item.state));
  return guarded.world.changes.length === changes && !isOpen;
}

describe("what was added", () => {
  test("is reported, and adopted it stands with owner and reason", async () => {
    const it = await found("observe", add);
    expect(it.item).toMatchObject({ kind: "added", state: "reported" });
    const { plan, item, reach } = await decide(it, "adopt");
    expect([plan, item.state, reach.ports]).toEqual([[`allocate ${ruleKey(specOf(8080))}`], "adopted", "8080"]);
    expect(await allocationOf(it, 8080)).toMatchObject({
      ...{ provenance: "adopted", owner: "dba", reason: "needed", description: "by hand 8080", by: "operator" },
    });
    expect(await isAtRest(it)).toBe(true);
    expect(it.guarded.ports()).toEqual([80, 443, 8080]);
  });

  test.each(["adopt", "restore"] as const)("and rolled back is opened again by %s, with all it said", async (verb) => {
    const it = await found("enforce", add);
    expect([it.item.state, it.guarded.ports()]).toEqual(["rolledBack", [80, 443]]);
    const { item } = await decide(it, verb);
    expect(item.state).toBe(verb === "adopt" ? "adopted" : "restored");
    expect(await isAtRest(it)).toBe(true);
    expect(it.guarded.ports()).toEqual([80, 443, 8080]);
    expect(it.guarded.world.rules.at(-1)).toMatchObject({ ...specOf(8080), description: "by hand 8080" });
    const group = await getGroup(it.guarded.app, it.guarded.caller("admin").policy, "web");
    expect(group.acts).toBe("enforce");
  });

  test("is not restored while it stands: there is nothing to bring back", async () => {
    const it = await found("observe", add);
    await expect(decide(it, "restore")).rejects.toMatchObject({ code: "DRIFT_DECIDED" });
  });

  test.each([{ owner: "dba" }, { reason: "needed" }])("needs an owner and a reason, not only %o", async (word) => {
    const it = await found("observe", add);
    await expect(decide(it, "adopt", word)).rejects.toMatchObject({ code: "REQUEST_INVALID" });
  });

  test.each([
    ["observe", "adopt"],
    ["enforce", "restore"],
  ] as const)("a sensitive port for everybody, in %s, is for an administrator's word to %s", async (guard, verb) => {
    const it = await found(guard, addDatabase);
    const word = { owner: "dba", reason: "needed" };
    const sure = { ...word, sensitiveConfirmed: true };
    await expect(decide(it, verb, word, { role: "admin" })).rejects.toMatchObject({ code: "SENSITIVE_UNCONFIRMED" });
    await expect(decide(it, verb, sure)).rejects.toMatchObject({ code: "SENSITIVE_UNCONFIRMED" });
    await decide(it, verb, sure, { role: "admin" });
    expect(await isAtRest(it)).toBe(true);
    expect(it.guarded.ports()).toContain(3306);
  });
});

test.each([
  ["a list", { kind: "prefixList", prefixListId: "pl-1" }],
  ["what makes the world with what is granted", { kind: "cidr", cidr: aCidr("3.0.0.0/8") }],
] as const)("a sensitive port for %s is adopted on an administrator's word alone", async (_what, peer) => {
  const guarded = await guardedApp("observe", [...STANDING, ruleOf(22, "1.0.0.0/8")]);
  await guarded.confirm();
  guarded.world.rules = [...guarded.world.rules, { ...ruleOf(22), id: "sgr-other" as RuleId, peer }];
  await guarded.look();
  guarded.world.advance(WAIT_MS);
  await guarded.look();
  const it = { guarded, item: await itemOf(guarded) };
  const sure = { owner: "dba", reason: "needed", sensitiveConfirmed: true };
  await expect(decide(it, "adopt")).rejects.toMatchObject({ code: "SENSITIVE_UNCONFIRMED" });
  await expect(decide(it, "adopt", sure)).rejects.toMatchObject({ code: "SENSITIVE_UNCONFIRMED" });
  await decide(it, "adopt", sure, { role: "admin" });
  expect(await isAtRest(it)).toBe(true);
});

describe("what was removed", () => {
  test("is opened again by restore, also where that is only observed", async () => {
    const it = await found("observe", remove);
    expect(it.item).toMatchObject({ kind: "removed", state: "reported" });
    const { plan, item } = await decide(it, "restore", {});
    expect([plan, item.state]).toEqual([[`open ${ruleKey(specOf(443))} again`], "restored"]);
    expect(await isAtRest(it)).toBe(true);
    expect(it.guarded.ports()).toEqual([80, 443]);
    expect(it.guarded.world.rules.at(-1)?.description).toBe("by hand 443");
  });

  test("and adopted is retired, and stays away", async () => {
    const it = await found("observe", remove);
    const { plan } = await decide(it, "adopt", {});
    expect(plan).toEqual([`retire ${ruleKey(specOf(443))}`]);
    expect(await allocationOf(it, 443)).toBeNull();
    expect(await isAtRest(it)).toBe(true);
    expect(it.guarded.ports()).toEqual([80]);
  });

  test("and rolled back is back: restore changes nothing, adopt retires it and names it as drift", async () => {
    const it = await found("enforce", remove);
    expect([it.item.state, it.guarded.ports()]).toEqual(["rolledBack", [80, 443]]);
    expect((await decide(it, "restore")).plan).toEqual([]);
    await decide(it, "adopt", {});
    expect(await allocationOf(it, 443)).toBeNull();
  });

  test("is restored as somebody has changed its entry meanwhile", async () => {
    const it = await found("observe", remove);
    const { guarded } = it;
    const before = await allocationOf(it, 443);
    if (!before) throw new Error("it is not allocated");
    // Their change falls between the reading of the entry and the first thing that is written.
    let changes = 0;
    const writeAll: Tables["writeAll"] = async (writes) => {
      changes += 1;
      const theirs = { spec: specOf(443), allocation: { ...before, owner: "the night shift" } };
      if (changes === 1) await changeAllocations(guarded.app, GROUP, "ann", [theirs]);
      return guarded.app.tables.writeAll(writes);
    };
    const app: App = { ...guarded.app, tables: { ...guarded.app.tables, writeAll } };
    await decide(it, "restore", {}, { app });
    expect(await allocationOf(it, 443)).toMatchObject({ owner: "the night shift" });
  });

  test("is not restored when its entry was retired meanwhile", async () => {
    const it = await found("observe", remove);
    const { app } = it.guarded;
    const entryId = entryIdOf(GROUP.groupId, ruleKey(specOf(443)));
    await retireEntry(app, it.guarded.caller("operator"), "web", entryId, { dryRun: false });
    await expect(decide(it, "restore")).rejects.toMatchObject({ code: "DRIFT_DECIDED" });
  });
});

describe("what was edited", () => {
  test("and adopted takes the entry's place, with the entry's owner", async () => {
    const it = await found("observe", edit);
    expect(it.item).toMatchObject({ kind: "edited", state: "reported" });
    await decide(it, "adopt", {});
    expect(await allocationOf(it, 443)).toBeNull();
    expect(await allocationOf(it, 8443)).toMatchObject({ provenance: "adopted", owner: "ops", reason: "as it was" });
    expect(await isAtRest(it)).toBe(true);
    expect(it.guarded.ports()).toEqual([80, 8443]);
  });

  test("and rolled back is what stands once it is adopted, and nothing else of the two", async () => {
    const it = await found("enforce", edit);
    expect([it.item.state, it.guarded.ports()]).toEqual(["rolledBack", [80, 443]]);
    await decide(it, "adopt", {});
    for (let looks = 0; looks < 4; looks++) {
      await it.guarded.look();
      it.guarded.world.advance(WAIT_MS);
    }
    expect(it.guarded.ports()).toEqual([80, 8443]);
  });

  test("and restored stands again as it was; what it became is left as drift of its own", async () => {
    const it = await found("observe", edit);
    await decide(it, "restore", {});
    await it.guarded.look();
    expect(it.guarded.ports()).toEqual([80, 443, 8443]);
    const { items } = await it.guarded.drift();
    expect(items.map((item) => [item.kind, item.state]).sort()).toEqual([
      ["added", expect.stringMatching(/waiting|reported/)],
      ["edited", "restored"],
    ]);
  });

  test("in its description alone gets that back", async () => {
    const it = await found("observe", (rules) =>
      rules.map((rule) => (rule.id?.endsWith("-443") ? { ...rule, description: "mine now" } : rule)),
    );
    const wanted = it.item.wanted?.description;
    const described = (): readonly string[] => it.guarded.world.rules.map(({ description }) => description);
    expect([it.item.kind, described().includes("mine now")]).toEqual(["edited", true]);
    expect((await decide(it, "restore", {})).plan).toEqual([`describe ${ruleKey(specOf(443))} as it was`]);
    await it.guarded.look();
    expect([described().includes("mine now"), described().includes(wanted ?? "")]).toEqual([false, true]);
    expect(await isAtRest(it)).toBe(true);
    expect(await stateOf(it)).toBe("restored");
  });
});

describe("a lowered tag", () => {
  async function lowered(): Promise<Found> {
    const guarded = await guardedApp("none", STANDING);
    const row = await getGroupRow(guarded.app.tables, GROUP);
    await saveGroupRow(guarded.app.tables, { ...row, tagGuard: "observe" });
    await guarded.confirm();
    await guarded.look();
    return { guarded, item: await itemOf(guarded) };
  }

  test("adopted takes effect", async () => {
    const it = await lowered();
    expect(it.item).toMatchObject({ kind: "guard", state: "reported" });
    expect((await decide(it, "adopt", {})).plan).toEqual(["lower the guard by tag to none"]);
    expect(await getGroup(it.guarded.app, it.guarded.caller("admin").policy, "web")).toMatchObject({ guard: "none" });
    expect(await stateOf(it)).toBe("adopted");
  });

  test.each(["restore", "release"] as const)("is not for %s", async (verb) => {
    const it = await lowered();
    const asked = decide(it, verb, {});
    if (verb === "release") expect((await asked).plan).toEqual([]);
    else await expect(asked).rejects.toMatchObject({ code: "DRIFT_DECIDED" });
    expect((await getGroupRow(it.guarded.app.tables, GROUP)).tagGuard).toBe("observe");
  });
});

describe("a hold", () => {
  async function held(): Promise<Found> {
    const it = await found("observe", add);
    const { tables } = it.guarded.app;
    const row = await getGroupRow(tables, GROUP);
    const { key, driftId } = it.item;
    await saveGroupRow(tables, {
      ...row,
      holds: [
        { key, since: 1 },
        { key: ruleKey(specOf(1)), since: 1 },
      ],
      reverts: [{ key, driftId, at: 1 }],
    });
    const item = await saveDrift(tables, { ...it.item, state: "held", heldBy: "hold" }, 1);
    return item ? { ...it, item } : it;
  }

  test("that is let go of leaves neither hold nor counter of its rule, and others alone", async () => {
    const it = await held();
    const { item, plan } = await decide(it, "release", {});
    expect([item.state, item.heldBy, plan.length]).toEqual(["reported", null, 1]);
    const { holds, reverts } = await getGroupRow(it.guarded.app.tables, GROUP);
    expect([holds, reverts]).toEqual([[{ key: ruleKey(specOf(1)), since: 1 }], []]);
    expect((await decide(it, "release", {})).plan).toEqual([]);
  });

  test("ends with any decision: what was accepted, and is opened again once it is retired, is judged anew", async () => {
    const it = await held();
    await decide(it, "adopt");
    const { holds, reverts } = await getGroupRow(it.guarded.app.tables, GROUP);
    expect([holds, reverts]).toEqual([[{ key: ruleKey(specOf(1)), since: 1 }], []]);
  });

  test("is not let go of where there is none", async () => {
    const it = await found("enforce", add);
    await expect(decide(it, "release", {})).rejects.toMatchObject({ code: "DRIFT_DECIDED" });
  });
});

describe("any decision", () => {
  test.each([
    ["adopt", "observe", add],
    ["restore", "enforce", add],
    ["restore", "observe", remove],
    ["adopt", "observe", edit],
  ] as const)("to %s, repeated, changes nothing; in a dry run it writes nothing", async (verb, guard, change) => {
    const it = await found(guard, change);
    const before = it.guarded.world.writes();
    expect((await decide(it, verb, undefined, { dryRun: true })).plan.length).toBeGreaterThan(0);
    expect(it.guarded.world.writes()).toBe(before);
    await decide(it, verb);
    const decided = it.guarded.world.writes();
    expect((await decide(it, verb)).plan).toEqual([]);
    expect(it.guarded.world.writes()).toBe(decided);
  });

  test.each([
    ["adopt", "observe", add],
    ["restore", "enforce", add],
    ["restore", "observe", remove],
    ["adopt", "observe", remove],
    ["adopt", "observe", edit],
  ] as const)("to %s that dies at any write is finished by the same call", async (verb, guard, change) => {
    for (let n = 0; ; n++) {
      const it = await found(guard, change);
      const died = await decide(it, verb, undefined, { app: dyingAt(it.guarded.app, n) }).then(
        () => false,
        () => true,
      );
      const { item } = await decide(it, verb);
      expect(item.state, `after ${n} writes`).toBe(verb === "adopt" ? "adopted" : "restored");
      const group = await getGroup(it.guarded.app, it.guarded.caller("admin").policy, "web");
      expect(group.why, `after ${n} writes`).toEqual([]);
      expect(await isAtRest(it), `after ${n} writes`).toBe(true);
      if (!died) return;
    }
  });

  test("is recorded with who took it and why", async () => {
    const it = await found("observe", add);
    await decide(it, "adopt");
    const { records } = await listRecords(it.guarded.app.tables, { limit: 1, before: null });
    expect(records[0]).toMatchObject({ cause: `adopt ${shownDriftId(it.item)}`, actor: "operator" });
    expect(records[0]?.lines).toContain("needed");
  });

  test.each<[DriftState, Verb]>([
    ["gone", "adopt"],
    ["gone", "restore"],
    ["adopted", "restore"],
    ["restored", "adopt"],
    ["gone", "release"],
  ])("about what is %s is refused: %s", async (state, verb) => {
    const it = await found("observe", remove);
    await saveDrift(it.guarded.app.tables, { ...it.item, state }, 1);
    const { entries: before } = await listEntries(it.guarded.app.tables, GROUP);
    await expect(decide(it, verb)).rejects.toMatchObject({ code: "DRIFT_DECIDED" });
    expect((await listEntries(it.guarded.app.tables, GROUP)).entries).toEqual(before);
  });

  test("counts although a pass moves the item at the same time", async () => {
    const it = await found("observe", remove);
    const { app } = it.guarded;
    const tables: Tables = {
      ...app.tables,
      put: async (table, key, columns, condition) => {
        if (table !== "drift" || columns["state"] === undefined) return app.tables.put(table, key, columns, condition);
        const now = await readDrift(app.tables, GROUP, it.item.driftId);
        if (now?.state === "reported") await saveDrift(app.tables, { ...now, state: "gone" }, 1);
        return app.tables.put(table, key, columns, condition);
      },
    };
    await decide(it, "restore", {}, { app: { ...app, tables } });
    expect(await stateOf(it)).toBe("restored");
  });

  test.each([
    "dr-1",
    "dr-0123456789abcdef0123",
    "dr-0123456789abcdef0123.sg-web",
    "dr-0123456789abcdef0123.sg-web/x",
    "",
  ])("needs an item that is there: %s", async (id) => {
    const { app, caller } = await guardedApp("observe", []);
    await expect(getDrift(app, caller("auditor"), id)).rejects.toMatchObject({ code: "DRIFT_UNKNOWN" });
  });

  test("is about an item that the list names, by group and state, in pages", async () => {
    const guarded = await changed("observe", (rules) => [...add(rules), ruleOf(8081), ruleOf(8082)].slice(1));
    const caller = guarded.caller("auditor");
    const seen: DriftItem[] = [];
    let cursor: readonly [string, string] | null = null;
    do {
      const page: Awaited<ReturnType<typeof listDrift>> = await listDrift(guarded.app, caller, {
        ...{ limit: 2, cursor, group: "web", state: "reported" },
      });
      seen.push(...page.items);
      cursor = page.next;
    } while (cursor !== null);
    expect(seen.map((item) => item.kind).sort()).toEqual(["added", "added", "added", "removed"]);
    for (const item of seen) expect(await getDrift(guarded.app, caller, shownDriftId(item))).toEqual(item);
  });
});
