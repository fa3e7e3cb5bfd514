// The routes of the ledger: what should stand, for whom and why.
import type { EntryId } from "../domain/ids.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import { fail } from "../errors/app-error.ts";
import type { LedgerAnswer } from "../usecases/ledger/allocate-rule.ts";
import { define, groupInPath, lookNow, sourcesOf } from "./define-route.ts";
import { dryRunQuery, noBody, noQuery } from "./inputs.ts";
import { allocationBody, ledgerQuery } from "./inputs-ledger.ts";
import { viewLedger, viewLedgerAnswer, viewStory } from "./ledger-view.ts";
import { type HttpResponse, jsonResponse } from "./message.ts";
import type { Call, Route } from "./route.ts";
import { seenPage } from "./seen-page.ts";

/** The routes, in the order of the API description. */
export const ledgerRoutes: readonly Route[] = [
  define({
    method: "GET",
    path: "/v1/ledger",
    operationId: "listLedger",
    summary: "List the entries of the ledger: which rules should stand, for whom and why.",
    permission: "ledger:read",
    about: "list",
    query: ledgerQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts, caller, sees }, { query: { limit, cursor, group } }) => {
      const [groupId = "", entryId = ""] = cursor?.split(".") ?? [];
      const asked = group === undefined ? {} : { group };
      const isSeen = await sees();
      const unreadable: string[] = [];
      const { items: entries, next } = await seenPage<Entry, readonly [string, string]>(
        { limit, after: cursor === null ? null : [groupId, entryId] },
        async (after, rows) => {
          const page = await parts.useCases.listLedger(parts.app, caller, { ...asked, limit: rows, cursor: after });
          unreadable.push(...page.unreadable.filter((row) => isSeen(row.split(" ")[0] ?? null)));
          return { items: page.entries, next: page.next };
        },
        (entry) => isSeen(entry.group.groupId),
        (entry) => [entry.group.groupId, entry.entryId],
      );
      return jsonResponse(200, viewLedger({ entries, unreadable, next }));
    },
  }),
  define({
    method: "PUT",
    path: "/v1/ledger",
    operationId: "allocateRule",
    summary: "Have rules stand for good, with owner and reason; repeated, it changes the entry.",
    permission: "ledger:write",
    about: (_, { body }) => [body.group],
    query: dryRunQuery,
    body: allocationBody,
    idempotent: false,
    handle: async (call, { query: { dryRun }, body }) => {
      const { parts, caller } = call;
      const { port, source, ...asked } = body;
      const ask = { ...asked, port: port === null ? null : String(port), sources: sourcesOf(source) };
      const answer = await parts.useCases.allocateRule(parts.app, caller, ask, { dryRun });
      return answered(call, answer, dryRun);
    },
  }),
  define({
    method: "GET",
    path: "/v1/ledger/{group}/{entry}",
    operationId: "getLedgerEntry",
    summary: "Read an entry with everything that has become of it, newest first.",
    permission: "ledger:read",
    about: groupInPath,
    query: noQuery,
    body: noBody,
    idempotent: false,
    handle: async (call) => {
      const { parts, caller } = call;
      const { group, entryId } = placeOf(call);
      return jsonResponse(200, viewStory(await parts.useCases.getLedgerEntry(parts.app, caller, group, entryId)));
    },
  }),
  define({
    method: "DELETE",
    path: "/v1/ledger/{group}/{entry}",
    operationId: "retireEntry",
    summary: "Take a rule's standing permission back; the plan says what becomes of the rule.",
    permission: "ledger:write",
    about: groupInPath,
    query: dryRunQuery,
    body: noBody,
    idempotent: false,
    handle: async (call, { query: { dryRun } }) => {
      const { parts, caller } = call;
      const { group, entryId } = placeOf(call);
      const answer = await parts.useCases.retireEntry(parts.app, caller, group, entryId, { dryRun });
      return answered(call, answer, dryRun);
    },
  }),
];

async function answered(call: Call, answer: LedgerAnswer, dryRun: boolean): Promise<HttpResponse> {
  const { parts, caller } = call;
  const look = () => lookNow(call, answer.group, `ledger by ${caller.principal}`);
  const { settled, entries } = dryRun
    ? { settled: true, entries: answer.entries }
    : await parts.useCases.settleAllocation(parts.app, caller, answer, look);
  return jsonResponse(200, viewLedgerAnswer({ ...answer, entries }, { dryRun, settled }));
}

function placeOf({ params }: Call): { readonly group: string; readonly entryId: EntryId } {
  const { group = "", entry = "" } = params;
  if (!/^e-[0-9a-f]{16}$/.test(entry) || group.length > 128)
    throw fail("ENTRY_UNKNOWN", { group: group.slice(0, 64), entry: entry.slice(0, 64) });
  return { group, entryId: entry as EntryId };
}
