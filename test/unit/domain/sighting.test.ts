// What is known of a call when several have looked into it.
import { describe, expect, test } from "vitest";
import { callOf, isAnswered, isDenied, laterOf, type Sighting } from "../../../shared/domain/sighting.ts";
import { anActor, aSighting } from "../../kit/drift-pictures.ts";
import { aSpec, fromCidr } from "../../kit/rules.ts";

/** Of which the trail has said nothing yet. */
const asked = (changes: Partial<Sighting> = {}): Sighting => aSighting({ confirmed: false, ...changes });
const absent = (askedAt: number, changes: Partial<Sighting> = {}) => asked({ doubt: "absent", askedAt, ...changes });

test.each<[Partial<Sighting>, boolean]>([
  [{ settled: true, doubt: "absent" }, true],
  [{ settled: false, doubt: "absent" }, false],
  [{ settled: true, doubt: "refused" }, false],
  [{ settled: true, doubt: "unreachable" }, false],
  [{ settled: true }, false],
])("the trail does not have it once it was asked long enough: %j %s", (changes, denied) => {
  expect(isDenied(asked(changes))).toBe(denied);
});

test("the trail has answered where it confirms a call, or knows that it failed", () => {
  expect([asked(), asked({ confirmed: true }), asked({ failed: "Forbidden" })].map(isAnswered)).toEqual([
    false,
    true,
    true,
  ]);
});

describe("of two who have looked", () => {
  const answered = asked({ confirmed: true, userAgent: "trail" });

  test("the one with an answer of the trail stands, whoever was first", () => {
    const doubtful = absent(7, { settled: true, disputed: true });
    expect(laterOf(answered, doubtful)).toBe(answered);
    expect(laterOf(doubtful, answered)).toBe(answered);
  });

  test.each([
    [false, false, false],
    [true, false, true],
    [false, true, true],
    [true, true, true],
  ])("with an answer each the later stands, settled if it was for either: %s %s", (before, after, settled) => {
    expect(laterOf({ ...answered, settled: before }, { ...answered, settled: after, userAgent: "later" })).toEqual({
      ...answered,
      ...{ settled, userAgent: "later" },
    });
  });

  test("without one the doubt of whoever asked last stands, and when that was", () => {
    const refused = asked({ doubt: "refused", askedAt: 9 });
    const last = { doubt: "refused", askedAt: 9 };
    expect(laterOf(absent(7), refused)).toMatchObject(last);
    expect(laterOf(refused, absent(7))).toMatchObject(last);
    expect(laterOf(refused, absent(9))).toMatchObject({ doubt: "absent", askedAt: 9 });
    expect(laterOf(refused, asked())).toMatchObject(last);
    expect(laterOf(asked(), refused)).toMatchObject(last);
  });

  test("nothing that neither knows is made up", () => {
    expect(laterOf(asked(), asked({ userAgent: "later" }))).toStrictEqual(asked({ userAgent: "later" }));
    expect(laterOf(asked(), asked({ disputed: false }))).not.toHaveProperty("disputed", true);
  });

  test("a dispute stays, and is settled by nobody who did not know of it", () => {
    const [disputed, settled] = [asked({ disputed: true }), asked({ settled: true })];
    expect(laterOf(disputed, settled)).toMatchObject({ disputed: true, settled: false });
    expect(laterOf({ ...disputed, settled: true }, asked())).toMatchObject({ disputed: true, settled: true });
    expect(laterOf(disputed, { ...settled, disputed: true })).toMatchObject({ disputed: true, settled: true });
    expect(laterOf(asked(), { ...settled, disputed: true })).toMatchObject({ disputed: true, settled: true });
    expect(laterOf(asked(), settled)).toMatchObject({ settled: true });
    expect(laterOf({ ...settled, disputed: false }, asked())).toMatchObject({ settled: false });
  });
});

describe("the same call", () => {
  const [one, other] = [aSpec(), aSpec({ peer: fromCidr("198.51.100.0/24") })];

  test("is told in any order, with any words and whenever it came", () => {
    const call = callOf(aSighting({ specs: [one, other], ruleIds: ["sgr-1", "sgr-2"] as never }));
    const again = aSighting({ specs: [other, one], ruleIds: ["sgr-2", "sgr-1"] as never });
    const rules = again.rules?.map((rule) => ({ ...rule, description: "other" })) ?? null;
    const elsewhere = { receivedAt: 1, settled: true, confirmed: false, userAgent: "sdk", address: "10.0.0.1" };
    expect(callOf({ ...again, ...elsewhere, rules })).toBe(call);
  });

  test.each<[string, Partial<Sighting> & { specs?: readonly (typeof one)[] }]>([
    ["event", { eventId: "event-2" }],
    ["group", { groupId: "sg-db" as never }],
    ["operation", { operation: "RevokeSecurityGroup" }],
    ["instant", { at: 1 }],
    ["caller's number", { actor: anActor({ principalId: "1" }) }],
    ["caller's name", { actor: anActor({ name: "eve" }) }],
    ["token", { token: "t" }],
    ["failure", { failed: "Forbidden" }],
    ["rule", { specs: [other] }],
    ["number of rules", { specs: [one, other] }],
    ["shape", { rules: null }],
    ["rule's id", { ruleIds: ["sgr-1"] as never }],
  ])("is not one of another %s", (_what, changes) => {
    expect(callOf(aSighting(changes))).not.toBe(callOf(aSighting()));
  });

  test("of rules that nobody can read is a call all the same", () => {
    expect(callOf(aSighting({ rules: null }))).toBe(callOf(aSighting({ rules: null })));
  });
});
