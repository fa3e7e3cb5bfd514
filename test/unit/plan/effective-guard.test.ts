// The guard of a group: who decides it, and when enforce acts as observe.
import { describe, expect, test } from "vitest";
import { defaultPolicy } from "../../../shared/config/policy-schema.ts";
import type { Allocation } from "../../../shared/domain/allocation.ts";
import { type Baseline, freshGroupRow, type GroupRow, type Guard } from "../../../shared/domain/guard.ts";
import type { GroupId, LeaseId } from "../../../shared/domain/ids.ts";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import { entryIdOf, ruleKey } from "../../../shared/domain/rule-key.ts";
import {
  allocationsDigest,
  countedBaseline,
  deniedName,
  effectiveGuard,
  isSameDigest,
  withGivenBack,
} from "../../../shared/plan/effective-guard.ts";
import { aSpec, somePorts } from "../../kit/rules.ts";

const ref = { region: "cn-hangzhou", groupId: "sg-web" as GroupId };
const GUARDS: readonly Guard[] = ["none", "observe", "enforce"];

const aWindow = { days: [1, 2], from: "08:00", to: "18:00" };
const hours = { zone: "Asia/Shanghai", windows: [aWindow] };
const allocation: Allocation = {
  provenance: "baseline",
  owner: "ann",
  application: "shop",
  reason: "HTTP",
  ticket: "T-1",
  allowedSources: ["203.0.113.0/24"],
  openHours: hours,
  description: "web",
  by: "root",
  at: 1000,
  seenAt: 2000,
};

function anEntry(port: number, changes: Partial<Entry> = {}): Entry {
  const spec = aSpec({ ports: somePorts(`${port}/${port}`) });
  const key = ruleKey(spec);
  return {
    group: ref,
    entryId: entryIdOf(ref.groupId, key),
    key,
    spec,
    allocation,
    holders: [],
    standing: { kind: "none" },
    createdAt: null,
    missingSince: null,
    suspension: null,
    undoneAt: [],
    rev: 1,
    ...changes,
  };
}

const baselineOf = (entries: readonly Entry[], next: GroupRow["baseline"] = null) => ({
  confirmedBy: "root",
  confirmedAt: 1000,
  ...allocationsDigest(entries),
  next,
});

function guard(
  options: {
    guards?: Record<string, Guard>;
    tags?: Record<string, string>;
    name?: string;
    row?: Partial<GroupRow>;
    entries?: readonly Entry[];
  } = {},
) {
  const base = defaultPolicy("cn-hangzhou");
  return effectiveGuard({
    policy: { ...base, groups: { ...base.groups, guards: options.guards ?? {} } },
    facts: { ref, name: options.name ?? "web", tags: options.tags ?? {} },
    row: { ...freshGroupRow(ref), ...options.row },
    entries: options.entries ?? [],
  });
}

