// The chain of the audit records: how a record follows the one before it, how seals sum records up, and what each is signed over.
import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";

/** Records younger than this are deleted by no path; the tables keep them for as long at least. */
export const RECORDS_FLOOR_DAYS = 180;

/** A record so old is no longer being written: longer than any function runs, late effects counted. */
export const SETTLED_MS = 10 * 60_000;
/** Seals look back so far for records that came later than that, against all expectation. */
export const LATE_MS = 2 * 60 * 60_000;
/** At least so often there is a seal, with records or without. */
export const SEALED_EVERY_MS = 24 * 60 * 60_000;

/**
 * A record as it is stored. Each writer has a lane of its own, in which records follow one another: a lane has one write under way at
 * a time, and is given up where the outcome of a write is not known. So nobody waits for anybody, and a lane has no gaps.
 */
export interface ChainedRecord {
  /** Place in the trail: `<15 digits of ms>-<10 hex digits>`. Rises within a lane. */
  readonly sequence: string;
  /** The sequence of the lane's first record. */
  readonly lane: string;
  /** Place in the lane, from 1. */
  readonly n: number;
  /** Sequence and hash of the record before in the lane; empty for the first. */
  readonly after: string;
  readonly prev: string;
  /** The group it is about, or empty. */
  readonly group: string;
  /** The record itself, JSON. */
  readonly body: string;
  /** Ed25519 over all of the above, base64url. */
  readonly signature: string;
}

/** What a seal says; its JSON is what is signed. */
export interface SealBody {
  /** From 1, without gaps. */
  readonly number: number;
  /** When it was made, milliseconds. */
  readonly at: number;
  /** Digest of the seal before it; empty for the first. */
  readonly previous: string;
  /** Until where the seal before had looked; empty for the first. */
  readonly from: string;
  /** Until where this one has looked. What comes later below it came late, and is in a later seal. */
  readonly to: string;
  /** Sequence and hash of each record, in order. */
  readonly records: readonly (readonly [sequence: string, hash: string])[];
}

/** A seal as it is stored: the JSON of its body as it was signed. */
export interface Seal {
  readonly body: string;
  readonly signature: string;
}

const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_ED25519 = Buffer.from("302a300506032b6570032100", "hex");
const STAMP_DIGITS = 15;
/** The end of the year 9999: no instant is later. */
const LAST_MS = 253_402_300_799_999;

let derived: { readonly secret: string; readonly key: KeyObject } | null = null;

/**
 * The key that signs records and seals. Follows from the key of the marks, which is in the functions' configuration alone. An
 * installation has one, and to derive it takes longer than to sign with it: the last one is remembered.
 */
export function recordKey(secret: string): KeyObject {
  if (derived?.secret === secret) return derived.key;
  const seed = createHmac("sha256", secret).update("safeport records 1").digest();
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: "der", type: "pkcs8" });
  derived = { secret, key };
  return key;
}

/** The public half as text: base64url of its 32 bytes. */
export const publicKeyText = (key: KeyObject): string =>
  createPublicKey(key).export({ format: "der", type: "spki" }).subarray(SPKI_ED25519.length).toString("base64url");

/** Reads what `publicKeyText` writes; null for anything else. */
export function readPublicKey(text: string): KeyObject | null {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) return null;
  const key = Buffer.concat([SPKI_ED25519, Buffer.from(text, "base64url")]);
  return createPublicKey({ key, format: "der", type: "spki" });
}

/** Where the trail is at an instant: every record of then or later sorts at or after it. */
export const stampAt = (at: number): string => String(at).padStart(STAMP_DIGITS, "0");

/** When a record was written, by its sequence; NaN where that is none. */
export function stampOf(sequence: string): number {
  const stamp = /^\d{15}(-|$)/.test(sequence) ? Number(sequence.slice(0, STAMP_DIGITS)) : Number.NaN;
  return isInstant(stamp) ? stamp : Number.NaN;
}

/** Whether a number is one that can be told as an instant. */
export const isInstant = (ms: number): boolean => ms >= 0 && ms <= LAST_MS;

export function signRecord(record: Omit<ChainedRecord, "signature">, key: KeyObject): ChainedRecord {
  return { ...record, signature: sign(null, recordText(record), key).toString("base64url") };
}

export const isSigned = (record: ChainedRecord, key: KeyObject): boolean =>
  isSignature(recordText(record), record.signature, key);

/** What the next record of the lane, and the seal, say of this one: it takes in the signature. */
export const recordHash = (record: ChainedRecord): string => digest(recordText(record), record.signature);

export function signSeal(body: SealBody, key: KeyObject): Seal {
  const text = JSON.stringify(body);
  return { body: text, signature: sign(null, sealText(text), key).toString("base64url") };
}

export const isSealSigned = (seal: Seal, key: KeyObject): boolean =>
  isSignature(sealText(seal.body), seal.signature, key);

/** What a seal's text says; null where it is not what a seal is. */
export function readSealBody(text: string): SealBody | null {
  try {
    const body = JSON.parse(text) as SealBody;
    const { number, at, previous, from, to, records } = body;
    const isText = [previous, from, to].every((it) => typeof it === "string");
    const isRecord = (it: unknown): boolean =>
      Array.isArray(it) && it.length === 2 && it.every((part) => typeof part === "string");
    const areNumbers = Number.isSafeInteger(number) && Number.isSafeInteger(at) && isInstant(at);
    const isRight = isText && areNumbers && Array.isArray(records);
    return isRight && records.every(isRecord) ? body : null;
  } catch {
    return null;
  }
}

/** The head of the trail after this seal: whoever keeps it can tell later whether the trail is still that one. */
export const sealDigest = (seal: Seal): string => digest(sealText(seal.body), seal.signature);

function recordText({ sequence, lane, n, after, prev, group, body }: Omit<ChainedRecord, "signature">): Buffer {
  return Buffer.from(JSON.stringify(["record 1", sequence, lane, n, after, prev, group, body]));
}

const sealText = (body: string): Buffer => Buffer.from(JSON.stringify(["seal 1", body]));

/**
 * Base64url has more than one spelling for the same bytes: only the one that is written counts. Whoever has the key that signs signs once
 * more: Ed25519 signs a text in one way alone (RFC 8032, 5.1.6), and that takes two fifths of what verifying takes.
 */
function isSignature(text: Buffer, signature: string, key: KeyObject): boolean {
  const bytes = Buffer.from(signature, "base64url");
  if (bytes.toString("base64url") !== signature) return false;
  if (key.type !== "private") return verify(null, text, key, bytes);
  const own = sign(null, text, key);
  return own.length === bytes.length && timingSafeEqual(own, bytes);
}

const digest = (text: Buffer, signature: string): string =>
  createHash("sha256").update(text).update("\n").update(signature).digest("hex");
