// Policies of RAM: what a principal may not do is refused as each service refuses it, and what was asked for is listed.

import { createRequire } from "node:module";
import TableStore from "tablestore";
import { expect, it, onTestFinished } from "vitest";
import { type Cloud, startCloud } from "../../../local/cloud.ts";
import type { PolicyDocument } from "../../../local/ram.ts";
import { seedTablestoreInstance, seedUser } from "../../../local/seed.ts";
import { START_MS } from "../functions/kit.ts";
import { slsClient } from "../sls/world.ts";
import { rpcClient } from "./rpc-call.ts";

// The SDK has no type declarations.
const FcClient = createRequire(__filename)("@alicloud/fc2") as new (
  accountId: string,
  config: Readonly<Record<string, string>>,
) => { version: string; post(path: string, body: unknown, headers: object): Promise<unknown> };

const VERSIONS = { ecs: "2014-05-26", cms: "2019-01-01", vpc: "2016-04-28", actiontrail: "2020-07-06" } as const;

const allow = (action: string | readonly string[], resource: string | readonly string[] = "*"): PolicyDocument => ({
  Version: "1",
  Statement: [{ Effect: "Allow", Action: action, Resource: resource }],
});

/** A cloud in which `admin` has only these policies, and its calls to every service. */
async function withPolicies(...documents: readonly PolicyDocument[]) {
  const cloud = await startCloud({ range: "127.128.0.0/16", engine: "userspace", startMs: START_MS });
  onTestFinished(() => cloud.stop());
  const user = seedUser(cloud.account, "admin");
  cloud.sls.ensure("net", "flow");
  cloud.ram.attach("admin", documents);
  const rpc = (service: keyof typeof VERSIONS, action: string, query: Record<string, string> = {}) =>
    rpcClient(cloud, user, { endpoint: cloud.endpoints[service], version: VERSIONS[service] })(action, query);
  const ots = new TableStore.Client({
    accessKeyId: user.accessKeyId,
    accessKeySecret: user.accessKeySecret,
    endpoint: cloud.endpoints.tablestore,
    instancename: seedTablestoreInstance,
    maxRetries: 0,
  });
  const fc = new FcClient(cloud.account.accountId, {
    accessKeyID: user.accessKeyId,
    accessKeySecret: user.accessKeySecret,
    endpoint: cloud.endpoints.fc,
    region: cloud.account.regionId,
  });
  fc.version = "2023-03-30";
  return { cloud, user, rpc, ots, invoke: (name: string) => fc.post(`/functions/${name}/invocations`, "{}", {}) };
}

const otsDenied = { code: 403, message: expect.stringContaining("OTSNoPermissionAccess") };

const groupOf = (cloud: Cloud, name: string) => ({
  SecurityGroupId: cloud.account.groups.find((group) => group.name === name)?.groupId ?? "",
});

it("allows everything to whom no policy is attached, and nothing to whom an empty list is", async () => {
  const { cloud, rpc } = await withPolicies();
  await expect(rpc("ecs", "DescribeRegions")).rejects.toMatchObject({ code: "Forbidden.RAM" });
  cloud.ram.detach("admin");
  await rpc("ecs", "DescribeRegions");
});

it("refuses as each service does", async () => {
  const { cloud, user, rpc, ots, invoke } = await withPolicies(allow("ram:*"));
  await expect(rpc("ecs", "DescribeSecurityGroupAttribute", groupOf(cloud, "web"))).rejects.toMatchObject({
    code: "Forbidden.RAM",
    statusCode: 403,
    accessDeniedDetail: {
      AuthAction: "ecs:DescribeSecurityGroupAttribute",
      AuthPrincipalType: "SubUser",
      AuthPrincipalDisplayName: user.principalId,
      NoPermissionType: "ImplicitDeny",
    },
  });
  await expect(rpc("vpc", "DescribeFlowLogs")).rejects.toMatchObject({ code: "Forbidden.RAM", statusCode: 403 });
  await expect(rpc("cms", "DescribeMetricRuleList")).rejects.toMatchObject({
    code: "AccessForbidden",
    statusCode: 403,
  });
  await expect(rpc("actiontrail", "LookupEvents")).rejects.toMatchObject({ code: "NoPermission", statusCode: 403 });
  await expect(ots.listTable({})).rejects.toMatchObject(otsDenied);
  await expect(invoke("sweep")).rejects.toMatchObject({ code: "AccessDenied" });
  const logs = await slsClient(cloud)({ path: "/logstores/flow", query: { type: "log", from: "1", to: "2" } });
  expect([logs.status, logs.body]).toEqual([
    401,
    {
      errorCode: "Unauthorized",
      errorMessage: `denied by sts or ram, action: log:GetLogStoreLogs, resource: acs:log:cn-hangzhou:${cloud.account.accountId}:project/net/logstore/flow`,
    },
  ]);
});

