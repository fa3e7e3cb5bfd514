// What an account contains before anybody calls it, as data.
import type { EcsGroup, EcsRule } from "./model.ts";

/** One RAM user (or role) whose key the service accepts. */
export interface SeedUser {
  readonly name: string;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly principalId: string;
}

/** One security group. Omitted: `normal`, `Accept`, not managed, no tags, the account's region. */
export interface SeedGroup {
  readonly groupId: string;
  readonly name: string;
  readonly regionId?: string;
  readonly type?: EcsGroup["type"];
  readonly innerAccessPolicy?: EcsGroup["innerAccessPolicy"];
  readonly serviceManaged?: boolean;
  readonly tags?: Readonly<Record<string, string>>;
  /** Omitted fields are those of an ingress TCP accept of priority 1; ids are made up when missing. */
  readonly rules: readonly Partial<EcsRule>[];
}

/** One instance with one primary network interface at `address`. */
export interface SeedInstance {
  readonly instanceId: string;
  readonly name: string;
  readonly regionId?: string;
  readonly address: string;
  readonly ipv6?: readonly string[];
  readonly groupIds: readonly string[];
  readonly listening: readonly number[];
  readonly listeningUdp?: readonly number[];
}

/** A network interface beside the primary ones: a secondary one, or one of a load balancer. */
export interface SeedEni {
  readonly eniId: string;
  readonly regionId?: string;
  readonly instanceId?: string;
  readonly type?: string;
  readonly address: string;
  readonly ipv6?: readonly string[];
  readonly groupIds: readonly string[];
  readonly serviceManaged?: boolean;
}

/** Everything one account holds. `regions` adds regions beside `regionId`, which is always one of them. */
export interface AccountSeed {
  readonly accountId: string;
  readonly regionId: string;
  readonly regions?: readonly string[];
  readonly vpcId: string;
  readonly users: readonly SeedUser[];
  readonly groups: readonly SeedGroup[];
  readonly instances: readonly SeedInstance[];
  readonly enis?: readonly SeedEni[];
}
