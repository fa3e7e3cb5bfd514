// What people are told of a rule: one safe line that keeps apart what differs.
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { coverage } from "../../shared/domain/cidr.ts";
import { isOpenToWorld, reachOf } from "../../shared/domain/reach.ts";
import { anySpec } from "../kit/rule-arbitraries.ts";

const anyHosts = fc.option(fc.nat(5000));

it("the reach of any rule is one short line of printable characters", () => {
  fc.assert(
    fc.property(anySpec, anyHosts, fc.constantFrom("opens" as const, "closes" as const), (spec, hosts, direction) => {
      const text = reachOf(spec, hosts, direction);
      expect(text).toMatch(/^[ -~]+$/);
      expect(text.length).toBeLessThan(400);
    }),
    { numRuns: 2000 },
  );
});

it("a rule that appears is told otherwise than the same rule that goes, and an accept otherwise than a drop", () => {
  fc.assert(
    fc.property(anySpec, anyHosts, (spec, hosts) => {
      const texts = (["accept", "drop"] as const).flatMap((policy) =>
        (["opens", "closes"] as const).map((direction) => reachOf({ ...spec, policy }, hosts, direction)),
      );
      expect(new Set(texts).size).toBe(4);
    }),
    { numRuns: 1000 },
  );
});

it("blocks told by their text are told apart", () => {
  fc.assert(
    fc.property(anySpec, anySpec, (a, b) => {
      if (a.peer.kind !== "cidr" || b.peer.kind !== "cidr") return;
      const same =
        a.peer.cidr.family === b.peer.cidr.family &&
        a.peer.cidr.first === b.peer.cidr.first &&
        a.peer.cidr.prefix === b.peer.cidr.prefix;
      expect(reachOf({ ...a, peer: b.peer }, 1, "opens") === reachOf(a, 1, "opens")).toBe(same);
    }),
    { numRuns: 1000 },
  );
});

it("only ingress accepts of a block are open to the world, and exactly those with more addresses than a /8 or a /16", () => {
  fc.assert(
    fc.property(anySpec, (spec) => {
      const { v4, v6 } = coverage(spec.peer.kind === "cidr" ? [spec.peer.cidr] : []);
      const wide = v4 > 1n << 24n || v6 > 1n << 112n;
      expect(isOpenToWorld(spec)).toBe(wide && spec.policy === "accept" && spec.direction === "ingress");
    }),
    { numRuns: 2000 },
  );
});
