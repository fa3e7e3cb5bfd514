// LookupEvents over its wire: what the trail has recorded, by attribute, time and page.

import { $OpenApiUtil, default as OpenApiClient } from "@alicloud/openapi-core";
import { expect, it } from "vitest";
import type { Cloud } from "../../../local/cloud.ts";
import { seedUser } from "../../../local/seed.ts";
import { ecsClient } from "../cloud/rpc-call.ts";
import { START_MS } from "../functions/kit.ts";
import { aTarget, itEmbedded, outcomeOf, type RpcService } from "../rpc/target.ts";
import { aCloud, deployAudit, received } from "./world.ts";

const onEmbedded = itEmbedded("ACTIONTRAIL");

type Event = Readonly<Record<string, unknown>>;
type Query = Readonly<Record<string, string>>;

interface Found {
  readonly Events: readonly Event[];
  readonly NextToken?: string;
  readonly StartTime: string;
  readonly EndTime: string;
  readonly RequestId: string;
}

interface Caller {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string;
}

/** Calls the API of ActionTrail and answers the body. */
function lookUp(
  cloud: Cloud,
  query: Query,
  action = "LookupEvents",
  caller: Caller = admin(cloud),
  version = "2020-07-06",
) {
  const { accessKeyId, accessKeySecret, securityToken } = caller;
  const client = new OpenApiClient(
    new $OpenApiUtil.Config({
      accessKeyId,
      accessKeySecret,
      ...(securityToken === undefined ? {} : { securityToken, type: "sts" }),
      endpoint: cloud.endpoints.actiontrail,
      protocol: "http",
      regionId: cloud.account.regionId,
    }),
  );
  const params = new $OpenApiUtil.Params({
    action,
    version,
    protocol: "HTTP",
    pathname: "/",
    method: "POST",
    authType: "AK",
    style: "RPC",
    reqBodyType: "formData",
    bodyType: "json",
  });
  const request = new $OpenApiUtil.OpenApiRequest({ query });
  return client.callApi(params, request, {} as never).then((answer) => (answer as unknown as { body: Found }).body);
}

const admin = (cloud: Cloud): Caller => seedUser(cloud.account, "admin");
const by = (Key: string, Value: string, n = 1): Query => ({
  [`LookupAttribute.${n}.Key`]: Key,
  [`LookupAttribute.${n}.Value`]: Value,
});
const names = ({ Events }: Found): unknown[] => Events.map((event) => event["eventName"]);
const webOf = (cloud: Cloud): string => cloud.account.groups[0]?.groupId ?? "";

/** A name of the group, given by `who`. */
async function rename(cloud: Cloud, SecurityGroupName: string, who = "foreign"): Promise<void> {
  const call = ecsClient(cloud, seedUser(cloud.account, who));
  await call("ModifySecurityGroupAttribute", { SecurityGroupId: webOf(cloud), SecurityGroupName });
}

const actiontrail: RpcService = {
  ...{ name: "actiontrail", version: "2020-07-06", makes: {}, changes: {} },
  hostIn: (regionId) => `actiontrail.${regionId}.aliyuncs.com`,
};

it("answers the events of a span, by SDK and by bytes", async () => {
  const { call, raw } = await aTarget(actiontrail);
  const told = { Events: expect.any(Array), StartTime: expect.stringMatching(/Z$/), EndTime: expect.any(String) };
  expect(await call("LookupEvents", { MaxResults: "1" })).toMatchObject(told);
  expect((await raw("LookupEvents", { MaxResults: "1" })).body).toMatchObject(told);
});

it("refuses pages that are too long, by bytes", async () => {
  const { raw } = await aTarget(actiontrail);
  expect(outcomeOf(await raw("LookupEvents", { MaxResults: "51" }))).toBe("400 InvalidQueryParameter");
});

