// The routes of drift: what differs from the ledger, who did it, and what a person says of it.
import type { DriftItem } from "../domain/drift-item.ts";
import { parseDriftId } from "../usecases/drift/drift-id.ts";
import { define, lookNow } from "./define-route.ts";
import { viewDrift, viewDriftAnswer, viewDriftPage } from "./drift-view.ts";
import { dryRunQuery, noBody, noQuery } from "./inputs.ts";
import { driftBody, driftQuery } from "./inputs-drift.ts";
import { jsonResponse } from "./message.ts";
import type { Call, Route } from "./route.ts";
import { seenPage } from "./seen-page.ts";

const driftInPath = ({ params }: Call): readonly string[] => [parseDriftId(params["id"] ?? "")?.[0] ?? ""];

const decision = (verb: "adopt" | "restore" | "release", summary: string): Route =>
  define({
    method: "POST",
    path: `/v1/drift/{id}:${verb}`,
    operationId: `${verb}Drift`,
    summary,
    permission: "drift:decide",
    about: driftInPath,
    query: dryRunQuery,
    body: driftBody,
    idempotent: false,
    handle: async (call, { query: { dryRun }, body }) => {
      const { parts, caller, params } = call;
      const id = params["id"] ?? "";
      const answer = await parts.useCases.decideDrift(parts.app, caller, id, verb, body, { dryRun });
      const look = () => lookNow(call, answer.group, `${verb} ${id} by ${caller.principal}`);
      const settled = dryRun || (await parts.useCases.settleDecision(parts.app, caller, answer, look));
      return jsonResponse(200, viewDriftAnswer(answer, { dryRun, settled }));
    },
  });

/** The routes, in the order of the API description. */
export const driftRoutes: readonly Route[] = [
  define({
    method: "GET",
    path: "/v1/drift",
    operationId: "listDrift",
    summary: "List what differs from the ledger, and what has become of it.",
    permission: "drift:read",
    about: "list",
    query: driftQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts, caller, sees }, { query: { limit, cursor, group, state } }) => {
      const [driftId = "", groupId = ""] = cursor?.split(".") ?? [];
      const asked = { ...(group === undefined ? {} : { group }), ...(state === undefined ? {} : { state }) };
      const isSeen = await sees();
      const unreadable: string[] = [];
      const page = await seenPage<DriftItem, readonly [string, string]>(
        { limit, after: cursor === null ? null : [groupId, driftId] },
        async (after, rows) => {
          const found = await parts.useCases.listDrift(parts.app, caller, { ...asked, limit: rows, cursor: after });
          unreadable.push(...found.unreadable.filter((row) => isSeen(row.split(" ")[0] ?? null)));
          return found;
        },
        (item) => isSeen(item.group.groupId),
        (item) => [item.group.groupId, item.driftId],
      );
      return jsonResponse(200, viewDriftPage({ ...page, unreadable }));
    },
  }),
  define({
    method: "GET",
    path: "/v1/drift/{id}",
    operationId: "getDrift",
    summary: "Read one difference: what changed, by whom, and the rules before and after in full.",
    permission: "drift:read",
    about: driftInPath,
    query: noQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts: { app, useCases }, caller, params }) => {
      const item = await useCases.getDrift(app, caller, params["id"] ?? "");
      return jsonResponse(200, { ...viewDrift(item), owed: await useCases.isOwed(app, item) });
    },
  }),
  decision("adopt", "Accept what somebody did: the ledger follows."),
  decision("restore", "Bring back what was before, or what was rolled back."),
  decision("release", "Let go of the hold on a rule that was rolled back too often."),
];
