// What every use case works with.
import type { Role } from "../domain/permission.ts";
import type { Policy } from "../domain/policy.ts";
import type { Scope } from "../domain/scope.ts";
import type { AddressLists } from "../ports/address-lists.ts";
import type { Clock } from "../ports/clock.ts";
import type { Firewall, Inventory } from "../ports/firewall.ts";
import type { Hosts } from "../ports/hosts.ts";
import type { Log } from "../ports/log.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { Notifier } from "../ports/notifier.ts";
import type { Random } from "../ports/random.ts";
import type { Tables } from "../ports/tables.ts";
import type { TrafficSources } from "../ports/traffic.ts";
import type { Trail } from "../ports/trail.ts";
import type { Wakeup } from "../ports/wakeup.ts";

/** The ports and fixed settings of one installation. */
export interface App {
  readonly clock: Clock;
  readonly random: Random;
  readonly firewall: Firewall;
  readonly inventory: Inventory;
  readonly trail: Trail;
  /** Sources of evidence; loaded by the first call, as few functions collect. */
  readonly traffic: () => Promise<TrafficSources>;
  /** Loaded by the first call, as `traffic`. */
  readonly metrics: () => Promise<Metrics>;
  readonly tables: Tables;
  readonly wakeup: Wakeup;
  readonly notifier: Notifier;
  /** Hosts by their agents; absent where that is switched off. Loaded by the first call, as `traffic`. */
  readonly hosts?: () => Promise<Hosts>;
  /**
   * Prefix lists of the program's own, for lockdowns. There also where they are switched off: what stands of them has to go. Loaded by
   * the first call, as `traffic`.
   */
  readonly lists: () => Promise<AddressLists>;
  readonly log: Log;
  readonly settings: Settings;
}

/** From the functions' configuration, never from the store. */
export interface Settings {
  /** Id of this installation in every mark, 1 to 12 of [a-z0-9-]. */
  readonly installation: string;
  /** Where people reach the API, such as `https://safeport.example.com`; messages carry no links without it. */
  readonly publicUrl?: string | null;
  /** HMAC key of the marks. */
  readonly markSecret: string;
  /** How long after a lost reply a write may still take effect. */
  readonly lateEffectMaxMs: number;
  /** How long a group's lock holds, and how long before its end no further call starts. */
  readonly lockMs: number;
  readonly lockMarginMs: number;
  /** How long a caller waits for the read-back before it is answered 202. */
  readonly answerWithinMs: number;
  /** Largest difference to the cloud's clock with which leases are opened. */
  readonly skewMaxMs: number;
  /** Shards of the due table. */
  readonly shards: number;
  /** A full pass over more groups is done in parts of that many. */
  readonly fullPassGroups: number;
}

/** Who asks, and with which policy. */
export interface Caller {
  readonly principal: string;
  readonly roles: readonly Role[];
  /** What part of the account the caller is for: all of them hold at once, and none means every group. */
  readonly scopes: readonly Scope[];
  /** Who issued the token that speaks for the caller, who issued the token that they did it with, and so on; absent where nobody did. */
  readonly issuers?: readonly string[] | undefined;
  /** Where the request came from, as a block; absent where that cannot be told. */
  readonly address?: string | undefined;
  /** The token presented; absent for a company's own. */
  readonly tokenId?: string | undefined;
  /** Since when the caller has held it, or one that it replaced; absent for a company's own. */
  readonly tokenSince?: number | undefined;
  readonly policy: Policy;
}
