// Which changes of the policy allow more than before.
import { describe, expect, test } from "vitest";
import { policySchema } from "../../../shared/config/document-schema.ts";
import { policyChanges } from "../../../shared/plan/policy-diff.ts";

const shipped = policySchema.parse({});
const changesOf = (before: object, after: object) =>
  policyChanges(policySchema.parse(before), policySchema.parse(after)).map(({ path, effect }) => [path, effect]);

const freeze = { zone: "Asia/Shanghai", windows: [{ days: [1], from: "01:00", to: "02:00" }] };

/** Each document allows more than the one before it. */
const steps: readonly [string, object, object][] = [
  ["regions", { regions: ["cn-hangzhou"] }, { regions: ["cn-hangzhou", "cn-beijing"] }],
  ["lease.periodMax", { lease: { periodMax: 600 } }, { lease: { periodMax: 601 } }],
  ["lease.totalMax", { lease: { totalMax: 90_000 } }, { lease: { totalMax: 90_001 } }],
  ["lease.priority", { lease: { priority: 100 } }, { lease: { priority: 99 } }],
  ["lease.sensitivePorts", { lease: { sensitivePorts: [22, 23] } }, { lease: { sensitivePorts: [22] } }],
  ["lease.sourceWidthMax.v4", { lease: { sourceWidthMax: { v4: 24 } } }, { lease: { sourceWidthMax: { v4: 23 } } }],
  ["lease.destCidrIp", { lease: { destCidrIp: "never" } }, { lease: { destCidrIp: "use" } }],
  ["approval.issuerMayApprove", {}, { approval: { issuerMayApprove: true } }],
  ["approval.distinctIssuers", { approval: { distinctIssuers: true } }, {}],
  ["groups.denied", { groups: { denied: ["a", "b"] } }, { groups: { denied: ["b"] } }],
  ["groups.guards.web", { groups: { guards: { web: "enforce" } } }, { groups: { guards: { web: "observe" } } }],
  ["groups.guards.a.b", { groups: { guards: { "a.b": "observe" } } }, { groups: { guards: {} } }],
  ["drift.unknownWriterWait", { drift: { unknownWriterWait: 1 } }, { drift: { unknownWriterWait: 2 } }],
  ["drift.revertsMax", { drift: { revertsMax: 3 } }, { drift: { revertsMax: 2 } }],
  ["drift.percentPerPass", { drift: { percentPerPass: 50 } }, { drift: { percentPerPass: 49 } }],
  ["drift.freeze", {}, { drift: { freeze } }],
  ["foreignWriters", {}, { foreignWriters: [{ name: "DMS", sources: ["10.0.0.0/8"] }] }],
  ["trustedPrincipals", {}, { trustedPrincipals: [{ principal: "terraform", treat: "adopt" }] }],
  ["limits.changesPerPass", { limits: { changesPerPass: 1 } }, { limits: { changesPerPass: 2 } }],
  ["trustedProxies", {}, { trustedProxies: ["10.0.0.0/8"] }],
];

test("the operator path asks for a second person either way: less of it may cut somebody off", () => {
  const path = { operatorPath: [{ port: "22", sources: ["198.51.100.0/24"] }] };
  expect(changesOf({}, path)).toEqual([["operatorPath", "widens"]]);
  expect(changesOf(path, {})).toEqual([["operatorPath", "widens"]]);
});

test("no region is the one that safeport runs in: taking the last one away may let leases into another", () => {
  const one = { regions: ["cn-beijing"] };
  expect(changesOf(one, {})).toEqual([["regions", "widens"]]);
  expect(changesOf({}, one)).toEqual([["regions", "widens"]]);
});

test("a guard of none by name overrules a tag: setting it asks for a second person, and taking it away does not", () => {
  const none = { groups: { guards: { web: "none" } } };
  expect(changesOf({}, none)).toEqual([["groups.guards.web", "widens"]]);
  expect(changesOf(none, {})).toEqual([["groups.guards.web", "narrows"]]);
});

