// A process of the program on an account in memory: each of its calls takes its time, may be lost, and meets all others in between.
import { seededRandom } from "../../local/random.ts";
import type { GroupId } from "../../shared/domain/ids.ts";
import type { Rule } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import type { AddressLists } from "../../shared/ports/address-lists.ts";
import { CloudFailure, type Firewall, type Inventory } from "../../shared/ports/firewall.ts";
import type { Trail } from "../../shared/ports/trail.ts";
import type { App, Settings } from "../../shared/usecases/app.ts";
import { MortalProcess, type ProcessSurroundings } from "../kit/mortal-process.ts";
import { type Change, type MemoryAccount, REGION, readingOf, type TrailRecord } from "./memory-account.ts";

export const settings: Settings = {
  installation: "test",
  markSecret: "0123456789abcdef0123456789abcdef",
  lateEffectMaxMs: 60_000,
  lockMs: 30_000,
  lockMarginMs: 12_000,
  answerWithinMs: 10_000,
  skewMaxMs: 5_000,
  shards: 1,
  fullPassGroups: 5000,
};

/** What all processes of a run share. */
export interface Surroundings extends ProcessSurroundings {
  readonly account: MemoryAccount;
  /** What the trail can be asked for by now. */
  readonly trail: ReadonlyMap<string, TrailRecord>;
}

const STALE_MS = 20_000;

/** Whoever calls the account in memory: a process of the program, or a person. */
export class Caller extends MortalProcess {
  readonly #around: Surroundings;
  #pasts: readonly { readonly at: number; readonly rules: ReadonlyMap<GroupId, readonly Rule[]> }[] = [];

  constructor(name: string, around: Surroundings) {
    super(name, around);
    this.#around = around;
  }

  firewall(): Firewall {
    const { account } = this.#around;
    const read = <T>(name: string, act: () => T): Promise<T> => this.call(name, "ecs", false, act, ecsLoss(name));
    const change = (wanted: Omit<Change, "who">): Promise<void> => {
      const name = `${wanted.kind} ${wanted.ref.groupId} ${describe(wanted)}`;
      return this.call(
        name,
        "ecs",
        true,
        () => account.change({ ...wanted, who: this.name.split("-")[0] ?? "" }),
        ecsLoss(name),
      );
    };
    return {
      readGroup: (ref) =>
        read(`read ${ref.groupId}`, () => {
          const rules = this.#rulesOf(ref.groupId);
          return { ref, vpcId: "vpc-1", innerAccessPolicy: "accept", rules, digest: digestOf(rules) };
        }),
      glance: (ref, { digest, mark }) =>
        read(`glance ${ref.groupId}`, () => {
          const rules = this.#rulesOf(ref.groupId);
          if (digestOf(rules) === digest) return { kind: "same" };
          return { kind: "other", marked: rules.some((rule) => rule.description.startsWith(mark)) };
        }),
      authorize: (ref, rules, token) => change({ ref, kind: "authorize", rules, ruleIds: [], token }),
      revoke: (ref, ruleIds, token) => change({ ref, kind: "revoke", rules: [], ruleIds, token }),
      modify: (ref, ruleId, rule, token) => change({ ref, kind: "modify", rules: [rule], ruleIds: [ruleId], token }),
      skewMs: () => 0,
    };
  }

  #rulesOf(groupId: GroupId): readonly Rule[] {
    const { account, dice, trouble, schedule, tell } = this.#around;
    const now = schedule.elapsed;
    const rules = new Map(account.facts().map(({ ref }) => [ref.groupId, account.rules(ref.groupId)]));
    this.#pasts = [...this.#pasts.filter(({ at }) => at > now - STALE_MS), { at: now, rules }].slice(-20);
    if (trouble.stale > 0 && dice.happens(trouble.stale)) {
      const past = dice.pick(this.#pasts);
      tell(`${this.name} reads ${groupId} as it was ${now - past.at} ms ago`);
      return past.rules.get(groupId) ?? [];
    }
    return rules.get(groupId) ?? account.rules(groupId);
  }

