// The language of policies: wildcards, and which statement wins.
import { describe, expect, test } from "vitest";
import { checkPolicy, evaluate, meetsWildcard, type PolicyDocument } from "../../../local/ram.ts";

const statement = (Effect: "Allow" | "Deny", Action: string | string[], Resource: string | string[]) => ({
  ...{ Effect, Action, Resource },
});
const document = (...Statement: PolicyDocument["Statement"]): PolicyDocument => ({ Version: "1", Statement });

describe("policies", () => {
  test.each([
    ["*", "anything at all", true],
    ["ecs:*", "ecs:RunCommand", true],
    ["ecs:*", "ots:GetRow", false],
    ["*SecurityGroup*", "ecs:AuthorizeSecurityGroupEgress", true],
    ["ecs:Describe?", "ecs:Describe", false],
    ["acs:ecs:*:*:securitygroup/sg-1", "acs:ecs:cn-hangzhou:1000:securitygroup/sg-1", true],
    ["acs:ecs:*:*:securitygroup/sg-1", "acs:ecs:cn-hangzhou:1000:securitygroup/sg-12", false],
    ["a.c", "abc", false],
    ["(a)+[b]", "(a)+[b]", true],
  ])("the pattern %s on %s: %s", (pattern, text, expected) => {
    expect(meetsWildcard(pattern, text)).toBe(expected);
  });

  test("are silent about what they do not name", () => {
    const policies = [document(statement("Allow", "ecs:DescribeRegions", "*"))];
    expect(evaluate(policies, "ECS:describeregions", "x")).toBe("Allow");
    expect(evaluate(policies, "ecs:RunCommand", "x")).toBe("ImplicitDeny");
    expect(evaluate([], "ecs:RunCommand", "x")).toBe("ImplicitDeny");
  });

  test("deny whatever else they allow, in any order and document", () => {
    const allow = document(statement("Allow", "*", "*"));
    const deny = document(statement("Deny", ["ecs:Revoke*", "ecs:Modify*"], ["acs:*:securitygroup/sg-1"]));
    for (const policies of [
      [allow, deny],
      [deny, allow],
    ]) {
      expect(evaluate(policies, "ecs:RevokeSecurityGroup", "acs:ecs:r:1:securitygroup/sg-1")).toBe("ExplicitDeny");
      expect(evaluate(policies, "ecs:RevokeSecurityGroup", "acs:ecs:r:1:securitygroup/sg-2")).toBe("Allow");
    }
  });

  test.each([
    [null, "Version"],
    [{ Version: "2", Statement: [] }, "Version"],
    [{ Version: "1", Statement: [] }, "Statement"],
    [{ Version: "1", Statement: [{ Effect: "Maybe", Action: "*", Resource: "*" }] }, "Effect"],
    [{ Version: "1", Statement: [{ Effect: "Allow", Action: [], Resource: "*" }] }, "Action"],
    [{ Version: "1", Statement: [{ Effect: "Allow", Action: "*", Resource: 1 }] }, "Resource"],
    [{ Version: "1", Statement: [{ Effect: "Allow", NotAction: "*", Action: "*", Resource: "*" }] }, "NotAction"],
  ])("are refused by name of what is wrong: %j", (wrong, name) => {
    expect(() => checkPolicy(wrong)).toThrow(name);
  });
});
