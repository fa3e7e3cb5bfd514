// Seals of the audit trail, by their numbers.
import {
  isSealSigned,
  readSealBody,
  type Seal,
  type SealBody,
  sealDigest,
  stampAt,
  stampOf,
} from "../domain/record-chain.ts";
import type { Row, Tables } from "../ports/tables.ts";

/** A seal with its place; `says` is null where it cannot be read, or is nobody's word. */
export interface StoredSeal extends Seal {
  readonly number: number;
  readonly digest: string;
  readonly says: SealBody | null;
}

const PAGE = 50;

/** Adds a seal; false when there is one of that number. */
export async function addSeal(tables: Tables, number: number, seal: Seal): Promise<boolean> {
  const columns = { body: seal.body, signature: seal.signature };
  return (await tables.put("seal", [number], columns, { kind: "absent" })) === "written";
}

/** The newest seal, or null. */
export async function newestSeal(tables: Tables): Promise<StoredSeal | null> {
  const { rows } = await tables.range({ table: "seal", from: [0], to: null, reverse: true, limit: 1 });
  const [row] = rows;
  return row === undefined ? null : sealOf(row);
}

/**
 * The newest seals, newest first: all that looked at the last `withinMs` before the end of the newest that has looked no further than `until`,
 * and one more. One that is not signed with the key says nothing.
 */
export async function recentSeals(
  tables: Tables,
  { key, withinMs, until }: { key: Parameters<typeof isSealSigned>[1]; withinMs: number; until: string },
): Promise<readonly StoredSeal[]> {
  const newest = await newestSeal(tables);
  if (newest === null) return [];
  const heard = (seal: StoredSeal): StoredSeal => (isSealSigned(seal, key) ? seal : { ...seal, says: null });
  const seals = [heard(newest)];
  let since: string | null = null;
  for (let before = newest.number; ; ) {
    for (const { says } of seals.slice(-PAGE)) {
      if (says === null || says.to > until) continue;
      since ??= stampAt(Math.max(0, stampOf(says.to) - withinMs));
      if (says.to < since) return seals;
    }
    const page = await tables.range({ table: "seal", from: [0], to: [before], reverse: true, limit: PAGE });
    seals.push(...page.rows.map(sealOf).map(heard));
    before = seals.at(-1)?.number ?? 0;
    if (page.rows.length === 0) return seals;
  }
}

/** Seals in order, from the number after `after`. */
export async function readSeals(tables: Tables, after: number, limit: number): Promise<readonly StoredSeal[]> {
  const { rows } = await tables.range({ table: "seal", from: [after + 1], to: null, limit });
  return rows.map(sealOf);
}

function sealOf({ key, columns }: Row): StoredSeal {
  const seal = { body: String(columns["body"] ?? ""), signature: String(columns["signature"] ?? "") };
  return { number: Number(key[0]), ...seal, digest: sealDigest(seal), says: readSealBody(seal.body) };
}
