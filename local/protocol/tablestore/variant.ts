// Typed values as they travel: one kind byte and a payload that is never re-interpreted on the way.

/** The kind byte of a value on the wire. */
export const Kind = {
  integer: 0x00,
  double: 0x01,
  boolean: 0x02,
  string: 0x03,
  binary: 0x07,
  infMin: 0x09,
  infMax: 0x0a,
  autoIncrement: 0x0b,
} as const;

/** A value: kind byte and bare payload (no inner length; 8 bytes for numbers, 1 for booleans, 0 for the placeholders). */
export interface Variant {
  readonly kind: number;
  readonly bytes: Buffer;
}

/** Payload length a kind always has; undefined for strings and binaries, null for kinds that do not exist. */
export function fixedLength(kind: number): number | undefined | null {
  switch (kind) {
    case Kind.integer:
    case Kind.double:
      return 8;
    case Kind.boolean:
      return 1;
    case Kind.string:
    case Kind.binary:
      return undefined;
    case Kind.infMin:
    case Kind.infMax:
    case Kind.autoIncrement:
      return 0;
    default:
      return null;
  }
}

/** True for what stands where a value of a key would: a bound of a range, or a key yet to be assigned. */
export function isPlaceholder({ kind }: Variant): boolean {
  return kind === Kind.infMin || kind === Kind.infMax || kind === Kind.autoIncrement;
}

/** An INTEGER value. */
export function integerVariant(value: bigint): Variant {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64LE(value);
  return { kind: Kind.integer, bytes };
}

/** A DOUBLE value. */
export function doubleVariant(value: number): Variant {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleLE(value);
  return { kind: Kind.double, bytes };
}

/** A STRING value. */
export function stringVariant(value: string): Variant {
  return { kind: Kind.string, bytes: Buffer.from(value, "utf8") };
}

/** Size of the value as the service counts it: 8 for numbers, 1 for booleans, the byte length otherwise. */
export function variantSize(value: Variant): number {
  return value.bytes.length;
}

/**
 * Order of two values of the same kind: negative, zero or positive. Undefined when the kinds differ,
 * which the service treats as "does not match".
 */
export function compareVariants(left: Variant, right: Variant): number | undefined {
  if (left.kind !== right.kind) return undefined;
  switch (left.kind) {
    case Kind.integer: {
      const a = left.bytes.readBigInt64LE(0);
      const b = right.bytes.readBigInt64LE(0);
      return a < b ? -1 : a > b ? 1 : 0;
    }
    case Kind.double: {
      const a = left.bytes.readDoubleLE(0);
      const b = right.bytes.readDoubleLE(0);
      return a < b ? -1 : a > b ? 1 : 0;
    }
    default:
      return Buffer.compare(left.bytes, right.bytes);
  }
}

/** Reads a bare variant (kind byte, payload, nothing after it), as column conditions carry it. Undefined when malformed. */
export function readBareVariant(bytes: Buffer): Variant | undefined {
  if (bytes.length === 0) return undefined;
  const kind = bytes[0] as number;
  const length = fixedLength(kind);
  if (length === null) return undefined;
  if (length !== undefined) return bytes.length === 1 + length ? { kind, bytes: bytes.subarray(1) } : undefined;
  if (bytes.length < 5 || bytes.readUInt32LE(1) !== bytes.length - 5) return undefined;
  return { kind, bytes: bytes.subarray(5) };
}
