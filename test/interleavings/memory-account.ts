// An account in memory: groups with rules, as the cloud's documentation has them behave, and the trail of who changed what.
import type { GroupId, GroupRef, RuleId } from "../../shared/domain/ids.ts";
import type { Rule } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import type { Actor, Sighting, SightingKind } from "../../shared/domain/sighting.ts";
import { CloudFailure, type GroupFacts, type Member, type RuleToWrite } from "../../shared/ports/firewall.ts";
import type { TrailReading } from "../../shared/ports/trail.ts";

export const REGION = "cn-hangzhou";
export const ACCOUNT_ID = "100000000000";

/** A change of a group, before it takes effect. */
export interface Change {
  readonly who: string;
  readonly ref: GroupRef;
  readonly kind: "authorize" | "revoke" | "modify";
  readonly rules: readonly RuleToWrite[];
  readonly ruleIds: readonly RuleId[];
  readonly token: string;
}

/** What the trail keeps of a call. */
export type TrailRecord = Omit<Sighting, "receivedAt" | "confirmed" | "settled">;

const OPERATIONS = {
  authorize: "AuthorizeSecurityGroup",
  revoke: "RevokeSecurityGroup",
  modify: "ModifySecurityGroupRule",
} as const;

export class MemoryAccount {
  readonly #groups = new Map<GroupId, { readonly facts: GroupFacts; rules: readonly Rule[] }>();
  readonly #answered = new Set<string>();
  readonly #members: readonly Member[];
  /** What each prefix list holds, by its id. */
  readonly lists = new Map<string, { readonly name: string; blocks: readonly string[] }>();
  readonly #now: () => number;
  #lastRule = 0;
  #lastEvent = 0;
  /** Told of every change, right before it takes effect. */
  onChange: (change: Change) => void = () => undefined;
  /** Told of every call that changed something or was asked to, once it has succeeded. */
  onRecord: (record: TrailRecord) => void = () => undefined;

  constructor(now: () => number, groups: readonly { readonly groupId: GroupId; readonly name: string }[]) {
    this.#now = now;
    for (const { groupId, name } of groups) {
      const ref = { region: REGION, groupId };
      const facts = { ref, name, vpcId: "vpc-1", type: "normal", serviceManaged: false, tags: {} } as const;
      this.#groups.set(groupId, { facts, rules: [] });
    }
    this.#members = groups.map(({ groupId }, index) => ({
      eniId: `eni-${index}`,
      instanceId: `i-${index}`,
      instanceName: `host-${index}`,
      address: `192.168.0.${10 + index}`,
      ipv6: [],
      groupIds: [groupId],
      serviceManaged: false,
    }));
  }

  facts(): readonly GroupFacts[] {
    return [...this.#groups.values()].map((group) => group.facts);
  }

  members(): readonly Member[] {
    return this.#members;
  }

  rules(groupId: GroupId): readonly Rule[] {
    const group = this.#groups.get(groupId);
    if (!group) throw new CloudFailure("groupGone", "DescribeSecurityGroupAttribute");
    return group.rules;
  }

  /** Makes a change, or throws what the cloud answers instead. The same token with success before does nothing again. */
  change(change: Change): void {
    const { ref, kind, token, who } = change;
    const group = this.#groups.get(ref.groupId);
    if (!group) throw new CloudFailure("groupGone", OPERATIONS[kind]);
    if (this.#answered.has(`${who} ${token}`)) return;
    const rules = this.#after(group.rules, change);
    this.onChange(change);
    group.rules = rules;
    this.#answered.add(`${who} ${token}`);
    this.onRecord(this.#recordOf(change));
  }

  #after(rules: readonly Rule[], { kind, ruleIds, rules: [...written] }: Change): readonly Rule[] {
    if (kind === "authorize") {
      const keys = new Set(rules.map(ruleKey));
      // An existing key is success and adds nothing.
      const fresh = written.filter(({ spec }) => !keys.has(ruleKey(spec)));
      return [...rules, ...fresh.map((rule) => this.#fresh(rule))];
    }
    const missing = ruleIds.filter((id) => !rules.some((rule) => rule.id === id));
    if (missing.length > 0)
      throw new CloudFailure("ruleGone", OPERATIONS[kind], { cloudCode: "InvalidSecurityGroupRuleId.NotFound" });
    if (kind === "revoke") return rules.filter((rule) => rule.id === null || !ruleIds.includes(rule.id));
    const [to] = written;
    if (!to) throw new CloudFailure("invalid", OPERATIONS[kind]);
    const isTaken = rules.some((rule) => rule.id !== ruleIds[0] && ruleKey(rule) === ruleKey(to.spec));
    if (isTaken) throw new CloudFailure("invalid", OPERATIONS[kind], { cloudCode: "InvalidOperation.RuleDuplicate" });
    return rules.map((rule) =>
      rule.id === ruleIds[0]
        ? { ...to.spec, id: rule.id, description: to.description, createdAt: rule.createdAt }
        : rule,
    );
  }

  #fresh({ spec, description }: RuleToWrite): Rule {
    this.#lastRule += 1;
    const createdAt = Math.floor(this.#now() / 1000) * 1000;
    return { ...spec, id: `sgr-${this.#lastRule}` as RuleId, description, createdAt };
  }

  #recordOf({ who, ref, kind, rules, ruleIds, token }: Change): TrailRecord {
    this.#lastEvent += 1;
    const actor: Actor = { type: "ram-user", principalId: `id-${who}`, name: who, accountId: ACCOUNT_ID };
    return {
      eventId: `event-${this.#lastEvent}`,
      region: ref.region,
      groupId: ref.groupId,
      kind: kind satisfies SightingKind,
      operation: OPERATIONS[kind],
      at: Math.floor(this.#now() / 1000) * 1000,
      actor,
      address: "203.0.113.99",
      userAgent: "",
      requestId: `request-${this.#lastEvent}`,
      token,
      failed: null,
      rules: rules.map(({ spec, description }) => ({ spec, description })),
      ruleIds,
    };
  }
}

/** A record as the program reads it. */
export function readingOf(record: TrailRecord, receivedAt: number, confirmed: boolean): TrailReading {
  const sighting: Sighting = { ...record, receivedAt, confirmed, settled: false };
  return {
    kind: "call",
    call: sighting,
    sightings: [sighting],
    createdGroup: null,
    lists: [],
    accountId: ACCOUNT_ID,
  };
}
