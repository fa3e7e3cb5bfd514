// Which entries of a group may be opened now, and what gives way to them: the drop of a quarantine to a lease, and to nothing else.
import type { EntryId, GroupRef, RuleId } from "../../domain/ids.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import { parseMark } from "../../domain/mark.ts";
import type { Policy } from "../../domain/policy.ts";
import type { Rule } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { mayOverlap, trafficAtMost } from "../../domain/traffic.ts";
import { isGenuine, isHolding, isLeaseOpening, type Refusal } from "../../plan/picture.ts";
import { readableEntry } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { type OpenFacts, refusalsOf } from "../group/open-facts.ts";
import { setsNamedBy } from "../group/sets-named-by.ts";
import { lockedOut } from "../lockdown/require-unlocked.ts";

/** A drop of ours that no lockdown holds, in this group or in another one of a host. */
export interface GivingDrop {
  readonly group: GroupRef;
  readonly entryId: EntryId;
  /** Items of the recycling queue that hold it; nobody, where it is on its way out already. */
  readonly items: readonly string[];
}

export interface OpeningsJudged {
  readonly refusals: ReadonlyMap<EntryId, Refusal>;
  /** Leases' entries that open when the drops that take from them are gone. */
  readonly waits: ReadonlySet<EntryId>;
  /** Quarantines in the way of a lease's entry, or on its port. */
  readonly gives: ReadonlyMap<EntryId, readonly GivingDrop[]>;
}

/** Judges openings. Reads the sets of lists where a rule names a list, and a row of the ledger for each drop of ours that would shadow a lease, which is seldom any. */
export async function judgeOpenings(
  app: App,
  picture: { ref: GroupRef; rules: readonly Rule[]; entries: readonly Entry[]; facts: OpenFacts; policy: Policy },
  now: number,
): Promise<OpeningsJudged> {
  const { ref, rules, entries, facts } = picture;
  const { skewMaxMs } = app.settings;
  const sets = await setsNamedBy(app, [rules, ...facts.siblings.values()].flat());
  const barred = picture.policy.isStandIn ? unjudged(entries, now) : await lockedOut(app, picture, now);
  const giving = new Map<RuleId, GivingDrop>();
  const asked = new Set<RuleId>();
  for (;;) {
    const judged = refusalsOf(
      { ...picture, sets, giving: new Set(giving.keys()) },
      now,
      app.firewall.skewMs(),
      skewMaxMs,
    );
    const fresh = judged.shadows.filter(({ id }) => id !== null && !asked.has(id));
    if (fresh.length === 0) {
      const refusals = new Map([...judged.refusals, ...barred]);
      const open = entries.filter(({ entryId }) => !refusals.has(entryId));
      return {
        refusals,
        waits: new Set(judged.waits.keys()),
        gives: givesOf(open, judged, giving, now),
      };
    }
    for (const rule of fresh) {
      if (rule.id === null) continue;
      asked.add(rule.id);
      const group = rules.includes(rule) ? ref : { ...ref, groupId: groupOf(rule, facts) ?? ref.groupId };
      const found = await givingDrop(app, group, rule, now);
      if (found) giving.set(rule.id, found);
    }
  }
}

/** Without a policy nobody knows whether a lease may still open: as in a mode that forbids it, it is refused, and opens at no later time. */
function unjudged(entries: readonly Entry[], now: number): ReadonlyMap<EntryId, Refusal> {
  const waiting = entries.filter((entry) => isLeaseOpening(entry, now));
  return new Map(
    waiting.map(({ entryId }): [EntryId, Refusal] => [entryId, { code: "POLICY_UNREADABLE", detail: {} }]),
  );
}

function givesOf(
  entries: readonly Entry[],
  { waits }: { readonly waits: ReadonlyMap<EntryId, readonly RuleId[]> },
  giving: ReadonlyMap<RuleId, GivingDrop>,
  now: number,
): ReadonlyMap<EntryId, readonly GivingDrop[]> {
  const held = entries.flatMap((entry) => {
    const drop = givingBy(entry, now);
    return drop !== null && drop.items.length > 0 ? [{ entry, drop }] : [];
  });
  const gives = new Map<EntryId, readonly GivingDrop[]>();
  for (const entry of entries) {
    if (!isLeaseOpening(entry, now)) continue;
    const wanted = trafficAtMost(entry.spec);
    const shadowing = (waits.get(entry.entryId) ?? []).flatMap((id) => giving.get(id) ?? []);
    // A lease that is stronger than the drop is use of the port all the same.
    const beside = held.filter((it) => mayOverlap(wanted, trafficAtMost(it.entry.spec))).map((it) => it.drop);
    const all = new Map([...shadowing, ...beside].map((drop) => [`${drop.group.groupId} ${drop.entryId}`, drop]));
    const drops = [...all.values()].filter(({ items }) => items.length > 0);
    if (drops.length > 0) gives.set(entry.entryId, drops);
  }
  return gives;
}

const groupOf = (rule: Rule, { siblings }: OpenFacts): GroupRef["groupId"] | null =>
  ([...siblings].find(([, rules]) => rules.includes(rule))?.[0] as GroupRef["groupId"] | null) ?? null;

/**
 * The mark only says where to look: the ledger's row has to be about this very rule, booked already or just written. One that cannot be
 * read gives no way, and keeps nothing from its end.
 */
async function givingDrop(app: App, group: GroupRef, rule: Rule, now: number): Promise<GivingDrop | null> {
  const { installation, markSecret } = app.settings;
  const mark = parseMark(rule.description);
  if (mark === null || !isGenuine(mark, rule, { group, installation, markSecret })) return null;
  const entry = await readableEntry(app.tables, group, mark.entryId);
  if (entry?.key !== ruleKey(rule)) return null;
  const { standing } = entry;
  const isOther = standing.kind === "preExisting" || (standing.kind === "ours" && standing.ruleId !== rule.id);
  return isOther ? null : givingBy(entry, now);
}

/** Null for what a lockdown, a lease or a standing permission keeps. */
function givingBy(entry: Entry, now: number): GivingDrop | null {
  const { group, entryId, spec, allocation, holders } = entry;
  const live = holders.filter((it) => isHolding(it, now));
  if (spec.policy !== "drop" || allocation !== null || live.some(({ kind }) => kind !== "quarantine")) return null;
  return { group, entryId, items: live.map(({ holderId }) => holderId) };
}
