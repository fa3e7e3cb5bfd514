// What is used is not closed for want of use; whoever is refused by a quarantine comes in soon; what people want back is back as it was; and
// no drop of a quarantine outlives it.
import type { EcsRule } from "../../../local/services/ecs/model.ts";
import { LIFTED_WITHIN_MS } from "../known-lockdowns.ts";
import { isGone, QUARANTINE_MS, type Recyclable } from "../known-recycling.ts";
import { LATE_EFFECT_MS, type ObservedCall, SKEW_MAX_MS, wordsOf } from "../observed.ts";
import { LEFT_ALONE_MS, TWO_NIGHTS_MS } from "../recycling.ts";
import type { SimWorld } from "../sim-world.ts";
import { isOf } from "../unreadable-rows.ts";
import type { Checker } from "./checker.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A half hour of the log, its collection, and the step that was decided by what was known before. */
const KNOWN_WITHIN_MS = 75 * MINUTE_MS;
/** What the quarantine has to have been silent for is known up to so long before the rule goes. */
const SILENCE_KNOWN_MS = 20 * MINUTE_MS;
/** The window of the log, the watch, and a tick. */
const LET_IN_WITHIN_MS = 23 * MINUTE_MS;
const ROWS_EVERY = 10;

export const recyclingHarmsNobody: Checker = {
  name: "recycling-harms-nobody",
  watch(world) {
    const told = new Set<string>();
    const say = (known: Recyclable, text: string): void => {
      const what = `${known.groupId} ${known.words} ${text}`;
      if (!told.has(what)) world.violated("recycling-harms-nobody", what);
      told.add(what);
    };
    world.watchers.made.push((call) => {
      if (call.who !== "safeport" || call.before === call.after) return;
      for (const known of world.recycling.rules) if (known.groupId === call.groupId) judge(world, known, call, say);
    });
    let minutes = 0;
    world.watchers.minute.push(() => {
      minutes += 1;
      for (const known of world.recycling.rules) look(world, known, say);
      if (minutes % ROWS_EVERY === 0)
        for (const known of world.recycling.rules)
          if (known.droppedAt !== null && world.now() > known.droppedAt + TWO_NIGHTS_MS)
            void lookForRow(world, known, say);
    });
  },
  async atEnd(world) {
    for (const { groupId, words, twin, rule, closed } of world.recycling.rules) {
      const rules = world.ecs.groups().find((it) => it.groupId === groupId)?.rules ?? [];
      const stands = rules.find((it) => wordsOf(it) === words);
      const say = (text: string): void => world.violated("recycling-harms-nobody", `${groupId} ${words} ${text}`);
      if (rules.some((it) => wordsOf(it) === twin)) say("is quarantined although nothing is recycled any more");
      if (stands === undefined && closed === null) say("is gone, and nobody has removed it");
      if (stands !== undefined && !isSame(stands, rule)) say(`is back as ${JSON.stringify(stands)}`);
    }
  },
};

type Say = (known: Recyclable, text: string) => void;

/** All but its id and when it was made. */
const isSame = (one: EcsRule, other: EcsRule): boolean =>
  Object.entries(other).every(
    ([field, value]) =>
      field === "ruleId" ||
      field === "createTime" ||
      Object.entries(one).some(([name, it]) => name === field && it === value),
  );

/** A call of the program; `known` is as it was before. */
function judge(world: SimWorld, known: Recyclable, { before, after, at }: ObservedCall, say: Say): void {
  const has = (rules: readonly EcsRule[], words: string): boolean => rules.some((rule) => wordsOf(rule) === words);
  const { twin, words, visits, droppedAt } = known;
  if (!has(before, twin) && has(after, twin)) {
    if (!known.isNamed) say(known, "is quarantined where recycling is only reported");
    const today = Math.floor(at / DAY_MS) * DAY_MS;
    const isKnown = (came: number): boolean =>
      (came >= today - DAY_MS && came < today) ||
      (came >= today && came < at - KNOWN_WITHIN_MS && came > troubledIn(world, known));
    const used = visits.find((it) => it.isIn && it.isLogged && isKnown(it.at));
    if (used) say(known, `is quarantined, and was used ${at - used.at} ms before`);
    if (isLeftAlone(known, at)) say(known, "is quarantined, and a person wants it left alone");
  }
  if (!has(before, words) || has(after, words) || world.lockdowns.mayBeOn(known.groupId)) return;
  if (!known.isNamed) say(known, "is closed where recycling is only reported");
  if (isLeftAlone(known, at)) say(known, "is closed, and a person wants it left alone");
  if (droppedAt === null || at - droppedAt < QUARANTINE_MS - SKEW_MAX_MS)
    say(known, `is closed ${droppedAt === null ? "without a quarantine" : `${at - droppedAt} ms into its quarantine`}`);
  const refused = visits.find(
    (it) => !it.isIn && it.isLogged && droppedAt !== null && it.at > droppedAt && it.at < at - SILENCE_KNOWN_MS,
  );
  if (refused && cameBefore(known, refused.at))
    say(known, `is closed, and its client was refused ${at - refused.at} ms before`);
}

/** Rows of other groups hold up nothing here. */
const troubledIn = (world: SimWorld, { groupId }: Recyclable): number => world.troubledAt((row) => isOf(row, groupId));

/** A call may take effect long after it was made. */
const isLeftAlone = ({ leftAloneAt }: Recyclable, at: number): boolean =>
  leftAloneAt !== null && at > leftAloneAt + LATE_EFFECT_MS && at < leftAloneAt + LEFT_ALONE_MS - SKEW_MAX_MS;

/** True where the log knows of a session before. */
const cameBefore = ({ visits, droppedAt }: Recyclable, at: number): boolean =>
  visits.some((it) => it.isIn && it.isLogged && it.at < (droppedAt ?? at));

function look(world: SimWorld, known: Recyclable, say: Say): void {
  const { groupId, visits, droppedAt, leftAloneAt } = known;
  const now = world.now();
  if (world.lockdowns.mayBeOn(groupId)) return;
  if (droppedAt !== null) {
    const refused = visits.find((it) => !it.isIn && it.isLogged && it.at > droppedAt);
    if (
      refused &&
      cameBefore(known, refused.at) &&
      now > Math.max(refused.at, troubledIn(world, known)) + LET_IN_WITHIN_MS
    )
      say(known, `is quarantined still, and its client was refused at ${refused.at}`);
  }
  if (leftAloneAt === null || now > leftAloneAt + LEFT_ALONE_MS) return;
  if (now <= Math.max(leftAloneAt, troubledIn(world, known)) + LIFTED_WITHIN_MS) return;
  if (isGone(known)) say(known, "is closed, and a person was told that it is back");
  if (droppedAt !== null) say(known, "is quarantined, and a person was told that it is back");
}

async function lookForRow(world: SimWorld, known: Recyclable, say: Say): Promise<void> {
  const { groupId, rule, droppedAt } = known;
  const since = Math.max(droppedAt ?? 0, troubledIn(world, known));
  if (world.now() < since + TWO_NIGHTS_MS) return;
  const { rows } = await world.tables.range({ table: "recycling", from: [groupId], to: [groupId, "~"], limit: 1000 });
  if (!rows.some(({ columns }) => JSON.stringify(columns).includes(rule.description)))
    say(known, "has a drop against it and no row in the queue");
}