describe("the level", () => {
  test.each(GUARDS)("%s of the policy by id wins over name, tag and row", (level) => {
    const other = level === "enforce" ? "none" : "enforce";
    const tags = { "safeport:guard": "observe" };
    const found = guard({ guards: { "sg-web": level, web: other }, tags, row: { tagGuard: "observe" } });
    expect(found).toMatchObject({ level, tagLowered: false, guardName: null });
    expect(found.line).toBe(`groups.guards.sg-web: ${level}`);
  });

  test.each([
    ["by id", { "sg-web": "observe" }],
    ["by name", { web: "observe" }],
  ] as const)("that the policy says %s has nothing to say of a tag, whatever that asks for", (_how, guards) => {
    for (const tag of ["none", "enforce", "obverse"])
      expect(guard({ guards, tags: { "safeport:guard": tag }, row: { tagGuard: "observe" } })).toMatchObject({
        ...{ level: "observe", tagLowered: false, why: [] },
      });
  });

  test("names the line that says so", () => {
    expect(guard({ guards: { web: "observe" } }).line).toBe("groups.guards.web: observe");
    expect(guard({ guards: { web: "observe" }, name: "new", row: { guardName: "web" } }).line).toBe(
      "groups.guards.web: observe",
    );
    expect(guard({ tags: { "safeport:guard": "observe" } }).line).toBe("tag safeport:guard: observe");
    expect(guard().line).toBe("tag safeport:guard: none");
  });

  test("by name wins over a tag, none included", () => {
    expect(guard({ guards: { web: "none" }, tags: { "safeport:guard": "observe" } })).toMatchObject({
      level: "none",
      acts: "none",
      tagGuard: "observe",
      guardName: null,
    });
  });

  test.each<[string, Record<string, Guard>]>([
    ["another", { web: "enforce" }],
    ["sandbox", { web: "enforce", sandbox: "none" }],
  ])("is not lowered by renaming the group to %s", (name, guards) => {
    const found = guard({ guards, name, row: { guardName: "web" } });
    expect(found).toMatchObject({ level: "enforce", guardName: "web" });
    expect(found.why.join()).toContain("it was renamed");
  });

  test("goes by the new name where that asks for more, and by none that the policy has let go of", () => {
    const guards = { web: "observe", front: "enforce" } as const;
    expect(guard({ guards, name: "front", row: { guardName: "web" } })).toMatchObject({
      level: "enforce",
      guardName: "front",
    });
    expect(guard({ name: "another", row: { guardName: "web" } })).toMatchObject({ level: "none", guardName: null });
  });

  test("has no say in whether the group is denied: that goes by its name, and by the one it had", () => {
    const policy = (...denied: string[]) => ({ groups: { guards: {}, denied } });
    const row = (name: string | null) => ({ deniedName: name });
    expect(deniedName(policy("web"), "web", row(null))).toBe("web");
    expect(deniedName(policy("web"), "front", row("web"))).toBe("web");
    expect(deniedName(policy("web", "front"), "front", row("web"))).toBe("front");
    expect(deniedName(policy(), "front", row("web"))).toBeNull();
    expect(deniedName(policy("web"), "front", row(null))).toBeNull();
  });

  test("is not found in what every object has", () => {
    expect(guard({ name: "constructor" }).level).toBe("none");
    expect(guard({ guards: { null: "enforce" } }).level, "in a name that it never had").toBe("none");
  });

  test("is observe at most by a tag", () => {
    expect(guard({ tags: { "safeport:guard": "observe" } })).toMatchObject({
      level: "observe",
      acts: "observe",
      why: [],
    });
    const enforce = guard({ tags: { "safeport:guard": "enforce" } });
    expect(enforce).toMatchObject({ level: "observe", tagGuard: "observe" });
    expect(enforce.why.join()).toContain("groups.guards");
    expect(guard({ tags: { "safeport:guard": "Enforced" } })).toMatchObject({ level: "none" });
    expect(guard({ tags: { "safeport:guard": "Enforced" } }).why.join()).toContain("correct it");
  });

  test.each([{}, { "safeport:guard": "none" }])("is not lowered by a tag until a person confirms: %o", (tags) => {
    const found = guard({ tags, row: { tagGuard: "observe" } });
    expect(found).toMatchObject({ level: "observe", tagGuard: "observe", tagLowered: true });
    expect(found.why).toHaveLength(1);
    expect(found.why[0]).toContain("PUT /v1/groups/sg-web/guard");
  });
});