onEmbedded("finds an event once the delay is over, with what its delivery said", async () => {
  const cloud = await aCloud();
  deployAudit(cloud);
  await rename(cloud, "one");
  await cloud.advance(4_999);
  const [delivered] = received(cloud);
  const id = String(delivered?.data["eventId"]);
  expect((await lookUp(cloud, by("EventId", id))).Events).toEqual([]);
  await cloud.advance(1);
  const found = await lookUp(cloud, by("EventId", id));
  const { recipientAccountId: _, ...data } = delivered?.data ?? {};
  expect(found).toEqual({
    RequestId: expect.stringMatching(/^[0-9A-F-]{36}$/),
    StartTime: new Date(START_MS + 5_000 - 7 * 86_400_000).toISOString().replace(".000Z", "Z"),
    EndTime: new Date(START_MS + 5_000).toISOString().replace(".000Z", "Z"),
    Events: [data],
  });
  cloud.eventSwitches.lookupAccount = "told";
  await cloud.advance(1_000);
  expect((await lookUp(cloud, by("EventId", id))).Events).toEqual([delivered?.data]);
});

onEmbedded("finds an event whose delivery was lost, and none after a reset", async () => {
  const cloud = await aCloud();
  deployAudit(cloud);
  cloud.faults.set([{ service: "eventbridge", fault: { kind: "drop-before" } }]);
  await rename(cloud, "one");
  await cloud.advance(5_000);
  expect(received(cloud)).toEqual([]);
  expect(names(await lookUp(cloud, by("ServiceName", "Ecs")))).toEqual(["ModifySecurityGroupAttribute"]);
  await cloud.reset();
  cloud.eventSwitches.lookupDelayMs = 0;
  expect((await lookUp(cloud, {})).Events).toEqual([]);
});

onEmbedded("pages through the newest first, or the oldest", async () => {
  const cloud = await aCloud();
  for (let n = 0; n < 5; n++) {
    await rename(cloud, `name-${n}`);
    await cloud.advance(1_000);
  }
  await cloud.advance(5_000);
  const read = async (query: Query): Promise<unknown[]> => {
    const found: unknown[] = [];
    for (let token: string | undefined = ""; token !== undefined; ) {
      const page: Found = await lookUp(cloud, { MaxResults: "2", ...query, ...(token ? { NextToken: token } : {}) });
      expect(page.Events.length).toBeLessThanOrEqual(2);
      found.push(...page.Events.map((event) => (event["requestParameters"] as Query)["SecurityGroupName"]));
      token = page.NextToken;
      await cloud.advance(1_000);
    }
    return found;
  };
  expect(await read({})).toEqual(["name-4", "name-3", "name-2", "name-1", "name-0"]);
  expect(await read({ Direction: "FORWARD" })).toEqual(["name-0", "name-1", "name-2", "name-3", "name-4"]);
});

onEmbedded("keeps to a time range", async () => {
  const cloud = await aCloud();
  await rename(cloud, "one");
  await cloud.advance(60_000);
  await rename(cloud, "two");
  await cloud.advance(60_000);
  const range = { StartTime: "2026-11-01T08:01:00Z", EndTime: "2026-11-01T08:02:00Z" };
  const found = await lookUp(cloud, range);
  expect(found.Events.map((event) => event["eventTime"])).toEqual(["2026-11-01T08:01:30Z"]);
  expect(found).toMatchObject(range);
});

onEmbedded.each<[string, (event: Event, cloud: Cloud) => Query]>([
  ["EventName", () => by("EventName", "ModifySecurityGroupAttribute")],
  ["EventType", () => by("EventType", "ApiCall")],
  ["EventRW", () => by("EventRW", "Write")],
  ["ServiceName", () => by("ServiceName", "Ecs")],
  ["User", () => by("User", "foreign")],
  ["PrincipalId", (event) => by("PrincipalId", String((event["userIdentity"] as Event)["principalId"]))],
  ["EventAccessKeyId", (_event, cloud) => by("EventAccessKeyId", seedUser(cloud.account, "foreign").accessKeyId)],
  ["ResourceName", (_event, cloud) => by("ResourceName", webOf(cloud))],
  ["ResourceType", () => by("ResourceType", "ACS::ECS::SecurityGroup")],
  ["SourceIpAddress", () => by("SourceIpAddress", "127.0.0.1")],
  [
    "a group and a call",
    (_event, cloud) => ({
      ...by("ResourceName", webOf(cloud)),
      ...by("EventName", "ModifySecurityGroupAttribute", 2),
    }),
  ],
  [
    "the second of a key given twice",
    () => ({ ...by("EventName", "None"), ...by("EventName", "ModifySecurityGroupAttribute", 2) }),
  ],
])("finds by %s, exactly", async (_key, query) => {
  const cloud = await aCloud({ eventSwitches: { lookupDelayMs: 0 } });
  await rename(cloud, "one");
  const [event = {}] = (await lookUp(cloud, {})).Events;
  const asked = query(event, cloud);
  expect((await lookUp(cloud, asked)).Events).toEqual([event]);
  await cloud.advance(1_000);
  const changed = Object.entries(asked).map(([name, value]) => [name, name.endsWith("Value") ? `${value}x` : value]);
  expect((await lookUp(cloud, Object.fromEntries(changed))).Events).toEqual([]);
});

