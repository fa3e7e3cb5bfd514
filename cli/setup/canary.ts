// Makes the canary's group: empty, tagged with the installation, for the policy to name.
import { CreateSecurityGroupRequest } from "@alicloud/ecs20140526/dist/models/CreateSecurityGroupRequest.js";
import { ecsInventory } from "../../shared/adapters/alibaba/ecs-inventory.ts";
import { ecsRpcClient } from "../../shared/adapters/alibaba/rpc-client.ts";
import { systemClock } from "../../shared/adapters/system/clock.ts";
import { systemRandom } from "../../shared/adapters/system/random.ts";
import type { Configuration, Credentials } from "../../shared/config/settings.ts";
// biome-ignore lint/style/noRestrictedImports: the tag is the use case's own word.
import { CANARY_TAG } from "../../shared/usecases/drift/tend-canary.ts";

/** Calls to ECS that a canary makes in an hour; a test counts them. */
export const CANARY_CALLS = { writes: 2, reads: 12 } as const;

/** What a canary costs, in words, for whoever switches it on. */
export const canaryCost: readonly string[] = [
  `calls to ECS an hour: ${CANARY_CALLS.writes} that write (AuthorizeSecurityGroup, RevokeSecurityGroup), ${CANARY_CALLS.reads} that read, out of SAFEPORT_CALLS_PER_MINUTE`,
  "quota: one security group of the region, and one rule in it",
  "beside that an hour: two events, so two runs of the function audit, and two records",
  "what of it is charged is charged as all other events, runs and rows of the account",
];

/** Where the canary is to live. */
export interface CanaryOrder {
  readonly configuration: Pick<Configuration, "endpoints" | "region" | "settings">;
  readonly credentials: Credentials;
  /** Any VPC: nothing will be in the group. */
  readonly vpcId: string;
}

/** The id of the canary's group; one that this installation has already is not made again. Throws CloudFailure. */
export async function makeCanaryGroup({ configuration, credentials, vpcId }: CanaryOrder): Promise<string> {
  const { endpoints, region, settings } = configuration;
  const ecs = endpoints.ecs === null ? null : new URL(endpoints.ecs);
  const rpc = ecsRpcClient({
    clock: systemClock,
    credentials: () => credentials,
    endpoint: (where) => ecs?.host ?? `ecs.${where}.aliyuncs.com`,
    protocol: ecs?.protocol === "http:" ? "http" : "https",
  });
  const groups = await ecsInventory(rpc, systemClock).listGroups(region, "inventory");
  const known = groups.find((group) => group.tags[CANARY_TAG] === settings.installation);
  if (known) return known.ref.groupId;
  const answer = await rpc.call({
    action: "CreateSecurityGroup",
    region,
    priority: "inventory",
    reading: false,
    request: () =>
      new CreateSecurityGroupRequest({
        regionId: region,
        vpcId,
        securityGroupName: `safeport-canary-${settings.installation}`,
        description: "safeport canary: stays empty; its rule opens and closes every hour",
        // Its own each time: for the same one the cloud would tell of a group that was made a while ago, and is gone.
        clientToken: `safeport-canary-${Buffer.from(systemRandom.bytes(8)).toString("hex")}`,
        tag: [{ key: CANARY_TAG, value: settings.installation }],
      }),
  });
  const groupId = answer["SecurityGroupId"];
  if (typeof groupId !== "string") throw new Error("The cloud made a group and did not say which. Run setup again.");
  return groupId;
}
