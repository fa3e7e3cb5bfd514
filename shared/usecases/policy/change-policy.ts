// Changes the policy: compared first, with a second person where it allows more than before. Every version is kept.
import { sha256Hex } from "../../domain/digest.ts";
import { personOf } from "../../domain/grant-policy.ts";
import { strongerGuard } from "../../domain/guard.ts";
import { formatUtc } from "../../domain/instant.ts";
import type { Policy } from "../../domain/policy.ts";
import { fail, isUnreadable } from "../../errors/app-error.ts";
import { type PolicyChange, policyChanges } from "../../plan/policy-diff.ts";
import { dueDrift, dueJob, dueWrite } from "../../store/due.ts";
import {
  deletePending,
  getPolicy,
  listPolicies,
  type PendingPolicy,
  type PolicyRow,
  readPending,
  readPolicy,
  writePending,
  writePolicy,
} from "../../store/policy.ts";
import { writeRecord } from "../../store/records.ts";
import { readToken } from "../../store/tokens.ts";
import type { App, Caller } from "../app.ts";
import { secondPersonBar } from "../lease/judge-lease.ts";
import { saidBy } from "../records/said-by.ts";
import { type ListsPreview, previewLists } from "./preview-lists.ts";
import { type PolicyPreview, previewPolicy } from "./preview-policy.ts";

/** Turns documents into policies: what is wrong with a document is thrown as POLICY_INVALID. */
export interface PolicyDocuments {
  /** The checked document as JSON text with every default filled in. */
  readonly textOf: (value: unknown) => string;
  /** Throws STATE_UNREADABLE. */
  readonly policyOf: (row: { readonly version: number; readonly text: string }) => Policy;
  /** What is allowed in a checked document and hardly meant. */
  readonly warningsOf: (text: string) => readonly PolicyWarning[];
}

/** A doubtful field of a policy: where it stands, what about it, and what to write instead. */
export interface PolicyWarning {
  readonly path: string;
  readonly what: string;
  readonly remedy: string;
}

export interface PolicyAsk {
  readonly document: unknown;
  readonly reason: string;
  /** The version it was written against; null for whichever is in force. */
  readonly base: number | null;
}

export interface PolicyAnswer {
  /** The version in force now. */
  readonly version: number;
  readonly state: "unchanged" | "applied" | "pending" | "preview";
  /** True when it takes a second person. */
  readonly widens: boolean;
  readonly changes: readonly PolicyChange[];
  readonly warnings: readonly PolicyWarning[];
  readonly preview: PolicyPreview;
  /** What its prefix lists for lockdowns cost; null where it asks for none, or for the same as before. */
  readonly lists: ListsPreview | null;
  /** By what another person confirms exactly this; null where nobody has to. */
  readonly digest: string | null;
  readonly until: number | null;
}

/** The policy in force, and what waits. */
export interface PolicyView {
  readonly inForce: PolicyRow;
  readonly pending: PendingPolicy | null;
}

const PENDING_MS = 24 * 60 * 60_000;
const VERSIONS_MAX = 100;
/** Fields of the document on which it depends whether and at what cost prefix lists can be. */
const LISTS_DEPEND_ON = ["lockdown.prefixLists", "lockdown.core", "operatorPath", "regions", "limits"];
const NOTHING: PolicyPreview = { guards: [], begins: [], ceases: [], looked: 0, groups: 0, unreadable: [], away: [] };

/** Throws NOT_READY before setup, and POLICY_UNKNOWN for a version that is not there. */
export async function getPolicyView(app: App, version: number | null): Promise<PolicyView> {
  const [newest, pending] = await Promise.all([
    readPolicy(app.tables),
    readPending(app.tables).catch((error: unknown) => {
      // Nobody can confirm it; whoever asks for another change, or withdraws it, takes it away.
      if (!isUnreadable(error)) throw error;
      return null;
    }),
  ]);
  const row = version === null ? newest : await getPolicy(app.tables, version);
  if (row === null && version !== null) throw fail("POLICY_UNKNOWN", { version });
  if (row === null) throw fail("NOT_READY", { what: "the policy" });
  // What was asked for over another version is in force already, or can be no more.
  const isWaiting = pending !== null && pending.until > app.clock.now() && pending.base === newest?.version;
  return { inForce: row, pending: isWaiting ? pending : null };
}

/** The newest versions, the one in force first. */
export const listPolicyVersions = (app: App): Promise<readonly PolicyRow[]> => listPolicies(app.tables, VERSIONS_MAX);

