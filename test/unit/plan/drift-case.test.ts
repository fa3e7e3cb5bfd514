// One difference as an item: what it keeps, what undoes it, how it goes on from pass to pass, and what the policy adopts of it.
import { describe, expect, test } from "vitest";
import type { DriftItem } from "../../../shared/domain/drift-item.ts";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import type { Rule, RuleSpec } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import type { Sighting } from "../../../shared/domain/sighting.ts";
import type { Watch } from "../../../shared/plan/picture.ts";
import type { Plan } from "../../../shared/plan/plan-group.ts";
import {
  anAllocated,
  anAllocation,
  anItem,
  aSighting,
  someTerms,
  terraform,
  WAIT_MS,
} from "../../kit/drift-pictures.ts";
import { aHolder, aMark, anEntry, anIntent, HOUR, NOW, ours, ruleId } from "../../kit/plan-pictures.ts";
import { fromCidr, somePorts } from "../../kit/rules.ts";
import { suspended } from "../../kit/suspended-pictures.ts";
import { bobs, callsOf, extra, granted, onPort, watched } from "../../kit/watched-pictures.ts";

describe("a rollback", () => {
  test("keeps an added rule in full in its item, which is rolling back before the call", () => {
    const rule = extra("x", 8443, { description: "mine", priority: 7, sourcePorts: somePorts("5/6") });
    const plan = watched({ sightings: [bobs(rule)] }, { rules: [rule] });
    const [item] = plan.drift.items;
    const { id: _, description, createdAt: __, ...spec } = rule;
    expect(item).toMatchObject({
      kind: "added",
      state: "rollingBack",
      found: { spec, description },
      wanted: null,
      entryId: null,
      ruleId: "sgr-x",
      verdict: { kind: "drift", why: "nobody granted it; bob wrote it" },
      attribution: { actor: "bob", address: "198.51.100.9", eventId: "event-1" },
      reach: "opens tcp 8443 with source port 5-6 to 203.0.113.7 on every host of the group",
    });
    expect(plan.drift.reverts).toEqual([{ key: ruleKey(rule), driftId: item?.driftId, at: NOW, since: NOW - 60_000 }]);
  });

  describe("of a rule that is made again", () => {
    const rule = extra("x", 8443, { createdAt: NOW });
    const forged = aSighting({ actor: terraform, specs: [rule], confirmed: false, doubt: "absent", at: NOW });
    const again = (revert: Partial<Watch["reverts"][number]>, sightings: Watch["sightings"] = [forged]) => {
      const earlier = { key: ruleKey(rule), driftId: "dr-earlier", at: NOW - 1000, ...revert };
      return watched({ sightings, reverts: [earlier] }, { rules: [rule] }).drift;
    };

    test("goes on waiting where the one before left off, so that making up events buys no more time", () => {
      expect(again({ since: NOW - WAIT_MS + 1 }).items).toMatchObject([
        { verdict: { kind: "unknown", until: NOW + 1 } },
      ]);
      const { items, reverts } = again({ since: NOW - WAIT_MS });
      expect(items).toMatchObject([{ state: "rollingBack", firstSeenAt: NOW }]);
      // And so does the next one.
      expect(reverts).toMatchObject([{ at: NOW, since: NOW - WAIT_MS }]);
    });

    test("waits anew where it was long ago, another rule's, or nobody was known", () => {
      const until = NOW + WAIT_MS;
      for (const revert of [
        { since: NOW - WAIT_MS - 1, at: NOW - WAIT_MS },
        { since: NOW - WAIT_MS, key: ruleKey(onPort(1)) },
        {},
      ])
        expect(again(revert).items).toMatchObject([{ verdict: { kind: "unknown", until } }]);
    });
  });

  test("restores an edited rule, its description and all", () => {
    const { entry, rule } = granted("g", 443);
    const told = { ...entry, allocation: anAllocation({ description: "the shop" }) };
    for (const shown of [
      { ...rule, peer: fromCidr("0.0.0.0/0"), description: "the shop" },
      { ...rule, description: "mine now" },
    ]) {
      const sightings = [aSighting({ kind: "modify", specs: [shown], ruleIds: [ruleId("g")] })];
      const plan = watched({ sightings }, { rules: [shown], entries: [told] });
      expect(plan.calls).toMatchObject([{ kind: "modify", entry: told, ruleId: "sgr-g", description: "the shop" }]);
      expect(plan.drift.items).toMatchObject([
        { kind: "edited", found: { description: shown.description }, wanted: { description: "the shop" } },
      ]);
    }
  });

  test("restores a removed rule with its description", () => {
    const { entry } = granted("g", 443);
    const told = { ...entry, allocation: anAllocation({ description: "the shop" }) };
    const sightings = [aSighting({ kind: "revoke", specs: [onPort(443)] })];
    const plan = watched(
      { sightings },
      { rules: [granted("other", 80).rule], entries: [told, granted("other", 80).entry] },
    );
    expect(plan.calls).toMatchObject([{ kind: "authorize", entry: told, description: "the shop" }]);
    expect(plan.drift.items).toMatchObject([{ kind: "removed", found: null, wanted: { spec: onPort(443) } }]);
  });

  test("revokes before it authorizes, and ends and marks of leases come before it", () => {
    const [gone, ending] = [granted("g", 443), anEntry({ spec: onPort(22), standing: ours("l"), holders: [] })];
    const held = anEntry({ spec: onPort(23), holders: [aHolder({ openedAt: null })] });
    const x = extra("x", 8443);
    const sightings = [bobs(x), aSighting({ kind: "revoke", specs: [onPort(443)] })];
    const plan = watched({ sightings }, { rules: [x, extra("l", 22)], entries: [held, gone.entry, ending] });
    expect(callsOf(plan)).toEqual([
      "revoke sgr-l",
      "revoke sgr-x",
      `authorize ${held.key}`,
      `authorize ${gone.entry.key}`,
    ]);
  });

  test("revokes what was made of a rule, where another rule says already what it said", () => {
    const entry = anEntry({ spec: onPort(443), standing: ours("1") });
    const wild = extra("1", 8443, { description: aMark(onPort(443)) });
    const copy = extra("2", 443);
    const sightings = [aSighting({ kind: "modify", specs: [wild], ruleIds: [ruleId("1")] })];
    const plan = watched({ sightings }, { rules: [wild, copy], entries: [entry] });
    expect(callsOf(plan)).toEqual(["revoke sgr-1"]);
    expect(plan.calls[0]?.rollback).toBe(plan.drift.items[0]?.driftId);
  });

  test("gives the rule of a lease back what it said, with the mark", () => {
    const entry = anEntry({ standing: ours("1") });
    const wild = extra("1", 8443, { description: "mine" });
    const sightings = [aSighting({ kind: "modify", specs: [wild], ruleIds: [ruleId("1")] })];
    const given = { rules: [wild], entries: [entry] };
    expect(watched({ sightings }, given).calls).toMatchObject([{ kind: "modify", description: aMark() }]);
    expect(watched({ sightings, acts: "observe" }, given)).toMatchObject({
      calls: [],
      drift: { items: [{ state: "reported" }] },
    });
  });
});

