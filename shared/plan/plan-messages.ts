// Which messages a target is sent now: what is urgent by itself, what may wait together, and never more than it takes. Pure.
import { NOTICE_PRIORITIES, NOTICE_RANKS, type Notice } from "../domain/notice.ts";
import type { NotificationPolicy, NotifyTarget } from "../domain/notification-policy.ts";

/** One message: a notice, or several in a digest. */
export interface PlannedMessage {
  readonly notices: readonly [Notice, ...Notice[]];
}

/** Urgent notices that are told one by one at a time; more make a digest. */
const SINGLE_MAX = 10;
/** Messages of a minute that only what is urgent may use. */
const RESERVE = 4;
/** Notices of one digest. */
const DIGEST_MAX = 200;

const rankOf = (notice: Notice): number => NOTICE_RANKS[NOTICE_PRIORITIES[notice.kind]];
const isUrgent = (notice: Notice): boolean => rankOf(notice) <= NOTICE_RANKS.high;

/**
 * The names of the targets a notice goes to: of everybody it is for, and of the stand-in where it is urgent; those that the policy
 * names for nobody else where it names none. A target takes nothing below its least priority.
 */
export function targetsOf(notice: Notice, policy: NotificationPolicy): readonly NotifyTarget[] {
  const own = <Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined =>
    Object.hasOwn(table, name) ? table[name] : undefined;
  const names = new Set<string>();
  for (const addressee of notice.to) {
    const found =
      addressee.kind === "role"
        ? own(policy.roles, addressee.role)
        : addressee.kind === "group"
          ? own(policy.groups, notice.group?.groupId ?? "")
          : personTargets(addressee.principal);
    for (const name of found && found.length > 0 ? found : policy.otherwise) names.add(name);
  }
  return policy.targets.filter((target) => names.has(target.name) && rankOf(notice) <= NOTICE_RANKS[target.least]);

  function personTargets(principal: string): readonly string[] {
    const person = own(policy.people, principal);
    const standIn = isUrgent(notice) && person?.standIn ? own(policy.people, person.standIn) : undefined;
    return [...(person?.targets ?? []), ...(standIn?.targets ?? [])];
  }
}

/**
 * Messages to one target, at most `room`, in the order they are sent. `notices` come by priority and age.
 *
 *     urgent, up to ten          one by one
 *     urgent beyond              one digest
 *     others, up to digestOver   one by one       \  only while more than four messages of the minute are left:
 *     others, more               one digest       /  an incident must get through whatever else there is to tell
 *
 * A program is told everything one by one.
 */
export function planMessages(
  notices: readonly Notice[],
  target: Pick<NotifyTarget, "kind" | "perMinute">,
  options: { readonly room: number; readonly digestOver: number },
): readonly PlannedMessage[] {
  const reserve = Math.min(RESERVE, Math.floor(target.perMinute / 4));
  const urgent = notices.filter(isUrgent);
  const others = notices.filter((notice) => !isUrgent(notice));
  if (target.kind === "webhook")
    return [
      ...urgent.slice(0, Math.max(0, options.room)).map(single),
      ...others.slice(0, Math.max(0, options.room - reserve - urgent.length)).map(single),
    ];
  const first = together(urgent, options.room, SINGLE_MAX);
  return [...first, ...together(others, options.room - reserve - first.length, options.digestOver)];
}

const single = (notice: Notice): PlannedMessage => ({ notices: [notice] });

/** At most `room` messages: each notice by itself while they are few, else the first ones and a digest of the others. */
function together(notices: readonly Notice[], room: number, singleMax: number): readonly PlannedMessage[] {
  if (room <= 0) return [];
  if (notices.length <= Math.min(room, singleMax)) return notices.map(single);
  // What waits for a digest comes whole; of what is urgent the first are still told one by one.
  const alone = notices.filter(isUrgent).slice(0, Math.min(room, singleMax) - 1);
  const [head, ...rest] = notices.slice(alone.length, alone.length + DIGEST_MAX);
  return [...alone.map(single), ...(head ? [{ notices: [head, ...rest] as const }] : [])];
}
