// The order of encoded keys is the order of the keys.
import { expect, it } from "vitest";
import { integerVariant, Kind, stringVariant, type Variant } from "../../../../local/protocol/tablestore/variant.ts";
import { encodeKey } from "../../../../local/services/tablestore/keys.ts";

const low: Variant = { kind: Kind.infMin, bytes: Buffer.alloc(0) };
const high: Variant = { kind: Kind.infMax, bytes: Buffer.alloc(0) };

it("sorts integers by value and keeps the bounds outside", () => {
  const values = [-(2n ** 63n), -256n, -1n, 0n, 1n, 255n, 256n, 2n ** 63n - 1n].map(integerVariant);
  const keys = [low, ...values, high].map((value) => encodeKey([value]));
  expect(keys.toSorted(Buffer.compare)).toEqual(keys);
});

it("sorts strings by bytes, shorter first, whatever the next column holds", () => {
  const values = ["", "\0", "\0\0", "\0a", "a", "a\0", "a\0b", "aa", "b", "é", "\u{ffff}"].map(stringVariant);
  const keys = values.flatMap((value) => [
    encodeKey([value, low]),
    encodeKey([value, stringVariant("z")]),
    encodeKey([value, high]),
  ]);
  expect(keys.toSorted(Buffer.compare)).toEqual(keys);
});
