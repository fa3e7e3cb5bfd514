// Looks whether the audit trail is as it was written, as far as the program can tell by itself, and tells when it is not.

import { noticeOf } from "../../domain/notice.ts";
import {
  isSealSigned,
  LATE_MS,
  readSealBody,
  recordKey,
  SETTLED_MS,
  sealDigest,
  stampAt,
  stampOf,
} from "../../domain/record-chain.ts";
import { type TrailAnchor, type TrailFinding, TrailVerifier } from "../../plan/verify-records.ts";
import { writeRecord } from "../../store/records.ts";
import { newestSeal, recentSeals } from "../../store/seals.ts";
import {
  checkUnreadable,
  readTrailCheck,
  type TrailCheck,
  type TrailFault,
  trailCheckWrite,
} from "../../store/trail-check.ts";
import type { App } from "../app.ts";
import { tell } from "../notices/tell.ts";
import { exportRecords, type TrailPlace } from "./export-records.ts";

const PAGE = 500;
/** Lines that a look at the whole trail reads an hour, at least. */
const WHOLE_LINES = 5000;
/** The newest records are looked at each hour, all of them so often. */
const WHOLE_EVERY_MS = 7 * 24 * 60 * 60_000;
/** Faults that are kept; whoever wants to know all of them verifies the trail. */
const FAULTS_MAX = 50;
const FAULTS_NAMED = 5;

const BEGINNING: TrailAnchor = { number: 0, digest: "", to: "" };

/**
 * One look: at what came since the last one, and at the next piece of the whole trail. What is found is told once and stays in `health`
 * until a look at the whole trail finds it no more. Whoever has the key of the tables could change what it finds, too: `safeport records
 * verify` with a head that was kept elsewhere is the proof.
 */
export async function verifyTrail(app: App, deadlineAt: number): Promise<void> {
  const { tables, clock } = app;
  const now = clock.now();
  const kept = await readTrailCheck(tables);
  const before = kept === null || kept === "unreadable" ? await firstCheck(app) : kept;
  const tail = await walk(app, before.tail, { linesMax: Number.POSITIVE_INFINITY, deadlineAt, head: before.head });
  const isDue = before.whole.isOver && now - before.whole.startedAt >= WHOLE_EVERY_MS;
  const begun = isDue ? { ...BEGINNING, startedAt: now, isOver: false } : before.whole;
  const piece = begun.isOver ? null : await walk(app, begun, { linesMax: WHOLE_LINES, deadlineAt, head: null });
  const isOver = begun.isOver || piece?.isAtEnd === true;
  const lost = kept === "unreadable" ? [checkUnreadable(now)] : [];
  const fresh = [...lost, ...tail.findings, ...(piece?.findings ?? [])];
  // A look at the whole trail that is over has found again what is still so.
  const old =
    isOver && !begun.isOver ? before.faults.filter(({ foundAt }) => foundAt >= begun.startedAt) : before.faults;
  const found = new Map<string, TrailFault>(old.map((fault) => [fault.of, fault]));
  const added = fresh.filter(({ of }) => !found.has(of) && !before.faults.some((fault) => fault.of === of));
  for (const { of, kind, why } of fresh) found.set(of, { of, kind, why, foundAt: now });
  const faults = [...found.values()].slice(-FAULTS_MAX);
  if (added.length > 0) await alarm(app, added, now);
  await tables.writeAll([
    trailCheckWrite({
      ...{ checkedAt: now, tail: tail.anchor, head: tail.head ?? before.head, faults },
      whole: { ...(piece?.anchor ?? begun), startedAt: begun.startedAt, isOver },
    }),
  ]);
}

/** Nothing has been looked at yet: the newest from here on, and all of it piece by piece. */
async function firstCheck(app: App): Promise<TrailCheck> {
  const key = recordKey(app.settings.markSecret);
  const until = stampAt(app.clock.now());
  const oldest = (await recentSeals(app.tables, { key, withinMs: LATE_MS, until })).findLast(
    ({ says }) => says !== null,
  );
  const { number, digest, says } = oldest ?? { ...BEGINNING, says: null };
  const tail = { number, digest, to: says?.to ?? "" };
  const whole = { ...BEGINNING, startedAt: app.clock.now(), isOver: false };
  return { checkedAt: 0, tail, head: null, whole, faults: [] };
}

