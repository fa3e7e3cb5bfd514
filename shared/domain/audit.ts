// The monthly audit of the use of ports: what it counts, for each group and owner, and the months it is made of.
import type { GroupRef } from "./ids.ts";

/** A month of UTC, `2026-11`. */
export type Month = string;

/** Its first instant and that of the next month, milliseconds; null for a text that names no month. */
export function monthBounds(month: Month): { readonly from: number; readonly until: number } | null {
  const [, year, number] = /^(20\d{2})-(0[1-9]|1[0-2])$/.exec(month) ?? [];
  if (year === undefined || number === undefined) return null;
  return { from: Date.UTC(Number(year), Number(number) - 1, 1), until: Date.UTC(Number(year), Number(number), 1) };
}

/** The month an instant lies in. */
export const monthOf = (at: number): Month => new Date(at).toISOString().slice(0, 7);

/** The month before. */
const monthBefore = (month: Month): Month => monthOf((monthBounds(month)?.from ?? 0) - 1);

/** When a month is audited: on the 3rd of the next one, when late logs have come. */
export const auditDueAt = (month: Month): number => (monthBounds(month)?.until ?? 0) + 2 * 86_400_000;

/** The last month whose audit is due. */
export function lastDueMonth(now: number): Month {
  const before = monthBefore(monthOf(now));
  return auditDueAt(before) <= now ? before : monthBefore(before);
}

/** What is counted. `open` are the rules that stood when the audit was made, by their use; the others are of the month. */
export interface AuditCounts {
  readonly open: number;
  readonly used: number;
  readonly idle: number;
  readonly unknown: number;
  /** Leases asked for. */
  readonly leases: number;
  /** Differences from the ledger that were found. */
  readonly drift: number;
  /** Changes to the ledger. */
  readonly changes: number;
  /** Steps of the recycling queue, back and forth. */
  readonly recycling: number;
}

export const COUNT_NAMES = ["open", "used", "idle", "unknown", "leases", "drift", "changes", "recycling"] as const;

export const noCounts: AuditCounts = {
  ...{ open: 0, used: 0, idle: 0, unknown: 0 },
  ...{ leases: 0, drift: 0, changes: 0, recycling: 0 },
};

/** Both together. */
export function addCounts(one: AuditCounts, other: AuditCounts): AuditCounts {
  const sums = COUNT_NAMES.map((name) => [name, one[name] + other[name]]);
  return Object.fromEntries(sums) as Record<keyof AuditCounts, number>;
}

/** The counts of one owner in one group; an owner without a name is nobody. */
export interface OwnerCounts extends AuditCounts {
  readonly owner: string;
}

/** One open rule. */
export interface AuditedPort {
  readonly protocol: string;
  /** `22` or `8000-8010`; empty where the protocol has none. */
  readonly ports: string;
  readonly source: string;
  readonly owner: string;
  readonly application: string;
  readonly provenance: "baseline" | "template" | "adopted" | "lease" | "none";
  readonly use: "used" | "idle" | "unknown";
  readonly lastUsedAt: number | null;
  /** Known part of the time that was looked at, in percent. */
  readonly coverage: number;
  readonly why: string;
}

/** One group of an audit. */
export interface AuditedGroup {
  readonly group: GroupRef;
  readonly name: string;
  readonly owners: readonly OwnerCounts[];
  /** The first ones where there are very many. */
  readonly ports: readonly AuditedPort[];
  /** Why the group could not be looked at; null when it was. */
  readonly failed: string | null;
}

/** How far an audit is that is being made. */
export interface AuditRun {
  /** When it was begun: what is stored of it is told by that from an earlier one. */
  readonly run: number;
  /** Where to go on: the region, the cloud's cursor there, and how many groups of the page are done. */
  readonly region: number;
  readonly cursor: string | null;
  readonly done: number;
}

/** A finished audit, as a whole. */
export interface AuditSummary {
  readonly run: number;
  readonly computedAt: number;
  readonly groups: number;
  /** Groups that could not be looked at. */
  readonly failed: number;
  readonly totals: AuditCounts;
  /** Rules that are idle, or that nobody owns. */
  readonly findings: number;
  /** Leases and rules of the recycling queue that could not be read, and are in no count. Audits of earlier versions do not say. */
  readonly unreadable?: number;
  readonly policyVersion: number;
}

/** One month. */
export interface Audit {
  readonly month: Month;
  /** The last that was finished; null before the first. */
  readonly summary: AuditSummary | null;
  /** The one that is being made; null when none is. */
  readonly running: AuditRun | null;
}

/** True for a rule that somebody should look at. */
export const isFinding = ({ use, owner }: AuditedPort): boolean => use === "idle" || owner === "";
