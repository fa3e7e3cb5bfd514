// Calls to ECS become events: whose, which, and in which shape.

import { createHash } from "node:crypto";
import { request as httpRequest } from "node:http";
import { expect, it } from "vitest";
import type { Cloud } from "../../../local/cloud.ts";
import { canonicalRequest, signatureOf } from "../../../local/protocol/rpc/acs3.ts";
import { seedUser, seedUserNames } from "../../../local/seed.ts";
import type { TrailSwitches } from "../../../local/services/actiontrail/switches.ts";
import { ecsClient } from "../cloud/rpc-call.ts";
import { START_MS } from "../functions/kit.ts";
import { aCloud, deployAudit, eventNames, type Received, received } from "./world.ts";

/** A signed call from one address of the host; answers the status. */
function signedFrom(cloud: Cloud, localAddress: string, action: string, userAgent: string): Promise<number> {
  const user = seedUser(cloud.account, "foreign");
  const rawQuery = `RegionId=${cloud.account.regionId}`;
  const headers: Record<string, string> = {
    host: cloud.endpoints.ecs,
    "x-acs-action": action,
    "x-acs-version": "2014-05-26",
    "x-acs-date": "2026-11-01T08:00:30Z",
    "x-acs-signature-nonce": "nonce",
    "x-acs-content-sha256": createHash("sha256").update("").digest("hex"),
  };
  const signed = Object.keys(headers).sort().join(";");
  const request = { method: "POST", path: "/", rawQuery, headers, body: Buffer.alloc(0) };
  const signature = signatureOf(canonicalRequest(request, signed), user.accessKeySecret);
  const authorization = `ACS3-HMAC-SHA256 Credential=${user.accessKeyId},SignedHeaders=${signed},Signature=${signature}`;
  const [host = "", port = ""] = cloud.endpoints.ecs.split(":");
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        ...{ host, port, method: "POST", path: `/?${rawQuery}`, agent: false, localAddress },
        headers: { ...headers, authorization, "user-agent": userAgent },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
  });
}

const webOf = (cloud: Cloud): string => cloud.account.groups[0]?.groupId ?? "";

function openSsh(
  cloud: Cloud,
  user: Parameters<typeof ecsClient>[1] = seedUser(cloud.account, seedUserNames.foreign),
): Promise<Record<string, unknown>> {
  return ecsClient(cloud, user)("AuthorizeSecurityGroup", {
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
      responseElements: { RequestId: answer.body.RequestId },
      referencedResources: { "ACS::ECS::SecurityGroup": [webOf(cloud)] },
      resourceType: "ACS::ECS::SecurityGroup",
      resourceName: webOf(cloud),
    },
  });
});

it("tells calls of the functions' own role as those of an assumed role", async () => {
  const cloud = await aCloud();
  deployAudit(cloud);
  await openSsh(cloud, cloud.roleKeys());
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
    errorMessage: "The specified SecurityGroupId does not exist.",
    requestParameters: { SecurityGroupId: "sg-none" },
    userIdentity: { type: "ram-user", userName: "foreign" },
  });
  expect((await firstEvent(cloud)).data).not.toHaveProperty("responseElements");
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

it("tells the address that the connection came from", async () => {
  const cloud = await aCloud();
  deployAudit(cloud);
  const answer = await signedFrom(cloud, "127.120.9.9", "DeleteSecurityGroup", "curl/8.5");
  expect(answer).toBe(400);
  await cloud.advance(3_000);
  expect((await firstEvent(cloud)).data).toMatchObject({ sourceIpAddress: "127.120.9.9", userAgent: "curl/8.5" });
});

