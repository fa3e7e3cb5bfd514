// What the owner of the account allows, as values. Text, defaults and checks are in `shared/config/policy-schema.ts`.

import type { AccessPolicy } from "./access-policy.ts";
import type { AlarmRule, LockdownPolicy } from "./alarm.ts";
import type { OpenHours } from "./allocation.ts";
import type { Cidr } from "./cidr.ts";
import type { GrantPolicy } from "./grant-policy.ts";
import type { Guard } from "./guard.ts";
import type { EndNoticeTerms } from "./lease.ts";
import type { NotificationPolicy } from "./notification-policy.ts";
import type { OperatorPath } from "./operator-path.ts";
import type { RecyclingPolicy } from "./recycling-policy.ts";

/** Bytes of a policy's document as JSON with every default filled in; a column of Tablestore holds 2 MB. */
export const POLICY_BYTES_MAX = 1_000_000;

/** How differences are dealt with. Durations in milliseconds. */
export interface DriftPolicy {
  /** How long a rule of an unknown writer waits for its event before it counts as drift. */
  readonly unknownWriterWaitMs: number;
  /** So many rollbacks of one rule within the time, and it is held for a person. */
  readonly revertsMax: number;
  readonly revertsWithinMs: number;
  /** Largest part of a group's rules that one pass rolls back, in percent; a few rules always may be. */
  readonly percentPerPass: number;
  /** Weekly windows in which nothing is rolled back; null for none. */
  readonly freeze: OpenHours | null;
  /** The empty group, made by setup, whose own events prove that events come, and how late they may be; null for none. */
  readonly canary: { readonly groupId: string; readonly region: string | null; readonly withinMs: number } | null;
  /** Shortest prefix of a source that may be a foreign writer's. */
  readonly foreignWidthMax: { readonly v4: number; readonly v6: number };
}

/** A cloud service that writes rules into customers' groups. A rule is its own by source range or owner account alone. */
export interface ForeignWriter {
  readonly name: string;
  readonly sources: readonly Cidr[];
  /** Accounts that own the groups its rules name. */
  readonly ownerAccounts: readonly string[];
}

/** Somebody whose changes are believed once the trail confirms them. */
export interface TrustedPrincipal {
  /** `role/NAME`, `user/NAME` or the number of one; of a role without its session. */
  readonly principal: string;
  /** `adopt`: into the ledger; `ticket`: reported and left alone. */
  readonly treat: "adopt" | "ticket";
}

/** One rule of a template: an ingress accept. */
export interface TemplateRule {
  readonly protocol: string;
  readonly port: string;
  readonly sources: readonly string[];
  readonly reason: string;
}

/** The policy in force. Durations in milliseconds. */
export interface Policy extends GrantPolicy {
  readonly access: AccessPolicy;
  /** Version of the stored row, 1 for the first. */
  readonly version: number;
  /** True for the shipped policy in place of one that cannot be read: by it things end, and nothing is judged that begins. */
  readonly isStandIn?: boolean;
  readonly regions: readonly string[];
  /** Where a lease goes that names neither group nor instance: a group's name or id. */
  readonly defaultTarget: string | null;
  readonly lease: {
    readonly periodMinMs: number;
    readonly periodMaxMs: number;
    readonly totalMaxMs: number;
    /** Priority of the rules leases write; 100 never overrides a customer's drop. */
    readonly priority: number;
    readonly sensitivePorts: readonly number[];
    /** Shortest prefix a source set may have where the grant covers a sensitive port. */
    readonly sourceWidthMax: { readonly v4: number; readonly v6: number };
    /** Ports of one lease, and live leases of one person; null for any number. */
    readonly portsMax: number;
    readonly openMax: number | null;
    /** How far ahead a lease may be asked for; 0 for not at all. */
    readonly startAheadMaxMs: number;
    /** When people are told of the end: parts of the lifetime, of leases that live that long. */
    readonly endNotices: EndNoticeTerms;
    /** What becomes of leases of an instance that is stopped; those of one that is gone end. */
    readonly onInstanceStop: "end" | "end-and-tell" | "keep";
    /** `use`: narrow to an instance with the rule's destination address; `never`: the cloud does not honour it here. */
    readonly destCidrIp: "use" | "never";
  };
  readonly groups: {
    readonly denied: readonly string[];
    /** Guard by name or id of the group; an id wins over a name, and both over a tag. */
    readonly guards: Readonly<Record<string, Guard>>;
  };
  readonly drift: DriftPolicy;
  readonly foreignWriters: readonly ForeignWriter[];
  readonly trustedPrincipals: readonly TrustedPrincipal[];
  /** Rules for new groups, by the template's name. */
  readonly templates: Readonly<Record<string, readonly TemplateRule[]>>;
  /** What must always reach the hosts: a change that would cut it is refused. */
  readonly operatorPath: readonly OperatorPath[];
  /** What alarms lead to; the first that is met counts. */
  readonly alarms: readonly AlarmRule[];
  readonly lockdown: LockdownPolicy;
  readonly notifications: NotificationPolicy;
  readonly recycling: RecyclingPolicy;
  readonly limits: {
    /** Rules over all groups of one interface, and how many of them leases leave free. */
    readonly rulesPerInterface: number;
    readonly rulesKeptFree: number;
    readonly changesPerPass: number;
  };
  /** Addresses whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
}
