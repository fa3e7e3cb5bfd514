// What the ledger says for a rule in the recycling queue: a drop is held against it, it is closed and kept, or opened again.
import type { Allocation } from "../../domain/allocation.ts";
import type { Entry, Holder, Suspender } from "../../domain/ledger-entry.ts";
import type { Policy } from "../../domain/policy.ts";
import type { RecyclingItem } from "../../domain/recycling-item.ts";
import { sensitiveOpenings } from "../../domain/sensitive-openings.ts";
import { AppError, fail } from "../../errors/app-error.ts";
import { dueGroup, dueWrite } from "../../store/due.ts";
import { getEntry } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { changeEntry, freshEntry } from "../ledger/book-holds.ts";
import { changeAllocations, changeUnconfirmed } from "../ledger/change-allocations.ts";
import { holdDrops } from "../ledger/hold-drops.ts";
import { groupNet } from "../ledger/net.ts";
import { releaseDrops } from "../ledger/release-drops.ts";
import { inTurn, sensitiveBesideGranted } from "../ledger/sensitive-ports.ts";
import { suspendRules } from "../ledger/suspend-rules.ts";

/** How long a drop outlives the last run of the job that renews it: should nobody ever look again, the port opens by itself. */
const HOLD_MS = 30 * 86_400_000;
/** A hold is renewed when so much of it is left, so that its mark is not rewritten every day. */
const RENEW_MS = HOLD_MS / 2;

/** How the drop of an item stands. `refused`: why the cloud or a guard did not let it be written. */
export type DropStanding =
  | { readonly kind: "stands"; readonly since: number }
  | { readonly kind: "underway" }
  | { readonly kind: "refused"; readonly why: string }
  /** Somebody took it away, or it lapsed. */
  | { readonly kind: "gone" };

const holderOf = (entry: Entry | null, { itemId }: RecyclingItem): Holder | undefined =>
  entry?.holders.find((it) => it.holderId === itemId && it.ended === null);

/** Holds the item's drop; a hold that has ended is begun anew. */
export async function holdDrop(app: App, item: RecyclingItem, by: string): Promise<void> {
  const { quarantine, itemId, group } = item;
  if (quarantine === null) throw new RangeError(`${itemId} has no drop`);
  const until = app.clock.now() + HOLD_MS;
  const ask = { kind: "quarantine", holderId: itemId, principal: by, reason: `quarantine ${itemId}`, until } as const;
  await holdDrops(app, group, ask, [quarantine.drop]);
}

/** Holds it longer, where it is held: a run that read the item before somebody gave the rule back must not take it again. */
export async function renewDrop(app: App, item: RecyclingItem): Promise<void> {
  const { quarantine, group } = item;
  if (quarantine === null) return;
  const now = app.clock.now();
  const isShort = (entry: Entry | null): boolean => {
    const until = holderOf(entry, item)?.until ?? 0;
    return now < until && until <= now + RENEW_MS;
  };
  if (!isShort(await getEntry(app.tables, group, quarantine.entryId))) return;
  const until = now + HOLD_MS;
  const net = groupNet(app, group);
  await net.hold([dueWrite(dueGroup(group, until, app.settings.shards))]);
  await changeEntry(app, group, quarantine.entryId, (entry) => {
    if (entry === null || !isShort(entry)) return null;
    const mine = holderOf(entry, item);
    return { ...entry, holders: entry.holders.map((it) => (it === mine ? { ...it, until } : it)) };
  });
  await net.hold();
}

/** Lets the drop go. Repeating it changes nothing. */
export async function releaseDrop(app: App, item: RecyclingItem): Promise<void> {
  const { quarantine, itemId, group } = item;
  const entry = quarantine && (await getEntry(app.tables, group, quarantine.entryId));
  if (holderOf(entry, item)) await releaseDrops(app, group, itemId, "its quarantine is over");
}

