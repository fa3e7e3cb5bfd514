// Lowers a group's guard by a person's word: a tag alone does not.
import { type Guard, strongerGuard } from "../../domain/guard.ts";
import type { GroupRef } from "../../domain/ids.ts";
import { getGroupRow, saveGroupRow } from "../../store/group-rows.ts";
import type { App, Caller } from "../app.ts";
import { findGroup } from "../group/find-group.ts";
import { type GroupView, getGroup } from "../group/list-groups.ts";
import { recordDecision } from "../records/record-decision.ts";
import { driftNet } from "./net.ts";

export interface GuardAnswer {
  readonly group: GroupView;
  readonly ref: GroupRef;
  readonly plan: readonly string[];
}

/** Has the group's row keep no more than `confirm`, whatever a tag asked for earlier. Repeating it changes nothing. */
export async function confirmGuard(
  app: App,
  caller: Caller,
  name: string,
  confirm: Guard,
  options: { readonly dryRun: boolean },
): Promise<GuardAnswer> {
  const { ref } = await findGroup(app, caller.policy, name);
  const { tagGuard } = await getGroupRow(app.tables, ref);
  const isLower = tagGuard !== confirm && strongerGuard(tagGuard, confirm) === tagGuard;
  const plan = isLower ? [`lower the guard by tag from ${tagGuard} to ${confirm}`] : [];
  if (isLower && !options.dryRun) {
    await lowerTagGuard(app, ref, confirm);
    const changes = [{ what: "guard by tag", before: tagGuard, after: confirm }];
    await recordDecision(app, caller, ref, `guard of ${name}`, { lines: plan, changes });
  }
  return { group: await getGroup(app, caller.policy, name), ref, plan };
}

/** Lowers what the row keeps of tags, where it is more; the group is looked at anew. */
export async function lowerTagGuard(app: App, group: GroupRef, guard: Guard): Promise<void> {
  const net = driftNet(app, group);
  await net.hold();
  for (;;) {
    const row = await getGroupRow(app.tables, group);
    if (strongerGuard(row.tagGuard, guard) === guard) return;
    await net.hold();
    if (await saveGroupRow(app.tables, { ...row, tagGuard: guard, settled: null })) return net.hold();
    await app.clock.sleep(5 * (1 + app.random.fraction() * 4));
  }
}
