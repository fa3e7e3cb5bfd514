// CRC-8 as PlainBuffer uses it: polynomial 0x07, initial value 0, no reflection, no final xor.

const table = new Uint8Array(256);
for (let index = 0; index < 256; index++) {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : (crc << 1) & 0xff;
  table[index] = crc;
}

/** The checksum `crc` continued over one byte. */
export function crc8Byte(crc: number, byte: number): number {
  return table[(crc ^ byte) & 0xff] as number;
}

/** The checksum `crc` continued over `bytes` from `start` up to but not including `end`. */
export function crc8(crc: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let sum = crc;
  for (let at = start; at < end; at++) sum = table[sum ^ (bytes[at] as number)] as number;
  return sum;
}
