import { describe, expect, it } from "vitest";
import {
  groupOfRecyclingId,
  isInQueue,
  mayMove,
  moved,
  RECYCLING_STATES,
  recyclingIdOf,
  stepDigest,
} from "../../../shared/domain/recycling-item.ts";
import { anItem } from "../../kit/recycling.ts";

describe("the moves of a recycling item", () => {
  it("lets the program go one step at a time, never past a notice or a quarantine", () => {
    expect(mayMove("queued", "noticed", "program")).toBe(true);
    expect(mayMove("queued", "quarantined", "program")).toBe(false);
    expect(mayMove("queued", "quarantined", "person")).toBe(false);
    expect(mayMove("noticed", "quarantined", "program")).toBe(true);
    expect(mayMove("quarantined", "deleted", "program")).toBe(true);
    expect(mayMove("deleted", "queued", "program")).toBe(false);
    expect(mayMove("exempt", "queued", "person")).toBe(false);
  });

  it("lets a person restore or exempt from every state, and the program exempt from none", () => {
    for (const state of RECYCLING_STATES) {
      if (state !== "restored") expect(mayMove(state, "restored", "person")).toBe(true);
      expect(mayMove(state, "exempt", "person")).toBe(true);
      expect(mayMove(state, "exempt", "program")).toBe(false);
    }
  });

  it("keeps who, why and when of each move, the newest fifty", () => {
    let item = anItem();
    const word = (at: number) => ({ by: "alice", why: `reason ${at}`, at, mover: "person" as const });
    for (let at = 1; at <= 60; at++) item = moved(item, "exempt", word(at));
    expect(item.history).toHaveLength(50);
    expect(item.history.at(-1)).toEqual({ from: "exempt", to: "exempt", by: "alice", why: "reason 60", at: 60 });
    expect(item.moves).toBe(61);
    expect(item.since).toBe(60);
  });

  it("forgets on a move what was decided and awaited before", () => {
    const approvals = [{ step: "delete" as const, by: "bob", at: 1, digest: "d" }];
    const waiting = { for: "approval" as const, why: ["…"] };
    const step = { to: "restored" as const, by: "bob", why: "…", at: 1 };
    const item = anItem({ state: "noticed", approvals, waiting, step });
    const restored = moved(item, "restored", { by: "bob", why: "needed", at: 2, mover: "person" });
    expect(restored).toMatchObject({ approvals: [], waiting: null, step: null, quarantine: null });
    expect(moved(item, "quarantined", { by: "bob", why: "", at: 2, mover: "program" }).approvals).toEqual(approvals);
  });

  it("throws on a move that is none", () => {
    const word = { by: "safeport", why: "", at: 1, mover: "program" as const };
    expect(() => moved(anItem(), "quarantined", word)).toThrow("no program moves queued to quarantined");
  });
});

it("names the item of a rule by its ledger entry, so that a rule is never queued twice", () => {
  const item = anItem();
  expect(item.itemId).toBe(recyclingIdOf(item.group.groupId, item.entryId));
  expect(item.itemId).toMatch(/^rc-[0-9a-f]{16}\.sg-web$/);
  expect(groupOfRecyclingId(item.itemId)).toBe("sg-web");
  for (const text of ["", "rc-0123", "rc-0123456789abcdef", "rc-0123456789abcdef.web", `${item.itemId} `])
    expect(groupOfRecyclingId(text)).toBeNull();
});

it("binds an approval to the step, the rule in full and the change", () => {
  const item = anItem();
  const digest = stepDigest(item, "quarantine", "drop");
  expect(digest).toMatch(/^[0-9a-f]{16}$/);
  expect(stepDigest(item, "delete", "drop")).not.toBe(digest);
  expect(stepDigest(item, "quarantine", "other drop")).not.toBe(digest);
  expect(stepDigest({ ...item, kept: { ...item.kept, description: "other" } }, "quarantine", "drop")).not.toBe(digest);
});

it("counts as in the queue what is on its way to deletion", () => {
  expect(RECYCLING_STATES.filter((state) => isInQueue({ state }))).toEqual(["queued", "noticed", "quarantined"]);
});
