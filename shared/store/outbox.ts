// The outbox: notices that are still to be told. A row is written together with the change it tells of, and goes when it was told.
import type { DeliveryState } from "../domain/delivery.ts";
import { NOTICE_PRIORITIES, NOTICE_RANKS, type Notice, placeOf } from "../domain/notice.ts";
import type { KeyPart, Row, Tables, Write } from "../ports/tables.ts";
import { dueJob, dueWrite } from "./due.ts";
import { shapedColumn } from "./row-shape.ts";

/** The job that sends what is in the outbox. */
const NOTIFY_JOB = "notify";

/** What may wait a little shares a run of the job with what else is told in these seconds. */
const GATHER_MS = { prompt: 1000, patient: 10_000 };

const rankOf = (notice: Notice): number => NOTICE_RANKS[NOTICE_PRIORITIES[notice.kind]];

const keyOf = (notice: Notice): [number, number, string] => [placeOf(notice.kind), notice.at, notice.id];

/**
 * The rows that have notices told: for the `writeAll` of the change they tell of. Where the change is a conditional write of its
 * own, they are written before it: told twice is known by its id, lost is not known by anybody.
 */
export function noticeWrites(...notices: readonly Notice[]): readonly Write[] {
  const instants = new Set(
    notices.map((notice) => {
      const gatherMs = rankOf(notice) <= NOTICE_RANKS.high ? GATHER_MS.prompt : GATHER_MS.patient;
      return Math.ceil(notice.at / gatherMs) * gatherMs;
    }),
  );
  return [
    ...[...instants].map((at) => dueWrite(dueJob(NOTIFY_JOB, null, at))),
    ...notices.map(
      (notice): Write => ({
        kind: "put",
        table: "outbox",
        key: keyOf(notice),
        columns: { body: JSON.stringify(notice) },
      }),
    ),
  ];
}

/** A row of the outbox. `notice` is null where this version cannot read it. */
export interface Pending {
  readonly key: readonly KeyPart[];
  readonly notice: Notice | null;
  /** How far the telling is; null when nobody has looked at the row. */
  readonly state: DeliveryState | null;
}

/** For a notice that was told, or never will be. */
export const outboxDelete = ({ key }: Pending): Write => ({ kind: "delete", table: "outbox", key });

/** How far the telling is, written down. */
export const outboxProgress = ({ key }: Pending, notice: Notice, state: DeliveryState): Write => ({
  kind: "put",
  table: "outbox",
  key,
  columns: { body: JSON.stringify(notice), state: JSON.stringify(state) },
});

function pendingOf({ key, columns }: Row): Pending {
  try {
    const notice = shapedColumn<Notice>(columns["body"], "outbox", {
      ...{ id: "text", kind: "text", at: "number", group: "object?", to: "objects", data: "object" },
    });
    const { state } = columns;
    return {
      key,
      notice: Object.hasOwn(NOTICE_PRIORITIES, notice.kind) ? notice : null,
      state: state === undefined ? null : shapedColumn(state, "outbox", {}),
    };
  } catch {
    return { key, notice: null, state: null };
  }
}

/** What is still to be told, after a row: what goes before all others first, then by priority, and the oldest first within one. */
export async function readOutbox(
  tables: Tables,
  limit: number,
  after: Pending | null = null,
): Promise<{ readonly pending: readonly Pending[]; readonly more: boolean }> {
  const from = after === null ? [0] : [...after.key.slice(0, -1), `${after.key.at(-1)}\u0001`];
  const page = await tables.range({ table: "outbox", from, to: null, limit });
  return { pending: page.rows.map(pendingOf), more: page.more };
}
