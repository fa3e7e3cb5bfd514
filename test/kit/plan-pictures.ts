// Builders of what a plan is made from: holders, entries, intents, and rules with marks that are true or not.
import type { EntryId, GroupId, GroupRef, LeaseId, RuleId } from "../../shared/domain/ids.ts";
import type { DropHolder, Entry, Intent, LeaseHolder, Standing } from "../../shared/domain/ledger-entry.ts";
import { formatMark, type MarkContent } from "../../shared/domain/mark.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { entryIdOf, ruleKey } from "../../shared/domain/rule-key.ts";
import type { Picture } from "../../shared/plan/picture.ts";
import { aSpec } from "./rules.ts";

export const NOW = Date.UTC(2026, 10, 5, 8, 0, 0);
export const HOUR = 3_600_000;
/** How long a lost write may still act, in these pictures. */
export const LATE_MS = 60_000;
export const GROUP: GroupRef = { region: "cn-hangzhou", groupId: "sg-web" as GroupId };
const INSTALLATION = "test";
const SECRET = "secret";

export const ruleId = (name: string): RuleId => `sgr-${name}` as RuleId;

/** What stands for an entry: our rule. */
export const ours = (name: string): Standing => ({ kind: "ours", ruleId: ruleId(name) });
/** What stands for an entry: a rule that was there before. */
export const preExisting = (name: string): Standing => ({ kind: "preExisting", ruleId: ruleId(name) });

/** A hold of one more hour that has been seen open, unless said otherwise. */
export function aHolder(changes: Partial<LeaseHolder> = {}): LeaseHolder {
  return {
    kind: "lease",
    holderId: "ls-1" as LeaseId,
    principal: "ann",
    reason: "",
    until: NOW + HOUR,
    openedAt: NOW - HOUR,
    statedUntil: null,
    ended: null,
    ...changes,
  };
}

/** A hold whose end was a second ago. */
export const anEndedHolder = (changes: Partial<LeaseHolder> = {}): LeaseHolder =>
  aHolder({ until: NOW - 1000, ...changes });

/** A lockdown's hold on a drop for one more hour that has been seen standing, unless said otherwise. */
export const aDropHolder = (changes: Partial<DropHolder> = {}): DropHolder => ({
  ...aHolder(),
  kind: "lockdown",
  holderId: "ld-1",
  ...changes,
});

/** The entry of a spec with one live holder, nothing standing. */
export function anEntry(changes: Partial<Omit<Entry, "entryId" | "key">> = {}): Entry {
  const spec = changes.spec ?? aSpec();
  const key = ruleKey(spec);
  return {
    group: GROUP,
    allocation: null,
    createdAt: null,
    holders: [aHolder()],
    standing: { kind: "none" },
    missingSince: null,
    suspension: null,
    undoneAt: [],
    rev: 1,
    ...changes,
    spec,
    entryId: entryIdOf(GROUP.groupId, key),
    key,
  };
}

/** The mark of this installation on the rule of a spec in this group, true unless a part is changed. */
export function aMark(spec: RuleSpec = aSpec(), changes: Partial<MarkContent> = {}): string {
  const groupId = changes.groupId ?? GROUP.groupId;
  const key = changes.key ?? ruleKey(spec);
  return formatMark({
    installation: INSTALLATION,
    entryId: entryIdOf(groupId, key),
    until: NOW + HOUR,
    groupId,
    key,
    secret: SECRET,
    reason: "",
    ...changes,
  });
}

/** An authorize of the entry that was booked now and may still act. */
export function anIntent(entry: Entry, changes: Partial<Intent> = {}, beforeIds: readonly RuleId[] = []): Intent {
  return {
    group: GROUP,
    intentId: "in-1",
    call: "authorize",
    token: "sp-in-1",
    rules: [{ entryId: entry.entryId, spec: entry.spec, description: aMark(entry.spec), beforeIds }],
    ruleIds: [],
    cause: "a lease asks for it",
    bookedAt: NOW,
    attemptsEndAt: NOW,
    ...changes,
  };
}

/** An empty group and an empty, intact ledger. */
export function aPicture(changes: Partial<Picture> = {}): Picture {
  return {
    now: NOW,
    readAt: NOW,
    readSince: NOW - HOUR,
    group: GROUP,
    rules: [],
    entries: [],
    intents: [],
    hasUnreadIntents: false,
    stateKnown: true,
    unreadable: new Set(),
    overdue: new Set(),
    installation: INSTALLATION,
    markSecret: SECRET,
    lateEffectMaxMs: LATE_MS,
    mode: "normal",
    refusals: new Map(),
    waits: new Set(),
    doubted: new Set(),
    revoked: new Set(),
    watch: null,
    accepted: new Set(),
    restated: new Set(),
    undone: { max: 3, withinMs: 600_000 },
    ...changes,
  };
}

/** A refusal of an entry. */
export const refusing = (entryId: EntryId): Picture["refusals"] =>
  new Map([[entryId, { code: "GROUP_PROTECTED", detail: { group: "sg-web" } }]]);
