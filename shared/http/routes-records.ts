// The routes of the audit trail: to read in, and as it is stored, for whoever verifies or keeps it elsewhere.
import type { RecordPage } from "../usecases/records/list-records.ts";
import { define } from "./define-route.ts";
import { noBody } from "./inputs.ts";
import { exportQuery, recordsQuery } from "./inputs-records.ts";
import { viewRecords } from "./list-views.ts";
import { jsonResponse } from "./message.ts";
import type { Route } from "./route.ts";
import { seenPage } from "./seen-page.ts";

/** Readings of the trail for one page: of a caller who may see little of it, or of one group. */
const READS_MAX = 10;

/** A record that somebody has put into the table may have any text for its place, and hides none of those behind it. */
const cursorText = (sequence: string): string =>
  /^(\d{15}-[0-9a-f]{10})?$/.test(sequence) ? sequence : `x${Buffer.from(sequence).toString("hex")}`;
const sequenceOf = (cursor: string): string =>
  cursor.startsWith("x") ? Buffer.from(cursor.slice(1), "hex").toString() : cursor;

/** The routes, in the order of the API description. */
export const recordRoutes: readonly Route[] = [
  define({
    method: "GET",
    path: "/v1/records",
    operationId: "listRecords",
    summary: "List what was done, newest first.",
    permission: "record:read",
    about: "list",
    query: recordsQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts, sees }, { query: { limit, cursor, group } }) => {
      const asked = group === undefined ? {} : { group };
      const isSeen = await sees();
      const { items: records, next } = await seenPage<RecordPage["records"][number], string>(
        { limit, after: cursor && sequenceOf(cursor), readsMax: READS_MAX },
        async (before, rows) => {
          const page = await parts.useCases.listRecords(parts.app, { ...asked, limit: rows, cursor: before });
          return { items: page.records, next: page.next };
        },
        (record) => isSeen(record.group?.groupId ?? null),
        (record) => record.sequence,
      );
      return jsonResponse(200, viewRecords({ records, next: next && cursorText(next) }));
    },
  }),
  define({
    method: "GET",
    path: "/v1/records:export",
    operationId: "exportRecords",
    summary:
      "The whole trail as it is stored, oldest first, with its seals: what `safeport records` verifies and keeps.",
    permission: "record:export",
    about: "account",
    query: exportQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts }, { query: { limit, cursor } }) => {
      const [sequence = "", seal = "0"] = (cursor ?? "").split("~");
      const place = { sequence: sequenceOf(sequence), seal: Number(seal) };
      const page = await parts.useCases.exportRecords(parts.app, place, limit);
      return jsonResponse(200, { ...page, next: page.next && `${cursorText(page.next.sequence)}~${page.next.seal}` });
    },
  }),
];
