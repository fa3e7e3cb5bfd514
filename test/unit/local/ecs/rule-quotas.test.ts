// What rules count for, and how calls are counted against the limits of a minute.
import { describe, expect, it } from "vitest";
import { defaultLimits, limitOf, Throttle } from "../../../../local/services/ecs/limits.ts";
import type { EcsList } from "../../../../local/services/ecs/model.ts";
import type { RuleFields } from "../../../../local/services/ecs/rule-identity.ts";
import { weightOf } from "../../../../local/services/ecs/rule-quotas.ts";

const list = (listId: string, maxEntries: number): EcsList => ({
  regionId: "cn-hangzhou",
  listId,
  kind: listId.startsWith("prl") ? "port-range" : "prefix",
  name: listId,
  description: "",
  addressFamily: "",
  maxEntries,
  entries: [],
  tags: {},
  creationTime: "",
});
const lists = [list("pl-3", 3), list("prl-5", 5)];
const rule = (names: Partial<RuleFields>): RuleFields =>
  ({ sourcePrefixListId: "", destPrefixListId: "", portRangeListId: "", ...names }) as RuleFields;

describe("the weight of rules", () => {
  it.each([
    [[], 0],
    [[rule({}), rule({})], 2],
    [[rule({ sourcePrefixListId: "pl-3" })], 3],
    [[rule({ destPrefixListId: "pl-3" }), rule({})], 4],
    [[rule({ portRangeListId: "prl-5" })], 5],
    [[rule({ sourcePrefixListId: "pl-3", portRangeListId: "prl-5" })], 15],
    [[rule({ sourcePrefixListId: "pl-gone" })], 1],
  ])("is that of the largest their lists may become", (rules, weight) => {
    expect(weightOf(rules, lists)).toBe(weight);
  });
});

describe("the limit of calls", () => {
  const minute = 60_000;
  const answer = { status: 400, retryAfterHeader: true } as const;
  const call = (operation: string, now: number, regionId = "cn-hangzhou") => ({ operation, regionId, now });

  it("is one for all operations, or one of their own", () => {
    expect(limitOf({ ...defaultLimits, callsPerMinute: 3 }, "A")).toBe(3);
    expect(limitOf({ ...defaultLimits, callsPerMinute: { A: 3 } }, "A")).toBe(3);
    expect(limitOf({ ...defaultLimits, callsPerMinute: { A: 3 } }, "B")).toBeUndefined();
    expect(limitOf(defaultLimits, "A")).toBeUndefined();
  });

  it("counts each operation of each region apart, refused calls too, until the minute ends", () => {
    const throttle = new Throttle();
    const limits = { ...defaultLimits, callsPerMinute: 1 };
    const codeOf = (...args: Parameters<typeof call>) =>
      throttle.check(call(...args), limits, { throttleAnswer: answer })?.error.code ?? "taken";
    expect([codeOf("A", 0), codeOf("B", 0), codeOf("A", 0, "cn-shanghai")]).toEqual(["taken", "taken", "taken"]);
    expect([codeOf("A", 1), codeOf("A", minute - 1)]).toEqual(["Throttling.User", "Throttling.User"]);
    expect(throttle.callsOf("A", "cn-hangzhou", minute - 1)).toBe(3);
    expect(codeOf("A", minute)).toBe("taken");
    expect(throttle.callsOf("A", "cn-hangzhou", minute)).toBe(1);
  });

  it("tells how long the minute lasts, when asked to", () => {
    const throttle = new Throttle();
    const limits = { ...defaultLimits, callsPerMinute: 0 };
    expect(throttle.check(call("A", 38_000), limits, { throttleAnswer: answer })?.headers).toEqual({
      "x-acs-retry-after": "22000",
    });
    const silent = { ...answer, retryAfterHeader: false };
    expect(throttle.check(call("A", 38_000), limits, { throttleAnswer: silent })?.headers).toEqual({});
  });

  it("is one of the account too, over all operations of a region", () => {
    const throttle = new Throttle();
    const limits = { ...defaultLimits, callsPerMinuteInAll: 2 };
    const codes = ["A", "B", "C"].map(
      (name) => throttle.check(call(name, 0), limits, { throttleAnswer: answer })?.error.code,
    );
    expect(codes).toEqual([undefined, undefined, "Throttling"]);
    expect(throttle.check(call("A", 0, "cn-shanghai"), limits, { throttleAnswer: answer })).toBeUndefined();
  });
});
