// The mark: what we write in a rule's description, so that the rule alone tells whose it is and when it ends.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { EntryId, GroupId, RuleKey } from "./ids.ts";
import { formatUtc, parseUtc } from "./instant.ts";

/** Longest mark that is written, in characters. */
export const MARK_MAX_LENGTH = 200;

/** The key of the marks' HMAC; from the functions' configuration, never from the store. */
export type MarkSecret = string | Uint8Array;

/** What a mark says of the rule that carries it. */
export interface Mark {
  /** Letters, digits, `_`, `.` and `-`; at most 32. */
  readonly installation: string;
  readonly entryId: EntryId;
  /** Milliseconds since the epoch, a whole second. */
  readonly until: number;
  /** 8 hex digits. */
  readonly mac: string;
}

/** The rule a mark stands for: a mark is worth nothing on another group or another rule. */
export interface MarkedRule {
  readonly groupId: GroupId;
  readonly key: RuleKey;
  readonly secret: MarkSecret;
}

/** What a mark is made of. */
export interface MarkContent extends MarkedRule {
  readonly installation: string;
  readonly entryId: EntryId;
  /** Milliseconds since the epoch; rounded up to the second. */
  readonly until: number;
  /** Any text; what is not printable ASCII is dropped, and the end is cut off. */
  readonly reason: string;
}

const INSTALLATION = /^[A-Za-z0-9_.-]{1,32}$/;
// The first blank-separated words; everything after them is the reason and means nothing.
const MARK =
  /^safeport\/1 ([A-Za-z0-9_.-]{1,32}) (e-[0-9a-f]{16}) until=(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z) k=([0-9a-f]{8})(?: |$)/;

/** Writes the mark. Throws on an installation name that `isInstallationName` refuses. */
export function formatMark(content: MarkContent): string {
  if (!isInstallationName(content.installation)) throw new RangeError("installation name does not fit in a mark");
  const until = formatUtc(Math.ceil(content.until / 1000) * 1000);
  const mac = macOf(content, until);
  const head = `safeport/1 ${content.installation} ${content.entryId} until=${until} k=${mac}`;
  return `${head} ${printable(content.reason)}`.slice(0, MARK_MAX_LENGTH).trimEnd();
}

/** Reads a mark from a description; null when the description does not begin with one. Says nothing of its truth: `verifyMark`. */
export function parseMark(text: string): Mark | null {
  const [, installation, entryId, untilText, mac] = MARK.exec(text) ?? [];
  if (installation === undefined || entryId === undefined || untilText === undefined || mac === undefined) return null;
  const until = parseUtc(untilText);
  return until === null ? null : { installation, entryId: entryId as EntryId, until, mac };
}

/** True when the mark was written with this secret for this rule of this group and this end. */
export function verifyMark(mark: Mark, rule: MarkedRule): boolean {
  const expected = Buffer.from(macOf(rule, formatUtc(mark.until)));
  const given = Buffer.from(mark.mac);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** True when the name can stand in a mark: 1 to 32 letters, digits, `_`, `.` and `-`. */
export function isInstallationName(name: string): boolean {
  return INSTALLATION.test(name);
}

function macOf(rule: MarkedRule, until: string): string {
  const text = `${rule.groupId}\n${rule.key}\n${until}`;
  return createHmac("sha256", rule.secret).update(text).digest("hex").slice(0, 8);
}

function printable(text: string): string {
  return text
    .replace(/\s/g, " ")
    .replace(/[^\x20-\x7e]/g, "")
    .replace(/ +/g, " ")
    .trim();
}
