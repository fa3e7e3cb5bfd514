// Nothing that was granted disappears: what a person has had allocated and not taken back, and a lease that is open and not over, is in force
// again as soon as nothing goes wrong any more, whatever has closed it meanwhile.
import { isIn, policiesOf } from "../data-plane.ts";
import type { KnownAllocation } from "../known-allocations.ts";
import { LIFTED_WITHIN_MS, LISTS_WITHIN_MS } from "../known-lockdowns.ts";
import { SKEW_MAX_MS, wordsOf } from "../observed.ts";
import { ENFORCED, GROUPS } from "../sim-account.ts";
import type { SimWorld } from "../sim-world.ts";
import { isOf, type UnreadableRow } from "../unreadable-rows.ts";
import type { Checker } from "./checker.ts";

/** What a stranger removes in an enforced group is back when its event has come, and else after the full pass. */
const RESTORED_WITHIN_MS = 75 * 60_000;
/** With no fewer rules for an interface than that everything finds room. */
const ROOMY = 100;

export const grantsStay: Checker = {
  name: "grants-stay",
  watch(world) {
    const told = new Set<string>();
    // Rules that somebody else has removed or changed: a lease of such a rule ends by it.
    const undone = new Map<string, number>();
    const say = (groupId: string, words: string, whose: string): void => {
      if (world.now() <= world.troubledAt((row) => holdsUp(row, groupId)) + LIFTED_WITHIN_MS) return;
      if (isInForce(world, groupId, words) || told.has(`${groupId} ${words}`)) return;
      told.add(`${groupId} ${words}`);
      world.violated("grants-stay", `${groupId} ${words} is not in force, and is granted to ${whose}`);
    };
    world.watchers.made.push(({ who, groupId, before, after }) => {
      if (who === "safeport" || before === after) return;
      const left = new Set(after.map(wordsOf));
      for (const words of before.map(wordsOf)) if (!left.has(words)) undone.set(`${groupId} ${words}`, world.now());
    });
    world.watchers.minute.push(() => {
      const now = world.now();
      if (now <= world.troubledAt(() => false) + LIFTED_WITHIN_MS) return;
      if (GROUPS.some(({ groupId }) => world.lockdowns.mayBeOn(groupId))) return;
      for (const known of world.allocations.all)
        if (mustStand(world, known)) say(known.groupId, known.words, "whoever had it allocated");
      for (const known of world.hours.all)
        if (hasToBeOpen(world, known)) say(known.groupId, known.words, "whoever had it allocated in these hours");
      for (const { groupId, rule, openedAt, endedAt, promised, leaseId, principal } of world.grants) {
        if (openedAt === null || endedAt !== null || promised - SKEW_MAX_MS <= now) continue;
        if (undone.has(`${groupId} ${rule}`)) continue;
        say(groupId, rule, `${principal} as ${leaseId}`);
      }
    });
  },
};

/** Rows of other groups hold up nothing here, but those without which a lockdown or a quarantine that their hosts are in too may not end. */
const holdsUp = (row: UnreadableRow, groupId: string): boolean =>
  isOf(row, groupId) || ["alarm", "lockdown", "recycling"].includes(row.table);

function mustStand(world: SimWorld, { groupId, given, undoneAt }: KnownAllocation): boolean {
  const now = world.now();
  if (given === null || now <= given.at + LIFTED_WITHIN_MS) return false;
  if (world.policy.limits.rulesPerInterface < ROOMY) return false;
  // What the policy denies takes no rule: it is opened once that is over.
  const { deniedSince, deniedUntil } = world.policies;
  if (deniedSince.has(groupId) || now <= (deniedUntil.get(groupId) ?? 0) + RESTORED_WITHIN_MS) return false;
  if (undoneAt < given.from) return true;
  return groupId === ENFORCED.groupId && now > undoneAt + RESTORED_WITHIN_MS;
}

/** What somebody else removes in its hours stays away until they begin again. */
function hasToBeOpen(world: SimWorld, known: KnownAllocation): boolean {
  const now = world.now();
  const window = world.hours.surelyOpen(known);
  if (window === null || now <= Math.max(window.from, known.given?.at ?? 0) + LIFTED_WITHIN_MS) return false;
  const isEnding = now >= window.until - SKEW_MAX_MS;
  return !isEnding && mustStand(world, known) && known.undoneAt < window.from;
}

/** True when a rule of the group says so, and the data plane lets in whom it names at every host that it is for. */
function isInForce(world: SimWorld, groupId: string, words: string): boolean {
  const rule = world.ecs
    .groups()
    .find((it) => it.groupId === groupId)
    ?.rules.find((it) => wordsOf(it) === words);
  if (rule === undefined) return false;
  // A list that a stranger has filled refuses people until its event comes, or all lists are looked at.
  if (world.now() <= world.meddledAt + LISTS_WITHIN_MS) return true;
  const [port, source] = [Number(rule.portRange.split("/")[0]), rule.sourceCidrIp.split("/")[0] ?? ""];
  const hosts = world.ecs.enis().filter(({ groupIds }) => groupIds.includes(groupId));
  return hosts
    .filter(({ privateIp }) => rule.destCidrIp === "" || rule.destCidrIp.replace("/32", "") === privateIp)
    .every(({ privateIp }) => isIn(policiesOf(world), source, privateIp, port));
}
