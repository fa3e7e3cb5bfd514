// The firewall port: security groups as the cloud has them, and the three calls that change one.
import type { Cidr } from "../domain/cidr.ts";
import type { GroupId, GroupRef, RuleId } from "../domain/ids.ts";
import type { ListRef } from "../domain/list-ref.ts";
import type { Rule, RuleSpec } from "../domain/rule.ts";

/** Who in the program asks, strongest first. Decides the share of the call budget. */
export type CallPriority = "lockdown" | "end" | "open" | "drift" | "inventory";

/** One complete reading of a group: every rule, to the last page, or the call throws. */
export interface GroupReading {
  readonly ref: GroupRef;
  readonly vpcId: string;
  readonly innerAccessPolicy: "accept" | "drop";
  readonly rules: readonly Rule[];
  /** The rules in one value, in whatever order they came; never compared as text: `glance` knows how to. */
  readonly digest: string;
}

/** What somebody wants to know of a group without all of its rules. */
export interface GlanceAsk {
  /** The digest of an earlier reading; null to ask for marks alone. */
  readonly digest: string | null;
  /** The beginning of the descriptions to look for: ASCII, with at least one word of letters. */
  readonly mark: string;
}

/**
 * `same`: every rule is as it was when the digest was taken. `other`: that is not known, and `marked` is false only when surely
 * no description begins with the mark.
 */
export type Glance = { readonly kind: "same" } | { readonly kind: "other"; readonly marked: boolean };

/** A rule to write, with the description it carries. */
export interface RuleToWrite {
  readonly spec: RuleSpec;
  readonly description: string;
}

/** A failed cloud call, sorted by what the caller may conclude. */
export type CloudFailureKind =
  /** The rule is not there (any more). Nothing else of a batch may be concluded: read again. */
  | "ruleGone"
  | "groupGone"
  /** Rule or reference quota reached; nothing of the call may be assumed written. */
  | "quota"
  /** The cloud refuses us this group or call: managed, not authorised, no permission. Will repeat. */
  | "refused"
  /** The request itself is wrong. Will repeat. Not applied. */
  | "invalid"
  /** Throttled or our own budget is used up: not applied, later may work. */
  | "throttled"
  /** Nobody knows whether the call took effect: timeout, reset, 5xx, unreadable answer. */
  | "unknown";

/** Thrown by every method of `Firewall` and `Inventory`. Carries the cloud's own code and request id where there is one. */
export class CloudFailure extends Error {
  override readonly name = "CloudFailure";
  readonly kind: CloudFailureKind;
  readonly operation: string;
  readonly cloudCode: string | null;
  readonly requestId: string | null;

  constructor(
    kind: CloudFailureKind,
    operation: string,
    detail: { cloudCode?: string | null; requestId?: string | null; message?: string; cause?: unknown } = {},
  ) {
    super(detail.message ?? `${operation} failed: ${detail.cloudCode ?? kind}`, { cause: detail.cause });
    this.kind = kind;
    this.operation = operation;
    this.cloudCode = detail.cloudCode ?? null;
    this.requestId = detail.requestId ?? null;
  }
}

/**
 * The calls a pass makes. No method retries a write. Each call ends within the adapter's own deadline.
 * `token` is the ClientToken: the same token with the same content acts at most once.
 */
export interface Firewall {
  readGroup(ref: GroupRef, priority: CallPriority): Promise<GroupReading>;
  /** As complete as `readGroup`, at the same cost in calls and a fraction of the work. */
  glance(ref: GroupRef, ask: GlanceAsk, priority: CallPriority): Promise<Glance>;
  /** Rules of the group will be opened soon: what the calls of that need beforehand is asked for meanwhile. Absent where it is nothing. */
  foreseeOpening?(ref: GroupRef, priority: CallPriority): void;
  /** At most 20 rules a call. Success does not prove that a rule was added: read back. */
  authorize(ref: GroupRef, rules: readonly RuleToWrite[], token: string, priority: CallPriority): Promise<void>;
  /** At most 100 ids. With one id gone the call may fail as a whole (`ruleGone`). */
  revoke(ref: GroupRef, ruleIds: readonly RuleId[], token: string, priority: CallPriority): Promise<void>;
  /** Sends the complete rule. */
  modify(ref: GroupRef, ruleId: RuleId, rule: RuleToWrite, token: string, priority: CallPriority): Promise<void>;
  /** Local clock minus the cloud's clock in milliseconds, as far as the `Date` of replies proves it; 0 before the first. */
  skewMs(): number;
}

/** What is known of a group without its rules. */
export interface GroupFacts {
  readonly ref: GroupRef;
  readonly name: string;
  readonly vpcId: string;
  readonly type: "normal" | "enterprise";
  readonly serviceManaged: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

/** A network interface in a group: what a rule of the group acts on. */
export interface Member {
  readonly eniId: string;
  readonly instanceId: string | null;
  readonly instanceName: string | null;
  readonly address: string;
  readonly ipv6: readonly string[];
  readonly groupIds: readonly GroupId[];
  /** True for interfaces of load balancers and other services, and for types we do not know. */
  readonly serviceManaged: boolean;
}

/** Who is in which group. Answers may be up to 10 minutes old where the adapter caches. */
export interface Inventory {
  /** All groups of a region, to the last page. */
  listGroups(region: string, priority: CallPriority): Promise<readonly GroupFacts[]>;
  /**
   * Up to 100 groups of a region in the cloud's order, and where to go on; null for the first page and after the last. Keeps nothing.
   * Throws `CloudFailure` "invalid" when the cloud takes `cursor` no longer.
   */
  groupPage(
    region: string,
    cursor: string | null,
    priority: CallPriority,
  ): Promise<{ readonly groups: readonly GroupFacts[]; readonly next: string | null }>;
  /** Null when there is no such group. What was read some minutes ago may be answered, unless `isFresh`. */
  group(ref: GroupRef, priority: CallPriority, isFresh?: boolean): Promise<GroupFacts | null>;
  /** Every network interface of the group, primary ones included. */
  members(ref: GroupRef, priority: CallPriority): Promise<readonly Member[]>;
  /** The interfaces of load balancers and other services in the group; one call, where `members` makes two. */
  serviceMembers(ref: GroupRef, priority: CallPriority): Promise<readonly Member[]>;
  /** The groups whose rules name the list; none where the list is gone. Up to 12 calls. */
  groupsNaming(list: ListRef, priority: CallPriority): Promise<readonly GroupId[]>;
  /** The blocks of a prefix list; none where it is gone. */
  prefixes(list: ListRef, priority: CallPriority): Promise<readonly Cidr[]>;
  /** Those of at most 100 interfaces that are there. */
  interfaces(region: string, eniIds: readonly string[], priority: CallPriority): Promise<readonly Member[]>;
  /** Every interface of those of at most 100 instances that are there, each with its groups. */
  interfacesOf(region: string, instanceIds: readonly string[], priority: CallPriority): Promise<readonly Member[]>;
  /** The instance's interfaces, primary first; null when there is no such instance. */
  instance(region: string, instanceId: string, priority: CallPriority): Promise<readonly Member[] | null>;
}
