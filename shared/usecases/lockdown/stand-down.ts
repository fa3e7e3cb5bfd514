// Takes the drops on the lists of a set out of one group.
import type { GroupRef } from "../../domain/ids.ts";
import type { Policy } from "../../domain/policy.ts";
import { type StandbySet, standbyHolder } from "../../domain/standby.ts";
import { listNamed } from "../../plan/standby-drops.ts";
import { type CallPriority, CloudFailure } from "../../ports/firewall.ts";
import { listEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { releaseDrops } from "../ledger/release-drops.ts";
import { lookAtGroup } from "../pass/look-at-group.ts";

/** True when a reading shows that no rule of the group names a list of the set, or the group is gone. */
export async function standDown(
  app: App,
  policy: Policy,
  set: StandbySet,
  group: GroupRef,
  { priority, deadlineAt }: { readonly priority: CallPriority; readonly deadlineAt: number },
): Promise<boolean> {
  try {
    const cause = `lockdown lists ${set.name}`;
    const note = "the policy names it for no lists any more";
    // By the mark alone nobody knew whose they are, where the tables were lost.
    const { entries } = await listEntries(app.tables, group);
    const onLists = entries.filter(({ spec }) => listNamed(spec, [set]) !== null);
    const recovered = onLists.flatMap(({ holders }) => holders.filter((it) => it.kind === "quarantine"));
    for (const id of new Set(recovered.map(({ holderId }) => holderId))) await releaseDrops(app, group, id, note);
    const released = await releaseDrops(app, group, standbyHolder(set.name), note);
    const terms = { cause, actor: "safeport", policy, priority, deadlineAt } as const;
    const report = await lookAtGroup(app, group, { ...terms, rows: released.rows });
    if (report !== null && !report.rules.some((rule) => listNamed(rule, [set]) !== null)) return report.rowsLeft === 0;
    return (await app.inventory.group(group, priority)) === null;
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    return error.kind === "groupGone";
  }
}
