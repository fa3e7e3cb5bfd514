import { describe, expect, it } from "vitest";
import {
  countsFrom,
  groupOfRecyclingId,
  isInQueue,
  isOnShortEvidence,
  type Mover,
  mayMove,
  moved,
  OTHERS,
  quarantinedBy,
  queuedItem,
  RECYCLING_STATES,
  type RecyclingItem,
  type RecyclingState,
  recyclingIdOf,
  stepDigest,
} from "../../../shared/domain/recycling-item.ts";
import { aJudgement, anItem, aQuarantine, unusedRule } from "../../kit/recycling.ts";

it("tells of others by the words that are in stored items", () => {
  expect(OTHERS).toBe("somebody else");
});

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
  expect(quarantinedBy(item.group.groupId, { ...item.kept.spec, policy: "drop" })).toBe(item.itemId);
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

describe("the table of moves", () => {
  it("is this, and nothing else", () => {
    const moves = RECYCLING_STATES.flatMap((from) =>
      RECYCLING_STATES.flatMap((to) =>
        (["program", "person"] as const)
          .filter((mover) => mayMove(from, to, mover))
          .map((mover) => `${from} > ${to}: ${mover}`),
      ),
    );
    expect(moves).toEqual([
      "queued > noticed: program",
      "queued > deleted: program",
      "queued > restored: program",
      "queued > restored: person",
      "queued > exempt: person",
      "noticed > quarantined: program",
      "noticed > quarantined: person",
      "noticed > deleted: program",
      "noticed > deleted: person",
      "noticed > restored: program",
      "noticed > restored: person",
      "noticed > exempt: person",
      "quarantined > deleted: program",
      "quarantined > deleted: person",
      "quarantined > restored: program",
      "quarantined > restored: person",
      "quarantined > exempt: person",
      "deleted > restored: program",
      "deleted > restored: person",
      "deleted > exempt: person",
      "restored > queued: program",
      "restored > exempt: person",
      "exempt > queued: program",
      "exempt > deleted: program",
      "exempt > restored: person",
      "exempt > exempt: person",
    ]);
  });

  it("leaves an item what belongs to its next state alone", () => {
    const quarantine = aQuarantine();
    const exemption = { owner: "ann", reason: "needed", by: "ann", until: 9 };
    const approvals = [{ step: "delete" as const, by: "bob", at: 1, digest: "d" }];
    const at = (state: RecyclingState) => anItem({ state, quarantine, exemption, approvals });
    const word = { by: "ann", why: "so", at: 7, mover: "person" as const };
    const left = (from: RecyclingState, to: RecyclingState, mover: Mover = "person") => {
      const item = moved(at(from), to, { ...word, mover });
      return [item.state, item.quarantine !== null, item.exemption !== null, item.approvals.length];
    };
    expect(left("queued", "noticed", "program")).toEqual(["noticed", false, false, 1]);
    expect(left("noticed", "quarantined")).toEqual(["quarantined", true, false, 1]);
    expect(left("quarantined", "deleted")).toEqual(["deleted", false, false, 0]);
    expect(left("deleted", "restored")).toEqual(["restored", false, false, 0]);
    expect(left("restored", "exempt")).toEqual(["exempt", false, true, 0]);
    expect(left("exempt", "queued", "program")).toEqual(["queued", false, false, 0]);
  });
});

describe("an item that is queued", () => {
  const about = {
    ...{ group: anItem().group, groupName: "web", owner: "team-a", reach: "closes tcp 7890" },
    ...{ judged: aJudgement({ reasons: ["no session", "no attempt"] }), at: 5 },
  };

  it("for the first time, keeps the rule in full and why it is there", () => {
    const { approvals, exemption, quarantine, ...item } = queuedItem(unusedRule, { ...about, before: null });
    expect([approvals, exemption, quarantine]).toEqual([[], null, null]);
    expect(item).toEqual({
      ...{ itemId: anItem().itemId, group: about.group, groupName: "web", owner: "team-a", reach: "closes tcp 7890" },
      ...{ entryId: anItem().entryId, key: anItem().key, ruleId: "sgr-unused", kept: anItem().kept, allocation: null },
      ...{ state: "queued", since: 5, step: null, waiting: null, judged: about.judged, moves: 1, rev: 0 },
      history: [{ from: null, to: "queued", by: "safeport", why: "no session; no attempt", at: 5 }],
    });
  });

  it("once more, goes on with its history", () => {
    const history = Array.from({ length: 50 }, (_, at) => ({
      from: null,
      to: "queued" as const,
      by: "safeport",
      why: "",
      at,
    }));
    const before = anItem({ state: "restored", history, moves: 61, rev: 8 });
    const item = queuedItem(unusedRule, { ...about, before });
    expect(item).toMatchObject({ state: "queued", moves: 62, rev: 8 });
    expect(item.history).toHaveLength(50);
    expect(item.history[0]).toEqual(history[1]);
    expect(item.history.at(-1)).toMatchObject({ from: "restored", to: "queued", at: 5 });
  });
});

describe("short evidence", () => {
  const told = { step: "quarantine" as const, by: "bob", at: 1, digest: "d", onShortEvidence: true };
  it.each<[boolean, string, Partial<RecyclingItem>]>([
    [true, "queued early", { windowDays: 3, state: "queued" }],
    [true, "noticed early", { state: "noticed" }],
    [true, "in quarantine by the word of somebody who knew", { state: "quarantined", approvals: [told] }],
    [false, "in quarantine by nobody's word", { state: "quarantined" }],
    [
      false,
      "in quarantine by a word for something else",
      { state: "quarantined", approvals: [{ ...told, step: "delete" }] },
    ],
    [
      false,
      "in quarantine by somebody who did not know",
      { state: "quarantined", approvals: [{ ...told, onShortEvidence: false }] },
    ],
    [
      true,
      "in quarantine by two words, of which one knew",
      { state: "quarantined", approvals: [{ ...told, onShortEvidence: false }, told] },
    ],
    [false, "deleted", { state: "deleted", approvals: [told] }],
  ])("%s: %s", (isShort, _, changes) => {
    expect(isOnShortEvidence(anItem({ windowDays: 3, ...changes }))).toBe(isShort);
  });
});

it("is not on short evidence by the policy's window", () => {
  expect(isOnShortEvidence(anItem({ state: "noticed" }))).toBe(false);
});

it("is of the same group by its id however long that is, and of none in another text", () => {
  expect(groupOfRecyclingId(`rc-0123456789abcdef.sg-${"a".repeat(64)}`)).toBe(`sg-${"a".repeat(64)}`);
  for (const text of [
    `rc-0123456789abcdef.sg-${"a".repeat(65)}`,
    "rc-0123456789abcdef.sg-",
    "xrc-0123456789abcdef.sg-a",
    "rc-0123456789abcdeF.sg-a",
    "rc-0123456789abcdef0.sg-a",
  ])
    expect(groupOfRecyclingId(text)).toBeNull();
});

it("who is turned away counts from when a quarantine was asked for, once a reading has shown its drop", () => {
  expect(countsFrom({ at: null, askedAt: 1000 })).toBeNull();
  expect(countsFrom({ at: 5000, askedAt: 1000 })).toBe(1000);
  // As in rows of earlier versions.
  expect(countsFrom({ at: 5000 })).toBe(5000);
});