/** Compares; then applies, or has it wait for another person. Throws POLICY_INVALID, POLICY_CHANGED, and as `previewLists`. */
export async function changePolicy(
  app: App,
  caller: Caller,
  documents: PolicyDocuments,
  ask: PolicyAsk,
  options: { readonly dryRun: boolean; readonly deadlineAt: number },
): Promise<PolicyAnswer> {
  const text = documents.textOf(ask.document);
  const row = await readPolicy(app.tables);
  if (row === null) throw fail("NOT_READY", { what: "the policy" });
  if (ask.base !== null && ask.base !== row.version)
    throw fail("POLICY_CHANGED", { base: ask.base, version: row.version });
  const compared = await compare(app, documents, row, text, options.deadlineAt);
  const { changes, widens } = compared;
  const { version } = row;
  const digest = widens ? digestOf(version, text) : null;
  const answer = { ...compared, version, digest, until: null };
  if (changes.length === 0) return { ...answer, state: "unchanged" };
  if (options.dryRun) return { ...answer, state: "preview" };
  const now = app.clock.now();
  if (digest !== null) {
    const until = now + PENDING_MS;
    const { principal: by, issuers = [], tokenId = null } = caller;
    const pending = { base: version, text, digest, by, issuers, tokenId, at: now, until, reason: ask.reason };
    await writePending(app.tables, pending);
    const lines = [`policy ${version + 1} waits for another admin until ${formatUtc(until)}`, ...inWords(changes)];
    await record(app, caller, version, [...lines, ask.reason]);
    return { ...answer, state: "pending", until };
  }
  const next = { version: version + 1, text, by: caller.principal, confirmedBy: null, at: now, reason: ask.reason };
  await apply(app, caller, next, compared);
  return { ...answer, version: next.version, state: "applied" };
}

/** A second person's word on exactly what waits. Throws POLICY_NOT_PENDING, POLICY_CHANGED, POLICY_OWN, POLICY_ISSUER, ISSUERS_SHARED, TOKEN_TOO_NEW, REQUESTER_BARRED. */
export async function confirmPolicy(
  app: App,
  caller: Caller,
  documents: PolicyDocuments,
  digest: string,
  options: { readonly dryRun: boolean; readonly deadlineAt: number },
): Promise<PolicyAnswer> {
  const now = app.clock.now();
  const [pending, row] = await Promise.all([readPending(app.tables), readPolicy(app.tables)]);
  if (row === null) throw fail("NOT_READY", { what: "the policy" });
  if (pending === null || pending.digest !== digest || pending.until <= now) throw fail("POLICY_NOT_PENDING");
  // Of one person by any name, as with leases; also where either issued the token that the other presents.
  const { by: author, issuers, at } = pending;
  const bar = secondPersonBar(caller, { persons: [personOf(caller.policy, author)], issuers, at });
  if (bar !== null && !options.dryRun) throw refusal(bar, author);
  // Whoever found a token may have asked with it.
  if (pending.tokenId !== null && (await readToken(app.tables, pending.tokenId))?.revokedAt !== null)
    throw fail("REQUESTER_BARRED", { principal: author, why: "the token it was asked with is revoked" });
  if (pending.base !== row.version) throw fail("POLICY_CHANGED", { base: pending.base, version: row.version });
  if (digestOf(pending.base, pending.text) !== digest)
    throw fail("STATE_UNREADABLE", { table: "policy", key: "pending 0" });
  const compared = await compare(app, documents, row, pending.text, options.deadlineAt);
  const answer = { ...compared, digest, until: pending.until };
  if (options.dryRun) return { ...answer, version: row.version, state: "preview" };
  const { text, by, reason } = pending;
  const next = { version: row.version + 1, text, by, confirmedBy: caller.principal, at: now, reason };
  await apply(app, caller, next, compared);
  await deletePending(app.tables, digest);
  return { ...answer, version: next.version, state: "applied" };
}

function refusal({ kind, person }: NonNullable<ReturnType<typeof secondPersonBar>>, by: string) {
  if (kind === "own") return fail("POLICY_OWN", { by });
  if (kind === "issuer") return fail("POLICY_ISSUER", { by, person });
  return fail(kind === "late" ? "TOKEN_TOO_NEW" : "ISSUERS_SHARED", { person });
}

