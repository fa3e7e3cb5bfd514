// Sensitive ports in pieces, against a count of the addresses one block after the other: however many rules, passes and families
// somebody trusted divides the world into, the ledger never grants it unseen.
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cidrOf } from "../../shared/domain/cidr.ts";
import { type DriftItem, isOpenDrift } from "../../shared/domain/drift-item.ts";
import type { Entry } from "../../shared/domain/ledger-entry.ts";
import type { Rule, RuleSpec } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import { sensitiveOpenings } from "../../shared/domain/sensitive-openings.ts";
import { planGroup } from "../../shared/plan/plan-group.ts";
import { anAllocated, aSighting, aWatch, terraform } from "../kit/drift-pictures.ts";
import { aPicture, NOW, preExisting, ruleId } from "../kit/plan-pictures.ts";
import { aSpec, somePorts } from "../kit/rules.ts";

const PORTS = [22, 3306];
/** Cells of a /12 of IPv4 and of a /20 of IPv6: sixteen of them are as much as is granted unseen. */
const CELL = { 4: 12, 6: 20 } as const;
const CELLS_MAX = 16;

/** Blocks in a part of the addresses that is small enough for them to meet, none smaller than a cell. */
const aBlock = fc
  .tuple(fc.constantFrom(4 as const, 6 as const), fc.nat(255), fc.integer({ min: 0, max: 6 }))
  .map(([family, at, wider]) => {
    const bits = family === 4 ? 32 : 128;
    return cidrOf(family, BigInt(at) << BigInt(bits - CELL[family]), CELL[family] - wider);
  });

const anOpening: fc.Arbitrary<RuleSpec> = fc
  .record({
    cidr: aBlock,
    ports: fc.constantFrom("22/22", "3306/3306", "20/22", "22/4000", "443/443", "-1/-1"),
    policy: fc.constantFrom("accept" as const, "accept" as const, "accept" as const, "drop" as const),
    direction: fc.constantFrom("ingress" as const, "ingress" as const, "ingress" as const, "egress" as const),
    priority: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ cidr, ports, ...rest }) => aSpec({ peer: { kind: "cidr", cidr }, ports: somePorts(ports), ...rest }));

const covers = ({ ports }: RuleSpec, port: number): boolean =>
  ports.kind === "any" || (ports.kind === "range" && ports.range.from <= port && port <= ports.range.to);

/** Which families of which ports are open to the world, counted cell by cell. */
function worlds(specs: readonly RuleSpec[]): ReadonlySet<string> {
  const cells = new Map<string, Set<bigint>>();
  for (const spec of specs) {
    if (spec.policy !== "accept" || spec.direction !== "ingress" || spec.peer.kind !== "cidr") continue;
    const { family, first, last } = spec.peer.cidr;
    const size = 1n << BigInt((family === 4 ? 32 : 128) - CELL[family]);
    for (const port of PORTS.filter((it) => covers(spec, it))) {
      const seen = cells.get(`${port}/${family}`) ?? new Set();
      for (let cell = first; cell <= last; cell += size) seen.add(cell);
      cells.set(`${port}/${family}`, seen);
    }
  }
  return new Set([...cells].flatMap(([place, seen]) => (seen.size > CELLS_MAX ? [place] : [])));
}

it("what is granted without a look never opens a sensitive port to the world, and nothing is looked at that could not", () => {
  fc.assert(
    fc.property(fc.array(anOpening, { maxLength: 8 }), fc.array(anOpening, { maxLength: 4 }), (specs, granted) => {
      const sensitive = new Set(sensitiveOpenings(specs, granted, PORTS));
      const before = worlds(granted);
      const unseen = specs.filter((spec) => !sensitive.has(spec));
      for (const place of worlds([...unseen, ...granted])) expect(before).toContain(place);
      expect([...worlds(unseen)]).toEqual([]);
      const own = worlds(specs);
      const isWorld = [...worlds([...specs, ...granted])].some((place) => own.has(place) || !before.has(place));
      expect(sensitive.size > 0).toBe(isWorld);
    }),
    { numRuns: 2000 },
  );
});

it("what a trusted role opens in any order and number of passes is never adopted into a world", () => {
  const somePasses = fc.array(fc.array(anOpening, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(somePasses, (passes) => {
      let entries: readonly Entry[] = [];
      let items: readonly DriftItem[] = [];
      const rules: Rule[] = [];
      for (const opened of passes) {
        for (const spec of opened) {
          if (rules.some((rule) => ruleKey(rule) === ruleKey(spec))) continue;
          rules.push({ ...spec, id: ruleId(`${rules.length}`), description: "", createdAt: NOW - 60_000 });
        }
        const sightings = [aSighting({ actor: terraform, specs: rules })];
        const { drift } = planGroup(aPicture({ rules, entries, watch: aWatch({ sightings, items }) }));
        const adopted = drift.adoptions.map(({ spec, allocation }) => {
          const rule = rules.find((it) => ruleKey(it) === ruleKey(spec));
          return anAllocated({ spec, allocation, standing: preExisting(rule?.id?.slice("sgr-".length) ?? "") });
        });
        entries = [...entries, ...adopted];
        items = drift.items.filter(isOpenDrift);
        expect([...worlds(entries.map(({ spec }) => spec))]).toEqual([]);
        for (const spec of adopted) expect(items.some(({ key }) => key === spec.key)).toBe(false);
      }
      // What was never a part of a world is adopted.
      const asked = new Set(items.map(({ key }) => key));
      if (worlds(rules).size === 0) expect([...asked]).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