it.each([
  [
    { kind: "role", name: "terraform", session: "ci-4711" },
    { type: "assumed-role", userName: "terraform:ci-4711" },
    { sourceIpAddress: "127.0.0.1" },
  ],
  [
    { kind: "service", name: "dms" },
    { type: "assumed-role", userName: "AliyunServiceRoleForDMS:dms" },
    { sourceIpAddress: "dms.aliyuncs.com", userAgent: "dms.aliyuncs.com" },
  ],
  [{ kind: "root" }, { type: "root-account", userName: "root" }, {}],
  [
    { kind: "user", name: "alice", address: "203.0.113.9" },
    { type: "ram-user", userName: "alice" },
    { sourceIpAddress: "203.0.113.9" },
  ],
] as const)("tells calls of %j as theirs", async (spec, identity, from) => {
  const cloud = await aCloud();
  deployAudit(cloud);
  const principal = cloud.addPrincipal(spec);
  await ecsClient(cloud, principal)("CreateSecurityGroup", { SecurityGroupName: "new" });
  await cloud.advance(3_000);
  const { data } = await firstEvent(cloud);
  const { accountId } = cloud.account;
  const id = "session" in principal ? `${principal.principalId}:${principal.session}` : principal.principalId;
  expect(data).toMatchObject({ ...from, userIdentity: { ...identity, principalId: id, accountId } });
  expect(cloud.calls.since(0).calls).toMatchObject([{ caller: { principal: principal.name } }]);
  if (spec.kind === "root") expect(principal.principalId).toBe(accountId);
});

it("gives sessions of one role one id, and keeps keys over a reset", async () => {
  const cloud = await aCloud();
  const one = cloud.addPrincipal({ kind: "role", name: "terraform", session: "one" });
  const other = cloud.addPrincipal({ kind: "role", name: "terraform", session: "other" });
  expect(other.principalId).toBe(one.principalId);
  expect(other.accessKeyId).not.toBe(one.accessKeyId);
  await cloud.reset();
  await ecsClient(cloud, one)("DescribeRegions", {});
});

it("tells of a call that is not served, or that nobody made", async () => {
  const cloud = await aCloud();
  deployAudit(cloud);
  const { accessKeyId } = seedUser(cloud.account, "foreign");
  const params = { NetworkInterfaceId: "eni-1", "SecurityGroupId.1": webOf(cloud) };
  const call = { operation: "AssignPrivateIpAddresses", accessKeyId, status: 200, requestId: "R-1", params };
  cloud.trail.record({ ...call, at: cloud.clock.now() });
  await cloud.advance(3_000);
  expect((await firstEvent(cloud)).data).toMatchObject({
    eventName: "AssignPrivateIpAddresses",
    requestId: "R-1",
    resourceName: `eni-1;${webOf(cloud)}`,
  });
});

// Every write that decides about packets, with what it answers and the resources that its event names.
const web = "sg-web";
const writes: ReadonlyArray<readonly [string, Readonly<Record<string, string>>, string]> = [
  ["CreateSecurityGroup", { SecurityGroupName: "new" }, "ACS::ECS::SecurityGroup"],
  ["DeleteSecurityGroup", { SecurityGroupId: web }, "ACS::ECS::SecurityGroup"],
  ["ModifySecurityGroupPolicy", { SecurityGroupId: web, InnerAccessPolicy: "Drop" }, "ACS::ECS::SecurityGroup"],
  ["ModifySecurityGroupAttribute", { SecurityGroupId: web, SecurityGroupName: "w2" }, "ACS::ECS::SecurityGroup"],
  ["RevokeSecurityGroup", { SecurityGroupId: web, "SecurityGroupRuleId.1": "sgr-1" }, "ACS::ECS::SecurityGroup"],
  ["JoinSecurityGroup", { SecurityGroupId: web, InstanceId: "i-1" }, "ACS::ECS::SecurityGroup;ACS::ECS::Instance"],
  ["LeaveSecurityGroup", { SecurityGroupId: web, InstanceId: "i-1" }, "ACS::ECS::SecurityGroup;ACS::ECS::Instance"],
  [
    "ModifyInstanceAttribute",
    { InstanceId: "i-1", "SecurityGroupIds.1": web },
    "ACS::ECS::Instance;ACS::ECS::SecurityGroup",
  ],
  [
    "TagResources",
    { ResourceType: "securitygroup", "ResourceId.1": web, "Tag.1.Key": "a", "Tag.1.Value": "b" },
    "ACS::ECS::SecurityGroup",
  ],
  [
    "UntagResources",
    { ResourceType: "securitygroup", "ResourceId.1": web, "TagKey.1": "a" },
    "ACS::ECS::SecurityGroup",
  ],
  ["CreatePrefixList", { PrefixListName: "offices", AddressFamily: "IPv4", MaxEntries: "5" }, "ACS::ECS::PrefixList"],
  ["ModifyPrefixList", { PrefixListId: "pl-1" }, "ACS::ECS::PrefixList"],
  ["DeletePrefixList", { PrefixListId: "pl-1" }, "ACS::ECS::PrefixList"],
  ["CreatePortRangeList", { PortRangeListName: "web", MaxEntries: "5" }, "ACS::ECS::PortRangeList"],
  ["ModifyPortRangeList", { PortRangeListId: "prl-1" }, "ACS::ECS::PortRangeList"],
  ["DeletePortRangeList", { PortRangeListId: "prl-1" }, "ACS::ECS::PortRangeList"],
];

