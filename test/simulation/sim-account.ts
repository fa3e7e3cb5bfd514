// The account that a run lives in, the policy it is under, and the program's settings.
import type { EcsRule } from "../../local/services/ecs/model.ts";
import type { AccountSeed } from "../../local/services/ecs/seed.ts";
import type { GroupId, GroupRef } from "../../shared/domain/ids.ts";
import type { Policy } from "../../shared/domain/policy.ts";
import type { Settings } from "../../shared/usecases/app.ts";

export const REGION = "cn-hangzhou";
export const ACCOUNT_ID = "100000000000";

const ref = (groupId: string): GroupRef => ({ region: REGION, groupId: groupId as GroupId });

/** Enforced, its baseline confirmed before the run. */
export const ENFORCED = ref("sg-web");
/** Drift in it is reported. */
export const OBSERVED = ref("sg-obs");
/** Not guarded. */
export const UNGUARDED = ref("sg-app");
export const GROUPS = [ENFORCED, OBSERVED, UNGUARDED] as const;
/** Names of the groups, by id. */
export const NAMES: Readonly<Record<string, string>> = { "sg-web": "web", "sg-obs": "obs", "sg-app": "app" };

const user = (name: string, n: number) => ({
  name,
  accessKeyId: `ak-${name}`,
  accessKeySecret: `sk-${name}`,
  principalId: `2000${n}`,
});

const PEOPLE = ["owner", "mallory", "terraform", "dms", "dave", "erin"] as const;
export type Person = (typeof PEOPLE)[number];

const standing = (portRange: string, sourceCidrIp: string): Partial<EcsRule> => ({
  portRange,
  sourceCidrIp,
  description: "granted",
});

export const account: AccountSeed = {
  accountId: ACCOUNT_ID,
  regionId: REGION,
  vpcId: "vpc-1",
  users: [user("safeport", 0), ...PEOPLE.map((name, n) => user(name, n + 1))],
  groups: [
    {
      groupId: ENFORCED.groupId,
      name: "web",
      rules: [
        standing("80/80", "0.0.0.0/0"),
        standing("443/443", "0.0.0.0/0"),
        standing("8443/8443", "10.0.0.0/8"),
        standing("9090/9090", "10.1.0.0/16"),
        standing("22/22", "203.0.113.50"),
      ],
    },
    { groupId: OBSERVED.groupId, name: "obs", rules: [standing("7890/7890", "10.4.0.0/16")] },
    {
      groupId: UNGUARDED.groupId,
      name: "app",
      rules: [standing("8080/8080", "10.0.0.0/8"), standing("22/22", "203.0.113.60")],
    },
  ],
  instances: [
    { instanceId: "i-web-1", name: "web-1", address: "127.10.0.11", groupIds: ["sg-web"], listening: [] },
    { instanceId: "i-web-2", name: "web-2", address: "127.10.0.12", groupIds: ["sg-web"], listening: [] },
    { instanceId: "i-obs-1", name: "obs-1", address: "127.10.0.21", groupIds: ["sg-obs"], listening: [] },
    { instanceId: "i-app-1", name: "app-1", address: "127.10.0.31", groupIds: ["sg-app"], listening: [] },
  ],
};

/** What a feature adds to an account. */
export interface AccountPart {
  /** To the policy's document. */
  readonly policy: Readonly<Record<string, unknown>>;
  /** Rules that stand from the beginning, by the id of their group. */
  readonly rules?: Readonly<Record<string, readonly Partial<EcsRule>[]>>;
  /** The policy with what no document may say, such as minutes where it counts days. */
  readonly terms?: (policy: Policy, seed: string) => Policy;
  /** True where the network's flow log is kept. */
  readonly hasFlowLog?: true;
}

/** What every seed has of the policy; features add to it. */
export const DOCUMENT = {
  defaultTarget: "web",
  groups: { guards: { web: "enforce", obs: "observe" } },
  lease: { priority: 1 },
  drift: { unknownWriterWait: 600 },
  foreignWriters: [{ name: "DMS", sources: ["100.104.0.0/16"] }],
  trustedPrincipals: [{ principal: "user/terraform", treat: "adopt" }],
};

export const SETTINGS: Settings = {
  installation: "sim",
  markSecret: "0123456789abcdef0123456789abcdef",
  lateEffectMaxMs: 60_000,
  lockMs: 30_000,
  lockMarginMs: 12_000,
  answerWithinMs: 10_000,
  skewMaxMs: 5_000,
  shards: 1,
  fullPassGroups: 5000,
};
