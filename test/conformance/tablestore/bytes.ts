// The wire format written a second time, from its documents alone: protobuf fields, PlainBuffer rows, signatures.
// Nothing of local/ is used here, so that the service and the tests of its bytes cannot share a mistake.
import { createHash, createHmac } from "node:crypto";

/** A protobuf message by the numbers of its fields. A list is a field that comes so many times. */
export interface Fields {
  readonly [number: number]: Content | readonly Content[];
}
type Content = string | number | boolean | Buffer | Fields;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

function fieldBytes(number: number, content: Content): Buffer {
  if (typeof content === "number" || typeof content === "boolean") {
    return Buffer.concat([varint(number * 8), varint(Number(content))]);
  }
  const bytes = typeof content === "string" || Buffer.isBuffer(content) ? Buffer.from(content) : message(content);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** The bytes of a message. */
export function message(fields: Fields): Buffer {
  const parts = Object.entries(fields).flatMap(([number, content]: [string, Content | readonly Content[]]) =>
    (Array.isArray(content) ? content : [content]).map((each: Content) => fieldBytes(Number(number), each)),
  );
  return Buffer.concat(parts);
}

/** The fields of a message that came, by number: numbers as they are, everything else as bytes. */
export class Received {
  readonly #fields = new Map<number, (number | Buffer)[]>();

  constructor(bytes: Buffer) {
    let at = 0;
    const next = (): number => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = bytes[at++];
        if (byte === undefined) throw new Error("The message is cut short.");
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return Number(BigInt.asIntN(64, value));
      }
    };
    while (at < bytes.length) {
      const tag = next();
      let content: number | Buffer = next();
      if (tag % 8 === 2) {
        at += content;
        content = bytes.subarray(at - content, at);
      } else if (tag % 8 !== 0) throw new Error(`Nothing here has wire type ${tag % 8}.`);
      const number = Math.floor(tag / 8);
      this.#fields.set(number, [...(this.#fields.get(number) ?? []), content]);
    }
  }

  has(number: number): boolean {
    return this.#fields.has(number);
  }
  int(number: number): number {
    return this.#fields.get(number)?.at(-1) as number;
  }
  bytes(number: number): Buffer {
    return this.#fields.get(number)?.at(-1) as Buffer;
  }
  text(number: number): string {
    return this.bytes(number).toString("utf8");
  }
  list(number: number): Buffer[] {
    return (this.#fields.get(number) ?? []) as Buffer[];
  }
  texts(number: number): string[] {
    return this.list(number).map(String);
  }
  message(number: number): Received {
    return new Received(this.bytes(number));
  }
  messages(number: number): Received[] {
    return this.list(number).map((content) => new Received(content));
  }
}

/** Placeholders that stand where a value of a key would. */
export const infMin = Symbol("INF_MIN");
export const infMax = Symbol("INF_MAX");
export const autoIncrement = Symbol("AUTO_INCREMENT");

/** A value by its JavaScript type: text, bigint for INTEGER, number for DOUBLE, boolean, bytes, or a placeholder. */
export type Value = string | bigint | number | boolean | Buffer | symbol;

/** One cell of a row change. Without a value it deletes. */
export interface SentCell {
  readonly name: string;
  readonly value?: Value;
  readonly op?: "delete-all" | "delete-one" | "increment";
  readonly timestamp?: number;
}

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const int64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
};

/** A value as conditions carry it: type byte and payload. */
export function bareValue(value: Value): Buffer {
  if (typeof value === "bigint") return Buffer.concat([Buffer.of(0), int64(value)]);
  if (typeof value === "boolean") return Buffer.of(2, value ? 1 : 0);
  if (typeof value === "symbol") return Buffer.of(value === infMin ? 9 : value === infMax ? 10 : 11);
  if (typeof value === "number") {
    const payload = Buffer.alloc(8);
    payload.writeDoubleLE(value);
    return Buffer.concat([Buffer.of(1), payload]);
  }
  const payload = Buffer.from(value as string);
  return Buffer.concat([Buffer.of(typeof value === "string" ? 3 : 7), uint32(payload.length), payload]);
}

function crc8(start: number, bytes: Buffer): number {
  let crc = start;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : crc << 1;
  }
  return crc;
}

const opBytes = { "delete-all": 1, "delete-one": 3, increment: 4 } as const;

function cellBytes({ name, value, op, timestamp }: SentCell): { bytes: Buffer; crc: number } {
  const nameBytes = Buffer.from(name);
  const parts = [Buffer.of(0x03, 0x04), uint32(nameBytes.length), nameBytes];
  let crc = crc8(0, nameBytes);
  if (value !== undefined) {
    const bytes = bareValue(value);
    parts.push(Buffer.of(0x05), uint32(bytes.length), bytes);
    crc = crc8(crc, bytes);
  }
  if (op !== undefined) parts.push(Buffer.of(0x06, opBytes[op]));
  if (timestamp !== undefined) {
    const bytes = int64(BigInt(timestamp));
    parts.push(Buffer.of(0x07), bytes);
    crc = crc8(crc, bytes);
  }
  if (op !== undefined) crc = crc8(crc, Buffer.of(opBytes[op]));
  return { bytes: Buffer.concat([...parts, Buffer.of(0x0a, crc)]), crc };
}