interface Walked {
  /** Where the next walk begins: so far back that records which come late are seen with the seals that name them. */
  readonly anchor: TrailAnchor;
  readonly head: TrailCheck["head"];
  readonly isAtEnd: boolean;
  readonly findings: readonly TrailFinding[];
}

async function walk(
  app: App,
  since: TrailAnchor,
  {
    linesMax,
    deadlineAt,
    head,
  }: { readonly linesMax: number; readonly deadlineAt: number; readonly head: TrailCheck["head"] },
): Promise<Walked> {
  const { clock, settings } = app;
  const now = clock.now();
  const key = recordKey(settings.markSecret);
  const heads = new Map(head === null ? [] : [[head.number, head.digest]]);
  const verifier = new TrailVerifier({ key, now, heads, since: since.number > 0 ? since : undefined });
  // What may still be being written is left to the next walk, unless it is sealed by a clock that was ahead.
  const newest = await newestSeal(app.tables);
  const sealedTo = newest !== null && isSealSigned(newest, key) ? `${newest.says?.to}\u0001` : "";
  const settledAt = stampAt(now - SETTLED_MS);
  const until = sealedTo > settledAt ? sealedTo : settledAt;
  let anchors: TrailAnchor[] = [since];
  let place: TrailPlace | null = { sequence: since.to, seal: since.number };
  for (let lines = 0; place !== null; ) {
    const page = await exportRecords(app, place, PAGE, until);
    for (const line of page.lines)
      if (line.kind === "record") verifier.record(line);
      else {
        verifier.seal(line.number, line);
        const to = isSealSigned(line, key) ? readSealBody(line.body)?.to : undefined;
        if (to !== undefined) anchors.push({ number: line.number, digest: sealDigest(line), to });
      }
    anchors = settled(anchors);
    lines += page.lines.length;
    place = page.next;
    // Not before the next walk begins further on, or it would be the same again.
    if (anchors[0] !== since && (lines >= linesMax || clock.monotonicMs() >= deadlineAt)) break;
  }
  const isAtEnd = place === null;
  const verdict = verifier.end();
  // In the middle of a trail its end is not known.
  const isKnown = ({ kind, of }: TrailFinding): boolean =>
    isAtEnd || (kind !== "stopped" && !(kind === "missing" && of === `seal ${head?.number}`));
  const [anchor = since] = anchors;
  return { anchor, head: verdict.head, isAtEnd, findings: verdict.findings.filter(isKnown) };
}

/** Those that may still be begun at, the one that is far enough back first. */
function settled(anchors: readonly TrailAnchor[]): TrailAnchor[] {
  const newest = anchors.at(-1)?.to ?? "";
  const back = newest === "" ? "" : stampAt(Math.max(0, stampOf(newest) - LATE_MS));
  return anchors.slice(
    Math.max(
      0,
      anchors.findLastIndex(({ to }) => to <= back),
    ),
  );
}

async function alarm(app: App, added: readonly Pick<TrailFault, "of" | "kind" | "why">[], now: number): Promise<void> {
  const named = added.slice(0, FAULTS_NAMED).map(({ kind, of, why }) => `${of} (${kind}: ${why})`);
  const more = added.length > named.length ? `, and ${added.length - named.length} more` : "";
  const what = `the audit trail is not as it was written: ${named.join(", ")}${more}`;
  app.log.write("error", what);
  await tell(app, [
    noticeOf("healthAlarm", {
      ...{ at: now, group: null, dedupe: `trail/${added[0]?.of}/${added.length}` },
      to: [
        { kind: "role", role: "auditor" },
        { kind: "role", role: "admin" },
      ],
      data: { what, since: null },
    }),
  ]);
  await writeRecord(app, {
    ...{ at: now, group: null, cause: "verify records", actor: "safeport", policyVersion: null, lines: [what] },
  });
}
