// Whether the audit trail is as it was written: every record that was changed, is missing, was put in or is out of its place, by name.
import { formatUtc } from "../domain/instant.ts";
import {
  type ChainedRecord,
  isSealSigned,
  isSigned,
  LATE_MS,
  RECORDS_FLOOR_DAYS,
  readSealBody,
  recordHash,
  SEALED_EVERY_MS,
  type Seal,
  type SealBody,
  sealDigest,
  stampAt,
  stampOf,
} from "../domain/record-chain.ts";

/**
 * `changed`: it is not what was signed, or not what others say it was; `missing`: others name it; `added`: no seal knows it; `moved`: it
 * is not where it belongs; `stopped`: nobody has sealed for too long.
 */
export interface TrailFinding {
  readonly kind: "changed" | "missing" | "added" | "moved" | "stopped";
  /** `record <sequence>`, `seal <number>` or `trail`. */
  readonly of: string;
  readonly why: string;
}

export interface TrailVerdict {
  readonly findings: readonly TrailFinding[];
  readonly records: number;
  readonly seals: number;
  /** Records that seals name and that are over the floor: they may have lapsed. */
  readonly lapsed: number;
  /** Records that no seal has summed up yet. */
  readonly unsealed: number;
  /** Since when there is anything, milliseconds; null for an empty trail. That nothing came before is proven by an earlier head alone. */
  readonly begins: number | null;
  /** The newest seal: kept elsewhere, it proves later that this trail is still the same. */
  readonly head: { readonly number: number; readonly digest: string; readonly at: number } | null;
}

/** What the trail is held against. */
export interface TrailTerms {
  /** Public half of the key that signs; null where it is not known: then nobody knows who wrote it. */
  readonly key: Parameters<typeof isSigned>[1] | null;
  /** When the trail was read, milliseconds. */
  readonly now: number;
  /** Heads that were seen earlier: digests by the numbers of their seals. */
  readonly heads?: ReadonlyMap<number, string>;
  /** Where a trail goes on of which the beginning was looked at before: what comes is later than `to`, and after that seal. */
  readonly since?: TrailAnchor | undefined;
}

/** A seal up to which a trail was looked at: until where it had looked itself, and its digest. */
export interface TrailAnchor {
  readonly number: number;
  readonly digest: string;
  readonly to: string;
}

const DAY_MS = 86_400_000;
/** Beyond the day on which a seal is due: the sweep may have stood still for a while. */
const STOPPED_MS = SEALED_EVERY_MS + 2 * 60 * 60_000;

interface LaneEnd {
  readonly sequence: string;
  readonly n: number;
  readonly hash: string;
}

/** Takes a trail in its order: records, each seal after the records it has looked at. What is kept of it meanwhile is small. */
export class TrailVerifier {
  readonly #terms: TrailTerms;
  readonly #floor: number;
  readonly #findings = new Map<string, TrailFinding>();
  readonly #lanes = new Map<string, LaneEnd>();
  /** Hashes of the records that no seal has named yet. */
  readonly #open = new Map<string, string>();
  /** … and of those that one should have named. A clock that was ahead when it sealed has looked at what came after it. */
  readonly #added = new Map<string, string>();
  #last = "";
  #head: { readonly body: SealBody; readonly digest: string } | null = null;
  /** The seal before, also of an earlier look. */
  #before: { readonly number: number; readonly digest: string } | null;
  #records = 0;
  #seals = 0;
  #lapsed = 0;
  #begins: number | null = null;

  constructor(terms: TrailTerms) {
    this.#terms = terms;
    this.#floor = terms.now - RECORDS_FLOOR_DAYS * DAY_MS;
    this.#before = terms.since ?? null;
  }

  record(record: ChainedRecord): void {
    const { sequence } = record;
    this.#records += 1;
    const name = `record ${sequence}`;
    const stamp = stampOf(sequence);
    if (!Number.isNaN(stamp)) this.#begins ??= stamp;
    if (sequence <= this.#last) this.#find("moved", name, `it comes after ${this.#last}`);
    else this.#last = sequence;
    if (Number.isNaN(stamp)) this.#find("changed", name, "its sequence is none");
    const { key } = this.#terms;
    // What it says of its lane is worth nothing then: the next of the lane names it.
    if (key !== null && !isSigned(record, key)) this.#find("changed", name, "it is not as it was signed");
    else this.#follow(record, name);
    this.#open.set(sequence, recordHash(record));
  }

