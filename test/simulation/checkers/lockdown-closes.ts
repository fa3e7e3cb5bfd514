// While a lockdown is surely on, nobody comes in but to core ports, by operators' ways and through broken glass.
import { contains, parseCidr, printIpv4 } from "../../../local/dataplane/cidr.ts";
import type { EcsRule } from "../../../local/services/ecs/model.ts";
import { isIn, policiesOf } from "../data-plane.ts";
import { LIFTED_WITHIN_MS } from "../known-lockdowns.ts";
import { rulesIn, wordsOf } from "../observed.ts";
import type { SimWorld } from "../sim-world.ts";
import { isAbout, isOf, type UnreadableRow } from "../unreadable-rows.ts";
import type { Checker } from "./checker.ts";
import { isOfLockdown } from "./lockdown-drop.ts";

/** By the timer alone. */
const PROMISED_MS = 75_000;
/** What others open while it is on is seen by the next tick that reads the group, and closed by the one that follows at the latest. */
const SEEN_WITHIN_MS = 2 * PROMISED_MS;
/** Whoever opens the same so often has it stay open, for a person to decide about. */
const OPENED_TOO_OFTEN = 3;

const firstPort = ({ portRange }: EcsRule): number => Math.max(1, Number(portRange.split("/")[0]));

/** An address that the rule lets in. */
function firstSource({ sourceCidrIp }: EcsRule): string | null {
  const block = parseCidr(sourceCidrIp);
  return block === undefined || block.family !== 4 ? null : (printIpv4(block).split("/")[0] ?? null);
}

/** The hosts of a group. */
const hostsOf = (world: SimWorld, groupId: string): readonly string[] =>
  world.ecs
    .enis()
    .filter((eni) => eni.groupIds.includes(groupId))
    .map((eni) => eni.privateIp);

export const lockdownCloses: Checker = {
  name: "lockdown-closes",
  watch(world) {
    // When somebody took away or changed drops of a group. They are put back, unless that was done too often.
    const undone = new Map<string, readonly number[]>();
    // When somebody last changed a rule, by its id.
    const changedAt = new Map<string, number>();
    // How often others have opened it, by group and words.
    const openings = new Map<string, number>();
    // Groups that have had a host in common, by both names.
    const beside = new Set<string>();
    const told = new Set<string>();
    const isFirst = (what: string): boolean => !told.has(what) && told.add(what).has(what);
    world.watchers.made.push(({ who, before, after, groupId }) => {
      if (who === "safeport") return;
      const left = new Map(after.map((rule) => [rule.ruleId, wordsOf(rule)]));
      if (before.some((rule) => isOfLockdown(world, groupId, rule) && left.get(rule.ruleId) !== wordsOf(rule)))
        undone.set(groupId, [...(undone.get(groupId) ?? []), world.now()]);
      const said = new Map(before.map((rule) => [rule.ruleId, wordsOf(rule)]));
      for (const rule of after) {
        const words = wordsOf(rule);
        if (said.get(rule.ruleId) === words) continue;
        changedAt.set(rule.ruleId, world.now());
        openings.set(`${groupId} ${words}`, (openings.get(`${groupId} ${words}`) ?? 0) + 1);
      }
    });
    world.watchers.minute.push(() => {
      const now = world.now();
      for (const { groupIds } of world.ecs.enis())
        for (const one of groupIds) for (const other of groupIds) beside.add(`${one} ${other}`);
      for (const story of world.lockdowns.stories.values())
        for (const groupId of story.groupIds) {
          const since = story.surelySince(now);
          if (since === null || wasDenied(world, groupId, since)) continue;
          const times = undone.get(groupId) ?? [];
          if (times.length >= OPENED_TOO_OFTEN || now <= (times.at(-1) ?? 0) + SEEN_WITHIN_MS) continue;
          const groupIds = [...beside].flatMap((pair) =>
            pair.startsWith(`${groupId} `) ? [pair.split(" ")[1] ?? ""] : [],
          );
          const within = (matters: (row: UnreadableRow) => boolean): boolean =>
            now <= world.troubledAt(matters) + LIFTED_WITHIN_MS;
          if (now <= since + PROMISED_MS || within((row) => holdsUpClosing(row, groupIds))) continue;
          if (now <= world.meddledAt + SEEN_WITHIN_MS) continue;
          const policies = policiesOf(world);
          const rules = rulesIn(world.ecs.groups(), groupId);
          const hasDrops = rules.some((rule) => isOfLockdown(world, groupId, rule) && !world.isStandby(rule));
          const isStillOthers = ({ ruleId }: EcsRule, words: string): boolean => {
            const at = changedAt.get(ruleId);
            // What is ours and was changed goes with its end, like a lease's.
            if (at !== undefined && at >= since && world.born.get(ruleId)?.who === "safeport") return true;
            const isLeft = (openings.get(`${groupId} ${words}`) ?? 0) >= OPENED_TOO_OFTEN;
            return isLeft || (at !== undefined && now <= at + SEEN_WITHIN_MS);
          };
          for (const rule of rules) {
            const [port, source] = [firstPort(rule), firstSource(rule)];
            if (rule.policy === "Drop" || source === null || isCore(world, port)) continue;
            if (!hasDrops && isStillOthers(rule, wordsOf(rule))) continue;
            if (within((row) => isAbout(row, groupId, wordsOf(rule)))) continue;
            if (isOperators(world, source, port) || hasBrokenGlass(world, groupId, beside, rule)) continue;
            for (const host of hostsOf(world, groupId))
              if (isIn(policies, source, host, port) && isFirst(`${since} ${rule.ruleId}`))
                world.violated("lockdown-closes", `${groupId} is locked down, and ${source} reaches ${host}:${port}`);
          }
        }
      for (const groupId of undone.keys()) if (!world.lockdowns.mayBeOn(groupId)) undone.delete(groupId);
    });
  },
};

/**
 * A row without which a lockdown closes none of the groups, or not all of one: an alarm's, its own, an intent's, or that of a drop. Other rows
 * keep open what they are about at most.
 */
const holdsUpClosing = (row: UnreadableRow, groupIds: readonly string[]): boolean => {
  if (row.table === "alarm") return true;
  if (!groupIds.some((groupId) => isOf(row, groupId))) return false;
  return ["lockdown", "intent"].includes(row.table) || row.words.some((it) => it.includes(" drop "));
};

/** A lockdown that begins while the policy denies a group leaves it alone, as it leaves everything there. */
const wasDenied = ({ policies: { deniedSince, deniedUntil } }: SimWorld, groupId: string, since: number): boolean =>
  deniedSince.has(groupId) || (deniedUntil.get(groupId) ?? 0) >= since - PROMISED_MS;

const isCore = ({ policy }: SimWorld, port: number): boolean => policy.lockdown.core.includes(`${port}`);

const isOperators = ({ policy }: SimWorld, source: string, port: number): boolean => {
  const address = parseCidr(source);
  const isAmong = (block: string): boolean => {
    const outer = parseCidr(block);
    return outer !== undefined && address !== undefined && contains(outer, address);
  };
  return policy.operatorPath.some((path) => path.port === `${port}` && path.sources.some(isAmong));
};

/** Somebody who may has opened it in spite of the lockdown, in this group or in one `beside` it, whose leases pass the drops here as well. */
const hasBrokenGlass = (world: SimWorld, groupId: string, beside: ReadonlySet<string>, rule: EcsRule): boolean =>
  world.grants.some(
    (it) =>
      it.breaksGlass && (it.groupId === groupId || beside.has(`${groupId} ${it.groupId}`)) && it.rule === wordsOf(rule),
  );
