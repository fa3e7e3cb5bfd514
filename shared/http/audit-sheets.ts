// A monthly audit as sheets, for a file and for a page: the same words and the same rows in both.
import { type AuditedGroup, type AuditSummary, COUNT_NAMES, isFinding, type Month } from "../domain/audit.ts";
import { formatUtc } from "../domain/instant.ts";
import type { Language } from "../domain/notification-policy.ts";
import { oneLine } from "../domain/one-line.ts";
import type { Sheet } from "../ports/book.ts";
import type { AuditPage } from "../usecases/operation/list-audits.ts";

const WORDS = {
  en: {
    title: "Port-use audit",
    overview: "Overview",
    owners: "By group and owner",
    ports: "Open ports",
    failed: "Not looked at",
    item: "Item",
    value: "Value",
    month: "Month (UTC)",
    computedAt: "Made at",
    partial: "The month was not over when this was made.",
    policyVersion: "Version of the policy",
    groups: "Groups",
    failedGroups: "Groups not looked at",
    findings: "Rules idle or without an owner",
    unreadable: "Rows that cannot be read, not counted",
    region: "Region",
    group: "Group",
    name: "Name",
    owner: "Owner",
    nobody: "(nobody)",
    counts: {
      open: "Open",
      used: "Used",
      idle: "Idle",
      unknown: "Unknown",
      leases: "Leases",
      drift: "Drift",
      changes: "Changes",
      recycling: "Recycling",
    },
    protocol: "Protocol",
    portRange: "Ports",
    source: "Source",
    application: "Application",
    provenance: "Granted as",
    use: "Use",
    lastUsed: "Last used",
    coverage: "Known, %",
    why: "Why",
    uses: { used: "used", idle: "idle", unknown: "unknown" },
    provenances: {
      baseline: "baseline",
      template: "template",
      adopted: "adopted",
      lease: "lease",
      none: "not in the ledger",
    },
    more: "More rows than fit here: GET /v1/audits has all of them, page by page.",
    notes: [
      "Open rules and their use are as they were when this was made; leases, drift, changes and steps of recycling are those of the month.",
      "Unknown is not idle: where logs are missing nobody can say.",
    ],
  },
  zh: {
    title: "端口使用审计",
    overview: "概览",
    owners: "按安全组和责任人",
    ports: "开放端口",
    failed: "未能检查",
    item: "项目",
    value: "值",
    month: "月份（UTC）",
    computedAt: "生成时间",
    partial: "生成时该月尚未结束。",
    policyVersion: "策略版本",
    groups: "安全组数",
    failedGroups: "未能检查的安全组",
    findings: "闲置或无责任人的规则",
    unreadable: "无法读取、未计入的记录",
    region: "地域",
    group: "安全组",
    name: "名称",
    owner: "责任人",
    nobody: "（无）",
    counts: {
      open: "开放",
      used: "在用",
      idle: "闲置",
      unknown: "未知",
      leases: "租约",
      drift: "漂移",
      changes: "变更",
      recycling: "回收",
    },
    protocol: "协议",
    portRange: "端口",
    source: "来源",
    application: "应用",
    provenance: "授权方式",
    use: "使用情况",
    lastUsed: "最近使用",
    coverage: "已知占比 %",
    why: "依据",
    uses: { used: "在用", idle: "闲置", unknown: "未知" },
    provenances: { baseline: "基线", template: "模板", adopted: "采纳", lease: "租约", none: "不在台账" },
    more: "此处未列出全部：请通过 GET /v1/audits 分页读取。",
    notes: [
      "开放规则及其使用情况以生成时为准；租约、漂移、变更和回收步骤为当月数据。",
      "“未知”不等于“闲置”：缺少日志时无法判断。",
    ],
  },
} as const;

/** The words of an audit in one language. */
export const auditWords = (language: Language): (typeof WORDS)[Language] => WORDS[language];

/** Rows at most: a file of a hundred thousand is read by nobody, and has to fit into memory. */
export interface SheetBounds {
  readonly ownersMax: number;
  readonly portsMax: number;
  /** True to list only what somebody should look at. */
  readonly findingsOnly: boolean;
}

export interface AuditSheets {
  readonly title: string;
  readonly overview: Sheet;
  readonly owners: Sheet;
  readonly ports: Sheet;
  readonly failed: Sheet;
  /** True when rows were left out. */
  readonly isCut: boolean;
}

