// PlainBuffer against bytes that the official SDK produced.
import { describe, expect, it } from "vitest";
import { crc8 } from "../../../../local/protocol/tablestore/crc8.ts";
import { decodeFilter } from "../../../../local/protocol/tablestore/filter.ts";
import {
  CellOp,
  decodeRow,
  decodeRows,
  encodeRows,
  type PlainRow,
} from "../../../../local/protocol/tablestore/plain-buffer.ts";
import { integerVariant, Kind, stringVariant, type Variant } from "../../../../local/protocol/tablestore/variant.ts";

const bare = (kind: number, hex = ""): Variant => ({ kind, bytes: Buffer.from(hex, "hex") });
const row = (
  primaryKey: PlainRow["primaryKey"],
  attributes: PlainRow["attributes"] = [],
  deleteMarker = false,
): PlainRow => ({ primaryKey, attributes, deleteMarker });

const vectors: readonly { name: string; hex: string; padding: number; row: PlainRow }[] = [
  {
    name: "a put with a timestamp",
    hex: "7500000001030403000000706b31050a000000030500000069616d706b0a98030403000000706b3205090000000064000000000000000a0502030407000000636f6c756d6e310508000000030300000062616407e9030000000000000a3009df",
    padding: 22,
    row: row(
      [
        { name: "pk1", value: stringVariant("iampk") },
        { name: "pk2", value: integerVariant(100n) },
      ],
      [{ name: "column1", value: stringVariant("bad"), timestamp: 1001 }],
    ),
  },
  {
    name: "an update with every operation",
    hex: "7500000001030402000000706b050900000000ffffffffffffffff0a88020304010000006105090000000001000000000000000a1e03040100000062050900000001000000000000f83f0acd03040100000063050200000002010a55030401000000640507000000070200000000ff0a4c0304010000006506030705000000000000000a390304010000006606010a8c03040100000067050900000000030000000000000006040af60910",
    padding: 5,
    row: row(
      [{ name: "pk", value: integerVariant(-1n) }],
      [
        { name: "a", value: integerVariant(1n) },
        { name: "b", value: bare(Kind.double, "000000000000f83f") },
        { name: "c", value: bare(Kind.boolean, "01") },
        { name: "d", value: bare(Kind.binary, "00ff") },
        { name: "e", op: CellOp.deleteOneVersion, timestamp: 5 },
        { name: "f", op: CellOp.deleteAllVersions },
        { name: "g", value: integerVariant(3n), op: CellOp.increment },
      ],
    ),
  },
  {
    name: "a delete",
    hex: "7500000001030402000000706b05060000000701000000780a3f08093d",
    padding: 0,
    row: row([{ name: "pk", value: bare(Kind.binary, "78") }], [], true),
  },
  {
    name: "the largest key",
    hex: "7500000001030402000000706b05010000000a0a3309c6",
    padding: 1,
    row: row([{ name: "pk", value: bare(Kind.infMax) }]),
  },
  {
    name: "the smallest key",
    hex: "7500000001030402000000706b0501000000090a3a097b",
    padding: 1,
    row: row([{ name: "pk", value: bare(Kind.infMin) }]),
  },
  {
    name: "an automatic key",
    hex: "7500000001030403000000706b3105060000000301000000610a19030403000000706b3205010000000b0af90931",
    padding: 1,
    row: row([
      { name: "pk1", value: stringVariant("a") },
      { name: "pk2", value: bare(Kind.autoIncrement) },
    ]),
  },
];

describe("PlainBuffer", () => {
  it("uses the CRC-8 whose check value is F4", () => {
    expect(crc8(0, Buffer.from("123456789"))).toBe(0xf4);
  });

  it.each(vectors)("writes $name as the SDK does", (vector) => {
    expect(encodeRows([vector.row]).toString("hex")).toBe(vector.hex);
  });

  it.each(vectors)("reads $name, with the padding the SDK leaves", (vector) => {
    const bytes = Buffer.concat([Buffer.from(vector.hex, "hex"), Buffer.alloc(vector.padding)]);
    expect(decodeRow(bytes)).toEqual(vector.row);
  });

  it("refuses anything but zeros behind the last row", () => {
    const bytes = Buffer.from(`${vectors[2]?.hex}0001`, "hex");
    expect(() => decodeRows(bytes)).toThrow("has more data in cell");
  });

  it("says which checksum is wrong", () => {
    const bytes = Buffer.from(vectors[0]?.hex ?? "", "hex");
    const at = bytes.indexOf("bad");
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    expect(() => decodeRows(bytes)).toThrow("Cell data broken, checksum is mismatch, ");
  });

  it("gives no bytes for no rows", () => {
    expect(encodeRows([])).toHaveLength(0);
  });
});

describe("filters", () => {
  it("reads a single column condition", () => {
    const filter = decodeFilter(Buffer.from("0801121408011201761a0900070000000000000020012801", "hex"));
    expect(filter).toEqual({
      kind: "column",
      comparator: 1,
      column: "v",
      value: integerVariant(7n),
      filterIfMissing: true,
      latestVersionOnly: true,
    });
  });

  it("reads a composite condition", () => {
    const hex =
      "0802123b0801123708021233080212150801121108011201611a060301000000782000280112180801121408051201621a0901000000000000f83f20012800";
    expect(decodeFilter(Buffer.from(hex, "hex"))).toEqual({
      kind: "not",
      children: [
        {
          kind: "and",
          children: [
            {
              kind: "column",
              comparator: 1,
              column: "a",
              value: stringVariant("x"),
              filterIfMissing: false,
              latestVersionOnly: true,
            },
            {
              kind: "column",
              comparator: 5,
              column: "b",
              value: bare(Kind.double, "000000000000f83f"),
              filterIfMissing: true,
              latestVersionOnly: false,
            },
          ],
        },
      ],
    });
  });
});