describe("items from pass to pass", () => {
  const x = extra("x", 8443);
  const given = { rules: [x] };
  const first = (watch: Partial<Watch> = {}): readonly DriftItem[] => watched(watch, given).drift.items;

  test("the same difference is the same item, and nothing is written while nothing moves", () => {
    const items = first();
    expect(items).toMatchObject([{ state: "waiting", firstSeenAt: x.createdAt }]);
    const again = watched({ items }, { ...given, now: NOW + 1000 });
    expect([again.calls, again.drift.items]).toEqual([[], []]);
    expect(again.drift.lookAt).toEqual([NOW - 60_000 + WAIT_MS]);
  });

  test("a rule waits from its creation, where that is not in the future", () => {
    const ahead = watched({}, { rules: [{ ...x, createdAt: NOW + 5000 }] }).drift.items;
    expect(ahead).toMatchObject([{ firstSeenAt: NOW, verdict: { until: NOW + WAIT_MS } }]);
    const long = { rules: [{ ...x, createdAt: NOW - WAIT_MS }] };
    expect(callsOf(watched({}, long))).toEqual(["revoke sgr-x"]);
  });

  test("a rule waits as long where our clock is ahead of the cloud's", () => {
    const aheadMs = 2 * WAIT_MS;
    const plan = watched({ aheadMs }, { rules: [{ ...x, createdAt: NOW - aheadMs - 60_000 }] });
    expect(plan.calls).toEqual([]);
    expect(plan.drift.items).toMatchObject([{ state: "waiting", verdict: { until: NOW - 60_000 + WAIT_MS } }]);
  });

  test.each([
    ["after", 30_000, "adopted"],
    ["long before", -90_000, "waiting"],
  ] as const)("a call %s the grant is that for a clock that is ahead, too", (_when, laterMs, state) => {
    const aheadMs = 10 * 60_000;
    const grantedAt = NOW - 2 * 60_000;
    const { entry } = granted("a", 80);
    const given = { ...anAllocation(), at: grantedAt, seenAt: grantedAt };
    const call = aSighting({
      ...{ kind: "revoke", operation: "RevokeSecurityGroup", actor: terraform, ruleIds: [ruleId("a")] },
      ...{ specs: [entry.spec], at: grantedAt - aheadMs + laterMs },
    });
    const terms = someTerms({ trustedPrincipals: [{ principal: "role/terraform", treat: "adopt" }] });
    const plan = watched(
      { aheadMs, terms, sightings: [call] },
      { entries: [{ ...entry, allocation: given }], rules: [] },
    );
    expect(plan.drift.items).toMatchObject([{ kind: "removed", state }]);
  });

  test("a rule that somebody changed since it was looked at waits for the event of the change", () => {
    const before = extra("x", 9, { createdAt: NOW - 24 * HOUR });
    const items = watched({ acts: "observe" }, { rules: [before] }).drift.items;
    const plan = watched({ items }, { rules: [{ ...before, ...onPort(10) }] });
    expect(plan.calls).toEqual([]);
    expect(plan.drift.items).toMatchObject([{ state: "waiting", firstSeenAt: NOW }, { state: "gone" }]);
  });

  test.each(["added", "edited"] as const)(
    "a rule that somebody goes on changing waits twice as long at most: %s",
    (kind) => {
      const { entry, rule } = granted("g", 8);
      const entries = kind === "edited" ? [entry] : [];
      const minute = 60_000;
      let items: readonly DriftItem[] = [];
      const look = (at: number): Plan => {
        // It says something else every ten minutes.
        const spec = onPort(9000 + Math.floor(at / (10 * minute)));
        const plan = watched({ items }, { entries, rules: [{ ...rule, ...spec, createdAt: NOW }], now: NOW + at });
        const open = plan.drift.items.filter(({ state }) => state !== "gone");
        if (open.length > 0) items = open.map((item) => ({ ...item, rev: 1 }));
        return plan;
      };
      for (let at = 0; at < 30 * minute; at += 5 * minute) expect(look(at).calls).toEqual([]);
      expect(callsOf(look(30 * minute))).toEqual([kind === "added" ? "revoke sgr-g" : "modify sgr-g"]);
      // Twice is no more than a wait for each.
      items = [];
      look(5 * minute);
      expect(look(14 * minute).drift.lookAt).toEqual([NOW + (kind === "added" ? 30 : 35) * minute]);
    },
  );

  test("an event that comes later gives the item its author", () => {
    const items = first();
    const plan = watched({ items, sightings: [bobs(x)] }, given);
    expect(plan.drift.items).toMatchObject([
      { driftId: items[0]?.driftId, state: "rollingBack", attribution: { actor: "bob" } },
    ]);
  });

  test("an item keeps what a rule says of itself now, also where that was changed since", () => {
    const items = first({ acts: "observe" });
    const said = { ...given, rules: given.rules.map((rule) => ({ ...rule, description: "another" })) };
    const plan = watched({ items, acts: "observe" }, said);
    expect(plan.drift.items).toMatchObject([{ driftId: items[0]?.driftId, found: { description: "another" } }]);
    expect(watched({ items: plan.drift.items, acts: "observe" }, said).drift.items).toEqual([]);
  });

  test("a ticket is written anew before its row would go, and has the group looked at for that", () => {
    const DAY = 24 * HOUR;
    const terms = someTerms({ trustedPrincipals: [{ principal: "role/terraform", treat: "ticket" }] });
    const call = aSighting({ actor: terraform, specs: [x] });
    const { items, lookAt } = watched({ terms, sightings: [call] }, given).drift;
    expect([items.map(({ state }) => state), lookAt]).toEqual([["reported"], [NOW + 300 * DAY]]);
    const later = (days: number) => watched({ terms, items }, { ...given, now: NOW + days * DAY }).drift;
    expect(later(299)).toMatchObject({ items: [], lookAt: [NOW + 300 * DAY] });
    const again = later(300);
    expect(again.items).toMatchObject([{ driftId: items[0]?.driftId, state: "reported", changedAt: NOW + 300 * DAY }]);
    expect(again.lookAt).toEqual([NOW + 600 * DAY]);
  });

  test("an author stays known when the sighting is gone", () => {
    const items = first({ sightings: [bobs(x)], acts: "observe" });
    const plan = watched({ items }, { ...given, now: NOW + WAIT_MS });
    expect(plan.drift.items).toMatchObject([{ attribution: { actor: "bob" } }]);
  });

  test.each([
    ["rollingBack", "rolledBack"],
    ["waiting", "gone"],
    ["reported", "gone"],
    ["held", "gone"],
  ] as const)("what is not there any more was %s and is %s", (state, next) => {
    const items = [anItem({ state, heldBy: state === "held" ? "hold" : null })];
    expect(watched({ items }, {}).drift.items).toEqual([{ ...items[0], state: next, heldBy: null, changedAt: NOW }]);
  });

  test("a rule that was changed once more instead of being rolled back was not rolled back", () => {
    const items = first({ sightings: [bobs(x)] });
    const plan = watched({ items }, { rules: [{ ...x, ...onPort(8444) }] });
    expect(plan.drift.items.map((it) => it.state)).toEqual(["waiting", "gone"]);
  });

  test("another edit of the same rule is another item", () => {
    const { entry, rule } = granted("g", 443);
    const edit = (priority: number) => ({ rules: [{ ...rule, priority }], entries: [entry] });
    const items = watched({ acts: "observe" }, edit(7)).drift.items;
    expect(watched({ acts: "observe", items }, edit(7)).drift.items).toEqual([]);
    const other = watched({ acts: "observe", items }, edit(8)).drift.items;
    expect(other.map((it) => it.state)).toEqual(["waiting", "gone"]);
    expect(other[0]?.driftId).not.toBe(items[0]?.driftId);
  });
});

