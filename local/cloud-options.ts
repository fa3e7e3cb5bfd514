// What the embedded cloud can be told, and where its services are found.

import type { Random } from "../shared/ports/random.ts";
import type { LoadBalancer } from "./load-balancers.ts";
import type { PolicyDocument } from "./ram.ts";
import type { TrailSwitches } from "./services/actiontrail/switches.ts";
import type { CmsSwitches } from "./services/cms/switches.ts";
import type { EcsLimits } from "./services/ecs/limits.ts";
import type { AccountSeed } from "./services/ecs/seed.ts";
import type { EcsSwitches } from "./services/ecs/switches.ts";
import type { SlsSwitches } from "./services/sls/switches.ts";
import type { VpcSwitches } from "./services/vpc/switches.ts";

/** Ports of the cloud; 0 or absent: chosen by the machine. `api` is the HTTP trigger. */
export interface CloudPorts {
  readonly api?: number;
  readonly control?: number;
  readonly ecs?: number;
  readonly tablestore?: number;
  readonly cms?: number;
  readonly sls?: number;
  readonly fc?: number;
  readonly actiontrail?: number;
  readonly vpc?: number;
  readonly ram?: number;
}

/** Everything that can be set. */
export interface CloudOptions {
  readonly host?: string;
  readonly ports?: CloudPorts;
  /** Keeps every service's state across restarts; absent: nothing outlives the process. */
  readonly directory?: string;
  /** The account before anybody calls; default: the small one of `seedAccount`, always with the same ids and keys. */
  readonly account?: AccountSeed;
  readonly random?: Random;
  /** Start of virtual time in milliseconds; absent: real time until the first `advance`. */
  readonly startMs?: number;
  readonly tablestoreInstances?: readonly string[];
  /** New tables have local transactions without asking, as where a ticket has enabled them. Default false. */
  readonly localTransactions?: boolean;
  readonly engine?: "auto" | "nft" | "userspace";
  /** Name of the data plane's own nftables table. */
  readonly tableName?: string;
  readonly range?: string;
  /** Adds a probe of a stranger to the flow records each so many milliseconds of the clock. Default none. */
  readonly scanNoiseMs?: number;
  /** Length of the windows of flow records. Default ten minutes. */
  readonly flowWindowMs?: number;
  /** Classic load balancers in front of instances. Default none. */
  readonly loadBalancers?: readonly LoadBalancer[];
  readonly switches?: Partial<EcsSwitches>;
  readonly eventSwitches?: Partial<TrailSwitches>;
  readonly cmsSwitches?: Partial<CmsSwitches>;
  readonly slsSwitches?: Partial<SlsSwitches>;
  readonly vpcSwitches?: Partial<VpcSwitches>;
  readonly limits?: Partial<EcsLimits>;
  /** The built instance harness; found or built when absent. */
  readonly harnessPath?: string;
  readonly freeze?: boolean;
  readonly idleMs?: number;
  /** Requests to functions that may run at once in the account; default 100. */
  readonly concurrencyMax?: number;
  /** Policies of users and roles, by name; whoever has none may do everything. */
  readonly policies?: Readonly<Record<string, readonly PolicyDocument[]>>;
  /** Life of the keys that functions are given; default 36 hours. */
  readonly roleKeyMs?: number;
}

/** Where the services listen. */
export interface CloudEndpoints {
  readonly api: string;
  readonly control: string;
  /** `host:port`, as the RPC SDKs take it. */
  readonly ecs: string;
  readonly tablestore: string;
  readonly cms: string;
  readonly sls: string;
  readonly fc: string;
  readonly actiontrail: string;
  readonly vpc: string;
  readonly ram: string;
}
