// The policy document: defaults, bounds and mistakes.
import { describe, expect, test } from "vitest";
import { policyJsonSchema } from "../../../cli/safeport/policy-json-schema.ts";
import {
  checkedPolicyText,
  defaultPolicy,
  policyOfRow,
  readPolicyDocument,
} from "../../../shared/config/policy-schema.ts";
import { policyOf } from "../../../shared/config/policy-values.ts";

const mistakesOf = (value: unknown) => {
  const reading = readPolicyDocument(value);
  return reading.kind === "mistakes" ? reading.mistakes : [];
};

describe("policy document", () => {
  test("an empty document is the shipped policy", () => {
    const policy = defaultPolicy("cn-hangzhou");
    expect(policy).toMatchObject({
      version: 0,
      regions: ["cn-hangzhou"],
      defaultTarget: null,
      lease: { periodMinMs: 60_000, periodMaxMs: 28_800_000, totalMaxMs: 86_400_000, destCidrIp: "use", priority: 100 },
      groups: { denied: [] },
      limits: { rulesPerInterface: 1000, rulesKeptFree: 20 },
      operatorPath: [],
      trustedProxies: [],
    });
    expect(policy.lease.sourceWidthMax).toEqual({ v4: 24, v6: 56 });
    expect(policy.lease.sensitivePorts).toEqual(expect.arrayContaining([22, 3389, 3306]));
    expect(readPolicyDocument(null)).toEqual(readPolicyDocument({}));
  });

  test("seconds become milliseconds and named regions replace the own one", () => {
    const reading = readPolicyDocument({ regions: ["cn-beijing"], lease: { periodMax: 120 } });
    if (reading.kind !== "ok") throw new Error("refused");
    const policy = policyOf(reading.document, 3, "cn-hangzhou");
    expect(policy).toMatchObject({ version: 3, regions: ["cn-beijing"], lease: { periodMaxMs: 120_000 } });
  });

  test("an operator path is tcp unless said otherwise", () => {
    const reading = readPolicyDocument({
      operatorPath: [
        { port: "22", sources: ["198.51.100.0/24", "2001:db8::/56"] },
        { protocol: "icmp", sources: ["198.51.100.7"] },
      ],
    });
    if (reading.kind !== "ok") throw new Error("refused");
    expect(policyOf(reading.document, 1, "cn-hangzhou").operatorPath).toEqual([
      { protocol: "tcp", port: "22", sources: ["198.51.100.0/24", "2001:db8::/56"] },
      { protocol: "icmp", port: "", sources: ["198.51.100.7"] },
    ]);
  });

  test.each([
    ["lease.periodMaximum", { lease: { periodMaximum: 60 } }],
    ["defaulttarget", { defaulttarget: "web" }],
    ["lease.periodMax", { lease: { periodMax: "8h" } }],
    ["lease.periodMax", { lease: { periodMax: 60.5 } }],
    ["lease.periodMin", { lease: { periodMin: 600, periodMax: 300 } }],
    ["lease.periodMax", { lease: { periodMax: 7200, totalMax: 3600 } }],
    ["lease.sensitivePorts[1]", { lease: { sensitivePorts: [22, 65_536] } }],
    ["lease.destCidrIp", { lease: { destCidrIp: "maybe" } }],
    ["trustedProxies[0]", { trustedProxies: ["10.0.0.0/33"] }],
    ["regions[0]", { regions: ["Hangzhou!"] }],
    ["operatorPath[0]", { operatorPath: [{ sources: ["198.51.100.7"] }] }],
    ["operatorPath[0]", { operatorPath: [{ port: "22-", sources: ["198.51.100.7"] }] }],
    ["operatorPath[0]", { operatorPath: [{ protocol: "icmp", port: "22", sources: ["198.51.100.7"] }] }],
    ["operatorPath[0].protocol", { operatorPath: [{ protocol: "ospf", sources: ["198.51.100.7"] }] }],
    ["operatorPath[0].sources", { operatorPath: [{ port: "22", sources: [] }] }],
    ["operatorPath[0].sources[0]", { operatorPath: [{ port: "22", sources: ["198.51.100.7/24"] }] }],
    ["limits.rulesKeptFree", { limits: { rulesPerInterface: 10, rulesKeptFree: 10 } }],
  ])("a mistake is named by its path: %s", (path, value) => {
    const [mistake, ...others] = mistakesOf(value);
    expect(others).toEqual([]);
    expect(mistake?.path).toBe(path);
    expect(mistake?.remedy).not.toBe("");
  });

  test("all mistakes are told at once", () => {
    expect(
      mistakesOf({ a: 1, b: 2, lease: { priority: 0 } })
        .map((each) => each.path)
        .sort(),
    ).toEqual(["a", "b", "lease.priority"]);
  });

  test("two identity providers of one name, or two entries for one, are refused when written; what is in force stays readable", () => {
    const provider = (name: string, issuer: string) => ({
      ...{ name, issuer, audience: "safeport", jwksUri: "https://id.example.com/keys" },
      rules: [{ claim: "team", value: "ops", roles: ["operator"] }],
    });
    const two = (...oidc: readonly object[]) => ({ access: { oidc } });
    const [a, b] = ["https://a.example.com", "https://b.example.com"];
    const sharedName = two(provider("corp", a), provider("corp", b));
    expect(mistakesOf(sharedName).map(({ path }) => path)).toEqual(["access.oidc[1].name"]);
    const sharedIssuer = mistakesOf(two(provider("corp", a), provider("partner", a)));
    expect(sharedIssuer.map(({ path }) => path)).toEqual(["access.oidc[1].issuer"]);
    expect(mistakesOf(two(provider("corp", a), provider("partner", b)))).toEqual([]);
    expect(() => checkedPolicyText(sharedName)).toThrow(expect.objectContaining({ code: "POLICY_INVALID" }));
    expect(policyOfRow({ version: 2, text: JSON.stringify(sharedName) }, "cn-hangzhou").access.oidc).toHaveLength(2);
  });

  test("a stored row that is no policy is unreadable, not a default", () => {
    const unreadable = expect.objectContaining({ code: "STATE_UNREADABLE" });
    expect(() => policyOfRow({ version: 1, text: "{" }, "cn-hangzhou")).toThrow(unreadable);
    expect(() => policyOfRow({ version: 1, text: '{"a":1}' }, "cn-hangzhou")).toThrow(unreadable);
    expect(policyOfRow({ version: 2, text: "{}" }, "cn-hangzhou").version).toBe(2);
  });

  test("its JSON Schema refuses unknown fields and knows every field", () => {
    const schema = JSON.parse(JSON.stringify(policyJsonSchema()));
    expect(schema.additionalProperties).toBe(false);
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(["regions", "defaultTarget", "lease", "groups", "limits", "trustedProxies"]),
    );
  });

  test("one that could not be sent again is not accepted", () => {
    const denied = (count: number) => ({
      groups: { denied: Array.from({ length: count }, (_, n) => String(n).padEnd(120, "x")) },
    });
    expect(mistakesOf(denied(7000))).toEqual([]);
    const [mistake, ...more] = mistakesOf(denied(9000));
    expect(more).toEqual([]);
    expect(mistake?.what).toMatch(/has 1\d{6} bytes of JSON with every default filled in; 1000000 are accepted/);
  });
});
