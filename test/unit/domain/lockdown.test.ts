// Names, ends and terms of a lockdown.
import { describe, expect, it, test } from "vitest";
import { policySchema } from "../../../shared/config/document-schema.ts";
import { policyOf } from "../../../shared/config/policy-values.ts";
import type { GroupId } from "../../../shared/domain/ids.ts";
import {
  hasOperators,
  isAnew,
  isClosedOrLeft,
  isLaterEnd,
  LOCKDOWN_JOB,
  lockdownEnd,
  lockdownIdOf,
  nameOfWay,
  parseLockdownId,
  scopeName,
  termsOf,
} from "../../../shared/domain/lockdown.ts";
import type { Policy } from "../../../shared/domain/policy.ts";
import { aSpec, somePorts } from "../../kit/rules.ts";

const aPolicy = (changes: Partial<Policy> = {}): Policy => ({
  ...policyOf(policySchema.parse({}), 1, "cn-hangzhou"),
  ...changes,
});
const policy = aPolicy();
const lockdownOf = (changes: Partial<Policy["lockdown"]>): Policy =>
  aPolicy({ lockdown: { ...policy.lockdown, ...changes } });

test("the job of a lockdown is called as in the rows that are stored", () => {
  expect(LOCKDOWN_JOB).toBe("lockdown");
});

describe("the name of a scope", () => {
  test("is 12 digits that stay, as stored lockdowns are found by them", () => {
    expect(scopeName({ kind: "instance", instanceId: "i-1" })).toBe("71d128933db3");
    expect(scopeName({ kind: "tag", tag: "env=prod" })).toBe("465e6b0fed8b");
    expect(scopeName({ kind: "groups", groups: ["web", "db"] })).toBe("07e078145ab6");
  });

  test("does not depend on the order in which groups are named, and leaves them in it", () => {
    const groups = ["web", "db"];
    expect(scopeName({ kind: "groups", groups: ["db", "web"] })).toBe(scopeName({ kind: "groups", groups }));
    expect(groups).toEqual(["web", "db"]);
    expect(scopeName({ kind: "groups", groups: ["db"] })).not.toBe(scopeName({ kind: "groups", groups }));
  });
});

test("a way through the drops is told from another by its group, its time and every one of its rules", () => {
  const own = { region: "cn-hangzhou", groupId: "sg-web" as GroupId };
  const other = aSpec({ ports: somePorts("23/23") });
  const ways = [
    { own, specs: [aSpec()], since: 7 },
    { own: { ...own, groupId: "sg-db" as GroupId }, specs: [aSpec()], since: 7 },
    { own, specs: [aSpec()], since: 8 },
    { own, specs: [other], since: 7 },
    { own, specs: [aSpec(), other], since: 7 },
  ];
  expect(new Set(ways.map(nameOfWay)).size).toBe(ways.length);
  expect(ways.map((way) => nameOfWay({ ...way }))).toEqual(ways.map(nameOfWay));
  expect(nameOfWay({ own, specs: [aSpec()], since: 7 })).toMatch(/^sg-web,7,ingress\|tcp\|22\/22\|/);
});

test("a group is closed by an earlier policy where the row names other terms, and nobody knows where it names none", () => {
  expect(isAnew({ terms: termsOf(policy) }, policy)).toBe(false);
  expect(isAnew({ terms: termsOf(lockdownOf({ core: ["443"] })) }, policy)).toBe(true);
  expect(isAnew({}, policy)).toBe(false);
});

test("nothing is left to be closed where a group is closed, or left alone", () => {
  expect(isClosedOrLeft({ way: "none", isClosed: false })).toBe(true);
  expect(isClosedOrLeft({ way: "drops", isClosed: true })).toBe(true);
  expect(isClosedOrLeft({ way: "drops", isClosed: false })).toBe(false);
});

describe("the id of a lockdown", () => {
  test("is read back from its text", () => {
    expect(lockdownIdOf("0123456789ab", 7)).toBe("ld-0123456789ab-7");
    expect(parseLockdownId("ld-0123456789ab-7")).toEqual({ scope: "0123456789ab", sequence: 7 });
    expect(parseLockdownId("ld-0123456789ab-123456789")?.sequence).toBe(123_456_789);
  });

  it.each([
    "",
    "xld-0123456789ab-7",
    "ld-0123456789ab-7x",
    "ld-0123456789ab-",
    "ld-0123456789ab-1234567890",
    "ld-0123456789ab-x",
    "ld-0123456789a-7",
    "ld-0123456789abc-7",
    "ld-0123456789AB-7",
  ])("is not %j", (id) => {
    expect(parseLockdownId(id)).toBeNull();
  });
});

describe("the end of a lockdown", () => {
  test("is a whole second, and never earlier than asked", () => {
    expect(lockdownEnd(1_000, 500)).toBe(2_000);
    expect(lockdownEnd(1_000, 1_000)).toBe(2_000);
    expect(lockdownEnd(1_001, 1_000)).toBe(3_000);
  });

  test("moves by a minute or more, and by less not at all", () => {
    expect([isLaterEnd(60_999, 1_000), isLaterEnd(61_000, 1_000), isLaterEnd(500, 1_000)]).toEqual([
      false,
      true,
      false,
    ]);
  });
});

describe("the terms of a policy", () => {
  const list = { region: "cn-hangzhou", v4: "pl-1", v6: null } as never;
  it.each<[string, Policy]>([
    ["other core ports", lockdownOf({ core: ["tcp:8443"] as never })],
    ["other groups", lockdownOf({ groups: ["web"] as never })],
    ["an operator path", aPolicy({ operatorPath: [{ protocol: "tcp", port: "22", sources: ["203.0.113.0/24"] }] })],
    ["another group denied", aPolicy({ groups: { ...policy.groups, denied: ["sg-a"] as never } })],
    ["another limit of rules", aPolicy({ limits: { ...policy.limits, rulesPerInterface: 500 } })],
    ["lists", lockdownOf({ prefixLists: [list] })],
  ])("are others with %s", (_, other) => {
    expect(termsOf(other)).not.toBe(termsOf(policy));
    expect(termsOf(other)).toMatch(/^[0-9a-f]{16}$/);
  });

  test("name regions only where there are lists in them", () => {
    const elsewhere = { regions: ["cn-beijing"] };
    expect(termsOf({ ...policy, ...elsewhere })).toBe(termsOf(policy));
    const onLists = lockdownOf({ prefixLists: [list] });
    expect(termsOf({ ...onLists, ...elsewhere })).not.toBe(termsOf(onLists));
  });

  test("stay when something else is changed", () => {
    expect(termsOf({ ...policy, version: 2, defaultTarget: "db" })).toBe(termsOf(policy));
  });
});

test("there are operators where the policy names them, where it does without, and where somebody answers for it", () => {
  const path = { protocol: "tcp", port: "22", sources: ["203.0.113.0/24"] };
  expect(hasOperators(policy, null)).toBe(false);
  expect(hasOperators(policy, "ann")).toBe(true);
  expect(hasOperators(aPolicy({ operatorPath: [path] }), null)).toBe(true);
  expect(hasOperators(lockdownOf({ withoutOperatorPath: "lab" as never }), null)).toBe(true);
});
