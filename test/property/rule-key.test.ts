import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cidrOf } from "../../shared/domain/cidr.ts";
import {
  formatCloudPortRange,
  formatPortRange,
  parseCloudPortRange,
  parsePortRange,
} from "../../shared/domain/port-range.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { identityWithoutPriority, ruleKey } from "../../shared/domain/rule-key.ts";
import { specFromJson, specToJson } from "../../shared/store/spec-json.ts";
import { anyCidr, anySpec } from "../kit/rule-arbitraries.ts";

/** Two rules that differ in nothing or in one or more fields, so that equal pairs and near misses both come up. */
const aPair = fc
  .tuple(
    anySpec,
    anySpec,
    fc.subarray(["direction", "protocol", "ports", "peer", "policy", "priority", "sourcePorts", "dest"] as const),
  )
  .map(([a, b, fields]): [RuleSpec, RuleSpec] => [
    a,
    { ...a, ...Object.fromEntries(fields.map((field) => [field, b[field]])) } as RuleSpec,
  ]);

it("keys are equal exactly when the rules are", () => {
  fc.assert(
    fc.property(aPair, ([a, b]) => {
      expect(ruleKey(a) === ruleKey(b)).toBe(isDeepStrictEqual(a, b));
      const samePriority = { ...b, priority: a.priority };
      expect(identityWithoutPriority(a) === identityWithoutPriority(b)).toBe(isDeepStrictEqual(a, samePriority));
    }),
    { numRuns: 2000 },
  );
});

it("a key is one line and does not depend on the order of fields", () => {
  fc.assert(
    fc.property(anySpec, (spec) => {
      expect(ruleKey(spec)).not.toMatch(/[\r\n]/);
      const turned = Object.fromEntries(Object.entries(spec).reverse()) as unknown as RuleSpec;
      expect(ruleKey(turned)).toBe(ruleKey(spec));
    }),
  );
});

/** Any block of either family, and those that hold IPv4 inside IPv6, which people may not write and the cloud may show. */
const anyShown = fc.oneof(
  anyCidr,
  fc
    .tuple(fc.bigInt({ min: 0n, max: 0xffff_ffffn }), fc.integer({ min: 90, max: 128 }))
    .map(([address, prefix]) => cidrOf(6, 0xffff_0000_0000n | address, prefix)),
);

it("whatever rule the cloud may show is read back as it was stored", () => {
  fc.assert(
    fc.property(anySpec, anyShown, fc.option(anyShown), (some, cidr, dest) => {
      for (const spec of [some, { ...some, dest, peer: { kind: "cidr", cidr } } as const])
        expect(specFromJson(JSON.parse(JSON.stringify(specToJson(spec))), "drift")).toEqual(spec);
    }),
    { numRuns: 1000 },
  );
});

it("a port range is read back from both its forms", () => {
  const port = fc.integer({ min: 1, max: 65535 });
  fc.assert(
    fc.property(port, port, (a, b) => {
      const range = { from: Math.min(a, b), to: Math.max(a, b) };
      expect(parsePortRange(formatPortRange(range))).toEqual(range);
      expect(parseCloudPortRange(formatCloudPortRange(range))).toEqual(range);
      if (a !== b) expect(parsePortRange(`${range.to}/${range.from}`)).toBeNull();
    }),
  );
});
