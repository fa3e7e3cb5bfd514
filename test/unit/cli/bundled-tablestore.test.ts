// What is written another way in the bundled SDK of Tablestore codes as the official one does, to the byte.
import { createRequire } from "node:module";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { builtProgram } from "../../kit/deployed-build.ts";

interface Stream {
  readonly pos: number;
  writeRawLittleEndian32(value: number): void;
  writeRawLittleEndian64(bytes: Buffer): void;
  getBuffer(): Buffer;
}

/** Parts of the SDK that its types leave out. */
interface Coding {
  readonly plainBufferCrc8: { update(crc: number, bytes: Buffer | string): number };
  readonly PlainBufferOutputStream: new (capacity: number) => Stream;
}

const require = createRequire(import.meta.url);
const official = require("tablestore") as Coding;
let bundled: Coding;
const BUILT_WITHIN_MS = 60_000;
beforeAll(async () => {
  bundled = require(join(await builtProgram(), "dist", "api", "tablestore.js")) as Coding;
}, BUILT_WITHIN_MS);

test("checksums of bytes and texts of any length", () => {
  const bytes = Buffer.from(Array.from({ length: 70 }, (_, index) => (index * 89 + 7) % 256));
  for (let length = 0; length <= bytes.length; length++)
    for (const crc of [0, 1, 255]) {
      const part = bytes.subarray(0, length);
      expect(bundled.plainBufferCrc8.update(crc, part)).toBe(official.plainBufferCrc8.update(crc, part));
      const text = "süd-öst ↔ 上海 ".repeat(9).slice(0, length);
      expect(bundled.plainBufferCrc8.update(crc, text)).toBe(official.plainBufferCrc8.update(crc, text));
    }
});

test("numbers of four and of eight bytes, one after the other", () => {
  const written = ({ PlainBufferOutputStream }: Coding): Buffer => {
    const stream = new PlainBufferOutputStream(40);
    for (const value of [0x75, 0, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 32 - 2]) stream.writeRawLittleEndian32(value);
    for (const bytes of ["0102030405060708", "fffefdfc80000000"])
      stream.writeRawLittleEndian64(Buffer.from(bytes, "hex"));
    expect(stream.pos).toBe(40);
    return stream.getBuffer();
  };
  expect(written(bundled).toString("hex")).toBe(written(official).toString("hex"));
});

test.each([
  [0, "four bytes", (stream: Stream) => stream.writeRawLittleEndian32(1)],
  [7, "eight bytes", (stream: Stream) => stream.writeRawLittleEndian64(Buffer.alloc(8))],
])("a buffer of %i bytes has no room for %s", (capacity, _, write) => {
  for (const { PlainBufferOutputStream } of [bundled, official])
    expect(() => write(new PlainBufferOutputStream(capacity))).toThrow();
});
