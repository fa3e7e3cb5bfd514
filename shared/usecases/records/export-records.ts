// The audit trail as it is stored: records, each seal after the records it has looked at, as a verifier takes them.
import { type ChainedRecord, publicKeyText, recordKey, type Seal } from "../../domain/record-chain.ts";
import { readChained } from "../../store/records.ts";
import { readSeals, type StoredSeal } from "../../store/seals.ts";
import type { App } from "../app.ts";

/** One line of the export. */
export type TrailLine =
  | ({ readonly kind: "record" } & ChainedRecord)
  | ({ readonly kind: "seal"; readonly number: number } & Seal);

export interface TrailPage {
  /** Public half of the key that signs, base64url. */
  readonly publicKey: string;
  readonly lines: readonly TrailLine[];
  /** Where the next page begins; null at the end of what there is. */
  readonly next: TrailPlace | null;
}

/** The last record and the last seal of a page. */
export interface TrailPlace {
  readonly sequence: string;
  readonly seal: number;
}

const SEALS_MAX = 20;
/** An answer of the platform may have 6 MB. */
const CHARACTERS_MAX = 1_500_000;
/** A line without its body. */
const LINE_CHARACTERS = 500;

/** A page of about `limit` lines after `place`, of records before `before`. */
export async function exportRecords(app: App, place: TrailPlace, limit: number, before = "~"): Promise<TrailPage> {
  const { tables, settings } = app;
  const [{ records, more }, seals] = await Promise.all([
    readChained(tables, { after: place.sequence, before, limit }),
    readSeals(tables, place.seal, SEALS_MAX),
  ]);
  const hasAllSeals = seals.length < SEALS_MAX;
  const lines: TrailLine[] = [];
  let { sequence, seal } = place;
  let size = 0;
  for (const line of merged(records, more, seals, hasAllSeals)) {
    if (size > CHARACTERS_MAX) break;
    lines.push(line);
    size += line.body.length + LINE_CHARACTERS;
    if (line.kind === "record") sequence = line.sequence;
    else seal = line.number;
  }
  const isEnd = !more && hasAllSeals && lines.length === records.length + seals.length;
  const publicKey = publicKeyText(recordKey(settings.markSecret));
  return { publicKey, lines, next: isEnd ? null : { sequence, seal } };
}

/** Each seal after its records. What no seal has looked at comes after all of them, where all of them are known. */
function* merged(
  records: readonly ChainedRecord[],
  more: boolean,
  seals: readonly StoredSeal[],
  hasAllSeals: boolean,
): Generator<TrailLine> {
  const left = records[Symbol.iterator]();
  let next = left.next();
  for (const { number, body, signature, says } of seals) {
    const to = says?.to ?? "";
    for (; !next.done && next.value.sequence <= to; next = left.next()) yield { kind: "record", ...next.value };
    if (next.done && more) return;
    yield { kind: "seal", number, body, signature };
  }
  if (!hasAllSeals) return;
  for (; !next.done; next = left.next()) yield { kind: "record", ...next.value };
}
