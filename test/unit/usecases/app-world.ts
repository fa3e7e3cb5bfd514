// The use cases over ports in memory: one group with one host, a clock that only the test moves, and every call noted.
import { seededRandom } from "../../../local/random.ts";
import { readTrailRecord } from "../../../shared/adapters/alibaba/trail-record.ts";
import { defaultPolicy } from "../../../shared/config/policy-schema.ts";
import type { GroupId, GroupRef, RuleId } from "../../../shared/domain/ids.ts";
import type { Role } from "../../../shared/domain/permission.ts";
import type { Policy } from "../../../shared/domain/policy.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import type { GroupFacts, Member } from "../../../shared/ports/firewall.ts";
import type { Tables } from "../../../shared/ports/tables.ts";
import { markInstalled } from "../../../shared/store/due.ts";
import { schemas } from "../../../shared/store/tables.ts";
import type { App, Caller } from "../../../shared/usecases/app.ts";
import type { LeaseAsk } from "../../../shared/usecases/lease/open-lease.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

export const START = Date.UTC(2026, 10, 5, 8, 0, 0);
export const GROUP: GroupRef = { region: "cn-hangzhou", groupId: "sg-web" as GroupId };

export interface AppWorld {
  readonly app: App;
  readonly tables: Tables;
  readonly policy: Policy;
  /** The group as the cloud has it; tests may change it by hand. */
  rules: Rule[];
  /** Names of the changes asked of the cloud, in order. */
  readonly changes: string[];
  /** Writes to the tables since the world began. */
  readonly writes: () => number;
  caller(principal?: string, role?: Role): Caller;
  advance(ms: number): void;
}

const digestOf = (rules: readonly Rule[]): string =>
  rules.map((rule) => `${rule.id} ${ruleKey(rule)} ${rule.description}`).join("\n");

/** An installed world. */
export async function appWorld(changes: Partial<Policy["lease"]> = {}): Promise<AppWorld> {
  let ms = 0;
  let writes = 0;
  let lastRule = 0;
  const base = defaultPolicy(GROUP.region);
  const policy: Policy = { ...base, defaultTarget: "web", lease: { ...base.lease, ...changes } };
  const inner = memoryTables(schemas);
  const counted =
    <Input extends readonly unknown[], Output>(write: (...input: Input) => Promise<Output>) =>
    (...input: Input): Promise<Output> => {
      writes += 1;
      return write(...input);
    };
  const tables: Tables = {
    ...inner,
    put: counted(inner.put),
    update: counted(inner.update),
    delete: counted(inner.delete),
    writeAll: counted(inner.writeAll),
  };
  const facts: GroupFacts = {
    ref: GROUP,
    name: "web",
    vpcId: "vpc-1",
    type: "normal",
    serviceManaged: false,
    tags: {},
  };
  const member: Member = {
    eniId: "eni-1",
    instanceId: "i-1",
    instanceName: "web-1",
    address: "192.168.0.11",
    ipv6: [],
    groupIds: [GROUP.groupId],
    serviceManaged: false,
  };
  const world: AppWorld = {
    tables,
    policy,
    rules: [],
    changes: [],
    writes: () => writes,
    caller: (principal = "ann", role = "requester") => ({ principal, roles: [role], scopes: [], policy }),
    advance: (by) => {
      ms += by;
    },
    app: {
      clock: {
        now: () => START + ms,
        monotonicMs: () => ms,
        sleep: async (by) => {
          ms += by;
        },
      },
      random: seededRandom("app world"),
      tables,
      wakeup: { arm: async () => undefined },
      notifier: { send: async () => ({ kind: "sent" }) },
      log: { write: () => undefined },
      firewall: {
        readGroup: async (ref) => ({
          ref,
          vpcId: "vpc-1",
          innerAccessPolicy: "accept",
          rules: [...world.rules],
          digest: digestOf(world.rules),
        }),
        glance: async (_ref, { digest, mark }) =>
          digest === digestOf(world.rules)
            ? { kind: "same" }
            : { kind: "other", marked: world.rules.some((rule) => rule.description.startsWith(mark)) },
        authorize: async (_ref, wanted) => {
          for (const { spec, description } of wanted) {
            world.changes.push(`authorize ${ruleKey(spec)}`);
            if (world.rules.some((rule) => ruleKey(rule) === ruleKey(spec))) continue;
            lastRule += 1;
            world.rules.push({ ...spec, id: `sgr-${lastRule}` as RuleId, description, createdAt: START + ms });
          }
        },
        revoke: async (_ref, ruleIds) => {
          world.changes.push(`revoke ${ruleIds.join(" ")}`);
          world.rules = world.rules.filter((rule) => rule.id === null || !ruleIds.includes(rule.id));
        },
        modify: async (_ref, ruleId, wanted) => {
          world.changes.push(`modify ${ruleId}`);
          world.rules = world.rules.map((rule) =>
            rule.id === ruleId ? { ...rule, ...wanted.spec, description: wanted.description } : rule,
          );
        },
        skewMs: () => 0,
      },
      inventory: {
        listGroups: async () => [facts],
        groupPage: async () => ({ groups: [facts], next: null }),
        group: async () => facts,
        members: async () => [member],
        serviceMembers: async () => [],
        groupsNaming: async () => [],
        prefixes: async () => [],
        interfaces: async () => [member],
        interfacesOf: async () => [member],
        instance: async () => [member],
      },
      traffic: async () => ({}),
      metrics: async () => ({ publish: async () => ({ published: 0, calls: 0 }) }),
      lists: async () => Promise.reject(new Error("there are no lists here")),
      trail: { read: readTrailRecord, lookUp: async () => null, lookUpCalls: async () => [] },
      settings: {
        installation: "test",
        markSecret: "secret",
        lateEffectMaxMs: 60_000,
        lockMs: 60_000,
        lockMarginMs: 10_000,
        answerWithinMs: 20_000,
        skewMaxMs: 5000,
        shards: 1,
        fullPassGroups: 5000,
      },
    },
  };
  await markInstalled(tables, "test", START);
  return world;
}

/** Port 22 from 203.0.113.7 in the default group for ten minutes, unless said otherwise. */
export function anAsk(changes: Partial<LeaseAsk> = {}): LeaseAsk {
  return {
    protocol: "tcp",
    port: "22",
    sources: ["203.0.113.7/32"],
    group: null,
    instance: null,
    region: null,
    periodMs: 600_000,
    reason: "",
    ticket: "",
    startAt: null,
    breakGlass: false,
    ...changes,
  };
}
