// The small account that the embedded cloud starts with: one group of each guard level and one that a product manages.

import type { Random } from "../shared/ports/random.ts";
import { hexText } from "./random.ts";
import type { AccountSeed, SeedUser } from "./services/ecs/seed.ts";

/** Names of the seeded users. `role` is whom the functions act as, `foreign` an ordinary RAM user with ECS rights. */
export const seedUserNames = { role: "safeport-role", admin: "admin", foreign: "foreign" } as const;

/** The tag that raises a group's guard level. */
export const guardTagKey = "safeport:guard";

/** Tablestore instance that the seeded account owns. */
export const seedTablestoreInstance = "safeport";

const open = (port: number, description: string): Record<string, string> => ({
  portRange: `${port}/${port}`,
  sourceCidrIp: "0.0.0.0/0",
  description,
});

/** The account; the same ids and keys for the same chance. */
export function seedAccount(random: Random): AccountSeed {
  const digits = (length: number): string => Array.from(random.bytes(length), (byte) => byte % 10).join("");
  const user = (name: string, accessKeyId: string): SeedUser => ({
    name,
    accessKeyId,
    accessKeySecret: hexText(random, 30),
    principalId: `2${digits(17)}`,
  });
  const accountId = `1${digits(15)}`;
  const users = [
    user(seedUserNames.role, `STS.L${hexText(random, 22)}`),
    user(seedUserNames.admin, `LTAI5t${hexText(random, 18)}`),
    user(seedUserNames.foreign, `LTAI5t${hexText(random, 18)}`),
  ];
  const id = (prefix: string): string => `${prefix}${hexText(random, 14)}`;
  const groupIds = { web: id("sg-web"), legacy: id("sg-legacy"), lab: id("sg-lab"), managed: id("sg-managed") };
  const instance = (name: string, address: string, groupId: string, listening: readonly number[]) => ({
    instanceId: id("i-bp1"),
    name,
    address,
    groupIds: [groupId],
    listening,
  });
  return {
    accountId,
    regionId: "cn-hangzhou",
    vpcId: id("vpc-bp1"),
    users,
    groups: [
      {
        groupId: groupIds.web,
        name: "web",
        tags: { [guardTagKey]: "enforce" },
        rules: [open(80, "http for everybody"), open(443, "https for everybody")],
      },
      {
        groupId: groupIds.legacy,
        name: "legacy",
        tags: { [guardTagKey]: "observe" },
        rules: [open(7890, "old proxy, nobody knows why")],
      },
      {
        groupId: groupIds.lab,
        name: "lab",
        rules: [{ portRange: "8080/8080", sourceCidrIp: "127.0.0.0/8", description: "lab dashboard" }],
      },
      { groupId: groupIds.managed, name: "ack-cluster", serviceManaged: true, rules: [open(443, "api server")] },
    ],
    instances: [
      instance("web-1", "127.10.0.11", groupIds.web, [22, 80, 443, 3306]),
      instance("legacy-1", "127.10.0.21", groupIds.legacy, [22, 7890]),
      instance("lab-1", "127.10.0.31", groupIds.lab, [22, 8080]),
      instance("ack-node-1", "127.10.0.41", groupIds.managed, [22, 443]),
    ],
  };
}

/** A seeded user by name. Throws when the account has none. */
export function seedUser(account: AccountSeed, name: string): SeedUser {
  const found = account.users.find((user) => user.name === name);
  if (!found) throw new Error(`the seeded account has no user ${name}`);
  return found;
}
