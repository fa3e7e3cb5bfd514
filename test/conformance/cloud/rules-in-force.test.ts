// A crowded account: the first packet behind the API's answer meets the changed rule, with 200 groups of 200 rules too.
import { describe, expect, onTestFinished, test } from "vitest";
import { type Cloud, startCloud } from "../../../local/cloud.ts";
import { nftUnusable } from "../../../local/dataplane/nft-process.ts";
import { seededRandom } from "../../../local/random.ts";
import { seedAccount, seedUser, seedUserNames } from "../../../local/seed.ts";
import { attempt, ownNet } from "../dataplane/connect.ts";
import { ecsClient } from "./rpc-call.ts";

const GROUPS = 200;
const RULES = 200;
const PORT = 5022;
const net = ownNet(144);
const tableName = `safeport_crowd_${process.pid}`;
const reason = await nftUnusable(tableName);
if (reason !== undefined) console.log(`The nft data plane is not tested here: ${reason}`);

async function crowdedCloud(engine: "nft" | "userspace"): Promise<Cloud> {
  const groups = Array.from({ length: GROUPS }, (_, index) => ({
    groupId: `sg-crowd${index}`,
    name: `crowd-${index}`,
    rules: Array.from({ length: RULES }, (_each, at) => ({
      portRange: `${10_000 + at}/${10_000 + at}`,
      sourceCidrIp: `10.${index}.${at}.0/24`,
    })),
  }));
  const instances = groups.map(({ groupId, name }, index) => ({
    ...{ instanceId: `i-crowd${index}`, name, address: `${net}.${index + 1}`, groupIds: [groupId], listening: [PORT] },
  }));
  const cloud = await startCloud({
    account: { ...seedAccount(seededRandom("crowd")), groups, instances },
    ...{ range: `${net}.0/24`, tableName, engine, limits: { callsPerMinute: 100_000 } },
  });
  onTestFinished(() => cloud.stop());
  return cloud;
}

describe.each(["nft", "userspace"] as const)("the %s data plane", (engine) => {
  test.skipIf(engine === "nft" && reason !== undefined)(
    `lets the first packet behind the answer in, and the first behind a revoke no more: ${GROUPS} groups of ${RULES} rules`,
    async () => {
      const cloud = await crowdedCloud(engine);
      const call = ecsClient(cloud, seedUser(cloud.account, seedUserNames.admin));
      // One packet decides: what is dropped is sent again after a second, and nobody waits for that here.
      const reaches = async (index: number): Promise<boolean> =>
        (await attempt(`${net}.${index + 1}`, PORT)).kind === "connected";
      const answered = (operation: string) => async (index: number) => {
        await call(operation, {
          ...{ RegionId: "cn-hangzhou", SecurityGroupId: `sg-crowd${index}`, "Permissions.1.IpProtocol": "TCP" },
          ...{ "Permissions.1.PortRange": `${PORT}/${PORT}`, "Permissions.1.SourceCidrIp": "127.0.0.1" },
        });
        return reaches(index);
      };
      const open = answered("AuthorizeSecurityGroup");
      const close = answered("RevokeSecurityGroup");
      expect(await reaches(0)).toBe(false);
      expect([await open(0), await close(0), await open(0)]).toEqual([true, false, true]);
      // Calls that come at once share what is loaded; each is answered only when its own rule is in.
      const many = [1, 57, 93, 120, 186, GROUPS - 1];
      expect(await Promise.all(many.map(open))).toEqual(many.map(() => true));
      expect(await Promise.all(many.map(close))).toEqual(many.map(() => false));
      expect(await reaches(0)).toBe(true);
    },
    60_000,
  );
});