it("lets through what is allowed on the resource, in every service", async () => {
  const { cloud, rpc, ots, invoke } = await withPolicies(
    allow(["cms:Describe*", "vpc:DescribeFlowLogs", "actiontrail:LookupEvents", "ots:ListTable"]),
    allow("log:GetLogStoreLogs", "acs:log:*:*:project/net/logstore/flow"),
    allow("fc:InvokeFunction", "acs:fc:*:*:functions/sweep"),
  );
  cloud.ram.attach("admin", [
    ...(cloud.ram.attached()["admin"] ?? []),
    allow("ecs:*SecurityGroup*", `acs:ecs:*:*:securitygroup/${groupOf(cloud, "lab").SecurityGroupId}`),
  ]);
  await rpc("cms", "DescribeMetricRuleList");
  await rpc("vpc", "DescribeFlowLogs");
  await rpc("actiontrail", "LookupEvents");
  expect((await ots.listTable({})).tableNames).toEqual([]);
  await rpc("ecs", "DescribeSecurityGroupAttribute", groupOf(cloud, "lab"));
  await expect(rpc("ecs", "DescribeSecurityGroupAttribute", groupOf(cloud, "web"))).rejects.toMatchObject({
    code: "Forbidden.RAM",
  });
  await expect(rpc("ecs", "DescribeSecurityGroups")).rejects.toMatchObject({ code: "Forbidden.RAM" });
  const logs = await slsClient(cloud)({ path: "/logstores/flow", query: { type: "log", from: "1", to: "2" } });
  expect(logs.status).toBe(200);
  await expect(invoke("sweep")).rejects.toMatchObject({ code: "FunctionNotFound" });
  await expect(invoke("api")).rejects.toMatchObject({ code: "AccessDenied" });
});

it("asks a batch for every table in it", async () => {
  const { cloud, ots } = await withPolicies(
    allow(["ots:BatchGetRow", "ots:CreateTable"], `acs:ots:*:*:instance/${seedTablestoreInstance}/table/a`),
  );
  const createTable = (tableName: string) =>
    ots.createTable({
      tableMeta: { tableName, primaryKey: [{ name: "k", type: "STRING" }] },
      reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
      tableOptions: { timeToLive: -1, maxVersions: 1 },
    });
  await createTable("a");
  await expect(createTable("b")).rejects.toMatchObject(otsDenied);
  const rowsOf = (...tables: readonly string[]) =>
    ots.batchGetRow({ tables: tables.map((tableName) => ({ tableName, primaryKey: [[{ k: "x" }]] })) });
  await rowsOf("a");
  await expect(rowsOf("a", "b")).rejects.toMatchObject(otsDenied);
  expect(cloud.ram.used()).toContainEqual({
    principal: "admin",
    action: "ots:BatchGetRow",
    resources: [`acs:ots:cn-hangzhou:${cloud.account.accountId}:instance/safeport/table/*`],
    calls: 2,
    denied: 1,
  });
});

it("changes nothing when it refuses, and tells the trail of it", async () => {
  const { cloud, rpc } = await withPolicies(allow("ecs:Describe*"));
  const before = JSON.stringify(cloud.ecs.groups());
  const rule = {
    "Permissions.1.IpProtocol": "TCP",
    "Permissions.1.PortRange": "22/22",
    "Permissions.1.SourceCidrIp": "10.0.0.1",
  };
  await expect(rpc("ecs", "AuthorizeSecurityGroup", { ...groupOf(cloud, "web"), ...rule })).rejects.toMatchObject({
    code: "Forbidden.RAM",
  });
  expect(JSON.stringify(cloud.ecs.groups())).toBe(before);
  await cloud.advance(cloud.eventSwitches.eventDelayMs);
  expect(cloud.events.since(0).events.map(({ event }) => event.data)).toMatchObject([
    { eventName: "AuthorizeSecurityGroup", errorCode: "Forbidden.RAM" },
  ]);
});

it("is set and told over the control API", async () => {
  const { cloud, rpc } = await withPolicies();
  const control = async (method: string, path: string, body?: unknown) => {
    const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await fetch(`${cloud.endpoints.control}${path}`, init);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const regions = allow("ecs:DescribeRegions");
  expect((await control("PUT", "/policies", { admin: regions })).body).toEqual({ admin: [regions] });
  await rpc("ecs", "DescribeRegions");
  expect((await control("GET", "/actions")).body).toEqual({
    actions: [{ principal: "admin", action: "ecs:DescribeRegions", resources: ["*"], calls: 1, denied: 0 }],
  });
  const statement = { ...regions.Statement[0], Condition: {} };
  expect(await control("PUT", "/policies", { admin: { ...regions, Statement: [statement] } })).toMatchObject({
    status: 400,
    body: { code: "INVALID_INPUT", message: expect.stringContaining("Statement[0].Condition") },
  });
  expect((await control("PUT", "/policies", { admin: null })).body).toEqual({});
  await rpc("ecs", "DescribeSecurityGroups");
  await cloud.reset();
  expect((await control("GET", "/actions")).body).toEqual({ actions: [] });
});
