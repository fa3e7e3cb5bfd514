// `.safeport/dev.json`: what other programs need to know of a running development installation. Its fields are a contract.
import type { Cloud } from "../../local/cloud.ts";
import { guardTagKey, seedTablestoreInstance, seedUser, seedUserNames } from "../../local/seed.ts";
import type { Secrets } from "./secrets.ts";

export interface DevRecord {
  readonly api: string;
  /** Token of the role admin. */
  readonly token: string;
  readonly tokens: Readonly<Record<"requester" | "approver" | "operator" | "auditor", string>>;
  readonly alarmWebhook: string;
  readonly dataPlane: "nft" | "userspace";
  /** Ports really served elsewhere, `address:port` → real port; empty with nft. */
  readonly mappedPorts: Readonly<Record<string, number>>;
  readonly control: string;
  readonly region: string;
  readonly accountId: string;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly foreign: { readonly accessKeyId: string; readonly accessKeySecret: string };
  readonly tablestoreInstance: string;
  readonly endpoints: Readonly<Record<"ecs" | "tablestore" | "cms" | "sls" | "fc" | "vpc", string>>;
  readonly groups: readonly {
    readonly groupId: string;
    readonly name: string;
    readonly guard: string;
    readonly protected: boolean;
  }[];
  readonly instances: readonly {
    readonly instanceId: string;
    readonly name: string;
    readonly address: string;
    readonly listening: readonly number[];
    readonly groups: readonly string[];
  }[];
}

/** The record of a running cloud. */
export function devRecord(cloud: Cloud, secrets: Secrets): DevRecord {
  const { account, endpoints } = cloud;
  const { admin, ...tokens } = secrets.tokens;
  const own = seedUser(account, seedUserNames.admin);
  const foreign = seedUser(account, seedUserNames.foreign);
  const { ecs, tablestore, cms, sls, fc, vpc } = endpoints;
  return {
    api: endpoints.api,
    token: admin,
    tokens,
    alarmWebhook: `${endpoints.api}/alarm/${secrets.alarmSecret}`,
    dataPlane: cloud.dataPlane.engine,
    mappedPorts: cloud.dataPlane.mappedPorts(),
    control: endpoints.control,
    region: account.regionId,
    accountId: account.accountId,
    accessKeyId: own.accessKeyId,
    accessKeySecret: own.accessKeySecret,
    foreign: { accessKeyId: foreign.accessKeyId, accessKeySecret: foreign.accessKeySecret },
    tablestoreInstance: seedTablestoreInstance,
    endpoints: { ecs, tablestore, cms, sls, fc, vpc },
    groups: account.groups.map((group) => ({
      groupId: group.groupId,
      name: group.name,
      guard: group.tags?.[guardTagKey] ?? "none",
      protected: group.serviceManaged ?? false,
    })),
    instances: account.instances.map(({ instanceId, name, address, listening, groupIds }) => ({
      instanceId,
      name,
      address,
      listening,
      groups: groupIds,
    })),
  };
}
