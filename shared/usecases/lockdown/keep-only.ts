// Has a lockdown let go of all that it has in a group beyond what is planned for it now.
import type { GroupRef } from "../../domain/ids.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import type { Policy } from "../../domain/policy.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { entryIdOf, ruleKey } from "../../domain/rule-key.ts";
import { listEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { groupNet, type Net } from "../ledger/net.ts";
import { endHolds } from "../ledger/release-drops.ts";
import { resumeRule } from "../ledger/resume-rules.ts";
import { lookAtGroup } from "../pass/look-at-group.ts";

/** All that a lockdown is to have in a group. */
export interface Planned {
  readonly drops: readonly RuleSpec[];
  readonly suspends: readonly RuleSpec[];
  readonly keeps: readonly RuleSpec[];
}

/**
 * Once what is planned stands, the lockdown lets go of what else it has in the group: drops beside ways that are no more, and what was
 * planned by an earlier policy. Accepts that it kept of wider ones go last, when these stand. Answers false where that is not read back yet.
 */
export async function keepOnly(
  app: App,
  policy: Policy,
  group: GroupRef,
  lockdownId: string,
  { drops, suspends, keeps }: Planned,
  deadlineAt: number,
): Promise<boolean> {
  const idsOf = (specs: readonly RuleSpec[]) => new Set(specs.map((spec) => entryIdOf(group.groupId, ruleKey(spec))));
  const [held, closed] = [idsOf([...drops, ...keeps]), idsOf(suspends)];
  const { entries } = await listEntries(app.tables, group);
  const isOver = ({ entryId, holders }: Entry) =>
    !held.has(entryId) && holders.some((it) => it.holderId === lockdownId && it.ended === null);
  const over = entries.filter((it) => it.spec.policy === "drop" && isOver(it));
  const spare = entries.filter((it) => it.spec.policy === "accept" && isOver(it));
  const back = entries.filter(
    ({ entryId, suspension }) =>
      !closed.has(entryId) && suspension?.by.some(({ itemId }) => itemId === lockdownId) === true,
  );
  const passed = async (change: (net: Net) => Promise<unknown>): Promise<boolean> => {
    const net = groupNet(app, group);
    await net.hold();
    await change(net);
    await net.hold();
    const report = await lookAtGroup(app, group, {
      ...{
        cause: `lockdown ${lockdownId}`,
        actor: "safeport",
        policy,
        priority: "lockdown",
        rows: net.booked,
        deadlineAt,
      },
    });
    const isClosedYet = ({ entryId }: Entry) => report?.entries.get(entryId)?.suspension?.by.length === 0;
    return report?.rowsLeft === 0 && !back.some(isClosedYet);
  };
  const letAllGo = async (net: Net, entries: readonly Entry[]): Promise<void> => {
    for (const entry of entries) {
      await net.hold();
      await endHolds(app, group, entry.entryId, lockdownId, "the lockdown needs it no more");
    }
  };
  const first = async (net: Net): Promise<void> => {
    await letAllGo(net, over);
    for (const { entryId } of back) {
      await net.hold();
      await resumeRule(app, group, entryId, ({ itemId }) => itemId === lockdownId);
    }
  };
  if (over.length + back.length > 0 && !(await passed(first))) return false;
  if (spare.length === 0) return true;
  return passed((net) => letAllGo(net, spare));
}
