// The routes of recycling: which rules nobody uses, what becomes of them, and what a person says of it.

import { parseUtc } from "../domain/instant.ts";
import { groupOfRecyclingId, type RecyclingItem } from "../domain/recycling-item.ts";
import { placeOf } from "../domain/recycling-place.ts";
import { decision, define } from "./define-route.ts";
import { noBody } from "./inputs.ts";
import {
  recyclingApproveBody,
  recyclingExemptBody,
  recyclingItemQuery,
  recyclingQuery,
  recyclingRestoreBody,
  recyclingRunQuery,
} from "./inputs-recycling.ts";
import { jsonResponse } from "./message.ts";
import { invalid } from "./read-input.ts";
import { viewRecyclingAnswer, viewRecyclingItem, viewRecyclingPage, viewRecyclingReport } from "./recycling-view.ts";
import type { Call, Route } from "./route.ts";
import { seenPage } from "./seen-page.ts";

const groupOfItem = ({ params }: Call): readonly string[] => [groupOfRecyclingId(params["id"] ?? "") ?? ""];

const idOf = ({ params }: Call): string => params["id"] ?? "";

const within = ({ parts: { app }, deadlineAt }: Call, dryRun: boolean) => ({
  dryRun,
  deadlineAt: Math.min(deadlineAt, app.clock.monotonicMs() + app.settings.answerWithinMs),
});

const shared = { about: groupOfItem };

/** The routes, in the order of the API description. */
export const recyclingRoutes: readonly Route[] = [
  define({
    method: "GET",
    path: "/v1/recycling",
    operationId: "listRecycling",
    summary: "List the rules that nobody uses, and what has become of them.",
    permission: "recycling:read",
    about: "list",
    query: recyclingQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts, caller, sees }, { query: { limit, cursor, group, state } }) => {
      const asked = { ...(group === undefined ? {} : { group }), ...(state === undefined ? {} : { state }) };
      const isSeen = await sees();
      const page = await seenPage<RecyclingItem, string>(
        { limit, after: cursor },
        (after, rows) => parts.useCases.listRecycling(parts.app, caller, { ...asked, limit: rows, cursor: after }),
        (item) => isSeen(item.group.groupId),
        (item) => item.itemId,
      );
      return jsonResponse(200, viewRecyclingPage(page));
    },
  }),
  define({
    method: "GET",
    path: "/v1/recycling/{id}",
    operationId: "getRecycling",
    summary: "Read one unused rule in full, with its evidence day by day.",
    permission: "recycling:read",
    about: groupOfItem,
    query: recyclingItemQuery,
    body: noBody,
    idempotent: false,
    handle: async (call, { query: { days } }) =>
      jsonResponse(200, viewRecyclingItem(await call.parts.useCases.getRecycling(call.parts.app, idOf(call), days))),
  }),
  decision({
    ...shared,
    path: "/v1/recycling/{id}:restore",
    operationId: "restoreRecycling",
    summary: "Give a rule back with all its fields, from any state, also after its deletion.",
    permission: "recycling:decide",
    body: recyclingRestoreBody,
    decide: async (call, body, dryRun) => {
      const { parts, caller } = call;
      const answer = await parts.useCases.restoreItem(parts.app, caller, idOf(call), body, within(call, dryRun));
      return jsonResponse(200, viewRecyclingAnswer(answer, dryRun));
    },
  }),
  decision({
    ...shared,
    path: "/v1/recycling/{id}:exempt",
    operationId: "exemptRecycling",
    summary: "Leave a rule alone until a day; it is given back first where it was taken.",
    permission: "recycling:decide",
    body: recyclingExemptBody,
    decide: async (call, { owner, reason, until: day }, dryRun) => {
      const { parts, caller } = call;
      const until = Date.parse(day);
      if (Number.isNaN(until) || until > MAX_MS) throw invalid("until", "is not an instant that can be kept");
      const word = { owner, reason, until };
      const answer = await parts.useCases.exemptItem(parts.app, caller, idOf(call), word, within(call, dryRun));
      return jsonResponse(200, viewRecyclingAnswer(answer, dryRun));
    },
  }),
  decision({
    ...shared,
    path: "/v1/recycling/{id}:approve",
    operationId: "approveRecycling",
    summary: "Approve the next step of one rule, exactly as it is now.",
    permission: "recycling:approve",
    body: recyclingApproveBody,
    decide: async (call, { step, onShortEvidence, waivedBy, rev }, dryRun) => {
      const { parts, caller } = call;
      const word = {
        ...{ step, onShortEvidence },
        ...(waivedBy === undefined ? {} : { waivedBy }),
        ...(rev === undefined ? {} : { rev }),
      };
      const answer = await parts.useCases.approveItem(parts.app, caller, idOf(call), word, within(call, dryRun));
      return jsonResponse(200, viewRecyclingAnswer(answer, dryRun));
    },
  }),
  define({
    method: "POST",
    path: "/v1/recycling:run",
    operationId: "runRecycling",
    summary:
      "Run the nightly job now, or say what it would do; as far as one call has time, and on from there by `next`.",
    permission: "recycling:run",
    about: "account",
    query: recyclingRunQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts, caller, deadlineAt }, { query: { dryRun, cursor } }) => {
      const { policy } = caller;
      const report = await parts.useCases.recycle(parts.app, { policy, deadlineAt, dryRun, from: placeOf(cursor) });
      return jsonResponse(200, viewRecyclingReport(report, dryRun));
    },
  }),
];

const MAX_MS = parseUtc("9999-01-01T00:00:00Z") ?? 0;
