// Policy files with mistakes, each told with its line.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { policyTextOf, readPolicyFile } from "../../../cli/setup/policy-file.ts";

describe("policy file", () => {
  test("becomes JSON with every default filled in", () => {
    const document = JSON.parse(policyTextOf("defaultTarget: web\nlease: { periodMax: 7200 }\n", "p.yaml"));
    expect(document).toMatchObject({
      defaultTarget: "web",
      lease: { periodMin: 60, periodMax: 7200 },
      trustedProxies: [],
    });
  });

  test("an empty file is the shipped policy", () => {
    expect(JSON.parse(policyTextOf("", "p.yaml"))).toMatchObject({ defaultTarget: null });
  });

  test("the policy of npm start is valid and leads to web", () => {
    const yaml = readFileSync("cli/dev/policy.yaml", "utf8");
    expect(JSON.parse(policyTextOf(yaml, "policy.yaml"))).toMatchObject({ defaultTarget: "web" });
  });

  test.each([
    ["an alias", "a: &a [x]\nb: *a\n", "p.yaml: has an alias (*name). Write what it stands for in its place."],
    ["more than a policy", "#".repeat(1_000_001), "p.yaml: has more than 1000000 characters"],
    ["something else", "- \u001b[2J\n}\n".repeat(100), "… and "],
  ])("with %s is told in few words, and gives no orders to a terminal", (_, yaml, words) => {
    const told = (): string => {
      try {
        return policyTextOf(yaml, "p.yaml");
      } catch (error) {
        return (error as Error).name === "PolicyFileError" ? (error as Error).message : "another error";
      }
    };
    expect(told()).toContain(words);
    expect(told()).not.toContain("\u001b");
    expect(told().split("\n").length).toBeLessThan(25);
  });

  test.each([
    [
      "a trusted name that does not say of what",
      "trustedPrincipals:\n  - { principal: terraform }\n",
      "warning: p.yaml:2: trustedPrincipals[0].principal does not say of what terraform is the name",
    ],
    [
      "a writer that nothing is known of",
      "foreignWriters:\n  - { name: DTS }\n",
      "warning: p.yaml:2: foreignWriters[0] knows no rule of DTS",
    ],
    [
      "a writer from everywhere",
      "foreignWriters:\n  - { name: DTS, sources: [10.0.0.0/8] }\n",
      "warning: p.yaml:2: foreignWriters[0] takes everything in 10.0.0.0/8",
    ],
    [
      "an enforced group without any writer",
      "groups: { guards: { web: enforce } }\n",
      "warning: p.yaml:1: foreignWriters is empty, and none is shipped",
    ],
  ])("%s is valid, and warned of", (_name, yaml, words) => {
    expect(readPolicyFile(yaml, "p.yaml").warnings).toEqual([expect.stringContaining(words)]);
  });

  test("a policy that says what it means is not warned of", () => {
    const yaml = `groups: { guards: { web: enforce } }
foreignWriters: [{ name: DTS, sources: [100.104.5.0/24] }]
trustedPrincipals: [{ principal: role/terraform }, { principal: user/alice }, { principal: "3000000000000003" }]
`;
    expect(readPolicyFile(yaml, "p.yaml").warnings).toEqual([]);
  });

  test.each([
    [
      "an unknown field",
      "a\n".replace("a", "defaultTarget: web\nlease:\n  periodMaximum: 60"),
      "p.yaml:3: lease.periodMaximum is not a field",
    ],
    ["a wrong value", "lease:\n  periodMin: 60\n  periodMax: 8h\n", "p.yaml:3: lease.periodMax"],
    ["a wrong item", "trustedProxies:\n  - 10.0.0.1\n  - nowhere\n", "p.yaml:3: trustedProxies[1] is not an address"],
    [
      "two fields that disagree",
      "lease:\n  periodMax: 60\n  periodMin: 600\n",
      "p.yaml:3: lease.periodMin 600 is above",
    ],
    ["a field given twice", "defaultTarget: a\ndefaultTarget: b\n", "p.yaml:2: Map keys must be unique"],
    [
      "somebody of no kind",
      "trustedPrincipals:\n  - { principal: group/ops }\n",
      "p.yaml:2: trustedPrincipals[0].principal is not role/NAME",
    ],
    ["no YAML", "lease: [\n", "p.yaml:"],
    ["a list", "- a\n", "p.yaml:1: the document"],
  ])("%s is told with its line", (_name, yaml, words) => {
    expect(() => policyTextOf(yaml, "p.yaml")).toThrow(words);
  });
});