onEmbedded("finds a session's calls by the name of its role", async () => {
  const cloud = await aCloud({ eventSwitches: { lookupDelayMs: 0 } });
  const terraform = cloud.addPrincipal({ kind: "role", name: "terraform", session: "ci" });
  await ecsClient(cloud, terraform)("CreateSecurityGroup", { SecurityGroupName: "new" });
  expect(names(await lookUp(cloud, by("RoleName", "terraform")))).toEqual(["CreateSecurityGroup"]);
  expect(names(await lookUp(cloud, by("RoleName", "terra"), "LookupEvents", terraform))).toEqual([]);
});

onEmbedded.each<[string, Query]>([
  ["InvalidQueryParameter", by("Colour", "red")],
  ["InvalidQueryParameter", by("EventName", "")],
  ["InvalidQueryParameter", { MaxResults: "51" }],
  ["InvalidQueryParameter", { MaxResults: "0" }],
  ["InvalidQueryParameter", { NextToken: "x" }],
  ["InvalidQueryParameter", { Direction: "SIDEWAYS" }],
  ["InvalidParameterStartTime", { StartTime: "yesterday", EndTime: "2026-11-01T08:00:00Z" }],
  ["InvalidParameterEndTime", { StartTime: "2026-11-01T08:00:00Z", EndTime: "2026-11-01T07:00:00Z" }],
  ["InvalidParameterCombination", { StartTime: "2026-11-01T08:00:00Z" }],
  ["InvalidParameterCombination", { ...by("EventRW", "Write"), ...by("User", "a", 2) }],
  ["InvalidParameterCombination", { ...by("User", "a"), ...by("ServiceName", "Ecs", 2), ...by("EventRW", "Write", 3) }],
])("refuses with %s what it does not take: %j", async (code, query) => {
  await expect(lookUp(await aCloud(), query)).rejects.toMatchObject({ code, statusCode: 400 });
});

onEmbedded("refuses other operations, versions and keys, and the third call of a second", async () => {
  const cloud = await aCloud();
  const wrong = { ...admin(cloud), accessKeySecret: "wrong" };
  await expect(lookUp(cloud, {}, "CreateTrail")).rejects.toMatchObject({ code: "InvalidAction.NotFound" });
  await expect(lookUp(cloud, {}, "LookupEvents", wrong)).rejects.toMatchObject({ code: "SignatureDoesNotMatch" });
  await expect(lookUp(cloud, {}, "LookupEvents", admin(cloud), "2017-12-04")).rejects.toMatchObject({
    code: "InvalidVersion",
  });
  await lookUp(cloud, {});
  await lookUp(cloud, {});
  await expect(lookUp(cloud, {})).rejects.toMatchObject({ code: "Throttling.User" });
  await cloud.advance(1_000);
  await lookUp(cloud, {});
});

onEmbedded("meets faults and is listed among the calls", async () => {
  const cloud = await aCloud();
  cloud.faults.set([
    { service: "actiontrail", times: 1, fault: { kind: "reject", status: 503, code: "ServiceUnavailable" } },
  ]);
  await expect(lookUp(cloud, {})).rejects.toMatchObject({ code: "ServiceUnavailable", statusCode: 503 });
  await lookUp(cloud, {});
  expect(cloud.calls.since(0).calls).toMatchObject([
    { service: "actiontrail", operation: "LookupEvents", status: 503, code: "ServiceUnavailable" },
    { service: "actiontrail", operation: "LookupEvents", status: 200, caller: { principal: "admin" } },
  ]);
});
