import { describe, expect, test } from "vitest";
import { readPolicyDocument } from "../../../shared/config/policy-schema.ts";
import { policyOf } from "../../../shared/config/policy-values.ts";

const hook = { kind: "webhook", url: "https://hooks.example.com/safeport", secretFrom: "HOOK_KEY" };
const robot = { kind: "dingtalk", urlFrom: "OPS_ROBOT", secretFrom: "OPS_SIGN" };

function pathsOf(notifications: unknown): readonly string[] {
  const reading = readPolicyDocument({ notifications });
  return reading.kind === "mistakes" ? reading.mistakes.map((it) => it.path) : [];
}

describe("the section that says who is told where", () => {
  test("fills in what the services are known to allow, and the language", () => {
    const reading = readPolicyDocument({ notifications: { language: "zh", targets: { ops: robot, hook } } });
    if (reading.kind !== "ok") throw new Error(JSON.stringify(reading));
    const { targets } = policyOf(reading.document, 1, "cn-hangzhou").notifications;
    expect(targets.map(({ name, perMinute, language, least }) => [name, perMinute, language, least])).toEqual([
      ["ops", 18, "zh", "normal"],
      ["hook", 600, "zh", "normal"],
    ]);
  });

  test.each([
    [
      "a robot's address in the clear",
      { targets: { ops: { ...robot, urlFrom: null, url: "https://oapi.dingtalk.com/x" } } },
    ],
    ["no address at all", { targets: { ops: { kind: "slack" } } }],
    ["two addresses", { targets: { hook: { ...hook, urlFrom: "X" } } }],
    ["a webhook that nobody can trust", { targets: { hook: { ...hook, secretFrom: null } } }],
    ["a password in an address", { targets: { hook: { ...hook, url: "https://a:b@example.com/" } } }],
    ["no web address", { targets: { hook: { ...hook, url: "file:///etc/passwd" } } }],
    ["a secret where its name belongs", { targets: { ops: { ...robot, secretFrom: "SECd41d8cd98f" } } }],
    ["a role that is told somewhere unknown", { targets: { ops: robot }, roles: { operator: ["opps"] } }],
    ["people who are told somewhere unknown", { people: { ann: { targets: ["ops"] } } }],
    ["groups that are told somewhere unknown", { groups: { "sg-1": ["ops"] } }],
    ["others who are told somewhere unknown", { otherwise: ["ops"] }],
    ["a role that does not exist", { roles: { boss: [] } }],
  ])("refuses %s", (_, notifications) => {
    expect(pathsOf(notifications)).toHaveLength(1);
    expect(pathsOf(notifications)[0]).toMatch(/^notifications\./);
  });
});
