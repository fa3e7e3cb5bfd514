// The second way of a lockdown: drops that stand in peace on prefix lists of ours, which are empty until an incident fills them.
import type { LockdownScope } from "./alarm.ts";
import { sha256Hex } from "./digest.ts";
import type { GroupId } from "./ids.ts";
import { scopeName } from "./lockdown.ts";
import type { OperatorPath } from "./operator-path.ts";

/** The job that looks at the lists once more: after a change of them, whose reply may have been lost, and when somebody else has changed one. */
export const STANDBY_JOB = "lockdown-lists";

/** Groups that are closed together by filling lists, and those lists. One a region, scope of the policy, and wording of what stays open. */
export interface StandbySet {
  /** 12 hex digits; see `standbyName`. */
  readonly name: string;
  readonly region: string;
  readonly lists: readonly StandbyList[];
  /** Groups that have rules on the lists, or may have: in here before the first is written, and out after a reading shows none. */
  readonly members: readonly GroupId[];
  /** Lockdowns that want the lists filled. */
  readonly holders: readonly string[];
  /** What the last reading has shown all lists to be; null while that is not known. */
  readonly shown: "empty" | "filled" | null;
  readonly rev: number;
}

/** One list. The blocks are what it holds when it is filled, and what there is room for. */
export interface StandbyList {
  /** Digest of the blocks. */
  readonly key: string;
  readonly family: 4 | 6;
  /** As `formatCidr` writes them. */
  readonly blocks: readonly string[];
  /** Null until the cloud has made it. */
  readonly listId: string | null;
}

/** Core ports and operator path in one value: lists that were made for others would close what is to stay open. */
export const standbyShape = (core: readonly string[], operatorPath: readonly OperatorPath[]): string =>
  sha256Hex(JSON.stringify([core, operatorPath])).slice(0, 12);

export const standbyName = (region: string, scope: LockdownScope, shape: string): string =>
  sha256Hex(JSON.stringify([region, scopeName(scope), shape])).slice(0, 12);

/** The holder of the drops of a set. */
export const standbyHolder = (name: string): string => `standby-${name}`;

/** How the cloud's list is called: by it one is found again whose id was lost. */
export const standbyListName = (installation: string, set: string, key: string): string =>
  `safeport-${installation}-${set}-${key}`;

/** The name of the set whose list is called so; of a list of somebody else's it means nothing. */
export const setOfListName = (name: string): string => name.split("-").at(-2) ?? "";

/** Whether a list of this name is the installation's: `a` has none of those of `a-b`. */
export function isStandbyListName(installation: string, name: string): boolean {
  const begin = `safeport-${installation}-`;
  return name.startsWith(begin) && /^[0-9a-f]{12}-[0-9a-f]{12}$/.test(name.slice(begin.length));
}
