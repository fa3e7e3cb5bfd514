// A sighting: one call that somebody made to a security group, as the account's trail tells of it.
import type { GroupId, RuleId } from "./ids.ts";
import type { RuleSpec } from "./rule.ts";
import { ruleKey } from "./rule-key.ts";

/** Who made a call. */
export interface Actor {
  /** `ram-user`, `assumed-role`, `root-account`, `system` …, as the trail says. */
  readonly type: string;
  /** Account, user id or `roleId:sessionName`. */
  readonly principalId: string;
  /** User name or `roleName:sessionName`; empty when the trail names none. */
  readonly name: string;
  readonly accountId: string;
}

/** What a call changes: rules of the group, or who and what its rules act on. */
export type SightingKind = "authorize" | "revoke" | "modify" | "membership" | "group" | "list" | "other";

/** `absent`: it does not have the event, which it may for ten minutes; `refused`: we may not ask; `unreachable`: it does not answer. */
export type Doubt = "absent" | "refused" | "unreachable";

export interface Sighting {
  /** Id of the event; the same event may be delivered many times. */
  readonly eventId: string;
  readonly region: string;
  readonly groupId: GroupId;
  readonly kind: SightingKind;
  /** Name of the API. */
  readonly operation: string;
  /** When the call was made by the cloud's clock, and when the event reached us; milliseconds. */
  readonly at: number;
  readonly receivedAt: number;
  readonly actor: Actor;
  /** Client address, or the host of a service that made the call. */
  readonly address: string;
  readonly userAgent: string;
  readonly requestId: string;
  /** The call's ClientToken, when the event tells. */
  readonly token: string | null;
  /** The error code of a call that failed; null on success. */
  readonly failed: string | null;
  /** The rules the call names with what it writes into their descriptions; null when the event tells them in no shape we know. */
  readonly rules: readonly { readonly spec: RuleSpec; readonly description: string }[] | null;
  readonly ruleIds: readonly RuleId[];
  /** True when the trail itself has confirmed the event: only then it may spare a rule. */
  readonly confirmed: boolean;
  /** What the trail said the last time it was asked and did not confirm; absent while it was not asked. */
  readonly doubt?: Doubt;
  /** When that was. */
  readonly askedAt?: number;
  /** True when nothing further follows from it. */
  readonly settled: boolean;
  /** True when events of the same id told different calls: then the trail has to say which. */
  readonly disputed?: boolean;
}

/** The trail was asked for as long as it may need, and does not have it. */
export const isDenied = ({ settled, doubt }: Sighting): boolean => settled && doubt === "absent";

/** The trail has said what it keeps of the call. */
export const isAnswered = ({ confirmed, failed }: Sighting): boolean => confirmed || failed !== null;

/**
 * What is known of a sighting when two have looked into it: what the trail keeps stands, whoever asked first; and a dispute is not
 * settled by whoever did not know of it.
 */
export function laterOf(stored: Sighting, found: Sighting): Sighting {
  if (isAnswered(stored) !== isAnswered(found)) return isAnswered(stored) ? stored : found;
  if (isAnswered(stored)) return { ...found, settled: stored.settled || found.settled };
  const askedAt = Math.max(stored.askedAt ?? 0, found.askedAt ?? 0);
  const later = (found.askedAt ?? 0) >= (stored.askedAt ?? 0) ? found : stored;
  const isNewDispute = stored.disputed === true && found.disputed !== true;
  return {
    ...found,
    settled: isNewDispute ? stored.settled : found.settled,
    ...(later.doubt !== undefined && { doubt: later.doubt }),
    ...(askedAt > 0 && { askedAt }),
    ...((stored.disputed || found.disputed) && { disputed: true }),
  };
}

/** What of a sighting has to be the same in every event of its id, and in the trail. */
export const callOf = (it: Sighting): string =>
  JSON.stringify([
    it.eventId,
    it.groupId,
    it.operation,
    it.at,
    it.actor.principalId,
    it.actor.name,
    it.token,
    it.failed,
    it.rules?.map((rule) => ruleKey(rule.spec)).sort() ?? null,
    [...it.ruleIds].sort(),
  ]);
