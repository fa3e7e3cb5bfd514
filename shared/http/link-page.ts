// The page behind a link in a message. It has no script, no style and no picture, loads nothing, and does nothing until a button is pressed.
import { createHash } from "node:crypto";
import { formatUtc } from "../domain/instant.ts";
import type { Lease } from "../domain/lease-record.ts";
import { portsText, protocolText, sourceText } from "../domain/rule-text.ts";
import type { AppError } from "../errors/app-error.ts";
import type { HttpResponse } from "./message.ts";

const HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "X-Robots-Tag": "noindex, nofollow",
};

/** What a form has to send back: whoever posts without having read the page does not know it. */
export const confirmationOf = (link: string): string =>
  createHash("sha256").update(`confirm ${link}`).digest("base64url").slice(0, 22);

/** The page that asks. */
export function askPage(link: string, lease: Lease): HttpResponse {
  const { request, approval } = lease;
  const [spec] = request.specs;
  const what = spec === undefined ? "" : `${portsText(spec.ports)}/${protocolText(spec)}`;
  const facts: readonly (readonly [string, string])[] = [
    ["Asked for by / 申请人", request.principal],
    ["Port / 端口", what],
    ["Where / 位置", `${request.instanceId ?? request.groupName} (${request.group.groupId}, ${request.group.region})`],
    ["For / 来源", request.specs.map(({ peer }) => sourceText(peer)).join(", ")],
    ...(request.startAt === null ? [] : [["Starts / 开始时间", formatUtc(request.startAt)] as const]),
    ["How long / 时长", `${request.periodMs / 1000} s`],
    ...(request.sessions === "cut" ? [["At its end / 到期时", "open sessions are cut / 切断现有会话"] as const] : []),
    ["Reason / 原因", request.reason || "–"],
    ["Ticket / 工单", request.ticket || "–"],
    ["Lapses / 失效时间", formatUtc(approval?.lapsesAt ?? lease.status.until)],
    ["Change / 变更摘要", (approval?.change ?? "").slice(0, 16)],
  ];
  const rows = facts.map(([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`).join("");
  return page(
    200,
    "A port is asked for / 端口申请",
    `<table>${rows}</table>
<form method="post"><input type="hidden" name="confirm" value="${confirmationOf(link)}">
<p><label>Reason / 理由 <input name="reason" maxlength="2000" size="60"></label></p>
<p><button name="decision" value="approve">Approve / 批准</button> <button name="decision" value="deny">Deny / 拒绝</button></p></form>`,
  );
}

/** The page that says what came of it. */
export function donePage(lease: Lease): HttpResponse {
  const { leaseId } = lease.request;
  return page(200, "Thank you / 已处理", `<p>${escaped(leaseId)}: ${escaped(lease.status.state)}</p>`);
}

/** The page that says why nothing came of it. */
export function failurePage(error: AppError): HttpResponse {
  return page(
    error.entry.status,
    "Nothing was changed / 未作更改",
    `<p>${escaped(error.message)}</p><p>${escaped(error.remedy)}</p>`,
  );
}

function page(status: number, title: string, body: string): HttpResponse {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>safeport</title>`;
  const html = `<!doctype html><html lang="en"><head>${head}</head><body><h1>${escaped(title)}</h1>${body}</body></html>\n`;
  return { status, headers: HEADERS, body: html };
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
