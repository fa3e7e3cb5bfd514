// The decision of a pass: what the ledger wants, what the group shows, and so what to call and what to write down. Pure.
import { formatBare } from "../domain/cidr.ts";
import type { EntryId, GroupRef, LeaseId, RuleId } from "../domain/ids.ts";
import type { Entry, Holder, Intent, Standing } from "../domain/ledger-entry.ts";
import { formatMark, type Mark, parseMark, verifyMark } from "../domain/mark.ts";
import type { Rule } from "../domain/rule.ts";
import { entryIdOf, identityWithoutPriority, ruleKey } from "../domain/rule-key.ts";

/** Why an entry may not be opened: an error code with its detail. */
export interface Refusal {
  readonly code: string;
  readonly detail: Readonly<Record<string, string | number>>;
}

/** Everything a plan is made from. Instants in milliseconds. */
export interface Picture {
  readonly now: number;
  readonly group: GroupRef;
  readonly rules: readonly Rule[];
  readonly entries: readonly Entry[];
  readonly intents: readonly Intent[];
  /** False when this installation's state is lost: then a valid mark alone makes a rule ours. */
  readonly stateKnown: boolean;
  readonly installation: string;
  readonly markSecret: string;
  readonly lateEffectMaxMs: number;
  readonly refusals: ReadonlyMap<EntryId, Refusal>;
  /** Ids this pass has revoked, whatever a stale reading says. */
  readonly revoked: ReadonlySet<RuleId>;
  /** Entries whose authorize this pass has seen answered with success. */
  readonly accepted: ReadonlySet<EntryId>;
}

/** One change to the cloud, with its cause. Ends come first. */
export type PlannedCall =
  | {
      readonly kind: "revoke";
      readonly entryId: EntryId | null;
      readonly ruleId: RuleId;
      readonly seen: boolean;
      readonly cause: string;
    }
  | {
      readonly kind: "authorize";
      readonly entry: Entry;
      readonly description: string;
      readonly beforeIds: readonly RuleId[];
      readonly cause: string;
    }
  | {
      readonly kind: "modify";
      readonly entry: Entry;
      readonly ruleId: RuleId;
      readonly description: string;
      readonly cause: string;
    };

/** What becomes of an entry's row. Applied again to a fresher row when somebody else was faster. */
export interface EntryPatch {
  readonly entry: Entry;
  readonly standing: Standing;
  readonly missingSince: number | null;
  readonly opened: boolean;
  /** True when what stands carries the end of its last holder, or no mark of ours at all. */
  readonly stated: boolean;
  readonly end: Holder["ended"];
  /** Which holders `end` is for: those whose time has come, or all that are live. */
  readonly ends: "none" | "due" | "all";
  /** True when nothing of the entry stands in the cloud or can still appear, or nothing of it is ours to remove. */
  readonly settled: boolean;
}

export interface Plan {
  readonly calls: readonly PlannedCall[];
  readonly patches: readonly EntryPatch[];
  /** Rules of a lost ledger, to be booked again from their marks. */
  readonly recovered: readonly { readonly rule: Rule; readonly mark: Mark }[];
  /** Instants at which the group has to be looked at again. */
  readonly lookAt: readonly number[];
  readonly findings: readonly string[];
}

/** True while the hold is neither ended nor past its end. */
export const isHolding = (holder: Holder, now: number): boolean => holder.ended === null && holder.until > now;

/** True when an attempt of the intent may still take effect. */
export const mayStillAct = (intent: Intent, now: number, lateEffectMaxMs: number): boolean =>
  intent.attemptsEndAt + lateEffectMaxMs > now;

/** The mark an entry's rule has to carry: the end of its last holder. */
export function markOf(
  entry: Entry,
  live: readonly Holder[],
  picture: Pick<Picture, "installation" | "markSecret">,
): string {
  const last = live.reduce((a, b) => (b.until > a.until ? b : a));
  return formatMark({
    installation: picture.installation,
    entryId: entry.entryId,
    until: last.until,
    groupId: entry.group.groupId,
    key: entry.key,
    secret: picture.markSecret,
    reason: last.reason,
  });
}

