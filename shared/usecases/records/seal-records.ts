// Seals the audit trail: sums up the records since the last seal, each seal following on from the one before.
import {
  LATE_MS,
  recordHash,
  recordKey,
  SEALED_EVERY_MS,
  SETTLED_MS,
  type SealBody,
  sealDigest,
  signSeal,
  stampAt,
  stampOf,
} from "../../domain/record-chain.ts";
import { readChained } from "../../store/records.ts";
import { addSeal, recentSeals, type StoredSeal } from "../../store/seals.ts";
import type { App } from "../app.ts";

/** Records of one seal: its row stays far below the 2 MB of a column. */
const RECORDS_MAX = 1000;

/** What the next seal follows on from. */
type Head = Pick<SealBody, "number" | "previous" | "to"> & { readonly at: number | null };

/**
 * Seals what is there; answers false when the time did not suffice. Records are left alone until no write of them can be under way;
 * what comes later still, below where a seal has looked, is in the next one. Without a record there is a seal a day, so that an end
 * that was cut off is not taken for a quiet time. The heads go to the log, which is kept apart from the tables.
 */
export async function sealRecords(app: App, deadlineAt: number): Promise<boolean> {
  const { tables, clock, settings } = app;
  const until = stampAt(clock.now() - SETTLED_MS);
  const recent = await recentSeals(tables, { key: recordKey(settings.markSecret), withinMs: LATE_MS, until });
  const sealed = new Set(recent.flatMap(({ says }) => (says?.records ?? []).map(([sequence]) => sequence)));
  let head = headOf(recent);
  // What a clock that was ahead has looked at does not count: records are written there now.
  const seen = recent.find(({ says }) => says !== null && says.to <= until)?.says?.to;
  let after = seen === undefined ? "" : stampAt(Math.max(0, stampOf(seen) - LATE_MS));
  for (;;) {
    const { records, more } = await readChained(tables, { after, before: until, limit: RECORDS_MAX });
    after = records.at(-1)?.sequence ?? after;
    const fresh = records.filter(({ sequence }) => !sealed.has(sequence));
    const isRecent = head.at !== null && Math.abs(clock.now() - head.at) < SEALED_EVERY_MS;
    if (fresh.length > 0 || (!more && !isRecent)) {
      const reached = more ? after : until;
      const next = await seal(app, head, {
        // A clock that was set back takes nothing back.
        to: reached > head.to ? reached : head.to,
        records: fresh.map((record) => [record.sequence, recordHash(record)] as const),
      });
      // Somebody else seals, too: theirs is as good.
      if (next === null) return true;
      head = next;
      // Not before there is something to show for it, or what was looked at again would be all that is ever looked at.
      if (more && clock.monotonicMs() >= deadlineAt) return false;
    }
    if (!more) return true;
  }
}

/** Adds the seal that follows `head`; null when somebody else has. */
async function seal(app: App, head: Head, says: Pick<SealBody, "to" | "records">): Promise<Head | null> {
  const { tables, clock, log, settings } = app;
  const at = clock.now();
  const body: SealBody = { number: head.number + 1, at, previous: head.previous, from: head.to, ...says };
  const signed = signSeal(body, recordKey(settings.markSecret));
  if (!(await addSeal(tables, body.number, signed))) return null;
  const previous = sealDigest(signed);
  log.write("info", "records are sealed", { seal: body.number, digest: previous, records: body.records.length });
  return { number: body.number, previous, to: body.to, at };
}

/** One that cannot be read is followed all the same: the verifier names it, and sealing goes on. */
function headOf(recent: readonly StoredSeal[]): Head {
  const [newest] = recent;
  const readable = recent.find(({ says }) => says !== null)?.says ?? null;
  return {
    number: newest?.number ?? 0,
    previous: newest?.digest ?? "",
    to: readable?.to ?? "",
    at: readable?.at ?? null,
  };
}
