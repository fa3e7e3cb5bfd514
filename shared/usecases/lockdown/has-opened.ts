// Whether a group lets in more than a lockdown of it stops, as a reading and its ledger show it.
import type { Entry } from "../../domain/ledger-entry.ts";
import type { Lockdown, LockdownGroup } from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import type { Rule } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { dropsSuffice, letsInMore, opensMore } from "../../plan/plan-lockdown.ts";
import { inBlocks } from "../../plan/standby-drops.ts";
import type { App } from "../app.ts";
import { brokenGlass } from "../pass/passages.ts";
import { setsThatCanBeRead } from "./sets-that-can-be-read.ts";

/** True where something has been opened that what the lockdown has there does not stop. */
export async function hasOpened(
  app: App,
  policy: Policy,
  { lockdownId, startedAt }: Pick<Lockdown, "lockdownId" | "startedAt">,
  { group, way, drops: closed = 0 }: Pick<LockdownGroup, "group" | "way"> & Partial<Pick<LockdownGroup, "drops">>,
  rules: readonly Rule[],
  entries: readonly Entry[],
): Promise<boolean> {
  const held = entries.filter(({ holders }) => holders.some((it) => it.holderId === lockdownId && it.ended === null));
  if (way === "drops") {
    const drops = held.flatMap(({ spec }) => (spec.policy === "drop" ? [spec] : []));
    // Somebody has let go of all of them, by what the policy said before, and died.
    if (drops.length === 0 && closed > 0) return true;
    if (!drops.some(({ peer }) => peer.kind === "prefixList")) return !dropsSuffice(drops, rules);
    // A drop on a list closes nothing while the list is not shown to be filled.
    const { sets } = await setsThatCanBeRead(app);
    const filled = sets.filter(({ holders, shown }) => shown === "filled" && holders.includes(lockdownId));
    const blocks = inBlocks(drops, filled);
    return blocks.some(({ peer }) => peer.kind === "prefixList") || !dropsSuffice(blocks, rules);
  }
  const ports = { core: policy.lockdown.core, operatorPath: policy.operatorPath };
  const isOwn = ({ suspension }: Entry): boolean => suspension?.by.some(({ itemId }) => itemId === lockdownId) === true;
  // What others alone have closed would be open again with their end.
  const others = entries.filter((entry) => entry.suspension !== null && !isOwn(entry) && letsInMore(entry.spec, ports));
  const more = [...opensMore(rules, ports).map(ruleKey), ...others.map(({ key }) => key)];
  if (more.length === 0) return false;
  const passed = await brokenGlass(app, group, startedAt);
  const known = new Set([...held, ...entries.filter(isOwn)].map(({ key }) => key));
  return more.some((key) => !known.has(key) && !passed.has(key));
}