/** What waits is given up. Repeating it changes nothing. */
export async function withdrawPolicy(app: App, caller: Caller): Promise<void> {
  let what = "what waited and could not be read";
  let digest: string | null = null;
  try {
    const pending = await readPending(app.tables);
    if (pending === null) return;
    what = `policy ${pending.base + 1}, asked for by ${pending.by},`;
    digest = pending.digest;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  await deletePending(app.tables, digest);
  await record(app, caller, caller.policy.version, [`${what} was withdrawn`]);
}

async function compare(
  app: App,
  documents: PolicyDocuments,
  row: PolicyRow,
  text: string,
  deadlineAt: number,
): Promise<Pick<PolicyAnswer, "changes" | "warnings" | "widens" | "preview" | "lists">> {
  const changes = policyChanges(wholeOf(documents, row.text), JSON.parse(text));
  const warnings = documents.warningsOf(text);
  if (changes.length === 0) return { changes, warnings, widens: false, preview: NOTHING, lists: null };
  const before = policyOrNull(documents, row);
  const after = documents.policyOf({ version: row.version + 1, text });
  const isAboutLists = changes.some(({ path }) =>
    LISTS_DEPEND_ON.some((it) => path === it || path.startsWith(`${it}.`)),
  );
  const isNew = changes.some(({ path }) => path === "lockdown.prefixLists");
  const lists = isAboutLists ? await previewLists(app, after, isNew) : null;
  // What is in force and cannot be read is nothing to compare with: any other policy takes a second person.
  const preview = before === null ? NOTHING : await previewPolicy(app, { before, after }, deadlineAt);
  const opens = preview.begins.some((step) => step.does === "opens");
  // By its id a group may be guarded less than by its name.
  const lowers = preview.guards.some((guard) => strongerGuard(guard.before, guard.after) !== guard.after);
  // Of what cannot be seen nobody knows that it is neither.
  const isUnseen = before === null || preview.away.length > 0;
  const widens = isUnseen || opens || lowers || changes.some(({ effect }) => effect === "widens");
  return { changes, warnings, widens, preview, lists };
}

function policyOrNull(documents: PolicyDocuments, row: PolicyRow): Policy | null {
  try {
    return documents.policyOf(row);
  } catch {
    return null;
  }
}

/** A stored document with the defaults of this version of the program; an empty one where it cannot be read. */
function wholeOf(documents: PolicyDocuments, text: string): unknown {
  try {
    return JSON.parse(documents.textOf(JSON.parse(text)));
  } catch {
    return {};
  }
}

/** The version's row says itself who wrote it and who confirmed it; the record and the looks follow. */
async function apply(
  app: App,
  caller: Caller,
  next: PolicyRow & { readonly at: number },
  { changes, preview }: Pick<PolicyAnswer, "changes" | "preview">,
): Promise<void> {
  const { version, by, confirmedBy, reason } = next;
  if ((await writePolicy(app.tables, next)) === "conflict")
    throw fail("POLICY_CHANGED", { base: version - 1, version });
  const second = confirmedBy === null ? "" : `, confirmed by ${confirmedBy}`;
  await record(app, caller, version, [`policy ${version} by ${by}${second}`, ...inWords(changes), reason], changes);
  // Every guarded group is compared anew by the next full pass; those that are known to differ do not wait for it.
  const groups = new Map(
    [...preview.begins, ...preview.ceases, ...preview.guards].map(({ group }) => [group.groupId, group]),
  );
  const at = app.clock.now();
  const looks = [...groups.values()].map((group) => dueDrift(group, at, app.settings.shards));
  // What lockdowns would do was computed by the version before.
  await app.tables.writeAll([dueJob("lockdown-plan", null, at), ...looks].map(dueWrite));
}

async function record(
  app: App,
  caller: Caller,
  policyVersion: number,
  lines: readonly string[],
  changed: readonly PolicyChange[] = [],
) {
  const said = lines.filter((line) => line !== "");
  const changes = changed.map(({ path, before, after }) => ({ what: `policy ${path}`, before, after }));
  const at = app.clock.now();
  await writeRecord(app, { at, group: null, cause: "policy", ...saidBy(caller), policyVersion, lines: said, changes });
}

const inWords = (changes: readonly PolicyChange[]): readonly string[] =>
  changes.map(({ path, before, after, effect }) => {
    const short = (value: unknown): string => JSON.stringify(value).slice(0, 200);
    return `${path}: ${short(before)} → ${short(after)} (${effect})`;
  });

/** Of exactly this document over exactly this version. */
const digestOf = (base: number, text: string): string => sha256Hex(`${base}\n${text}`);
