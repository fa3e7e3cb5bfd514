import { mergeCidr } from "cidr-tools";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import {
  addressBits,
  type Cidr,
  cidrOf,
  complementOf,
  containsCidr,
  coverage,
  formatBare,
  formatCidr,
  mergeCidrs,
  overlaps,
  parseCidr,
  parseObservedCidr,
  widestPrefix,
} from "../../shared/domain/cidr.ts";

const aBlock: fc.Arbitrary<Cidr> = fc
  .constantFrom(4 as const, 6 as const)
  .chain((family) =>
    fc
      .tuple(fc.bigInt({ min: 0n, max: (1n << BigInt(addressBits(family))) - 1n }), fc.nat(addressBits(family)))
      .map(([address, prefix]) => cidrOf(family, address, prefix)),
  )
  .filter(({ family, first, last }) => family === 4 || first < 0xffff_0000_0000n || last > 0xffff_ffff_ffffn);

/** Blocks within 10.0.0.0/24 or ::/120, small enough for one bit per address. */
const aSmallBlock: fc.Arbitrary<Cidr> = fc
  .tuple(fc.constantFrom(4 as const, 6 as const), fc.nat(255), fc.nat(8))
  .map(([family, host, bits]) =>
    cidrOf(family, (family === 4 ? 0x0a000000n : 0n) + BigInt(host), addressBits(family) - bits),
  );

function members(cidrs: readonly Cidr[], family: 4 | 6): Set<bigint> {
  const found = new Set<bigint>();
  for (const { first, last } of cidrs.filter((cidr) => cidr.family === family)) {
    for (let address = first; address <= last; address++) found.add(address);
  }
  return found;
}

it("a block is read back from its text, canonical or bare", () => {
  fc.assert(
    fc.property(aBlock, (block) => {
      expect(parseCidr(formatCidr(block))).toEqual(block);
      expect(parseCidr(formatBare(block))).toEqual(block);
      expect(parseObservedCidr(formatCidr(block))).toEqual(block);
    }),
  );
});

it("whatever is accepted from a person means the same when the cloud shows it", () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom(..."0123456789abcdef.:/% "), maxLength: 24 }),
    fc.string({ maxLength: 20 }),
    aBlock.map(formatCidr),
  );
  fc.assert(
    fc.property(text, (text) => {
      const strict = parseCidr(text);
      if (strict !== null) expect(parseObservedCidr(text)).toEqual(strict);
    }),
    { numRuns: 2000 },
  );
});

it("the union of blocks holds exactly the addresses of a bitmap", () => {
  fc.assert(
    fc.property(fc.array(aSmallBlock, { maxLength: 8 }), (blocks) => {
      const total = coverage(blocks);
      const widest = widestPrefix(blocks);
      const merged = mergeCidrs(blocks);
      for (const family of [4, 6] as const) {
        const bitmap = members(blocks, family);
        const name = `v${family}` as const;
        expect(total[name]).toBe(BigInt(bitmap.size));
        expect(members(merged, family)).toEqual(bitmap);
        const prefix = widest[name];
        if (bitmap.size === 0) expect(prefix).toBeNull();
        else {
          const size = 2 ** (addressBits(family) - (prefix ?? Number.NaN));
          expect(size).toBeGreaterThanOrEqual(bitmap.size);
          expect(size / 2).toBeLessThan(bitmap.size);
        }
      }
    }),
  );
});

it("merging agrees with another implementation", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(aBlock, aSmallBlock), { maxLength: 12 }), (blocks) => {
      const other = mergeCidr(blocks.map(formatCidr)).map((text) => formatCidr(parseObservedCidr(text) as Cidr));
      expect(mergeCidrs(blocks).map(formatCidr).sort()).toEqual(other.sort());
    }),
  );
});

it("splitting a block does not make it narrower", () => {
  fc.assert(
    fc.property(
      aBlock.filter((block) => block.prefix < addressBits(block.family)),
      (block) => {
        const half = block.prefix + 1;
        const halves = [cidrOf(block.family, block.first, half), cidrOf(block.family, block.last, half)];
        expect(widestPrefix(halves)).toEqual(widestPrefix([block]));
        expect(mergeCidrs(halves)).toEqual([block]);
      },
    ),
  );
});

it("containing and overlapping agree with a bitmap", () => {
  fc.assert(
    fc.property(aSmallBlock, aSmallBlock, (a, b) => {
      fc.pre(a.family === b.family);
      const inA = members([a], a.family);
      const inB = [...members([b], b.family)];
      expect(containsCidr(a, b)).toBe(inB.every((address) => inA.has(address)));
      expect(overlaps(a, b)).toBe(inB.some((address) => inA.has(address)));
    }),
  );
});

it("blocks and what they leave of a family are all of it, and share nothing", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(aBlock, aSmallBlock), { maxLength: 8 }),
      fc.constantFrom(4 as const, 6 as const),
      (blocks, family) => {
        const own = blocks.filter((block) => block.family === family);
        const rest = complementOf(blocks, family);
        expect(mergeCidrs([...own, ...rest])).toEqual([cidrOf(family, 0n, 0)]);
        expect(rest.some((gap) => own.some((block) => overlaps(gap, block)))).toBe(false);
        expect(mergeCidrs(rest)).toEqual(rest);
      },
    ),
  );
});