  seal(number: number, seal: Seal): void {
    this.#seals += 1;
    const name = `seal ${number}`;
    const digest = sealDigest(seal);
    const { key, heads } = this.#terms;
    const isOwn = key === null || isSealSigned(seal, key);
    if (!isOwn) this.#find("changed", name, "it is not as it was signed");
    const known = heads?.get(number);
    if (known !== undefined && known !== digest) this.#find("changed", name, `its digest was ${known}`);
    // Whoever has put it there tells nothing about records.
    const body = isOwn ? readSealBody(seal.body) : null;
    if (body === null || body.number !== number) this.#find("changed", name, "it does not say what a seal says");
    this.#followSeal(number, body, name);
    this.#before = { number, digest };
    if (body === null) return;
    // Of what a seal has summed up that is not there, nothing can be told by seals.
    if (body.from !== (this.#head?.body.to ?? this.#terms.since?.to)) this.#forget(body.from);
    this.#head = { body, digest };
    for (const [sequence, hash] of body.records) this.#settle(sequence, hash, name);
    const late = stampAt(Math.max(0, stampOf(body.to) - LATE_MS));
    for (const [sequence, hash] of this.#forget(late)) {
      this.#added.set(sequence, hash);
      this.#find("added", `record ${sequence}`, `${name} and those before it do not know it`);
    }
  }

  end(): TrailVerdict {
    const { now, heads } = this.#terms;
    for (const [number, digest] of heads ?? [])
      if (number > (this.#before?.number ?? 0)) this.#find("missing", `seal ${number}`, `it was there as ${digest}`);
    const [oldest] = this.#open.keys();
    const sealedAt = this.#head?.body.at ?? (oldest === undefined ? null : stampOf(oldest));
    if (sealedAt !== null && now - sealedAt > STOPPED_MS)
      this.#find("stopped", "trail", `nothing has been sealed since ${formatUtc(sealedAt)}`);
    return {
      findings: [...this.#findings.values()],
      records: this.#records,
      seals: this.#seals,
      lapsed: this.#lapsed,
      unsealed: this.#open.size,
      begins: this.#begins ?? this.#head?.body.at ?? null,
      head: this.#head && {
        number: this.#head.body.number,
        digest: this.#head.digest,
        at: this.#head.body.at,
      },
    };
  }

  /** A record against the one before it in its lane. */
  #follow(record: ChainedRecord, name: string): void {
    const { sequence, lane, n, after, prev } = record;
    const end = this.#lanes.get(lane);
    this.#lanes.set(lane, { sequence, n, hash: recordHash(record) });
    if (n === 1 && after === "" && prev === "" && lane === sequence && end === undefined) return;
    if (end === undefined) {
      if (n > 1 && this.#isBefore(after)) return;
      if (n > 1 && after !== "") this.#miss(after, `${sequence}, the next of its lane, follows it`);
      else this.#find("changed", name, "it begins no lane and follows no record");
      return;
    }
    if (after === end.sequence && n === end.n + 1) {
      if (prev !== end.hash) this.#find("changed", `record ${after}`, `it is not what ${sequence} follows`);
      return;
    }
    if (n > end.n + 1) {
      const more = n - end.n - 2;
      const others = more > 0 ? `; ${more} before it in the lane, too` : "";
      this.#miss(after, `${sequence}, the next of its lane, follows it${others}`);
      return;
    }
    this.#find("moved", name, `${end.sequence} comes before it in the lane, and it follows ${after || "nothing"}`);
  }

  #followSeal(number: number, body: SealBody | null, name: string): void {
    const before = this.#before;
    if (before === null) {
      // Those before may have lapsed, but not while records that they name have not.
      if (number > 1 && !(body !== null && stampOf(body.from) < this.#floor))
        this.#find("missing", number === 2 ? "seal 1" : `seal 1 to ${number - 1}`, `${name} follows them`);
      return;
    }
    const last = before.number;
    if (number > last + 1) {
      const gap = number === last + 2 ? `seal ${last + 1}` : `seal ${last + 1} to ${number - 1}`;
      this.#find("missing", gap, `${name} follows`);
      return;
    }
    if (number <= last) this.#find("moved", name, `it comes after seal ${last}`);
    else if (body !== null && body.previous !== before.digest)
      this.#find("changed", `seal ${last}`, `it is not what ${name} follows`);
  }

  /** Records up to a place wait for no seal any more. */
  #forget(place: string): readonly (readonly [sequence: string, hash: string])[] {
    const forgotten = [...this.#open].filter(([sequence]) => sequence <= place);
    for (const [sequence] of forgotten) this.#open.delete(sequence);
    return forgotten;
  }

  #settle(sequence: string, hash: string, by: string): void {
    if (this.#isBefore(sequence)) return;
    const late = this.#added.get(sequence);
    if (this.#findings.get(`record ${sequence}`)?.kind === "added") this.#findings.delete(`record ${sequence}`);
    const found = this.#open.get(sequence) ?? late;
    if (found === undefined) this.#miss(sequence, `${by} names it`);
    else if (found !== hash) this.#find("changed", `record ${sequence}`, `it is not what ${by} names`);
    this.#open.delete(sequence);
  }

  /** Looked at before, and not again. */
  #isBefore(sequence: string): boolean {
    return sequence !== "" && sequence <= (this.#terms.since?.to ?? "");
  }

  #miss(sequence: string, why: string): void {
    if (stampOf(sequence) < this.#floor) this.#lapsed += 1;
    else this.#find("missing", `record ${sequence}`, why);
  }

  /** The first word about something is kept: what follows from it is said once. */
  #find(kind: TrailFinding["kind"], of: string, why: string): void {
    if (!this.#findings.has(of)) this.#findings.set(of, { kind, of, why });
  }
}