describe("a change that allows more", () => {
  test.each(steps)("%s widens, and narrows the other way", (path, before, after) => {
    expect(changesOf(before, after)).toEqual([[path, "widens"]]);
    expect(changesOf(after, before)).toEqual([[path, "narrows"]]);
  });

  test("in one direction and in the other at once is both", () => {
    const before = { lease: { sensitivePorts: [22], periodMax: 600 } };
    const after = { lease: { sensitivePorts: [23], periodMax: 300 } };
    expect(changesOf(before, after)).toEqual([
      ["lease.periodMax", "narrows"],
      ["lease.sensitivePorts", "widens"],
    ]);
  });

  test.each(["templates", "operators", "somethingNew", "somethingNew.inside"])("%s is not known: it widens", (path) => {
    const inside = (value: number) => path.split(".").reduceRight<unknown>((all, name) => ({ [name]: all }), value);
    expect(policyChanges(inside(1), inside(2))).toMatchObject([{ path, effect: "widens" }]);
  });
});

test("the same document, and the same list in another order, allow nothing more", () => {
  expect(policyChanges(shipped, shipped)).toEqual([]);
  const proxies = ["10.0.0.0/8", "192.168.0.0/16"];
  expect(changesOf({ trustedProxies: proxies }, { trustedProxies: proxies.toReversed() })).toEqual([
    ["trustedProxies", "neutral"],
  ]);
});

test("a field whose value is no number any more widens", () => {
  expect(policyChanges({ lease: { periodMax: 60 } }, { lease: { periodMax: "60" } })).toMatchObject([
    { effect: "widens" },
  ]);
});

/** A document with one value in it. */
const withValue = (path: string, value: unknown): unknown =>
  path.split(".").reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
const effectOf = (path: string, before: unknown, after: unknown) => {
  const changes = policyChanges(withValue(path, before), withValue(path, after));
  expect(changes).toMatchObject([{ path, before, after }]);
  return changes[0]?.effect;
};

test.each<[string, unknown, unknown]>([
  ["lease.startAheadMax", 0, 1],
  ["lease.sourceWidthMax.v6", 48, 47],
  ["lease.onInstanceStop", "end", "keep"],
  ["drift.revertsWithin", 600, 601],
  ["drift.foreignWidthMax.v4", 16, 15],
  ["drift.foreignWidthMax.v6", 48, 47],
  ["limits.rulesKeptFree", 20, 19],
  ["groups.guards.web", "enforce", "none"],
  ["groups.guards.web", "observe", "none"],
  ["lease.sensitivePorts", [22], { 22: true }],
])("%s allows more the one way, and less the other", (path, less, more) => {
  expect([effectOf(path, less, more), effectOf(path, more, less)]).toEqual(["widens", "narrows"]);
});

test.each<[string, unknown, unknown]>([
  ["defaultTarget", "web", "shop"],
  ["lease.periodMin", 60, 61],
  ["lease.endNotices", [0.5], []],
  ["lease.endNoticesFrom", 3600, 60],
  ["lease.onInstanceStop", "end", "ask"],
  ["lockdown.prefixLists", [], [{}]],
  ["limits.rulesPerInterface", 200, 1000],
])("%s allows neither more nor less", (path, one, other) => {
  expect([effectOf(path, one, other), effectOf(path, other, one)]).toEqual(["neutral", "neutral"]);
});

test("a window in which nothing is rolled back, and a canary, are looked at as a whole", () => {
  const other = { ...freeze, zone: "UTC" };
  expect([effectOf("drift.freeze", freeze, other), effectOf("drift.freeze", freeze, null)]).toEqual([
    ...["widens", "narrows"],
  ]);
  expect(effectOf("drift.canary", { group: "a", every: 1 }, { group: "b", every: 1 })).toBe("widens");
});

test("a field that was no number before, and one that is only called like a known one, widen", () => {
  expect(effectOf("lease.priority", "1", 2)).toBe("widens");
  expect(effectOf("lease.periodMaxToo", 2, 1)).toBe("widens");
  expect(effectOf("groups.other", 1, 2)).toBe("widens");
  expect(policyChanges({ a: { b: 1 } }, {})).toEqual([{ path: "a.b", before: 1, after: null, effect: "widens" }]);
});

test("each change stands by its own path, what is not there as null", () => {
  const before = { a: { same: 1, one: 1, gone: 2 }, b: null };
  const after = { a: { same: 1, one: 2, come: { in: 3 } }, b: { x: 1 }, groups: { guards: {} } };
  expect(policyChanges(before, after)).toEqual([
    { path: "a.come.in", before: null, after: 3, effect: "widens" },
    { path: "a.gone", before: 2, after: null, effect: "widens" },
    { path: "a.one", before: 1, after: 2, effect: "widens" },
    { path: "b", before: null, after: { x: 1 }, effect: "widens" },
    { path: "groups.guards", before: null, after: {}, effect: "widens" },
  ]);
});