it.each(writes)("tells %s with the resources that it is about", async (operation, params, resourceType) => {
  const cloud = await aCloud();
  const real: Record<string, string> = { "sg-web": webOf(cloud), "i-1": cloud.account.instances[1]?.instanceId ?? "" };
  const query = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, real[value] ?? value]));
  const call = ecsClient(cloud, seedUser(cloud.account, "foreign"));
  const answer = await call(operation, query).then(
    ({ body }) => ({ responseElements: body }),
    (error: { code: string }) => ({ errorCode: error.code }),
  );
  await cloud.advance(3_000);
  const [told] = cloud.events.since(0).events;
  expect(told?.event.data).toMatchObject({ eventName: operation, eventRW: "Write", resourceType, ...answer });
});

const parts = { IpProtocol: "TCP", PortRange: "22/22", SourceCidrIp: "203.0.113.7/32" };

it.each<[Partial<TrailSwitches>, Received["data"], readonly string[]]>([
  [{ eventParameters: "nested-text" }, { requestParameters: { Permissions: JSON.stringify([parts]) } }, []],
  [{ eventParameters: "unnumbered" }, { requestParameters: parts }, []],
  [{ eventGroupIn: "parameters" }, {}, ["referencedResources", "resourceName", "resourceType"]],
  [{ eventGroupIn: "resources" }, { resourceType: "ACS::ECS::SecurityGroup" }, ["requestParameters.SecurityGroupId"]],
  [{ eventResponse: "absent" }, {}, ["responseElements"]],
  [{ eventSourceHost: "central" }, { eventSource: "ecs.aliyuncs.com" }, []],
])("tells a call under the switches %j", async (eventSwitches, wanted, absent) => {
  const cloud = await aCloud({ eventSwitches });
  deployAudit(cloud);
  await openSsh(cloud);
  await cloud.advance(3_000);
  const { data } = await firstEvent(cloud);
  expect(data).toMatchObject(wanted);
  for (const path of absent) expect(data).not.toHaveProperty(path);
  expect(JSON.stringify(data)).toContain(webOf(cloud));
});

it.each<[Partial<TrailSwitches>, object, string]>([
  [{ eventServiceIdentity: "system" }, { userIdentity: { type: "system" } }, "ApiCall"],
  [{ eventServiceType: "AliyunServiceEvent" }, { eventType: "AliyunServiceEvent" }, "AliyunServiceEvent"],
])("tells a call of a product under the switches %j", async (eventSwitches, wanted, type) => {
  const cloud = await aCloud({ eventSwitches });
  const dts = cloud.addPrincipal({ kind: "service", name: "dts" });
  await ecsClient(cloud, dts)("CreateSecurityGroup", { SecurityGroupName: "new" });
  await cloud.advance(3_000);
  expect(cloud.events.since(0).events[0]?.event).toMatchObject({ type: `ecs:ActionTrail:${type}`, data: wanted });
});

it("takes the name of the functions' session from a switch", async () => {
  const cloud = await aCloud({ eventSwitches: { eventFunctionSession: "s-1" } });
  await openSsh(cloud, cloud.roleKeys());
  await cloud.advance(3_000);
  expect(cloud.events.since(0).events[0]?.event.data).toMatchObject({
    userIdentity: { userName: "safeport-role:s-1" },
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
