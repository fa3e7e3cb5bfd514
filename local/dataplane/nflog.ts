// Reads a stream of packets that the kernel logged (NFLOG), as `tcpdump -w -` writes it.

/** One logged packet. */
export interface LoggedPacket {
  /** What the logging rule calls itself. */
  readonly prefix: string;
  readonly protocol: number;
  readonly sourceAddress: string;
  readonly destAddress: string;
  /** 0 where the protocol has none. */
  readonly sourcePort: number;
  readonly destPort: number;
  /** Length of the packet on the wire, headers included. */
  readonly bytes: number;
  /** As flow logs count them. */
  readonly tcpFlags: number;
}

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const NFLOG_HEADER_BYTES = 4;
const LINK_TYPE_NFLOG = 239;
const TLV_PAYLOAD = 9;
const TLV_PREFIX = 10;
const TCP = 6;
const UDP = 17;

/** Flags of a TCP header as flow logs count them: an ACK counts together with a SYN alone. */
function flowFlags(header: number): number {
  const isSynAck = (header & 2) !== 0 && (header & 16) !== 0;
  return (header & (1 | 2 | 4 | 8 | 32)) | (isSynAck ? 16 : 0);
}

function parseIpv4(prefix: string, payload: Buffer): LoggedPacket | undefined {
  if (payload.length < 20 || payload.readUInt8(0) >> 4 !== 4) return undefined;
  const headerBytes = (payload.readUInt8(0) & 15) * 4;
  const protocol = payload.readUInt8(9);
  const isFirstFragment = (payload.readUInt16BE(6) & 0x1fff) === 0;
  const hasPorts = isFirstFragment && (protocol === TCP || protocol === UDP) && payload.length >= headerBytes + 4;
  const address = (at: number): string => payload.subarray(at, at + 4).join(".");
  return {
    prefix,
    protocol,
    sourceAddress: address(12),
    destAddress: address(16),
    sourcePort: hasPorts ? payload.readUInt16BE(headerBytes) : 0,
    destPort: hasPorts ? payload.readUInt16BE(headerBytes + 2) : 0,
    bytes: payload.readUInt16BE(2),
    tcpFlags:
      hasPorts && protocol === TCP && payload.length >= headerBytes + 14
        ? flowFlags(payload.readUInt8(headerBytes + 13))
        : 0,
  };
}

/** One record of the capture: a header and fields of type, length and value, each padded to four bytes. Lengths are the host's. */
function parseRecord(record: Buffer, order: "LE" | "BE"): LoggedPacket | undefined {
  const read16 = (at: number): number => (order === "LE" ? record.readUInt16LE(at) : record.readUInt16BE(at));
  let prefix = "";
  let payload: Buffer | undefined;
  for (let at = NFLOG_HEADER_BYTES; at + 4 <= record.length; ) {
    const length = read16(at);
    const type = read16(at + 2);
    if (length < 4) break;
    const value = record.subarray(at + 4, at + length);
    if (type === TLV_PREFIX) prefix = value.toString("latin1").replace(/\0.*$/s, "");
    if (type === TLV_PAYLOAD) payload = value;
    at += (length + 3) & ~3;
  }
  return payload === undefined ? undefined : parseIpv4(prefix, payload);
}

/** Takes the stream in pieces of any size and hands on each packet. Throws when it is no capture of logged packets. */
export function nflogReader(onPacket: (packet: LoggedPacket) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let order: "LE" | "BE" | undefined;
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (order === undefined) {
      if (rest.length < FILE_HEADER_BYTES) return;
      const magic = rest.readUInt32LE(0);
      order = magic === 0xa1b2c3d4 ? "LE" : magic === 0xd4c3b2a1 ? "BE" : undefined;
      const linkType = order === "LE" ? rest.readUInt32LE(20) : rest.readUInt32BE(20);
      if (order === undefined || (linkType & 0xffff) !== LINK_TYPE_NFLOG)
        throw new Error("Not a capture of NFLOG packets.");
      rest = rest.subarray(FILE_HEADER_BYTES);
    }
    while (rest.length >= RECORD_HEADER_BYTES) {
      const length = order === "LE" ? rest.readUInt32LE(8) : rest.readUInt32BE(8);
      if (rest.length < RECORD_HEADER_BYTES + length) return;
      const packet = parseRecord(rest.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + length), order);
      rest = rest.subarray(RECORD_HEADER_BYTES + length);
      if (packet !== undefined) onPacket(packet);
    }
  };
}