/** How the drop stands by the ledger, which passes keep. */
export async function dropStanding(app: App, item: RecyclingItem): Promise<DropStanding> {
  const { quarantine, itemId, group } = item;
  const entry = quarantine && (await getEntry(app.tables, group, quarantine.entryId));
  const mine = entry?.holders.find((it) => it.holderId === itemId);
  if (!entry || !mine) return { kind: "gone" };
  if (mine.ended?.cause === "refused") {
    const { note, detail } = mine.ended;
    return { kind: "refused", why: [note, ...Object.values(detail ?? {})].join(" ") };
  }
  if (mine.ended !== null || mine.until <= app.clock.now() || entry.undoneAt.length > 0) return { kind: "gone" };
  return mine.openedAt === null ? { kind: "underway" } : { kind: "stands", since: mine.openedAt };
}

/** True when neither a hold of the item nor a rule of its drop that only it held is left. */
export async function isDropGone(app: App, item: RecyclingItem): Promise<boolean> {
  const { quarantine, group } = item;
  const entry = quarantine && (await getEntry(app.tables, group, quarantine.entryId));
  if (!entry) return true;
  if (holderOf(entry, item)) return false;
  const isOthers = entry.allocation !== null || entry.holders.some((it) => it.ended === null);
  return isOthers || entry.standing.kind !== "ours";
}

const suspenderOf = (item: RecyclingItem): Suspender => ({
  kind: "recycling",
  itemId: item.itemId,
  principal: item.step?.by ?? "safeport",
  reason: item.step?.why ?? "",
  until: null,
});

/** True where the item keeps its rule closed. */
export const isClosedBy = ({ itemId }: RecyclingItem, entry: Entry | null): boolean =>
  entry?.suspension?.by.some((it) => it.itemId === itemId) === true;

/** Closes the rule and keeps it. Repeating it changes nothing. */
export async function suspendRule(app: App, item: RecyclingItem): Promise<void> {
  await suspendRules(app, item.group, suspenderOf(item), [item.kept.spec]);
}

/**
 * The rule is gone and the item keeps it from here on: its permission is retired, but not one that was given since, and whoever opens it again
 * opens a rule of their own.
 */
export async function retireRule(app: App, item: RecyclingItem): Promise<void> {
  const { group, entryId } = item;
  if (!isGrantedAnew(await getEntry(app.tables, group, entryId), item)) await allocate(app, item, null);
  await letGo(app, item);
}

/** Nothing of the item keeps the rule closed from here on, and nothing of it is given back; whoever has granted it since is owed it. */
const letGo = (app: App, { itemId, group, entryId }: RecyclingItem): Promise<void> =>
  changeEntry(app, group, entryId, (entry) => {
    if (!entry?.suspension) return null;
    const others = entry.suspension.by.filter((it) => it.itemId !== itemId);
    const allocation = entry.allocation && { ...entry.allocation, seenAt: null };
    // A lockdown that has come upon it meanwhile has nothing to give back.
    const suspension = others.length > 0 ? { ...entry.suspension, by: others, kept: null } : null;
    return { ...entry, allocation, suspension };
  });

/** True where somebody has granted the rule since the item took its permission: when it is open is theirs to say. */
export const isGrantedAnew = (entry: Entry | null, { state, step, allocation }: RecyclingItem): boolean =>
  (state === "deleted" || step?.isBegun === true) &&
  entry !== null &&
  entry.allocation !== null &&
  entry.allocation.at !== allocation?.at;

/**
 * Has the rule opened again as the item keeps it. Where it had a permission, that is given again first, while the rule is still
 * closed: nobody is to see the one without the other. Where somebody has granted it anew, that counts. Throws GROUP_BUSY while somebody else
 * grants a sensitive port, and SENSITIVE_UNCONFIRMED where everybody could reach one by the rule beside what has been granted since.
 */
