// The policy that a simulated account is under, as its owner changes it, and since when it denies which group.
import type { Policy } from "../../shared/domain/policy.ts";
import { NAMES } from "./sim-account.ts";

export class SimPolicy {
  /** Since when a group is denied, by its id; and when it last was. */
  readonly deniedSince = new Map<string, number>();
  readonly deniedUntil = new Map<string, number>();
  /** Since when an address is granted nothing, while it is not. */
  readonly barredSince = new Map<string, number>();
  #policy: Policy;
  readonly #now: () => number;
  readonly #tell: (line: string) => void;

  /** `now` is the true clock. */
  constructor(policy: Policy, now: () => number, tell: (line: string) => void) {
    this.#policy = policy;
    this.#now = now;
    this.#tell = tell;
  }

  get policy(): Policy {
    return this.#policy;
  }

  /** Puts the next version in force; `what` says of it what it changes. */
  change(what: string, change: (policy: Policy) => Partial<Policy>): void {
    this.#tell(`the policy ${what}`);
    this.#policy = { ...this.#policy, ...change(this.#policy), version: this.#policy.version + 1 };
  }

  /** Denies a group, by its name or id, from now on. */
  deny(groupId: string, name: string): void {
    this.deniedSince.set(groupId, this.deniedSince.get(groupId) ?? this.#now());
    this.#setDenied([...this.#policy.groups.denied, name]);
  }

  /** Takes back what `deny` has said once. */
  allow(groupId: string, name: string): void {
    const { denied } = this.#policy.groups;
    this.#setDenied(denied.toSpliced(denied.indexOf(name), 1));
    if ([groupId, NAMES[groupId]].some((it) => it !== undefined && this.#policy.groups.denied.includes(it))) return;
    this.deniedSince.delete(groupId);
    this.deniedUntil.set(groupId, this.#now());
  }

  #setDenied(denied: readonly string[]): void {
    this.change(`denies ${denied.join(", ") || "nothing"}`, ({ groups }) => ({ groups: { ...groups, denied } }));
  }
}
