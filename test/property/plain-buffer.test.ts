// Laws of PlainBuffer over generated rows.
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  type Cell,
  CellOp,
  decodeRow,
  decodeRows,
  encodeRows,
  PlainBufferError,
  type PlainRow,
} from "../../local/protocol/tablestore/plain-buffer.ts";
import { Kind, type Variant } from "../../local/protocol/tablestore/variant.ts";

const payload = (kind: number, bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Variant> =>
  bytes.map((array) => ({ kind, bytes: Buffer.from(array) }));
const eight = fc.uint8Array({ minLength: 8, maxLength: 8 });
const variant: fc.Arbitrary<Variant> = fc.oneof(
  payload(Kind.integer, eight),
  payload(Kind.double, eight),
  payload(Kind.boolean, fc.constantFrom(Uint8Array.of(0), Uint8Array.of(1))),
  payload(Kind.string, fc.uint8Array({ maxLength: 40 })),
  payload(Kind.binary, fc.uint8Array({ maxLength: 40 })),
);
const keyVariant: fc.Arbitrary<Variant> = fc.oneof(
  variant,
  ...[Kind.infMin, Kind.infMax, Kind.autoIncrement].map((kind) => fc.constant({ kind, bytes: Buffer.alloc(0) })),
);
const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,11}$/);
const timestamp = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const attribute: fc.Arbitrary<Cell> = fc.oneof(
  fc.record({ name, value: variant }),
  fc.record({ name, value: variant, timestamp }),
  fc.record({ name, op: fc.constant(CellOp.deleteOneVersion), timestamp }),
  fc.record({ name, op: fc.constant(CellOp.deleteAllVersions) }),
  fc.record({ name, value: payload(Kind.integer, eight), op: fc.constant(CellOp.increment) }),
);
const row: fc.Arbitrary<PlainRow> = fc.record({
  primaryKey: fc.array(fc.record({ name, value: keyVariant }), { minLength: 1, maxLength: 4 }),
  attributes: fc.array(attribute, { maxLength: 5 }),
  deleteMarker: fc.boolean(),
});

it("reads back what it writes, padded or not", () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 4 }), fc.nat({ max: 30 }), (rows, padding) => {
      expect(decodeRows(Buffer.concat([encodeRows(rows), Buffer.alloc(padding)]))).toEqual(rows);
    }),
  );
});

it("refuses a row of which any one byte was changed", () => {
  fc.assert(
    fc.property(row, fc.nat(), fc.integer({ min: 1, max: 255 }), (one, where, change) => {
      const bytes = encodeRows([one]);
      const at = where % bytes.length;
      bytes[at] = (bytes[at] as number) ^ change;
      expect(() => decodeRows(bytes)).toThrow(PlainBufferError);
    }),
    // A fixed seed: the checksums leave tags and lengths out, so that one change in some hundred thousand passes by design.
    { numRuns: 2_000, seed: 20_260_102 },
  );
});

it("refuses a row that was cut short", () => {
  fc.assert(
    fc.property(row, fc.nat(), (one, where) => {
      const bytes = encodeRows([one]);
      expect(() => decodeRow(bytes.subarray(0, where % bytes.length))).toThrow(PlainBufferError);
    }),
  );
});