describe("enforce", () => {
  const guards = { web: "enforce" } as const;
  const entries = [anEntry(80), anEntry(443)];

  test("acts as observe without a baseline, and says how to get one", () => {
    const found = guard({ guards, entries });
    expect(found).toMatchObject({ level: "enforce", acts: "observe" });
    expect(found.why).toEqual([
      "enforce acts as observe: no person has confirmed a baseline; look at it and confirm it, POST /v1/groups/sg-web/baseline",
    ]);
  });

  test("acts when ledger and baseline agree, in any order of the rows", () => {
    const row = { baseline: baselineOf(entries) };
    expect(guard({ guards, entries: entries.toReversed(), row })).toMatchObject({ acts: "enforce", why: [] });
  });

  test("acts while a change is under way, before and after its write", () => {
    const after = [...entries, anEntry(22)];
    const row = { baseline: { ...baselineOf(entries), next: allocationsDigest(after) } };
    expect(guard({ guards, entries, row }).acts).toBe("enforce");
    expect(guard({ guards, entries: after, row }).acts).toBe("enforce");
    expect(guard({ guards, entries: after.slice(1), row }).acts).toBe("observe");
  });

  test.each<[string, readonly Entry[]]>([
    ["an entry is lost", entries.slice(1)],
    ["an entry came by another way", [...entries, anEntry(22)]],
    ["all entries are lost", []],
    ["an owner was changed", [anEntry(80, { allocation: { ...allocation, owner: "eve" } }), anEntry(443)]],
    [
      "open hours were changed",
      [anEntry(80, { allocation: { ...allocation, openHours: { zone: "UTC", windows: [] } } }), anEntry(443)],
    ],
    ...([{ days: [1, 3] }, { from: "07:59" }, { to: "18:01" }] as const).map((change): [string, readonly Entry[]] => [
      `a window was changed: ${Object.keys(change)}`,
      [
        anEntry(80, { allocation: { ...allocation, openHours: { ...hours, windows: [{ ...aWindow, ...change }] } } }),
        anEntry(443),
      ],
    ]),
  ])("acts as observe when %s", (_what, found) => {
    const answer = guard({ guards, entries: found, row: { baseline: baselineOf(entries) } });
    expect(answer).toMatchObject({ level: "enforce", acts: "observe" });
    expect(answer.why.join()).toContain("confirm it anew");
  });

  describe("with what was given back while nobody could tell", () => {
    const given = anEntry(22, { allocation: { ...allocation, owner: "bob" } });
    const noted = withGivenBack(baselineOf(entries), given.key, given);
    const acts = (found: readonly Entry[], baseline: Baseline = noted) =>
      guard({ guards, entries: found, row: { baseline } }).acts;

    test("acts once the rest is what was confirmed, or what a change under way makes of it", () => {
      expect(acts([...entries, given])).toBe("enforce");
      const after = [...entries, anEntry(25)];
      expect(acts([...after, given], { ...noted, next: allocationsDigest(after) })).toBe("enforce");
      expect(acts(entries), "as it was before").toBe("enforce");
    });

    test.each<[string, readonly Entry[]]>([
      ["of the rest is lost", [anEntry(80), given]],
      ["is there beside", [...entries, given, anEntry(25)]],
      ["of it was changed", [...entries, { ...given, allocation: { ...allocation, owner: "eve" } }]],
      ["stands at another rule", [...entries, { ...anEntry(25), allocation: given.allocation }]],
    ])("acts as observe when something %s", (_what, found) => {
      expect(acts(found)).toBe("observe");
    });

    test("acts as observe while some of it is not there, as if it had been lost", () => {
      const more = withGivenBack(noted, anEntry(25).key, anEntry(25));
      expect(acts([...entries, given], more)).toBe("observe");
      expect(acts([...entries, given, anEntry(25)], more)).toBe("enforce");
    });

    test("counts each rule once, by what was given last, and none that has lost its allocation", () => {
      const again = { ...given, allocation };
      expect(withGivenBack(noted, given.key, again)).toEqual(withGivenBack(baselineOf(entries), given.key, again));
      expect(withGivenBack(noted, given.key, null)).toEqual(baselineOf(entries));
      expect(withGivenBack(noted, given.key, { ...given, allocation: null })).toEqual(baselineOf(entries));
      expect(withGivenBack(noted, anEntry(25).key, null)).toEqual(noted);
    });

    test("counts all of it in the next baseline, but what is still to be written", () => {
      expect(countedBaseline(noted, [...entries, given])).toEqual(baselineOf([...entries, given]));
      expect(countedBaseline(noted, entries)).toEqual(noted);
      expect(countedBaseline(baselineOf([]), entries)).toEqual(baselineOf(entries));
    });
  });

  test("takes no notice of leases and of when a rule was seen", () => {
    const leased = anEntry(22, { allocation: null, holders: [holder] });
    const seen = entries.map((entry) => ({ ...entry, allocation: { ...allocation, seenAt: null }, rev: 7 }));
    expect(guard({ guards, entries: [...seen, leased], row: { baseline: baselineOf(entries) } }).acts).toBe("enforce");
  });
});

const holder = {
  kind: "lease" as const,
  holderId: "ls-1" as LeaseId,
  principal: "ann",
  reason: "",
  until: 9000,
  openedAt: null,
  statedUntil: null,
  ended: null,
};

describe("the digest", () => {
  test("does not depend on the order in which an allocation's fields were written", () => {
    const turned = Object.fromEntries(Object.entries(allocation).toReversed()) as unknown as Allocation;
    expect(allocationsDigest([anEntry(80, { allocation: turned })])).toEqual(allocationsDigest([anEntry(80)]));
  });

  test("is the one that an earlier release has stored", () => {
    const always = { ...allocation, openHours: null, backup: "bea" };
    const entries = [anEntry(443), anEntry(80, { allocation: always }), anEntry(22, { allocation: null })];
    expect(allocationsDigest(entries)).toEqual({
      count: 2,
      digest: "b92a39dfd6a218c391ae10c0fc6fa0c271c7056601cdf0de71a9b70d0b2e5586",
    });
    expect(allocationsDigest([])).toEqual({
      count: 0,
      digest: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    });
  });

  test("is another where either of its two values is", () => {
    const one = { count: 1, digest: "a" };
    expect(isSameDigest(one, { ...one })).toBe(true);
    expect([isSameDigest(one, { ...one, count: 2 }), isSameDigest(one, { ...one, digest: "b" })]).toEqual([
      false,
      false,
    ]);
  });

  test("tells one rule from another", () => {
    expect(allocationsDigest([anEntry(80)]).digest).not.toBe(allocationsDigest([anEntry(81)]).digest);
  });
});

test("who stands in for the owner is part of what a person has confirmed, and nobody is as good as none", () => {
  const digestWith = (backup?: string) => allocationsDigest([anEntry(80, { allocation: { ...allocation, backup } })]);
  expect(digestWith("bea")).not.toEqual(digestWith());
  expect(digestWith("")).toEqual(digestWith());
});