  inventory(): Inventory {
    const { account } = this.#around;
    const read = <T>(name: string, act: () => T): Promise<T> => this.call(name, "ecs", false, act, ecsLoss(name));
    const of = (groupId: GroupId) => account.members().filter((member) => member.groupIds.includes(groupId));
    return {
      listGroups: () => read("list groups", () => account.facts()),
      groupPage: () => read("list groups", () => ({ groups: account.facts(), next: null })),
      group: (ref) => read("group", () => account.facts().find((it) => it.ref.groupId === ref.groupId) ?? null),
      members: (ref) => read("members", () => of(ref.groupId)),
      serviceMembers: () => read("members", () => []),
      groupsNaming: ({ listId }) =>
        read("groups naming", () => {
          const ids = account.facts().map(({ ref }) => ref.groupId);
          return ids.filter((id) => listId === `pl-${id}`);
        }),
      prefixes: () => read("prefixes", () => []),
      interfaces: (_region, ids) =>
        read("interfaces", () => account.members().filter(({ eniId }) => ids.includes(eniId))),
      interfacesOf: (_region, ids) =>
        read("interfaces", () => account.members().filter(({ instanceId }) => ids.includes(instanceId ?? ""))),
      instance: (_region, id) => read("instance", () => account.members().filter((it) => it.instanceId === id)),
    };
  }

  lists(): AddressLists {
    const { lists } = this.#around.account;
    const call = <T>(name: string, isWrite: boolean, act: () => T): Promise<T> =>
      this.call(name, "ecs", isWrite, act, ecsLoss(name));
    return {
      regions: [REGION],
      find: (_region, name) =>
        call("find list", false, () => [...lists].find(([, it]) => it.name === name)?.[0] ?? null),
      create: () => Promise.reject(new Error("no list is made here")),
      read: ({ listId }) => call(`read ${listId}`, false, () => lists.get(listId)?.blocks ?? null),
      change: ({ listId }, { add, remove }) =>
        call(`change ${listId}`, true, () => {
          const list = lists.get(listId);
          if (list === undefined) throw new CloudFailure("invalid", "ModifyPrefixList");
          list.blocks = [...list.blocks.filter((it) => !remove.includes(it)), ...add];
        }),
      remove: ({ listId }) => call(`remove ${listId}`, true, () => void lists.delete(listId)),
    };
  }

  trail(): Trail {
    const { trail, schedule } = this.#around;
    const clock = schedule.clock(() => Promise.resolve());
    return {
      read: (record, receivedAt) => readingOf(record as TrailRecord, receivedAt, false),
      lookUp: (_region, eventId) =>
        this.call(
          `look up ${eventId}`,
          "trail",
          false,
          () => {
            const record = trail.get(eventId);
            return record ? readingOf(record, clock.now(), true) : null;
          },
          ecsLoss("LookupEvents"),
        ),
      lookUpCalls: ({ groupId }, which, since) =>
        this.call(
          `look up calls to ${groupId}`,
          "trail",
          false,
          () =>
            [...trail.values()]
              .flatMap((record) => {
                const reading = readingOf(record, clock.now(), true);
                return reading.kind === "call" ? reading.sightings : [];
              })
              .filter((it) => it.groupId === groupId && it.kind === which.kind && it.at >= since),
          ecsLoss("LookupEvents"),
        ),
    };
  }

  /** The program in this process. */
  app(seed: string): App {
    return {
      clock: this.#around.schedule.clock((ms) => this.sleep(ms)),
      random: seededRandom(seed),
      firewall: this.firewall(),
      inventory: this.inventory(),
      traffic: async () => ({}),
      metrics: async () => ({ publish: async () => ({ published: 0, calls: 0 }) }),
      lists: async () => this.lists(),
      trail: this.trail(),
      tables: this.tables(),
      wakeup: { arm: async () => undefined },
      notifier: { send: async () => ({ kind: "sent" }) },
      log: { write: () => undefined },
      settings,
    };
  }
}

const ecsLoss =
  (operation: string) =>
  (kind: "unknown" | "throttled"): Error =>
    new CloudFailure(kind, operation);

const describe = ({ rules, ruleIds }: Omit<Change, "who">): string =>
  [...ruleIds, ...rules.map(({ spec, description }) => `${ruleKey(spec)} "${description}"`)].join(" ");

const digestOf = (rules: readonly Rule[]): string =>
  rules.map((rule) => `${rule.id} ${ruleKey(rule)} ${rule.description}`).join("\n");
