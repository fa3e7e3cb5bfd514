// Whose a difference is: the call that made it, and what follows from whoever called.
import { describe, expect, test } from "vitest";
import type { RuleSpec } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import {
  attributionOf,
  authorOf,
  foreignWriterOf,
  isPrincipal,
  type JudgedDifference,
  judge,
} from "../../../shared/plan/judge-drift.ts";
import { anActor, aSighting, someTerms, terraform, WAIT_MS } from "../../kit/drift-pictures.ts";
import { HOUR, NOW, ruleId } from "../../kit/plan-pictures.ts";
import { aCidr, aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const WIDE: RuleSpec = aSpec({ ports: somePorts("1/65535") });

const added = (rule = aRule()): JudgedDifference => ({
  kind: "added",
  key: ruleKey(rule),
  ruleId: rule.id,
  earlierIds: [],
  rule,
});
const removed = (spec = aSpec()): JudgedDifference => ({
  kind: "removed",
  key: ruleKey(spec),
  ruleId: ruleId("1"),
  earlierIds: [],
  rule: null,
});
/** A granted tcp 22 that has become every port. */
const edited: JudgedDifference = {
  kind: "edited",
  key: ruleKey(aSpec()),
  ruleId: ruleId("1"),
  earlierIds: [],
  rule: aRule({ ...WIDE }),
};

describe("the author of an added rule", () => {
  const created = NOW - 60_000;
  const rule = aRule({ createdAt: created });

  test.each([
    ["a minute before the rule, to the millisecond", created - 60_000, true],
    ["more than a minute before it", created - 60_001, false],
    ["with it", created, true],
    ["five seconds after it", created + 5000, true],
    ["later: it authorized what stood already and added nothing", created + 5001, false],
  ])("is who authorized it %s", (_when, at, isAuthor) => {
    const sighting = aSighting({ at });
    expect(authorOf(added(rule), [sighting])).toBe(isAuthor ? sighting : null);
  });

  test("is who authorized it at any time, where the cloud does not say when it was created", () => {
    const sighting = aSighting({ at: NOW - 24 * HOUR });
    expect(authorOf(added(), [sighting])).toBe(sighting);
  });

  test("is not who authorized another rule", () => {
    expect(authorOf(added(rule), [aSighting({ specs: [WIDE] })])).toBeNull();
  });

  test("is the last of several who authorized it in time", () => {
    const [first, second] = [aSighting({ eventId: "1", at: created - 9000 }), aSighting({ eventId: "2", at: created })];
    expect(authorOf(added(rule), [first, second])).toBe(second);
  });

  test("may be found in an event that tells no rules, but rather in one that does", () => {
    const told = aSighting({ eventId: "told", at: created - 9000 });
    const untold = aSighting({ eventId: "untold", at: created, rules: null });
    expect(authorOf(added(rule), [untold])).toBe(untold);
    expect(authorOf(added(rule), [told, untold])).toBe(told);
    expect(authorOf(added(rule), [aSighting({ rules: null, at: created + HOUR })])).toBeNull();
  });

  test("is who changed it last, once somebody has", () => {
    const calls = [
      aSighting({ at: created, actor: terraform }),
      aSighting({ eventId: "2", kind: "modify", at: created + HOUR, ruleIds: [ruleId("1")] }),
    ];
    expect(authorOf(added(rule), calls)).toBe(calls[1]);
  });

  test("is who made it of another rule, where the cloud gave that one a new id", () => {
    const fresh = aRule({ ...WIDE, createdAt: created });
    const modify = aSighting({ kind: "modify", ruleIds: [ruleId("9")], specs: [WIDE], at: created });
    expect(authorOf(added(fresh), [modify])).toBe(modify);
    expect(authorOf(added(fresh), [{ ...modify, at: created - HOUR }])).toBeNull();
    expect(authorOf(added(fresh), [{ ...modify, rules: null }])).toBeNull();
    // By time alone nobody is known where the cloud does not tell it.
    expect(authorOf(added(aRule({ ...WIDE })), [modify])).toBeNull();
    expect(authorOf({ ...added(aRule({ ...WIDE })), earlierIds: [ruleId("9")] }, [modify])).toBe(modify);
  });

  test("is nobody who changed another rule, or removed one like it", () => {
    const calls = [
      aSighting({ kind: "modify", ruleIds: [ruleId("2")], specs: [WIDE] }),
      aSighting({ kind: "modify", ruleIds: [ruleId("2")], at: created + HOUR }),
      aSighting({ kind: "revoke", ruleIds: [ruleId("1")] }),
      aSighting({ kind: "membership" }),
    ];
    expect(authorOf(added(rule), calls)).toBeNull();
  });
});

describe("the author of a removal", () => {
  test("is who revoked the rule by its id or by what it says, the last of them", () => {
    const byId = aSighting({ eventId: "1", kind: "revoke", ruleIds: [ruleId("1")], specs: [] });
    const byKey = aSighting({ eventId: "2", kind: "revoke" });
    expect(authorOf(removed(), [byId])).toBe(byId);
    expect(authorOf(removed(), [byKey])).toBe(byKey);
    expect(authorOf(removed(), [byId, byKey])).toBe(byKey);
  });

  test("is nobody who revoked another one or authorized it", () => {
    const calls = [aSighting({ kind: "revoke", ruleIds: [ruleId("2")], specs: [WIDE] }), aSighting()];
    expect(authorOf(removed(), calls)).toBeNull();
  });

  test("is not told by an id where the ledger knows none", () => {
    const byId = aSighting({ kind: "revoke", ruleIds: [ruleId("1")], specs: [] });
    expect(authorOf({ ...removed(), ruleId: null }, [byId])).toBeNull();
  });

  test("is who made another rule of it, where that rule has become somebody else's", () => {
    const modify = aSighting({ kind: "modify", ruleIds: [ruleId("1")], specs: [WIDE] });
    expect(authorOf(removed(), [modify])).toBe(modify);
  });
});

describe("the author of an edit", () => {
  const modify = aSighting({ eventId: "2", kind: "modify", ruleIds: [ruleId("1")], specs: [WIDE] });

  test("is who modified the rule", () => {
    expect(authorOf(edited, [modify])).toBe(modify);
    expect(authorOf(edited, [aSighting({ specs: [WIDE] })])).toBeNull();
  });

  test("may be found in an event that does not tell what was written", () => {
    const untold = { ...modify, rules: null };
    expect(authorOf(edited, [untold])).toBe(untold);
  });

  test("is nobody who wrote something else: that was an earlier change, and the event of this one is not here yet", () => {
    const earlier = { ...modify, actor: terraform, rules: [{ spec: aSpec({ priority: 7 }), description: "" }] };
    expect(authorOf(edited, [earlier])).toBeNull();
    expect(authorOf(edited, [modify, earlier])).toBe(modify);
    const rule = added(aRule({ ...WIDE, createdAt: NOW - 24 * HOUR }));
    expect(authorOf(rule, [earlier])).toBeNull();
  });
});

describe("a foreign writer's rule", () => {
  const from = (text: string, changes = {}) =>
    foreignWriterOf(aRule({ peer: fromCidr(text), ...changes }), someTerms());
  const ofGroup = (owner?: string) =>
    aRule({ peer: { kind: "group", groupId: "sg-far", ...(owner === undefined ? {} : { owner }) } });

  test.each([
    ["within its sources", "100.104.7.0/24", true],
    ["all of its sources", "100.104.0.0/16", true],
    ["an address outside of them", "100.105.0.1/32", false],
    ["more than its sources", "100.104.0.0/15", false],
  ])("is known by its source: %s", (_what, text, isForeign) => {
    expect(from(text)?.name).toBe(isForeign ? "dts" : undefined);
  });

  test("is nobody's when its source is wider than the policy allows, whatever the writer's sources are", () => {
    const everywhere = [{ name: "dts", sources: [aCidr("0.0.0.0/0"), aCidr("::/0")], ownerAccounts: [] }];
    const terms = someTerms({ foreignWriters: everywhere });
    const isForeign = (text: string) => foreignWriterOf(aRule({ peer: fromCidr(text) }), terms) !== null;
    expect(["10.0.0.0/16", "10.0.0.0/15", "2001:db8::/48", "2001:db8::/47"].map(isForeign)).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  test("is known by the owner of the group it names", () => {
    expect(foreignWriterOf(ofGroup("1900000000000000"), someTerms())?.name).toBe("dts");
    expect(foreignWriterOf(ofGroup("1900000000000001"), someTerms())).toBeNull();
    expect(foreignWriterOf(ofGroup(), someTerms())).toBeNull();
  });

  test("is not known by its description, and is no drop", () => {
    expect(from("203.0.113.7/32", { description: "dts" })).toBeNull();
    expect(from("100.104.7.0/24", { policy: "drop" })).toBeNull();
  });
});

describe("a principal", () => {
  test.each([
    ["a user by name", anActor(), "bob", true],
    ["a user by id", anActor(), "2000000000000002", true],
    ["another user", anActor(), "alice", false],
    ["a role by name, whatever its session", terraform, "terraform", true],
    ["a role by id, whatever its session", terraform, "3000000000000003", true],
    ["a role by its session", terraform, "run-7", false],
    ["a user who is called like the role and its session", anActor({ name: "terraform:run-7" }), "terraform", false],
    ["a role that the trail does not name", anActor({ type: "assumed-role", name: "", principalId: "" }), "", false],
  ])("is known: %s", (_what, actor, principal, isSame) => {
    expect(isPrincipal(actor, principal)).toBe(isSame);
  });
});

describe("the verdict", () => {
  const times = { now: NOW, firstSeenAt: NOW };
  const WORLD = aRule({ peer: fromCidr("0.0.0.0/0"), ports: somePorts("3306/3306") });
  const by = (changes = {}) => aSighting({ actor: terraform, ...changes });

  test("of a rule nobody is known to have written is unknown up to the wait's end, and drift from then on", () => {
    const at = (now: number) => judge(added(), null, someTerms(), { now, firstSeenAt: NOW });
    expect(at(NOW + WAIT_MS - 1)).toEqual({ kind: "unknown", until: NOW + WAIT_MS });
    expect(at(NOW + WAIT_MS)).toMatchObject({ kind: "drift", why: expect.stringContaining("nobody is known") });
  });

  test("of an author nobody trusts is drift at once, confirmed or not", () => {
    for (const confirmed of [true, false])
      expect(judge(added(), aSighting({ confirmed }), someTerms(), times)).toEqual({
        kind: "drift",
        why: "nobody granted it; bob wrote it",
      });
  });

  test("of a trusted author is as the policy treats them", () => {
    for (const treat of ["adopt", "ticket"] as const) {
      const terms = someTerms({ trustedPrincipals: [{ principal: "terraform", treat }] });
      expect(judge(added(), by(), terms, times)).toEqual({ kind: "trusted", principal: "terraform", treat });
    }
  });

  test("of a trusted author whom the trail does not confirm waits, and then is drift", () => {
    const at = (now: number) => judge(added(), by({ confirmed: false }), someTerms(), { now, firstSeenAt: NOW });
    expect(at(NOW)).toEqual({ kind: "unknown", until: NOW + WAIT_MS });
    expect(at(NOW + WAIT_MS)).toMatchObject({ kind: "drift", why: expect.stringContaining("does not confirm") });
  });

  test("of a trusted author is a ticket where the trail cannot be asked", () => {
    const terms = someTerms({ trailAnswers: false });
    expect(judge(added(), by({ confirmed: false }), terms, times)).toMatchObject({ treat: "ticket" });
    expect(judge(added(), by(), terms, times)).toMatchObject({ treat: "adopt" });
  });

  test("of a sensitive port open to the world is a ticket, whoever opened it", () => {
    for (const difference of [added(WORLD), { ...edited, rule: WORLD }])
      expect(judge(difference, by(), someTerms(), times)).toMatchObject({ kind: "trusted", treat: "ticket" });
    const harmless = aRule({ ...WORLD, ports: somePorts("8443/8443") });
    expect(judge(added(harmless), by(), someTerms(), times)).toMatchObject({ treat: "adopt" });
  });

  test("of a foreign writer's rule needs no author, and holds for added rules alone", () => {
    const rule = aRule({ peer: fromCidr("100.104.7.1/32") });
    for (const author of [null, aSighting()])
      expect(judge(added(rule), author, someTerms(), times)).toEqual({ kind: "foreign", writer: "dts" });
    expect(judge({ ...edited, rule }, aSighting(), someTerms(), times)).toMatchObject({ kind: "drift" });
  });
});

test("the attribution names actor, address, event, request and operation", () => {
  expect(attributionOf(aSighting({ actor: anActor({ name: "" }) }))).toEqual({
    actor: "2000000000000002",
    actorType: "ram-user",
    address: "198.51.100.9",
    eventId: "event-1",
    requestId: "request-1",
    operation: "AuthorizeSecurityGroup",
    at: NOW - 60_000,
    confirmed: true,
  });
});
