// Inputs like none that anybody sends: bytes changed anywhere, and JSON whose values are of another kind, size or depth.
import type { Dice } from "../kit/schedule.ts";

/** Values that parsers trip over. */
const HOSTILE: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  2 ** 53,
  0.1,
  "",
  " ",
  "null",
  "\u0000",
  "\ud800",
  "\u202e\u200b\ufeff",
  "../..",
  "%",
  "0.0.0.0/0",
  "::ffff:1.2.3.4/129",
  "1/65535",
  "9".repeat(400),
  "é".repeat(300),
  [],
  [[]],
  {},
  { toString: 1, valueOf: 1 },
  { toString: null },
  [{ toString: 1 }],
  { length: -1 },
  { constructor: { prototype: 1 } },
];
const NAMES = ["__proto__", "constructor", "toString", "length", "", "\u0000", "then", "data", "kind"];
const BYTES = [0x00, 0x22, 0x25, 0x2c, 0x5b, 0x5c, 0x7b, 0x7d, 0x7f, 0x80, 0xc0, 0xed, 0xff];
const DEPTH_MAX = 20_000;
/** Larger than anything a trigger hands over whole. */
const BYTES_MAX = 256 * 1024;

/** One of the seeds, changed in one to four ways. */
export function mutated(seeds: readonly Uint8Array[], dice: Dice): Uint8Array {
  let bytes: Buffer = Buffer.from(dice.pick(seeds));
  for (let n = dice.between(1, 4); n > 0; n--)
    bytes = dice.happens(0.6) ? otherwise(bytes, dice) : withOtherBytes(bytes, dice, seeds);
  return bytes.subarray(0, BYTES_MAX);
}

/** JSON with one value changed; bytes that are no JSON, or are too deep to be copied, have their bytes changed. */
function otherwise(bytes: Buffer, dice: Dice): Buffer {
  if (dice.happens(0.02)) {
    const depth = dice.between(1, DEPTH_MAX);
    return Buffer.from(`{"data":${"[".repeat(depth)}${"]".repeat(depth)}}`);
  }
  try {
    return Buffer.from(JSON.stringify(changedIn(JSON.parse(bytes.toString("utf8")), dice)));
  } catch {
    return withOtherBytes(bytes, dice, []);
  }
}

/** A copy in which one place, drawn on the way down, is another. */
function changedIn(value: unknown, dice: Dice): unknown {
  if (typeof value !== "object" || value === null || dice.happens(0.15)) return otherValue(value, dice);
  if (Array.isArray(value)) {
    if (value.length === 0) return otherValue(value, dice);
    const at = dice.between(0, value.length - 1);
    return value.map((item, index) => (index === at ? changedIn(item, dice) : item));
  }
  const entries = Object.entries(value);
  const kind = dice.between(0, 9);
  if (entries.length === 0 || kind === 0)
    return Object.fromEntries([...entries, [dice.pick(NAMES), dice.pick(HOSTILE)]]);
  const at = dice.between(0, entries.length - 1);
  if (kind === 1) return Object.fromEntries(entries.filter((_, index) => index !== at));
  return Object.fromEntries(entries.map(([name, it], index) => [name, index === at ? changedIn(it, dice) : it]));
}

function otherValue(value: unknown, dice: Dice): unknown {
  // Texts often hold another language: an address, a time, JSON.
  if (typeof value === "string" && dice.happens(0.5)) {
    const at = dice.between(0, value.length);
    const piece = dice.pick(HOSTILE);
    const inserted = typeof piece === "string" ? piece : (JSON.stringify(piece) ?? "");
    return value.slice(0, at) + inserted + value.slice(at + dice.between(0, 3));
  }
  if (typeof value === "number" && dice.happens(0.3)) return value + dice.pick([-1, 1, 0.5, 2 ** 31, -(2 ** 63)]);
  return dice.pick(HOSTILE);
}

function withOtherBytes(bytes: Buffer, dice: Dice, seeds: readonly Uint8Array[]): Buffer {
  const at = dice.between(0, bytes.length);
  const to = Math.min(bytes.length, at + dice.between(0, dice.happens(0.5) ? 2 : 40));
  const [head, middle, tail] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
  switch (dice.between(0, 4)) {
    case 0:
      return Buffer.concat([head, tail]);
    case 1:
      return Buffer.concat([head, Buffer.from([dice.pick(BYTES)]), tail]);
    case 2: {
      const times = Math.min(dice.between(1, 2000), Math.floor(BYTES_MAX / (middle.length + 1)));
      return Buffer.concat([head, ...Array.from({ length: times }, () => middle), tail]).subarray(0, BYTES_MAX);
    }
    case 3: {
      const other = seeds.length > 0 ? Buffer.from(dice.pick(seeds)) : bytes;
      return Buffer.concat([head, other.subarray(dice.between(0, other.length))]).subarray(0, BYTES_MAX);
    }
    default: {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << dice.between(0, 7));
      return flipped;
    }
  }
}
