// Whom a moved item of drift is told, and what.
import { describe, expect, test } from "vitest";
import type { DriftItem } from "../../../shared/domain/drift-item.ts";
import type { GroupId } from "../../../shared/domain/ids.ts";
import { noticeOf } from "../../../shared/domain/notice.ts";
import { driftNotices } from "../../../shared/plan/drift-notices.ts";
import { attributionOf } from "../../../shared/plan/judge-drift.ts";
import { anAllocated, anAllocation, anItem, aSighting } from "../../kit/drift-pictures.ts";
import { anEntry, GROUP, NOW } from "../../kit/plan-pictures.ts";

const told = (changes: Partial<DriftItem>, entries = [anEntry()]) =>
  driftNotices([anItem(changes)], entries, NOW, (item) => `group/${item.driftId}`);
const foreign = { kind: "foreign", writer: "dts" } as const;

describe("an item that has moved", () => {
  test.each([
    ["reported", null, "driftFound"],
    ["reported", "freeze", "driftHeld"],
    ["held", "hold", "driftHeld"],
    ["rolledBack", null, "driftRolledBack"],
    ["adopted", null, "driftAdopted"],
  ] as const)("%s, held by %s, is told as %s", (state, heldBy, kind) => {
    expect(told({ state, heldBy }).map((it) => it.kind)).toEqual([kind]);
  });

  test.each(["waiting", "rollingBack", "gone"] as const)("is not told on its way: %s", (state) => {
    expect(told({ state })).toEqual([]);
  });

  test("of a cloud service is not told: it writes rules of its own all day", () => {
    for (const state of ["reported", "held", "rolledBack", "adopted"] as const)
      expect(told({ state, verdict: foreign })).toEqual([]);
  });
});

describe("what is told", () => {
  test("is what it opens or closes and who did it, by the name people know it under, to the group and the operators", () => {
    expect(told({ attribution: attributionOf(aSighting()) })).toEqual([
      expect.objectContaining({
        ...{ kind: "driftFound", at: NOW, group: GROUP },
        to: [{ kind: "group" }, { kind: "role", role: "operator" }],
        data: { drift: "group/dr-1", change: "added", reach: "opens tcp 22", actor: "bob (198.51.100.9)" },
      }),
    ]);
    expect(told({})).toMatchObject([{ data: { actor: "-" } }]);
  });

  test("of a rollback that is held says by what", () => {
    expect(told({ heldBy: "freeze" })).toMatchObject([{ data: { heldBy: "freeze" } }]);
    expect(told({ state: "held", heldBy: null })).toMatchObject([{ data: { heldBy: "hold" } }]);
  });

  test("is one notice however often it is told, and another for each item, state, group and holder", () => {
    const group = { ...GROUP, groupId: "sg-other" as GroupId };
    const some = [
      {},
      { driftId: "dr-2" },
      { group },
      { state: "rolledBack" },
      { heldBy: "freeze" },
      { heldBy: "mode" },
    ] as const;
    const ids = some.flatMap((changes) => told(changes).map(({ id }) => id));
    expect(new Set(ids).size).toBe(some.length);
    expect(some.flatMap((changes) => told({ ...changes, rev: 7 }).map(({ id }) => id))).toEqual(ids);
  });

  test("has the same id when another release tells it once more", () => {
    const fact = { at: NOW, group: GROUP, to: [], data: {} as never };
    const idOf = (kind: "driftFound" | "driftHeld", dedupe: string) => noticeOf(kind, { ...fact, dedupe }).id;
    expect(told({})[0]?.id).toBe(idOf("driftFound", "sg-web/dr-1/reported/"));
    expect(told({ heldBy: "freeze" })[0]?.id).toBe(idOf("driftHeld", "sg-web/dr-1/reported/freeze"));
  });

  test("of a granted rule goes to its owner as well, and to no other entry's", () => {
    const entry = anAllocated({ allocation: anAllocation({ owner: "dora" }) });
    const owner = { kind: "person", principal: "dora" };
    expect(told({ entryId: entry.entryId }, [entry])[0]?.to).toContainEqual(owner);
    expect(told({ entryId: null }, [entry])[0]?.to).not.toContainEqual(owner);
    expect(told({ entryId: anEntry().entryId })[0]?.to).toHaveLength(2);
    const nobodys = anAllocated({ allocation: anAllocation({ owner: "" }) });
    expect(told({ entryId: nobodys.entryId }, [nobodys])[0]?.to).toHaveLength(2);
  });
});
