// What a difference is judged to be, by whoever made it and whoever may have.
import { describe, expect, test } from "vitest";
import type { Verdict } from "../../../shared/domain/drift-item.ts";
import type { Sighting } from "../../../shared/domain/sighting.ts";
import {
  attributionOf,
  foreignWriterOf,
  type JudgedAt,
  type JudgedDifference,
  judge,
} from "../../../shared/plan/judge-drift.ts";
import { anActor, aSighting, someTerms, terraform, WAIT_MS } from "../../kit/drift-pictures.ts";
import { added, edited, removed, WIDE } from "../../kit/judged-differences.ts";
import { HOUR, NOW } from "../../kit/plan-pictures.ts";
import { aCidr, aRule, fromCidr } from "../../kit/rules.ts";

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

  test("is known by any of its accounts, and by none where it has none", () => {
    const terms = (...ownerAccounts: readonly string[]) =>
      someTerms({ foreignWriters: [{ name: "dts", sources: [], ownerAccounts }] });
    expect(foreignWriterOf(ofGroup("1900000000000001"), terms("1900000000000000", "1900000000000001"))?.name).toBe(
      "dts",
    );
    expect(foreignWriterOf(ofGroup("1900000000000001"), terms())).toBeNull();
  });

  test("is not known by its description, and is no drop", () => {
    expect(from("203.0.113.7/32", { description: "dts" })).toBeNull();
    expect(from("100.104.7.0/24", { policy: "drop" })).toBeNull();
  });
});