/**
 *     holders   rule in the cloud            what happens
 *     live      none                         authorize, unless refused
 *     any       ours, without its host       revoke at once: it reaches more than was granted
 *     live      ours                         stands; its mark is rewritten when its end moved
 *     live      somebody else's, same key    the lease rides on it
 *     live      ours, missing                believed only after a second reading, then the lease ends
 *     ended     ours, by id or by mark       revoke by id, seen or not
 *     ended     somebody else's              nothing
 */
export function planGroup(picture: Picture): Plan {
  const { now } = picture;
  const calls: PlannedCall[] = [];
  const patches: EntryPatch[] = [];
  const lookAt: number[] = [];
  const findings: string[] = [];
  const recovered: { rule: Rule; mark: Mark }[] = [];
  const byKey = new Map<string, Rule[]>();
  for (const rule of picture.rules) {
    const key = ruleKey(rule);
    byKey.set(key, [...(byKey.get(key) ?? []), rule]);
  }
  const byId = new Map(picture.rules.map((rule) => [rule.id, rule]));
  const booked = new Set(
    picture.entries.flatMap((entry) => (entry.standing.kind === "ours" ? [entry.standing.ruleId] : [])),
  );

  for (const entry of picture.entries) {
    const live = entry.holders.filter((holder) => isHolding(holder, now));
    const intents = picture.intents.filter((intent) => intent.rules.some((rule) => rule.entryId === entry.entryId));
    const pending = intents.some(
      (intent) => intent.call === "authorize" && mayStillAct(intent, now, picture.lateEffectMaxMs),
    );
    const same = (byKey.get(entry.key) ?? []).filter((rule) => !(rule.id && picture.revoked.has(rule.id)));
    const bookedId = entry.standing.kind === "ours" ? entry.standing.ruleId : null;
    const ours = same.filter(
      (rule) => rule.id !== null && (rule.id === bookedId || isMarkedFor(rule, entry, intents, picture)),
    );
    const others = same.filter((rule) => rule.id !== null && !ours.includes(rule));
    const ridden = entry.standing.kind === "preExisting" ? byId.get(entry.standing.ruleId) : undefined;
    if (ridden && identityWithoutPriority(ridden) === identityWithoutPriority(entry.spec)) others.push(ridden);
    const wide = widened(picture, entry, intents);
    const bookedSeen = bookedId !== null && byId.has(bookedId) && !picture.revoked.has(bookedId);
    const patch = (change: Partial<EntryPatch>): void => {
      patches.push({
        entry,
        standing: entry.standing,
        missingSince: null,
        opened: false,
        stated: true,
        end: null,
        ends: entry.holders.some((holder) => holder.ended === null && holder.until <= now) ? "due" : "none",
        settled: false,
        ...change,
      });
    };

    for (const rule of wide) {
      calls.push({
        kind: "revoke",
        entryId: entry.entryId,
        ruleId: rule,
        seen: true,
        cause: "the cloud left out its destination address: it reaches more hosts than were granted",
      });
    }
    if (wide.length > 0) {
      const note = "REACH_TOO_WIDE";
      const instance = entry.spec.dest ? formatBare(entry.spec.dest) : "";
      patch({ end: { cause: "refused", note, detail: { instance, others: "every host of the group" } }, ends: "all" });
      continue;
    }
    if (live.length === 0) {
      // 1. Nobody holds it: whatever is ours goes, by id, seen or not.
      const ids = new Set<RuleId>();
      for (const rule of ours) if (rule.id) ids.add(rule.id);
      if (bookedId !== null && !picture.revoked.has(bookedId)) ids.add(bookedId);
      for (const ruleId of ids) {
        calls.push({
          kind: "revoke",
          entryId: entry.entryId,
          ruleId,
          seen: byId.has(ruleId),
          cause: "its last lease has ended",
        });
      }
      const gone = ids.size === 0;
      patch({ standing: gone ? { kind: "none" } : entry.standing, settled: gone && !pending });
      if (gone && pending)
        lookAt.push(Math.max(...intents.map((intent) => intent.attemptsEndAt)) + picture.lateEffectMaxMs);
      continue;
    }

    const kept = ours.find((rule) => rule.id === bookedId) ?? ours[0];
    if (kept?.id) {
      // 2. Our rule stands.
      const refusal = picture.refusals.get(entry.entryId);
      if (refusal && live.every((holder) => holder.openedAt === null)) {
        patch({ standing: { kind: "ours", ruleId: kept.id }, end: refused(refusal), ends: "all" });
        continue;
      }
      for (const rule of ours) {
        if (rule !== kept && rule.id)
          calls.push({
            kind: "revoke",
            entryId: entry.entryId,
            ruleId: rule.id,
            seen: true,
            cause: "a second rule of the same lease",
          });
      }
      const description = markOf(entry, live, picture);
      const stated = parseMark(kept.description)?.until === parseMark(description)?.until;
      if (!stated) {
        calls.push({ kind: "modify", entry, ruleId: kept.id, description, cause: "its end has moved" });
      }
      patch({ standing: { kind: "ours", ruleId: kept.id }, opened: true, stated });
      continue;
    }
    if (bookedSeen) {
      // 3. Our rule was changed by somebody into another: it is left until its end and then revoked by id.
      findings.push(`the rule ${bookedId} of ${entry.entryId} was changed by somebody else; it is revoked at its end`);
      patch({ opened: true });
      continue;
    }
    const other = others[0];
    if (other?.id) {
      // 4. Somebody else's rule allows the same: the lease rides on it.
      patch({ standing: { kind: "preExisting", ruleId: other.id }, opened: true });
      continue;
    }
    if (entry.standing.kind !== "none") {
      // 5. It stood and is not shown. One reading may be stale; a second one later is believed.
      const since = entry.missingSince ?? now;
      if (now - since < picture.lateEffectMaxMs) {
        patch({ missingSince: since });
        lookAt.push(since + picture.lateEffectMaxMs);
        findings.push(`the rule ${entry.standing.ruleId} of ${entry.entryId} is not shown; it is looked for again`);
        continue;
      }
      findings.push(`somebody else removed the rule ${entry.standing.ruleId}; its lease ends and is not reopened`);
      patch({
        missingSince: since,
        end: { cause: "removed", note: "its rule was removed by somebody else", detail: null },
        ends: "all",
      });
      continue;
    }
    // 6. Nothing stands yet. A cloud that sees no difference in priorities accepts the call and adds nothing.
    const like = picture.accepted.has(entry.entryId)
      ? picture.rules.find((rule) => identityWithoutPriority(rule) === identityWithoutPriority(entry.spec))
      : undefined;
    if (like?.id) {
      patch({ standing: { kind: "preExisting", ruleId: like.id }, opened: true });
      continue;
    }
    const refusal = picture.refusals.get(entry.entryId);
    if (refusal) {
      patch({ end: refused(refusal), ends: "all", settled: !pending });
      continue;
    }
    patch({});
    const beforeIds = [...same, ...undirected(picture, entry)].flatMap((rule) => (rule.id ? [rule.id] : []));
    calls.push({
      kind: "authorize",
      entry,
      description: markOf(entry, live, picture),
      beforeIds,
      cause: "a lease asks for it",
    });
  }

  const known = new Set(picture.entries.map((entry) => entry.entryId));
  for (const rule of picture.rules) {
    const mark = parseMark(rule.description);
    if (
      !mark ||
      mark.installation !== picture.installation ||
      !rule.id ||
      booked.has(rule.id) ||
      picture.revoked.has(rule.id)
    )
      continue;
    const key = ruleKey(rule);
    const genuine =
      verifyMark(mark, { groupId: picture.group.groupId, key, secret: picture.markSecret }) &&
      mark.entryId === entryIdOf(picture.group.groupId, key);
    if (!genuine) {
      findings.push(`the rule ${rule.id} carries a mark that is not its own; it is left alone`);
      continue;
    }
    if (known.has(mark.entryId)) continue;
    if (mark.until <= now) {
      calls.push({
        kind: "revoke",
        entryId: null,
        ruleId: rule.id,
        seen: true,
        cause: `its mark ended and no ledger row knows it`,
      });
    } else if (!picture.stateKnown) {
      recovered.push({ rule, mark });
    } else {
      findings.push(`the rule ${rule.id} carries our mark, but the ledger does not know it; it is closed at its end`);
      lookAt.push(mark.until);
    }
  }

  const order = { revoke: 0, modify: 1, authorize: 2 };
  return {
    calls: calls.sort((a, b) => order[a.kind] - order[b.kind]),
    patches,
    recovered,
    lookAt,
    findings,
  };
}

