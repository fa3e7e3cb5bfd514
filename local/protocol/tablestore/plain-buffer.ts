// PlainBuffer, the row format inside Tablestore's protobuf messages: strict reader and writer, checksums both ways.

import { crc8, crc8Byte } from "./crc8.ts";
import { fixedLength, Kind, type Variant } from "./variant.ts";

const headerWord = 0x75;
const Tag = {
  end: 0x00,
  primaryKey: 0x01,
  attributes: 0x02,
  cell: 0x03,
  name: 0x04,
  value: 0x05,
  op: 0x06,
  timestamp: 0x07,
  deleteMarker: 0x08,
  rowChecksum: 0x09,
  cellChecksum: 0x0a,
} as const;

/** What a cell of a row change asks for; a cell without an op is a put. */
export const CellOp = { deleteAllVersions: 0x01, deleteOneVersion: 0x03, increment: 0x04 } as const;

/** One cell. `timestamp` is in milliseconds. */
export interface Cell {
  readonly name: string;
  readonly value?: Variant;
  readonly op?: number;
  readonly timestamp?: number;
}

/** One row or row change. */
export interface PlainRow {
  readonly primaryKey: readonly Cell[];
  readonly attributes: readonly Cell[];
  readonly deleteMarker: boolean;
}

/** The bytes are not a PlainBuffer; the message says what is wrong with them. */
export class PlainBufferError extends Error {}

const tooShort = (): PlainBufferError =>
  new PlainBufferError("Input encoded PK broken, length is shorter than expect.");

/** The four bytes every non-empty PlainBuffer starts with. */
export const plainBufferHeader: Buffer = Buffer.from([headerWord, 0, 0, 0]);

/**
 * Reads header and rows. Verifies every length and checksum; tolerates zero bytes after the last row, which
 * some clients leave there. Throws PlainBufferError.
 */
export function decodeRows(bytes: Buffer): PlainRow[] {
  if (bytes.length < 4) throw tooShort();
  const header = bytes.readUInt32LE(0);
  if (header !== headerWord) {
    throw new PlainBufferError(`Cell data broken, mismatch header, actual: ${header}, expect: ${headerWord}.`);
  }
  const reader = new Reader(bytes, 4);
  const rows: PlainRow[] = [];
  while (!reader.atPadding()) rows.push(reader.row());
  return rows;
}

/** Reads a buffer that must hold exactly one row. Throws PlainBufferError. */
export function decodeRow(bytes: Buffer): PlainRow {
  const rows = decodeRows(bytes);
  if (rows.length !== 1)
    throw new PlainBufferError(`data format is invalid, ${rows.length} rows where one is expected.`);
  return rows[0] as PlainRow;
}

/** Reads one row without a header, as the store keeps it. Throws PlainBufferError. */
export function decodeBareRow(bytes: Buffer): PlainRow {
  return new Reader(bytes, 0).row();
}