describe("what the policy adopts", () => {
  const byTerraform = (changes: Partial<Sighting> & { specs?: readonly RuleSpec[] }) =>
    aSighting({ actor: terraform, ...changes });
  const x = extra("x", 8443, { description: "by terraform" });
  const { entry, rule } = granted("g", 443);
  const edit = (changes: Partial<Rule>, to: Entry = entry, watch: Partial<Watch> = {}) => {
    const shown = { ...rule, ...changes };
    const sightings = [byTerraform({ kind: "modify", specs: [shown], ruleIds: [ruleId("g")] })];
    return watched({ sightings, ...watch }, { rules: [shown], entries: [to] }).drift;
  };

  test("a process that was frozen after its reading adopts what it has read as of then", () => {
    const readAt = NOW - 5 * 60_000;
    const at = readAt - 1000;
    const shown = { ...x, createdAt: at };
    const { drift } = watched({ sightings: [byTerraform({ specs: [x], at })] }, { rules: [shown], readAt });
    // What its author did since is about the rule that was granted, and not about one before it.
    expect(drift.adoptions).toMatchObject([{ allocation: { at: readAt, seenAt: readAt } }]);
  });

  test("what is being rolled back is owed, as it may still go, and what is closed for a time is given back with that", () => {
    const sightings = [byTerraform({ specs: [x] })];
    const intents = [anIntent(anEntry(), { call: "revoke", rules: [], ruleIds: [ruleId("x")] })];
    const { drift } = watched({ sightings }, { rules: [x], intents });
    expect(drift.adoptions).toMatchObject([{ standsAs: "sgr-x", allocation: { at: NOW, seenAt: null } }]);
    const kept = { ruleId: ruleId("x"), description: x.description, createdAt: NOW - 60_000, isClosed: true };
    const closed = suspended({ kept: [kept] }, { spec: onPort(8443) });
    const { adoptions } = watched({ sightings }, { entries: [closed], intents }).drift;
    expect(adoptions).toMatchObject([{ standsAs: null, allocation: { seenAt: NOW } }]);
  });

  test("an added rule is allocated to its author, as it is and read already", () => {
    const { drift } = watched({ sightings: [byTerraform({ specs: [x] })] }, { rules: [x] });
    const [item] = drift.items;
    expect(drift.adoptions).toEqual([
      {
        spec: item?.found?.spec,
        by: "terraform",
        standsAs: x.id,
        allocation: {
          provenance: "adopted",
          owner: "terraform",
          application: "",
          reason: `written by terraform, whose changes the policy adopts (${item?.driftId})`,
          ticket: "",
          allowedSources: [],
          openHours: null,
          description: "by terraform",
          by: "terraform",
          at: NOW,
          seenAt: NOW,
        },
      },
    ]);
  });

  test("a mark that was copied is not adopted with its rule: it would end it", () => {
    const copy = { ...x, description: aMark(x) };
    const { drift } = watched({ sightings: [byTerraform({ specs: [x] })] }, { rules: [copy], stateKnown: true });
    expect(drift.adoptions[0]?.allocation?.description).toBe(`safeport ledger: ${drift.items[0]?.driftId}`);
  });

  test("an edited rule keeps its owner, application, ticket and reason", () => {
    const { adoptions } = edit({ priority: 7 });
    const kept = { owner: "ops", application: "shop", ticket: "T-1", reason: "as it was", provenance: "adopted" };
    expect(adoptions).toMatchObject([
      { spec: { priority: 7 }, allocation: kept },
      { spec: onPort(443), allocation: null },
    ]);
  });

  test("another description is no other rule: nothing is retired", () => {
    const told = { ...entry, allocation: anAllocation({ description: "the shop" }) };
    const { adoptions } = edit({ description: "the new shop" }, told);
    expect(adoptions).toMatchObject([{ spec: onPort(443), allocation: { description: "the new shop", owner: "ops" } }]);
    expect(adoptions).toHaveLength(1);
  });

  test.each([
    ["a lease's rule, which goes with the lease", anEntry({ spec: onPort(443), standing: ours("g") })],
    [
      "a rule with open hours, which is closed after them",
      anAllocated({
        spec: onPort(443),
        standing: ours("g"),
        allocation: anAllocation({
          openHours: { zone: "UTC", windows: [{ days: [1, 2, 3, 4, 5, 6, 7], from: "00:00", to: "24:00" }] },
        }),
      }),
    ],
  ])("is not what was made of %s", (_what, held) => {
    const { items, adoptions } = edit({ priority: 7 }, held);
    expect([items.map((it) => it.state), adoptions]).toEqual([["reported"], []]);
  });

  test("is not a rule that is allocated otherwise, as with open hours that are over", () => {
    const hours = { zone: "UTC", windows: [{ days: [5], from: "00:00", to: "01:00" }] };
    const closed = anAllocated({ spec: onPort(8443), allocation: anAllocation({ openHours: hours }) });
    const plan = watched({ sightings: [byTerraform({ specs: [x] })] }, { rules: [x], entries: [closed] });
    expect(plan.drift).toMatchObject({ adoptions: [], items: [{ state: "reported" }] });
    const moved = { ...rule, ...onPort(8443) };
    const sightings = [byTerraform({ kind: "modify", specs: [moved], ruleIds: [ruleId("g")] })];
    expect(watched({ sightings }, { rules: [moved], entries: [entry, closed] }).drift).toMatchObject({
      adoptions: [],
      items: [{ state: "reported" }],
    });
  });

  test("is nothing while the ledger is not read in full, or not the one that was confirmed", () => {
    const sightings = [byTerraform({ specs: [x] })];
    expect(watched({ sightings, mayAdopt: false }, { rules: [x] }).drift).toMatchObject({
      adoptions: [],
      items: [{ state: "reported" }],
    });
  });
});
