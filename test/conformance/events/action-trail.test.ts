// Calls to ECS become events: whose, which, and in which shape.

import { expect, it } from "vitest";
import type { Cloud } from "../../../local/cloud.ts";
import { seedUser, seedUserNames } from "../../../local/seed.ts";
import { ecsClient } from "../cloud/rpc-call.ts";
import { START_MS } from "../functions/kit.ts";
import { aCloud, deployAudit, eventNames, type Received, received } from "./world.ts";

const webOf = (cloud: Cloud): string => cloud.account.groups[0]?.groupId ?? "";

function openSsh(cloud: Cloud, name: string = seedUserNames.foreign): Promise<Record<string, unknown>> {
  return ecsClient(cloud, seedUser(cloud.account, name))("AuthorizeSecurityGroup", {
    SecurityGroupId: webOf(cloud),
    ClientToken: "token-1",
    "Permissions.1.IpProtocol": "TCP",
    "Permissions.1.PortRange": "22/22",
    "Permissions.1.SourceCidrIp": "203.0.113.7/32",
  });
}

async function firstEvent(cloud: Cloud): Promise<Received> {
  await expect.poll(() => received(cloud).length).toBeGreaterThan(0);
  return received(cloud)[0] as Received;
}

it("tells a write in the envelope of the bus after the delay, not before", async () => {
  const cloud = await aCloud();
  deployAudit(cloud);
  const answer = (await openSsh(cloud)) as { body: { RequestId: string } };
  await cloud.advance(2_999);
  expect(cloud.events.since(0).events).toEqual([]);
  await cloud.advance(1);
  const { accountId, regionId } = cloud.account;
  const foreign = seedUser(cloud.account, "foreign");
  const parameters = {
    RegionId: regionId,
    SecurityGroupId: webOf(cloud),
    ClientToken: "token-1",
    "Permissions.1.IpProtocol": "TCP",
    "Permissions.1.PortRange": "22/22",
    "Permissions.1.SourceCidrIp": "203.0.113.7/32",
  };
  const event = await firstEvent(cloud);
  expect(event).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    source: "acs.ecs",
    specversion: "1.0",
    type: "ecs:ActionTrail:ApiCall",
    subject: `acs:ecs:${regionId}:${accountId}:securitygroup/${webOf(cloud)}`,
    time: "2026-11-01T08:00:30Z",
    datacontenttype: "application/json;charset=utf-8",
    aliyunaccountid: accountId,
    aliyunoriginalaccountid: accountId,
    aliyunpublishtime: new Date(START_MS + 3_000).toISOString(),
    aliyuneventbusname: "default",
    aliyunregionid: regionId,
    aliyunpublishaddr: "127.0.0.1",
    data: {
      eventId: expect.any(String),
      eventVersion: 1,
      eventName: "AuthorizeSecurityGroup",
      eventType: "ApiCall",
      eventRW: "Write",
      eventCategory: "Management",
      eventSource: `ecs.${regionId}.aliyuncs.com`,
      serviceName: "Ecs",
      apiVersion: "2014-05-26",
      eventTime: "2026-11-01T08:00:30Z",
      acsRegion: regionId,
      isGlobal: false,
      requestId: answer.body.RequestId,
      recipientAccountId: accountId,
      sourceIpAddress: "127.0.0.1",
      userAgent: expect.stringMatching(/^AlibabaCloud/),
      userIdentity: {
        type: "ram-user",
        principalId: foreign.principalId,
        accountId,
        userName: "foreign",
        accessKeyId: foreign.accessKeyId,
      },
      requestParameters: parameters,
      requestParameterJson: JSON.stringify(event.data["requestParameters"]),
      referencedResources: { "ACS::ECS::SecurityGroup": [webOf(cloud)] },
      resourceType: "ACS::ECS::SecurityGroup",
      resourceName: webOf(cloud),
    },
  });
});

it("tells calls of the functions' own role as those of an assumed role", async () => {
  const cloud = await aCloud();
  deployAudit(cloud);
  await openSsh(cloud, seedUserNames.role);
  await cloud.advance(3_000);
  const role = seedUser(cloud.account, seedUserNames.role);
  expect((await firstEvent(cloud)).data["userIdentity"]).toMatchObject({
    type: "assumed-role",
    principalId: `${role.principalId}:fc-session`,
    userName: `${role.name}:fc-session`,
  });
});

it("tells a refused write with its error, and no read", async () => {
  const cloud = await aCloud();
  deployAudit(cloud);
  const call = ecsClient(cloud, seedUser(cloud.account, "foreign"));
  await call("DescribeSecurityGroups", {});
  await expect(call("DeleteSecurityGroup", { SecurityGroupId: "sg-none" })).rejects.toThrow();
  await cloud.advance(3_000);
  expect((await firstEvent(cloud)).data).toMatchObject({
    eventName: "DeleteSecurityGroup",
    errorCode: "InvalidSecurityGroup.NotFound",
    errorMessage: expect.any(String),
  });
  expect(cloud.events.since(0).events).toHaveLength(1);
});

it("tells a write whose reply was lost, and not one that was lost on its way", async () => {
  const cloud = await aCloud();
  cloud.faults.set([
    { service: "ecs", operation: "AuthorizeSecurityGroup", fault: { kind: "drop-after" } },
    { service: "ecs", operation: "ModifySecurityGroupPolicy", fault: { kind: "drop-before" } },
  ]);
  const policy = { SecurityGroupId: webOf(cloud), InnerAccessPolicy: "Drop" };
  await expect(openSsh(cloud)).rejects.toThrow();
  await expect(
    ecsClient(cloud, seedUser(cloud.account, "foreign"))("ModifySecurityGroupPolicy", policy),
  ).rejects.toThrow();
  await cloud.advance(3_000);
  const names = cloud.events.since(0).events.map(({ event }) => (event.data as { eventName: string }).eventName);
  expect(names).toEqual(["AuthorizeSecurityGroup"]);
});

it("names the group that a creation made", async () => {
  const cloud = await aCloud();
  deployAudit(cloud);
  const made = await ecsClient(cloud, seedUser(cloud.account, "foreign"))("CreateSecurityGroup", {
    VpcId: cloud.account.vpcId,
    SecurityGroupName: "new",
  });
  const { SecurityGroupId } = made["body"] as { SecurityGroupId: string };
  await cloud.advance(3_000);
  expect((await firstEvent(cloud)).data).toMatchObject({
    resourceName: SecurityGroupId,
    responseElements: { SecurityGroupId },
  });
});

it("takes the switches for delay and for the shape of parameters", async () => {
  const cloud = await aCloud({ eventSwitches: { eventDelayMs: 720_000, eventParameters: "nested" } });
  deployAudit(cloud);
  await fetch(`${cloud.endpoints.control}/switches`, { method: "PUT", body: '{"eventParameterJson":"object"}' });
  await openSsh(cloud);
  await cloud.advance(719_999);
  expect(eventNames(cloud)).toEqual([]);
  await cloud.advance(1);
  const { data } = await firstEvent(cloud);
  const parameters = {
    Permissions: [{ IpProtocol: "TCP", PortRange: "22/22", SourceCidrIp: "203.0.113.7/32" }],
  };
  expect(data).toMatchObject({ requestParameters: parameters, requestParameterJson: parameters });
});

it("forgets on reset what is not on the bus yet", async () => {
  const cloud = await aCloud();
  deployAudit(cloud);
  await openSsh(cloud);
  await cloud.reset();
  await cloud.advance(60_000);
  expect(cloud.events.since(0).events).toEqual([]);
});