type Row = (string | number | null)[];

/** Reads an audit to its last page and makes sheets of it; a page of groups is in memory at a time, beside the rows that are kept. */
export async function auditSheets(
  read: (after: string | null) => Promise<AuditPage>,
  language: Language,
  bounds: SheetBounds,
): Promise<AuditSheets> {
  const words = WORDS[language];
  const rows: { owners: Row[]; ports: Row[]; failed: Row[] } = { owners: [], ports: [], failed: [] };
  let isCut = false;
  const keep = (list: Row[], max: number, row: Row): void => {
    if (list.length < max) list.push(row);
    else isCut = true;
  };
  let page = await read(null);
  const { month, summary, isPartial } = page;
  for (;;) {
    for (const audited of page.groups) {
      for (const row of ownerRows(audited, words)) keep(rows.owners, bounds.ownersMax, row);
      const ports = bounds.findingsOnly ? audited.ports.filter(isFinding) : audited.ports;
      for (const row of portRows({ ...audited, ports }, words)) keep(rows.ports, bounds.portsMax, row);
      if (audited.failed !== null) keep(rows.failed, bounds.ownersMax, [...placeOf(audited), oneLine(audited.failed)]);
    }
    if (page.next === null) break;
    page = await read(page.next);
  }
  const place = columns([words.region, 14], [words.group, 24], [words.name, 22]);
  const counts = columns(...COUNT_NAMES.map((name) => [words.counts[name], 9] as const));
  const sheet = (name: string, its: Sheet["columns"], list: Row[]): Sheet => ({ name, columns: its, rows: list });
  return {
    title: `${words.title} ${month}`,
    isCut,
    overview: sheet(
      words.overview,
      columns([words.item, 34], [words.value, 60]),
      overviewRows(month, summary, isPartial, isCut, words),
    ),
    owners: sheet(words.owners, [...place, ...columns([words.owner, 18]), ...counts], rows.owners),
    ports: sheet(
      words.ports,
      [
        ...place,
        ...columns([words.protocol, 9], [words.portRange, 14], [words.source, 22], [words.owner, 18]),
        ...columns([words.application, 16], [words.provenance, 16], [words.use, 10], [words.lastUsed, 21]),
        ...columns([words.coverage, 10], [words.why, 60]),
      ],
      rows.ports,
    ),
    failed: sheet(words.failed, [...place, ...columns([words.why, 80])], rows.failed),
  };
}

const columns = (...list: readonly (readonly [title: string, width: number])[]): Sheet["columns"] =>
  list.map(([title, width]) => ({ title, width }));

type Words = (typeof WORDS)[Language];

const placeOf = ({ group, name }: AuditedGroup): string[] => [group.region, group.groupId, oneLine(name)];

const ownerRows = (audited: AuditedGroup, words: Words): Row[] =>
  audited.owners.map((owner) => [
    ...placeOf(audited),
    oneLine(owner.owner) || words.nobody,
    ...COUNT_NAMES.map((name) => owner[name]),
  ]);

const portRows = (audited: AuditedGroup, words: Words): Row[] =>
  audited.ports.map((port) => [
    ...placeOf(audited),
    ...[port.protocol, port.ports, port.source].map((text) => oneLine(text)),
    oneLine(port.owner) || words.nobody,
    oneLine(port.application),
    words.provenances[port.provenance],
    words.uses[port.use],
    port.lastUsedAt === null ? "" : formatUtc(port.lastUsedAt),
    port.coverage,
    oneLine(port.why, 300),
  ]);

function overviewRows(
  month: Month,
  summary: AuditSummary,
  isPartial: boolean,
  isCut: boolean,
  words: Words,
): (string | number)[][] {
  return [
    [words.month, month],
    [words.computedAt, formatUtc(summary.computedAt)],
    [words.policyVersion, summary.policyVersion],
    [words.groups, summary.groups],
    [words.failedGroups, summary.failed],
    [words.findings, summary.findings],
    [words.unreadable, summary.unreadable ?? 0],
    ...COUNT_NAMES.map((name) => [words.counts[name], summary.totals[name]]),
    ...words.notes.map((note) => ["", note]),
    ...(isPartial ? [["", words.partial]] : []),
    ...(isCut ? [["", words.more]] : []),
  ];
}
