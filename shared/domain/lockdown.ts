// A lockdown: every port but the core ones closed in some groups for the time of an incident.
import type { LockdownScope } from "./alarm.ts";
import { sha256Hex } from "./digest.ts";
import type { GroupRef } from "./ids.ts";
import type { Policy } from "./policy.ts";
import type { RuleSpec } from "./rule.ts";
import { ruleKey } from "./rule-key.ts";

/** The job that looks after a lockdown until it is over. */
export const LOCKDOWN_JOB = "lockdown";

/** `lifting`: decided, and not everything is read back as it was. */
export type LockdownState = "active" | "lifting" | "lifted";

/** Why it is on: an alarm's id or a person. It lasts as long as any of them. */
export interface LockdownCause {
  readonly by: string;
  readonly since: number;
  /** The line of the policy that says so, or what the person may; rows of earlier versions have none. */
  readonly decidedBy?: string;
}

/** A host that a group's rules act on. */
export interface LockdownHost {
  readonly eniId: string;
  readonly instanceId: string | null;
  readonly name: string | null;
  readonly address: string;
}

/** What a lockdown does in a group, computed beforehand. Instants in milliseconds. */
export interface Preparation {
  readonly group: GroupRef;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  /** `unread`: the cloud did not answer; what is to be done is found out when the job goes on. */
  readonly way: "drops" | "suspend" | "none" | "unread";
  readonly drops: readonly RuleSpec[];
  /** The drops over blocks that `drops` are on filled lists; absent where they are over blocks themselves. Never stored. */
  readonly spelledOut?: readonly RuleSpec[];
  readonly suspends: readonly RuleSpec[];
  readonly why: string | null;
  readonly left: readonly string[];
  /** The first 2000, where it is stored. */
  readonly hosts: readonly LockdownHost[];
  /** What no rule of the group can stop. */
  readonly cannotStop: readonly string[];
  /** What the rules of the fullest interface count for, without the group's own drops on lists. Missing in rows of earlier versions. */
  readonly otherRules?: number;
  readonly policyVersion: number;
  readonly at: number;
}

/** A way through the drops of a group that break-glass was given. It goes with its lease. */
export interface Passage {
  /** The group whose ledger has the lease. */
  readonly own: GroupRef;
  readonly specs: readonly RuleSpec[];
  readonly since: number;
}

/** Tells one way from another. */
export const nameOfWay = ({ own, specs, since }: Passage): string => [own.groupId, since, ...specs.map(ruleKey)].join();

/** A group of a lockdown, and how far it is closed. */
export interface LockdownGroup {
  readonly group: GroupRef;
  readonly name: string;
  readonly way: Preparation["way"];
  readonly drops: number;
  readonly suspends: number;
  /** True when a reading has shown everything in force. */
  readonly isClosed: boolean;
  /** What is not closed there, and why. */
  readonly left: readonly string[];
  /** The first 2000 of all groups together, where it is stored. */
  readonly hosts: readonly LockdownHost[];
  readonly cannotStop: readonly string[];
  /** True where filled lists close it. Missing in rows of earlier versions. */
  readonly onLists?: boolean;
  /** Missing in rows of earlier versions. */
  readonly passages?: readonly Passage[];
  /** True where it was closed, and is left alone by a later policy: nobody could come in meanwhile. */
  readonly wasClosed?: true;
  /** By what words of the policy it is closed, see `termsOf`. Missing in rows of earlier versions. */
  readonly terms?: string;
}

/** How long after the arrival a step was done, milliseconds. */
export interface LockdownStep {
  readonly name: string;
  readonly ms: number;
}

export interface Lockdown {
  /** `ld-`, 12 hex digits of its scope, and a number that rises with each lockdown of that scope. */
  readonly lockdownId: string;
  readonly scope: LockdownScope;
  readonly core: readonly string[];
  /** Who asked first: a principal, or `alarm`. */
  readonly principal: string;
  readonly reason: string;
  /** Who answers for its lacking an operator path; null where there is one. */
  readonly waivedBy: string | null;
  readonly causes: readonly LockdownCause[];
  readonly startedAt: number;
  readonly until: number;
  readonly state: LockdownState;
  readonly endedAt: number | null;
  readonly endedBy: string | null;
  readonly groups: readonly LockdownGroup[];
  readonly steps: readonly LockdownStep[];
  readonly rev: number;
}

/** The name of a scope: lockdowns of one scope follow each other, and never run side by side. */
export const scopeName = (scope: LockdownScope): string => {
  const parts =
    scope.kind === "instance"
      ? ["instance", scope.instanceId]
      : scope.kind === "tag"
        ? ["tag", scope.tag]
        : ["groups", ...[...scope.groups].sort()];
  return sha256Hex(JSON.stringify(parts)).slice(0, 12);
};

export const lockdownIdOf = (scope: string, sequence: number): string => `ld-${scope}-${sequence}`;

/** The scope's name and the number in an id; null when it is none. */
export function parseLockdownId(id: string): { readonly scope: string; readonly sequence: number } | null {
  const [, scope, sequence] = /^ld-([0-9a-f]{12})-(\d{1,9})$/.exec(id) ?? [];
  return scope === undefined ? null : { scope, sequence: Number(sequence) };
}

/** By less no end is moved: alarms of one attack come within a minute, and each move is a call for every drop. */
const EXTENDS_FROM_MS = 60_000;

/** The end of a lockdown that is asked for now. Marks know whole seconds. */
export const lockdownEnd = (now: number, periodMs: number): number => Math.ceil((now + periodMs) / 1000) * 1000;

/** True when the end is so much later that a lockdown is moved to it. */
export const isLaterEnd = (until: number, present: number): boolean => until >= present + EXTENDS_FROM_MS;

/**
 * What a policy says about how groups are closed, as a digest: while it stays the same nothing has to be planned anew. By which lists is a part
 * of it: what these close has to be closed otherwise before they are let go of.
 */
export const termsOf = ({ lockdown, operatorPath, groups, limits, regions }: Policy): string => {
  const { core, groups: named, prefixLists } = lockdown;
  const terms = [core, named, operatorPath, groups.denied, limits.rulesPerInterface];
  return sha256Hex(JSON.stringify(prefixLists.length > 0 ? [...terms, prefixLists, regions] : terms)).slice(0, 16);
};

/** True where the group is closed by what an earlier policy said. */
export const isAnew = ({ terms }: Pick<LockdownGroup, "terms">, policy: Policy): boolean =>
  terms !== undefined && terms !== termsOf(policy);

/** True of a group in which nothing is left to be closed. */
export const isClosedOrLeft = ({ way, isClosed }: Pick<LockdownGroup, "way" | "isClosed">): boolean =>
  way === "none" || isClosed;

/** True where the policy names operators, or somebody answers for a lockdown without them. */
export const hasOperators = ({ operatorPath, lockdown }: Policy, waivedBy: string | null): boolean =>
  operatorPath.length > 0 || waivedBy !== null || lockdown.withoutOperatorPath !== null;
