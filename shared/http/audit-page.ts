// A monthly audit as a page to read and print: no script, nothing loaded, every text escaped.
import { createHash } from "node:crypto";
import { COUNT_NAMES } from "../domain/audit.ts";
import type { Language } from "../domain/notification-policy.ts";
import type { Sheet } from "../ports/book.ts";
import { type AuditSheets, auditWords } from "./audit-sheets.ts";
import type { HttpResponse } from "./message.ts";

const STYLE = `
:root{color-scheme:light dark;--line:#d5d9e0;--soft:#f4f6f9;--text:#1c2430;--dim:#5c6777;--mark:#b4461b}
@media(prefers-color-scheme:dark){:root{--line:#3a4352;--soft:#232a35;--text:#e6eaf0;--dim:#9aa6b8;--mark:#ff9d6e}body{background:#181d25}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1280px;padding:2rem 1.5rem;color:var(--text);font:15px/1.5 system-ui,"Noto Sans SC","PingFang SC","Microsoft YaHei",sans-serif}
h1{font-size:1.7rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
p{margin:.2rem 0;color:var(--dim)}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.75rem;margin:1.4rem 0}
dl div{border:1px solid var(--line);border-radius:8px;padding:.6rem .8rem;background:var(--soft)}
dt{color:var(--dim);font-size:.8rem}dd{margin:0;font-size:1.5rem;font-variant-numeric:tabular-nums}
.mark dd{color:var(--mark)}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.86rem}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}
td:last-child:not(.n){min-width:15rem}
th{background:var(--soft);white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
@media print{@page{size:A4 landscape;margin:12mm}body{max-width:none;padding:0;font-size:10px;background:none;color:#000}
h2{break-after:avoid}tr{break-inside:avoid}thead{display:table-header-group}.wide{overflow:visible}}
`;

const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

const escaped = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");

/** The page. `sheets` are of what somebody should look at; `totals` come from the overview. */
export function auditPage(sheets: AuditSheets, language: Language): HttpResponse {
  const words = auditWords(language);
  const facts = new Map(sheets.overview.rows.map(([name, value]) => [String(name), value ?? ""]));
  const notes = sheets.overview.rows.flatMap(([name, value]) => (name === "" ? [String(value)] : []));
  const tile = (name: string, isMarked = false): string =>
    `<div${isMarked ? ' class="mark"' : ""}><dt>${escaped(name)}</dt><dd>${escaped(String(facts.get(name) ?? ""))}</dd></div>`;
  const about = [words.computedAt, words.policyVersion]
    .map((name) => `${escaped(name)}: ${escaped(String(facts.get(name) ?? ""))}`)
    .join(" · ");
  const body = `<!doctype html>
<html lang="${language === "zh" ? "zh-CN" : "en"}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escaped(sheets.title)}</title><style>${STYLE}</style></head>
<body>
<header><h1>${escaped(sheets.title)}</h1><p>${about}</p></header>
<dl>${tile(words.groups)}${COUNT_NAMES.map((name) => tile(words.counts[name])).join("")}${tile(words.findings, true)}${tile(words.failedGroups, Number(facts.get(words.failedGroups)) > 0)}</dl>
${notes.map((note) => `<p>${escaped(note)}</p>`).join("\n")}
${[{ ...sheets.ports, name: words.findings }, sheets.owners, sheets.failed].map(section).join("\n")}
</body>
</html>
`;
  return {
    status: 200,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      "Cache-Control": "no-store",
    },
    body,
  };
}

function section({ name, columns, rows }: Sheet): string {
  if (rows.length === 0) return "";
  const isNumber = columns.map((_, index) => rows.every((row) => typeof row[index] === "number"));
  const cell = (tag: "th" | "td", value: string | number | null, index: number): string =>
    `<${tag}${isNumber[index] ? ' class="n"' : ""}${tag === "th" ? ' scope="col"' : ""}>${escaped(String(value ?? ""))}</${tag}>`;
  const head = columns.map(({ title }, index) => cell("th", title, index)).join("");
  const lines = rows.map((row) => `<tr>${row.map((value, index) => cell("td", value, index)).join("")}</tr>`);
  return `<section><h2>${escaped(name)}</h2><div class="wide"><table><thead><tr>${head}</tr></thead><tbody>
${lines.join("\n")}
</tbody></table></div></section>`;
}