/** One row with the header: its key, its cells, and the mark of a deletion when asked for. */
export function rowBytes(
  key: Readonly<Record<string, Value>>,
  cells: readonly SentCell[] = [],
  isDeletion = false,
): Buffer {
  const sent = Object.entries(key).map(([name, value]) => cellBytes({ name, value }));
  const attributes = cells.map(cellBytes);
  let crc = 0;
  for (const cell of [...sent, ...attributes]) crc = crc8(crc, Buffer.of(cell.crc));
  crc = crc8(crc, Buffer.of(isDeletion ? 1 : 0));
  return Buffer.concat([
    uint32(0x75),
    Buffer.of(0x01),
    ...sent.map((cell) => cell.bytes),
    ...(attributes.length > 0 ? [Buffer.of(0x02), ...attributes.map((cell) => cell.bytes)] : []),
    ...(isDeletion ? [Buffer.of(0x08)] : []),
    Buffer.of(0x09, crc),
  ]);
}

/** One row that came: key and columns as plain values, and the timestamps of the columns. */
export interface ReceivedRow {
  readonly key: Readonly<Record<string, Value>>;
  readonly columns: Readonly<Record<string, Value>>;
  readonly timestamps: Readonly<Record<string, number>>;
}

function readValue(bytes: Buffer): Value {
  const payload = bytes.subarray(1);
  switch (bytes[0]) {
    case 0:
      return payload.readBigInt64LE(0);
    case 1:
      return payload.readDoubleLE(0);
    case 2:
      return payload[0] === 1;
    case 3:
      return payload.subarray(4).toString("utf8");
    case 7:
      return Buffer.from(payload.subarray(4));
    default:
      throw new Error(`A value of type ${bytes[0]} came.`);
  }
}

/** Rows that came, with every checksum verified. No bytes are no rows. */
export function rowsOf(bytes: Buffer): ReceivedRow[] {
  if (bytes.length === 0) return [];
  let at = 0;
  const take = (length: number): Buffer => {
    at += length;
    if (at > bytes.length) throw new Error("The row is cut short.");
    return bytes.subarray(at - length, at);
  };
  const expectByte = (byte: number): void => {
    if (take(1)[0] !== byte) throw new Error(`Byte ${at - 1} is not ${byte}.`);
  };
  const isNext = (tag: number): boolean => bytes[at] === tag;
  if (take(4).readUInt32LE(0) !== 0x75) throw new Error("The header is missing.");
  const rows: ReceivedRow[] = [];
  while (at < bytes.length) {
    const row = { key: {} as Record<string, Value>, columns: {} as Record<string, Value>, timestamps: {} };
    let rowCrc = 0;
    const readCells = (section: Record<string, Value>): void => {
      while (isNext(0x03)) {
        take(1);
        expectByte(0x04);
        const nameBytes = take(take(4).readUInt32LE(0));
        expectByte(0x05);
        const valueBytes = take(take(4).readUInt32LE(0));
        let crc = crc8(crc8(0, nameBytes), valueBytes);
        if (isNext(0x07)) {
          take(1);
          const stamp = take(8);
          crc = crc8(crc, stamp);
          (row.timestamps as Record<string, number>)[String(nameBytes)] = Number(stamp.readBigInt64LE(0));
        }
        expectByte(0x0a);
        expectByte(crc);
        rowCrc = crc8(rowCrc, Buffer.of(crc));
        section[String(nameBytes)] ??= readValue(valueBytes);
      }
    };
    expectByte(0x01);
    readCells(row.key);
    if (isNext(0x02)) {
      take(1);
      readCells(row.columns);
    }
    expectByte(0x09);
    expectByte(crc8(rowCrc, Buffer.of(0)));
    rows.push(row);
  }
  return rows;
}

/** The digest of a body. */
export const digestOf = (body: Buffer): string => createHash("md5").update(body).digest("base64");

const otsLines = (headers: Readonly<Record<string, string>>): string =>
  Object.keys(headers)
    .filter((name) => name.startsWith("x-ots-") && name !== "x-ots-signature")
    .sort()
    .map((name) => `${name}:${(headers[name] as string).trim()}`)
    .join("\n");

/** The signature of a request with these headers. */
export const requestSignature = (path: string, headers: Readonly<Record<string, string>>, secret: string): string =>
  createHmac("sha1", secret)
    .update(`${path}\nPOST\n\n${otsLines(headers)}\n`)
    .digest("base64");

/** The key of signatures of version 4: of one day and one region. */
export const signingKeyV4 = (secret: string, day: string, region: string): string =>
  [day, region, "ots", "aliyun_v4_request"]
    .reduce<string | Buffer>((key, part) => createHmac("sha256", key).update(part).digest(), `aliyun_v4${secret}`)
    .toString("base64");

/** The signature of version 4 of a request with these headers. */
export const requestSignatureV4 = (path: string, headers: Readonly<Record<string, string>>, key: string): string =>
  createHmac("sha256", key)
    .update(`${path}\nPOST\n\n${otsLines(headers)}\nots`)
    .digest("base64");

/** The signature of an answer with these headers. */
export const answerSignature = (path: string, headers: Readonly<Record<string, string>>, secret: string): string =>
  createHmac("sha1", secret)
    .update(`${otsLines(headers)}\n${path}`)
    .digest("base64");
