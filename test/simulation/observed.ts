// What an observer outside the program sees of a run: calls that change the cloud, and what was granted to whom.
import type { EcsGroup, EcsRule } from "../../local/services/ecs/model.ts";

/** How far a machine's clock may be off before the program opens nothing. */
export const SKEW_MAX_MS = 5_000;
/** A reply that was lost may have its effect so much later. */
export const LATE_EFFECT_MS = 60_000;

/** A process of the program, as an observer sees it. */
export interface ObservedProcess {
  readonly name: string;
  /** How far this machine's clock is ahead, in milliseconds. */
  readonly skewMs: number;
  /** Locks that it has last been given, by name. */
  readonly locks: ReadonlyMap<string, HeldLock>;
}

/** A lock as its holder was given it; its end by the holder's own clock. */
export interface HeldLock {
  readonly fence: number;
  readonly expiresAt: number;
}

/** A call that may change a group, with the group's rules before and after it took effect. */
export interface ObservedCall {
  /** Name of the caller: `safeport`, or a person's. */
  readonly who: string;
  /** The process of the program that made it; null for a person. */
  readonly process: ObservedProcess | null;
  readonly operation: string;
  readonly groupId: string;
  readonly params: Readonly<Record<string, string>>;
  readonly token: string;
  readonly before: readonly EcsRule[];
  readonly after: readonly EcsRule[];
  /** Milliseconds by the cloud's clock. */
  readonly at: number;
  readonly isSuccess: boolean;
}

/** A change about to be sent by a process of the program. */
export interface SentCall {
  readonly process: ObservedProcess;
  readonly operation: string;
  /** Empty for a change of lists. */
  readonly groupId: string;
  /** The prefix list that is changed; null for none, and for one that is yet to be made. */
  readonly listId: string | null;
  readonly token: string;
  readonly at: number;
}

/** What somebody was granted through the API, as that person knows it. Instants in milliseconds by the true clock. */
export interface Grant {
  leaseId: string | null;
  readonly principal: string;
  readonly groupId: string;
  /** What the rule has to say: protocol, ports, source and destination, as the cloud shows them. */
  readonly rule: string;
  readonly askedAt: number;
  /** Before then nobody is to be let in; absent where it opens at once. */
  readonly startsAt?: number;
  /** The latest end that the person was told, or could have been told. */
  until: number;
  /** The end that the person was last told of; 0 before. */
  promised: number;
  /** When an answer first said `open`; null before. */
  openedAt: number | null;
  /** When the person asked for its end, or somebody else removed the rule; null before. */
  endedAt: number | null;
  /** True where a rule that was there before serves the grant. */
  readonly rides: boolean;
  /** True when it opens in spite of a lockdown. */
  readonly breaksGlass: boolean;
  /** The second person it needs; null where it needs none. */
  readonly second: SecondPerson | null;
  /** Those of the other sources of the same lease; none by default. */
  beside?: readonly Grant[];
  /** True once somebody else has had their hands on a rule of the lease: nobody knows any more whether it is open. */
  isSpoiled?: true;
}

/** What second persons said of a request, as they themselves know it. Instants by the true clock. */
export interface SecondPerson {
  /** From then on nobody can decide any more. */
  readonly lapsesAt: number;
  /** How long after an approval the lease may begin, at most. */
  readonly useWithinMs: number;
  readonly words: SaidWord[];
}

/** A word from somebody who may be a second person: not whoever asked, under any name, nor by a token that they issued. */
export interface SaidWord {
  readonly person: string;
  readonly decision: "approve" | "deny";
  /** When it was first sent, and when it was last tried. */
  readonly from: number;
  to: number;
  /** When an answer said that it was taken; null before. */
  heardAt: number | null;
}

/** The rule in words that do not depend on who writes them. */
export function wordsOf(rule: EcsRule): string {
  const peer = rule.sourceCidrIp || rule.ipv6SourceCidrIp || rule.sourceGroupId || rule.sourcePrefixListId;
  const bare = peer.endsWith("/32") ? peer.slice(0, -3) : peer;
  const own = rule.destCidrIp || rule.ipv6DestCidrIp;
  return [
    rule.direction,
    rule.policy.toLowerCase(),
    rule.ipProtocol.toLowerCase(),
    rule.portRange,
    bare,
    own === "" ? "-" : own.replace(/\/32$/, ""),
  ].join(" ");
}

/** The words of the accepts that a call has added, or changed into what they say now. */
export function wordsOpenedBy({ before, after }: Pick<ObservedCall, "before" | "after">): readonly string[] {
  const said = new Map(before.map((rule) => [rule.ruleId, wordsOf(rule)]));
  const opened = after.filter((rule) => rule.policy !== "Drop" && said.get(rule.ruleId) !== wordsOf(rule));
  return opened.map(wordsOf);
}

/** The words of an ingress accept of one TCP port from one address. */
export const wordsFor = (port: number | string, source: string, dest = "-"): string =>
  `ingress accept tcp ${port}/${port} ${source.replace(/\/32$/, "")} ${dest}`;

/** Rules of a group; none where it is gone. */
export const rulesIn = (groups: readonly EcsGroup[], groupId: string): readonly EcsRule[] =>
  groups.find((group) => group.groupId === groupId)?.rules ?? [];