class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** True at the end, or when only zero bytes are left. */
  atPadding(): boolean {
    if (this.#at === this.#bytes.length) return true;
    if (this.#bytes[this.#at] !== Tag.end) return false;
    for (let at = this.#at; at < this.#bytes.length; at++) {
      if (this.#bytes[at] !== 0)
        throw new PlainBufferError("Cell data broken, has more data in cell, but they can't be parsed.");
    }
    return true;
  }

  row(): PlainRow {
    const sum = { row: 0 };
    this.#expect(Tag.primaryKey);
    const primaryKey = this.#cells(sum);
    if (primaryKey.length === 0) throw new PlainBufferError("Cell data broken, PK is empty.");
    let attributes: Cell[] = [];
    if (this.#accept(Tag.attributes)) attributes = this.#cells(sum);
    const deleteMarker = this.#accept(Tag.deleteMarker);
    if (!this.#accept(Tag.rowChecksum)) {
      throw new PlainBufferError("Cell data broken, row is not end with checksum tag.");
    }
    this.#verify(crc8Byte(sum.row, deleteMarker ? 1 : 0));
    return { primaryKey, attributes, deleteMarker };
  }

  #cells(sum: { row: number }): Cell[] {
    const cells: Cell[] = [];
    while (this.#accept(Tag.cell)) cells.push(this.#cell(sum));
    return cells;
  }

  #cell(sum: { row: number }): Cell {
    this.#expect(Tag.name);
    const nameBytes = this.#take(this.#uint32());
    const name = nameBytes.toString("latin1");
    let crc = crc8(0, nameBytes);
    let value: Variant | undefined;
    if (this.#accept(Tag.value)) {
      const length = this.#uint32();
      const start = this.#at;
      value = this.#value(length);
      crc = crc8(crc, this.#bytes, start, this.#at);
    }
    const op = this.#accept(Tag.op) ? this.#op() : undefined;
    let timestamp: number | undefined;
    if (this.#accept(Tag.timestamp)) {
      const start = this.#at;
      const low = this.#uint32();
      timestamp = this.#uint32(true) * 0x1_0000_0000 + low;
      crc = crc8(crc, this.#bytes, start, this.#at);
    }
    if (op !== undefined) crc = crc8Byte(crc, op);
    if (!this.#accept(Tag.cellChecksum)) {
      throw new PlainBufferError("Cell data broken, cell is not end with checksum[0x0A] tag.");
    }
    this.#verify(crc);
    sum.row = crc8Byte(sum.row, crc);
    return {
      name,
      ...(value === undefined ? {} : { value }),
      ...(op === undefined ? {} : { op }),
      ...(timestamp === undefined ? {} : { timestamp }),
    };
  }

  #value(length: number): Variant {
    const end = this.#at + length;
    const kind = this.#byte();
    const fixed = fixedLength(kind);
    if (fixed === null) throw new PlainBufferError("data format is invalid, unknown variant type occured.");
    const bytes = this.#take(fixed ?? this.#uint32());
    if (this.#at !== end) throw new PlainBufferError("Input encoded PK broken, length is shorter than expect.");
    if (kind === Kind.boolean && (bytes[0] as number) > 1) throw new PlainBufferError("A boolean must be 0 or 1.");
    return { kind, bytes };
  }

  #op(): number {
    const op = this.#byte();
    if (op !== CellOp.deleteAllVersions && op !== CellOp.deleteOneVersion && op !== CellOp.increment) {
      throw new PlainBufferError(`Invalid op type of cell: ${op}.`);
    }
    return op;
  }

  #accept(tag: number): boolean {
    if (this.#bytes[this.#at] !== tag) return false;
    this.#at += 1;
    return true;
  }

  #expect(tag: number): void {
    if (this.#accept(tag)) return;
    const actual = this.#bytes[this.#at];
    if (actual === undefined) throw tooShort();
    throw new PlainBufferError(`Cell data broken, mismatch tag, actual tag(${actual}), expect(${tag}).`);
  }

  #verify(checksum: number): void {
    const sent = this.#byte();
    if (sent !== checksum) throw new PlainBufferError(`Cell data broken, checksum is mismatch, ${sent}:${checksum}.`);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw tooShort();
    this.#at += 1;
    return byte;
  }

  #uint32(signed = false): number {
    const start = this.#at;
    if (start + 4 > this.#bytes.length) throw tooShort();
    this.#at += 4;
    return signed ? this.#bytes.readInt32LE(start) : this.#bytes.readUInt32LE(start);
  }

  #take(length: number): Buffer {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw tooShort();
    this.#at += length;
    return this.#bytes.subarray(start, start + length);
  }
}

/** Writes rows with the header. No rows give no bytes, as the service answers. */
export function encodeRows(rows: readonly PlainRow[]): Buffer {
  if (rows.length === 0) return Buffer.alloc(0);
  return Buffer.concat([plainBufferHeader, ...rows.map(encodeBareRow)]);
}

/** Writes one row without the header. */
export function encodeBareRow(row: PlainRow): Buffer {
  let size = 2 + (row.attributes.length > 0 ? 1 : 0) + (row.deleteMarker ? 1 : 0) + 1;
  for (const cell of row.primaryKey) size += cellSize(cell);
  for (const cell of row.attributes) size += cellSize(cell);
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  let sum = 0;
  const put = (cell: Cell): void => {
    at = writeCell(out, at, cell);
    sum = crc8Byte(sum, out[at - 1] as number);
  };
  out[at++] = Tag.primaryKey;
  for (const cell of row.primaryKey) put(cell);
  if (row.attributes.length > 0) {
    out[at++] = Tag.attributes;
    for (const cell of row.attributes) put(cell);
  }
  if (row.deleteMarker) out[at++] = Tag.deleteMarker;
  out[at++] = Tag.rowChecksum;
  out[at++] = crc8Byte(sum, row.deleteMarker ? 1 : 0);
  return out;
}

function cellSize(cell: Cell): number {
  let size = 1 + 5 + Buffer.byteLength(cell.name, "latin1") + 2;
  if (cell.value) size += 6 + (fixedLength(cell.value.kind) === undefined ? 4 : 0) + cell.value.bytes.length;
  if (cell.op !== undefined) size += 2;
  if (cell.timestamp !== undefined) size += 9;
  return size;
}

function writeCell(out: Buffer, start: number, cell: Cell): number {
  let at = start;
  out[at++] = Tag.cell;
  out[at++] = Tag.name;
  at = out.writeUInt32LE(cell.name.length, at);
  const nameStart = at;
  at += out.write(cell.name, at, "latin1");
  let crc = crc8(0, out, nameStart, at);
  if (cell.value) {
    const { kind, bytes } = cell.value;
    const inner = fixedLength(kind) === undefined ? 4 : 0;
    out[at++] = Tag.value;
    at = out.writeUInt32LE(1 + inner + bytes.length, at);
    const valueStart = at;
    out[at++] = kind;
    if (inner > 0) at = out.writeUInt32LE(bytes.length, at);
    at += bytes.copy(out, at);
    crc = crc8(crc, out, valueStart, at);
  }
  if (cell.op !== undefined) {
    out[at++] = Tag.op;
    out[at++] = cell.op;
  }
  if (cell.timestamp !== undefined) {
    out[at++] = Tag.timestamp;
    const high = Math.floor(cell.timestamp / 0x1_0000_0000);
    at = out.writeUInt32LE(cell.timestamp - high * 0x1_0000_0000, at);
    at = out.writeInt32LE(high, at);
    crc = crc8(crc, out, at - 8, at);
  }
  if (cell.op !== undefined) crc = crc8Byte(crc, cell.op);
  out[at++] = Tag.cellChecksum;
  out[at++] = crc;
  return at;
}
