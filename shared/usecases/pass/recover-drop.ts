// Books the hold on a drop again from the mark of its rule, where the tables were lost.
import type { EntryId, GroupRef } from "../../domain/ids.ts";
import { type DropHolder, recoveredHolder } from "../../domain/ledger-entry.ts";
import { quarantinedBy } from "../../domain/recycling-item.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { entryIdOf, ruleKey } from "../../domain/rule-key.ts";
import { AppError } from "../../errors/app-error.ts";
import type { KnownRule } from "../../plan/picture.ts";
import { dueGroup, dueWrite } from "../../store/due.ts";
import { getEntry, saveEntry } from "../../store/ledger.ts";
import { getRecyclingItem } from "../../store/recycling.ts";
import type { App } from "../app.ts";
import { freshEntry } from "../ledger/book-holds.ts";

/** Nobody knows any more who has filled a list, and for what: whoever wants the drop holds it by then. */
const ON_LIST_MS = 3_600_000;

/**
 * Books due row and ledger row, in this order: the drop ends at the instant its mark states, whatever became of the lockdown that asked for
 * it; one on a list within the hour. A quarantine that the queue knows goes on. Answers null, and writes nothing, when the ledger knows
 * the rule.
 */
export async function recoverDrop(
  app: App,
  group: GroupRef,
  rule: KnownRule,
  markedUntil: number,
  now: number,
): Promise<string | null> {
  const entryId = entryIdOf(group.groupId, ruleKey(rule));
  if (await getEntry(app.tables, group, entryId)) return null;
  const lapsesAt = Math.ceil((now + ON_LIST_MS) / 1000) * 1000;
  const until = rule.peer.kind === "prefixList" ? Math.min(markedUntil, lapsesAt) : markedUntil;
  await app.tables.writeAll([dueWrite(dueGroup(group, until, app.settings.shards))]);
  const { direction, protocol, ports, peer, policy, priority, sourcePorts, dest } = rule;
  const spec = { direction, protocol, ports, peer, policy, priority, sourcePorts, dest };
  const holder: DropHolder = {
    // Which of the two it was is in no mark: the queue alone may know, and by its id.
    kind: "quarantine",
    holderId: (await quarantineOf(app, group, entryId, spec)) ?? recoveredHolder(entryId),
    principal: "recovered",
    reason: "recovered from its mark",
    until,
    openedAt: now,
    statedUntil: markedUntil,
    ended: null,
  };
  const standing = { kind: "ours", ruleId: rule.id } as const;
  await saveEntry(app.tables, { ...freshEntry(group, spec), holders: [holder], standing });
  return holder.holderId;
}

/** The item in quarantine whose drop it is; null where there is none, or none that can be read. */
async function quarantineOf(app: App, { groupId }: GroupRef, entryId: EntryId, spec: RuleSpec): Promise<string | null> {
  const item = await getRecyclingItem(app.tables, quarantinedBy(groupId, spec)).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error;
    return null;
  });
  const isHeld = item?.state === "quarantined" && item.step === null && item.quarantine?.entryId === entryId;
  return isHeld ? item.itemId : null;
}