const refused = (refusal: Refusal): Holder["ended"] => ({
  cause: "refused",
  note: refusal.code,
  detail: refusal.detail,
});

/** Rules that say the same as the entry's but for the destination address, which they lack. */
function undirected(picture: Picture, entry: Entry): readonly Rule[] {
  if (entry.spec.dest === null) return [];
  const key = ruleKey({ ...entry.spec, dest: null });
  return picture.rules.filter((rule) => ruleKey(rule) === key);
}

/**
 * Ids of rules that an open intent of the entry has written without the destination address it asked for. Known by the whole text of
 * the description and by not having been there before: a mark copied to a wider rule is older or has no intent.
 */
function widened(picture: Picture, entry: Entry, intents: readonly Intent[]): readonly RuleId[] {
  const intended = intents.flatMap((intent) =>
    intent.call === "authorize" ? intent.rules.filter((rule) => rule.entryId === entry.entryId) : [],
  );
  return undirected(picture, entry).flatMap((rule) => {
    const written = intended.some(
      (it) => it.description === rule.description && rule.id !== null && !it.beforeIds.includes(rule.id),
    );
    return written && rule.id !== null && !picture.revoked.has(rule.id) ? [rule.id] : [];
  });
}

function isMarkedFor(rule: Rule, entry: Entry, intents: readonly Intent[], picture: Picture): boolean {
  const mark = parseMark(rule.description);
  if (!mark || !rule.id || mark.installation !== picture.installation || mark.entryId !== entry.entryId) return false;
  const stoodBefore = intents.some((intent) =>
    intent.rules.some((it) => it.entryId === entry.entryId && rule.id !== null && it.beforeIds.includes(rule.id)),
  );
  if (stoodBefore || (entry.standing.kind === "preExisting" && entry.standing.ruleId === rule.id)) return false;
  return verifyMark(mark, { groupId: entry.group.groupId, key: entry.key, secret: picture.markSecret });
}

/** The entry after a patch; holders that came in meanwhile stay as they are. */
export function applyPatch(entry: Entry, patch: EntryPatch, now: number, drop: ReadonlySet<LeaseId>): Entry {
  return {
    ...entry,
    standing: patch.standing,
    missingSince: patch.missingSince,
    holders: entry.holders
      .filter((holder) => !(drop.has(holder.leaseId) && holder.ended !== null))
      .map((holder) => {
        if (holder.ended !== null) return holder;
        const seen = patch.entry.holders.some((it) => it.leaseId === holder.leaseId);
        if (holder.until <= now) return { ...holder, ended: { cause: "time", note: null, detail: null } };
        if (patch.ends === "all" && seen) return { ...holder, ended: patch.end };
        if (!patch.opened || !seen) return holder;
        const statedUntil = patch.stated ? holder.until : holder.statedUntil;
        return { ...holder, openedAt: holder.openedAt ?? now, statedUntil };
      }),
  };
}