export async function reopenRule(app: App, item: RecyclingItem, policy: Policy): Promise<void> {
  const { itemId, group, entryId, kept, allocation, ruleId } = item;
  const rule = { ruleId: ruleId ?? ("" as NonNullable<typeof ruleId>), description: kept.description };
  const net = groupNet(app, group);
  await net.hold();
  if (isGrantedAnew(await getEntry(app.tables, group, entryId), item)) {
    await letGo(app, item);
    return net.hold();
  }
  if (allocation !== null)
    await inTurn(app, policy, { group, specs: [kept.spec], waitMaxMs: 0 }, async (mayWrite) => {
      await requireNoWider(app, item, policy);
      await changeEntry(app, group, entryId, (stored) => {
        if (isClosedBy(item, stored)) return null;
        // Given already, it may stand, or be about to, whatever a reading shows: it is closed by nobody any more.
        if (stored && stored.allocation !== null) return null;
        const entry = stored ?? freshEntry(group, kept.spec);
        const by = [...(entry.suspension?.by ?? []), suspenderOf(item)];
        const keptAt = app.clock.now();
        const since = entry.suspension?.since ?? keptAt;
        return { ...entry, suspension: { by, since, kept: [rule], keptAt, wasAllocated: true, liftedAt: null } };
      });
      await allocate(app, item, { ...allocation, seenAt: app.clock.now() }, mayWrite);
      await net.hold();
    });
  await changeEntry(app, group, entryId, (stored) => {
    const entry = stored ?? freshEntry(group, kept.spec);
    const { suspension } = entry;
    const by = (suspension?.by ?? []).filter((it) => it.itemId !== itemId);
    const now = app.clock.now();
    const { since = now, keptAt = now } = suspension ?? {};
    const wasAllocated = entry.allocation !== null;
    const rules = suspension?.kept ?? [rule];
    // A pass may be about to give it back already: what it has noted of that stands.
    const liftedAt = suspension && by.length === suspension.by.length ? suspension.liftedAt : null;
    return { ...entry, suspension: { by, since, kept: rules, keptAt, wasAllocated, liftedAt } };
  });
  await net.hold();
}

/** What lets everybody in by itself had a person's word when it was granted; nobody has looked at what it adds up to since. */
async function requireNoWider(app: App, { group, kept: { spec }, key }: RecyclingItem, policy: Policy): Promise<void> {
  if (sensitiveOpenings([spec], [], policy.lease.sensitivePorts).length > 0) return;
  const wider = await sensitiveBesideGranted(app, policy, group, { specs: [spec], replaced: null });
  if (wider.length > 0) throw fail("SENSITIVE_UNCONFIRMED", { rules: key });
}

/**
 * Gives or retires the rule's permission. A ledger that no person has confirmed as it is makes no difference to that: left as it was,
 * it would keep the rule closed for ever, to whoever opens it. The change makes no baseline of it, but notes what it gives back. While a
 * row of the ledger cannot be read nothing is retired, as the baseline could not follow, and the group would not be enforced until a person
 * confirms it anew; what is given back lets people in, and waits for nothing. Throws STATE_UNREADABLE.
 */
async function allocate(
  app: App,
  { group, kept, step }: RecyclingItem,
  allocation: Allocation | null,
  mayWrite: () => boolean = () => true,
): Promise<void> {
  // Who has granted it since it was closed has said so later.
  const change = { spec: kept.spec, allocation, ...(allocation === null && { unlessOwed: true as const }) };
  const by = step?.by ?? "safeport";
  try {
    await changeAllocations(app, group, by, [change], mayWrite);
  } catch (error) {
    if (!(error instanceof AppError) || !isPassable(error, allocation)) throw error;
    if (!mayWrite()) throw fail("GROUP_BUSY", { group: group.groupId });
    await changeUnconfirmed(app, group, by, change);
  }
}

const isPassable = ({ code }: AppError, allocation: Allocation | null): boolean =>
  code === "BASELINE_DISAGREES" || (code === "STATE_UNREADABLE" && allocation !== null);
