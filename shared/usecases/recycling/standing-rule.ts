// Whether a rule of the recycling queue stands, and where it does not, whether somebody else took it away.
import type { GroupRef, RuleKey } from "../../domain/ids.ts";
import type { RecyclingItem } from "../../domain/recycling-item.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import { getEntry } from "../../store/ledger.ts";
import type { App } from "../app.ts";

/** Whether a reading shows a rule of the key. A group that is gone shows none. Throws CloudFailure where it cannot be read. */
export async function showsRule(app: App, group: GroupRef, key: RuleKey): Promise<boolean> {
  try {
    const { rules } = await app.firewall.readGroup(group, "open");
    return rules.some((rule) => ruleKey(rule) === key);
  } catch (error) {
    if (error instanceof CloudFailure && error.kind === "groupGone") return false;
    throw error;
  }
}

/**
 * True where a rule in the queue is gone although nothing of the program has closed it. Whoever removed it meant it: the program does
 * not open it again by itself, whoever comes. Throws CloudFailure where its group cannot be read.
 */
export async function isRemovedByOthers(
  app: App,
  { itemId, group, entryId, key, step }: RecyclingItem,
): Promise<boolean> {
  const { suspension = null } = (await getEntry(app.tables, group, entryId)) ?? {};
  // A deletion that is not told yet has let go of what it closed. Else that is kept before: what was gone by then was not kept.
  const isLetGo = step?.isBegun === true && suspension?.by.some((it) => it.itemId === itemId) !== true;
  const isClosed = isLetGo || (suspension?.kept ?? null) !== null;
  return !isClosed && !(await showsRule(app, group, key));
}
