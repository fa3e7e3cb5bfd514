// Policy files with mistakes, each told with its line.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { policyTextOf } from "../../../cli/setup/policy-file.ts";

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
    ["no YAML", "lease: [\n", "p.yaml:"],
    ["a list", "- a\n", "p.yaml:1: the document"],
  ])("%s is told with its line", (_name, yaml, words) => {
    expect(() => policyTextOf(yaml, "p.yaml")).toThrow(words);
  });
});
