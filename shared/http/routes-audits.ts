// The routes of the monthly audit: as JSON by pages, as a file, and as a page.
import { auditPage } from "./audit-page.ts";
import { auditSheets } from "./audit-sheets.ts";
import { viewAudit, viewAudits } from "./audit-view.ts";
import { define } from "./define-route.ts";
import { noBody, noQuery } from "./inputs.ts";
import { askAuditQuery, auditQuery } from "./inputs-records.ts";
import { type HttpResponse, jsonResponse } from "./message.ts";
import type { Call, Route } from "./route.ts";

const XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/** Rows of a file; the platform's answer may have 6 MB, and a row has about a hundred bytes of it. */
const BOOK = { ownersMax: 20_000, portsMax: 20_000, findingsOnly: false };
/** Rows of a page: what somebody can read. */
const PAGE = { ownersMax: 1000, portsMax: 1000, findingsOnly: true };
const GROUPS_PER_READ = 50;

async function whole(call: Call, format: "xlsx" | "html", language: "en" | "zh"): Promise<HttpResponse> {
  const { parts, params } = call;
  const month = params["month"] ?? "";
  const read = (after: string | null) => parts.useCases.getAudit(parts.app, month, { after, limit: GROUPS_PER_READ });
  const sheets = await auditSheets(read, language, format === "xlsx" ? BOOK : PAGE);
  if (format === "html") return auditPage(sheets, language);
  const { overview, owners, ports, failed } = sheets;
  const bytes = await parts.writeBook([overview, owners, ports, failed]);
  return {
    status: 200,
    headers: {
      "Content-Type": XLSX_TYPE,
      "Content-Disposition": `attachment; filename="safeport-audit-${month}.xlsx"`,
      "X-Content-Type-Options": "nosniff",
      "Cache-Control": "no-store",
    },
    body: Buffer.from(bytes).toString("base64"),
    encoding: "base64",
  };
}

/** The routes, in the order of the API description. */
export const auditRoutes: readonly Route[] = [
  define({
    method: "GET",
    path: "/v1/audits",
    operationId: "listAudits",
    summary: "List the months that were audited.",
    permission: "audit:read",
    about: "account",
    query: noQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts }) => jsonResponse(200, viewAudits(await parts.useCases.listAudits(parts.app))),
  }),
  define({
    method: "GET",
    path: "/v1/audits/{month}",
    operationId: "getAudit",
    summary: "Read the audit of a month: open ports and their use, leases, drift and changes, by group and owner.",
    permission: "audit:read",
    about: "account",
    query: auditQuery,
    body: noBody,
    idempotent: false,
    handle: async (call, { query: { limit, cursor, format, language } }) => {
      const { parts, params } = call;
      if (format !== "json") return whole(call, format, language);
      const page = await parts.useCases.getAudit(parts.app, params["month"] ?? "", { after: cursor, limit });
      return jsonResponse(200, viewAudit(page));
    },
  }),
  define({
    method: "POST",
    path: "/v1/audits/{month}",
    operationId: "askAudit",
    summary: "Have a month audited, also one that is not over, and anew where that was done before.",
    permission: "audit:run",
    about: "account",
    query: askAuditQuery,
    body: noBody,
    idempotent: false,
    handle: async ({ parts, params }, { query: { dryRun } }) => {
      const month = params["month"] ?? "";
      const isBegun = await parts.useCases.askAudit(parts.app, month, { dryRun });
      const message = !isBegun
        ? "It is being made already."
        : dryRun
          ? "Every group of the policy's regions would be read, at the pace of the full pass."
          : `It is being made; GET /v1/audits tells when it is finished.`;
      return jsonResponse(
        dryRun ? 200 : 202,
        { month, message, dryRun },
        dryRun ? {} : { Location: `/v1/audits/${month}` },
      );
    },
  }),
];