describe("the verdict", () => {
  const times: JudgedAt = { now: NOW, waitsSince: NOW, before: null };
  const late: JudgedAt = { ...times, now: NOW + WAIT_MS };
  const by = (changes = {}) => aSighting({ actor: terraform, ...changes });
  const verdict = (calls: readonly Sighting[], at = times, terms = someTerms(), difference = added()) =>
    judge(difference, calls, terms, at).verdict;

  test("of a rule nobody is known to have written is unknown up to the wait's end, and drift from then on", () => {
    expect(verdict([], { ...times, now: NOW + WAIT_MS - 1 })).toEqual({ kind: "unknown", until: NOW + WAIT_MS });
    expect(verdict([], late)).toMatchObject({ kind: "drift", why: expect.stringContaining("nobody is known") });
  });

  test("of an author nobody trusts is drift at once, confirmed or not", () => {
    for (const confirmed of [true, false])
      expect(verdict([aSighting({ confirmed })])).toEqual({ kind: "drift", why: "nobody granted it; bob wrote it" });
  });

  test("of a trusted author is as the policy treats them", () => {
    for (const treat of ["adopt", "ticket"] as const) {
      const terms = someTerms({ trustedPrincipals: [{ principal: "terraform", treat }] });
      expect(verdict([by()], times, terms)).toEqual({ kind: "trusted", principal: "terraform", treat });
    }
  });

  test.each([
    ["does not have it", "absent", "drift"],
    ["does not answer", "unreachable", "trusted"],
  ] as const)("of a trusted author of whom the trail %s waits, and then is settled", (_what, doubt, then) => {
    const calls = [by({ confirmed: false, doubt })];
    expect(verdict(calls)).toEqual({ kind: "unknown", until: NOW + WAIT_MS });
    const why = expect.stringContaining("the event names terraform, and the trail does not confirm it");
    expect(verdict(calls, late)).toMatchObject({ kind: then, ...(then === "trusted" ? { treat: "ticket" } : { why }) });
  });

  test("of a trusted author of whom the trail was not asked yet stays unknown, but not for ever", () => {
    const calls = [by({ confirmed: false })];
    expect(verdict(calls)).toEqual({ kind: "unknown", until: NOW + WAIT_MS });
    const until = NOW + WAIT_MS + HOUR / 2;
    expect(verdict(calls, late)).toEqual({ kind: "unknown", until, unasked: true });
    expect(verdict(calls, { ...times, now: until - 1 })).toMatchObject({ kind: "unknown" });
    const why = expect.stringContaining("could not be asked");
    expect(verdict(calls, { ...times, now: until })).toEqual({ kind: "drift", why });
  });

  test("of a trusted author is a ticket at once where the trail refuses to be asked", () => {
    expect(verdict([by({ confirmed: false, doubt: "refused" })])).toMatchObject({ kind: "trusted", treat: "ticket" });
  });

  test("of a trusted author whose event tells no rules is a ticket: it may be somebody else's", () => {
    expect(verdict([by({ rules: null })])).toMatchObject({ kind: "trusted", treat: "ticket" });
  });

  test("of a foreign writer's rule needs no author, and holds for added rules alone", () => {
    const rule = aRule({ peer: fromCidr("100.104.7.1/32") });
    for (const calls of [[], [aSighting()]])
      expect(verdict(calls, times, someTerms(), added(rule))).toEqual({ kind: "foreign", writer: "dts" });
    expect(verdict([aSighting()], times, someTerms(), { ...edited, rule })).toMatchObject({ kind: "drift" });
  });

  describe("where several may have made the difference", () => {
    const told = by({ eventId: "told" });
    const made = aSighting({ eventId: "made-up", confirmed: false });

    test("waits while an event that the trail has not confirmed would outrank a trusted author", () => {
      expect(verdict([told, made])).toEqual({ kind: "unknown", until: NOW + WAIT_MS });
      expect(judge(added(), [told, made], someTerms(), late)).toEqual({
        verdict: { kind: "trusted", principal: "terraform", treat: "adopt" },
        author: told,
      });
    });

    test("waits so also where the trail has told who made this very rule: whoever is trusted loses nothing by it", () => {
      const made = NOW - 60_000;
      const rule = added(aRule({ createdAt: made }));
      const later = aSighting({ eventId: "made-up", confirmed: false, at: made + 3000 });
      expect(verdict([by({ at: made }), later], times, someTerms(), rule)).toMatchObject({ kind: "unknown" });
    });

    test("waits for no event that is earlier than the one that the trail has confirmed", () => {
      expect(verdict([made, told])).toMatchObject({ kind: "trusted" });
    });

    test("is about the last whom the trail confirms, trusted or not", () => {
      expect(verdict([told, { ...made, confirmed: true }])).toMatchObject({ kind: "drift" });
      expect(verdict([{ ...made, confirmed: true }, told])).toMatchObject({ kind: "trusted" });
      const unsure = { ...told, confirmed: false };
      expect(verdict([{ ...made, confirmed: true }, unsure])).toMatchObject({ kind: "unknown" });
      expect(verdict([{ ...made, confirmed: true }, unsure], late)).toMatchObject({ kind: "drift" });
    });

    describe("and the trail has confirmed a stranger", () => {
      const created = NOW - 60_000;
      const rule = added(aRule({ createdAt: created }));
      const forged = by({ eventId: "forged", confirmed: false, at: created + 3000 });
      const of = (stranger: Parameters<typeof aSighting>[0], difference: JudgedDifference = rule, rival = forged) =>
        verdict([aSighting({ at: created, ...stranger }), rival], times, someTerms(), difference).kind;

      test("who made the rule: a later event that is not confirmed makes nobody wait", () => {
        expect(of({})).toBe("drift");
        expect(of({ kind: "modify" })).toBe("drift");
        expect(of({ kind: "modify", specs: [WIDE] }, edited, { ...forged, kind: "modify" })).toBe("drift");
        const revoke = { ...forged, kind: "revoke", at: NOW } as const;
        expect(of({ kind: "revoke", at: NOW - 2000 }, removed(), revoke)).toBe("drift");
        // Events tell whole seconds, and what an event is about is created a little after it.
        expect(of({ kind: "revoke", at: NOW - HOUR - 1000 }, removed(), revoke)).toBe("drift");
        expect(of({ at: created - 5000 })).toBe("drift");
      });

      test("who may have been before whoever made it: that waits", () => {
        expect(of({ at: created - 5001 })).toBe("unknown");
        expect(of({}, added())).toBe("unknown");
        expect(of({ rules: null })).toBe("unknown");
        expect(of({ confirmed: false })).toBe("unknown");
        const revoke = { ...forged, kind: "revoke", at: NOW } as const;
        expect(of({ kind: "revoke", at: NOW - HOUR - 1001 }, removed(), revoke)).toBe("unknown");
      });
    });

    test("waits also where the trail has confirmed nobody yet, whatever their order", () => {
      const unsure = { ...told, confirmed: false };
      for (const calls of [
        [unsure, made],
        [made, unsure],
      ])
        expect(verdict(calls)).toMatchObject({ kind: "unknown" });
      expect(verdict([{ ...unsure, doubt: "absent" }, made], late)).toMatchObject({ kind: "drift" });
      expect(verdict([{ ...unsure, doubt: "unreachable" }, made], late)).toMatchObject({ treat: "ticket" });
    });

    test("waits for nobody where no trusted author is among them", () => {
      expect(verdict([aSighting(), made])).toMatchObject({ kind: "drift" });
    });
  });

  describe("where the events of the difference are kept no longer", () => {
    const once = (verdict: Verdict): JudgedAt => ({
      ...late,
      before: { verdict, attribution: attributionOf(by()) },
    });

    test("stays what it was, as long as the policy trusts its author", () => {
      for (const treat of ["ticket", "adopt"] as const) {
        const trusted = { kind: "trusted", principal: "terraform", treat } as const;
        expect(verdict([], once(trusted))).toEqual(trusted);
        expect(verdict([], once(trusted), someTerms({ trustedPrincipals: [] }))).toMatchObject({ kind: "drift" });
      }
      expect(verdict([], once({ kind: "drift", why: "nobody granted it; bob wrote it" }))).toMatchObject({
        kind: "drift",
        why: expect.stringContaining("terraform"),
      });
    });

    test("is its author's among all whom the policy trusts, and nobody else's", () => {
      const other = { principal: "deployer", treat: "ticket" } as const;
      const trusted = { kind: "trusted", principal: "terraform", treat: "adopt" } as const;
      const both = someTerms({ trustedPrincipals: [other, ...someTerms().trustedPrincipals] });
      expect(verdict([], once(trusted), both)).toEqual(trusted);
      expect(verdict([], once(trusted), someTerms({ trustedPrincipals: [other] }))).toMatchObject({ kind: "drift" });
    });

    test("is drift where it waited for an event that never came to be believed, and not before", () => {
      const unknown = once({ kind: "unknown", until: NOW });
      const why = expect.stringContaining("nobody is known to have written it");
      expect(verdict([], unknown)).toEqual({ kind: "drift", why });
      expect(verdict([], { ...unknown, now: NOW })).toEqual({ kind: "unknown", until: NOW + WAIT_MS });
    });
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
