// A glance at a group on ECS: the same rules are known again without being read, and a mark is never overlooked.
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { seededRandom } from "../../local/random.ts";
import type { EcsService } from "../../local/services/ecs/ecs-service.ts";
import { startEcs } from "../../local/services/ecs/start-ecs.ts";
import { ecsFirewall } from "../../shared/adapters/alibaba/ecs-firewall.ts";
import { ecsInventory } from "../../shared/adapters/alibaba/ecs-inventory.ts";
import { ecsRpcClient } from "../../shared/adapters/alibaba/rpc-client.ts";
import { systemClock } from "../../shared/adapters/system/clock.ts";
import { parseGrant } from "../../shared/domain/grant.ts";
import type { GroupId, GroupRef } from "../../shared/domain/ids.ts";
import { CloudFailure } from "../../shared/ports/firewall.ts";
import { switchUnderTest } from "../kit/switch-under-test.ts";

const region = "cn-hangzhou";
const web: GroupRef = { region, groupId: "sg-web" as GroupId };
const big: GroupRef = { region, groupId: "sg-big" as GroupId };
const MARK = "safeport/1 test ";
const rules = [
  { portRange: "80/80", sourceCidrIp: "0.0.0.0/0", description: "办公网" },
  { portRange: "443/443", sourceCidrIp: "10.0.0.0/8", description: 'he said "keep"' },
];

let cloud: EcsService;
let calls: string[] = [];

beforeAll(async () => {
  cloud = await startEcs({
    clock: systemClock,
    random: seededRandom("glance"),
    seed: {
      accountId: "100000000000",
      regionId: region,
      vpcId: "vpc-1",
      users: [{ name: "safeport", accessKeyId: "ak", accessKeySecret: "sk", principalId: "20001" }],
      groups: [
        { groupId: "sg-web", name: "web", rules },
        {
          groupId: "sg-big",
          name: "big",
          rules: Array.from({ length: 1200 }, (_, n) => ({
            portRange: `${n + 1}/${n + 1}`,
            sourceCidrIp: "10.0.0.0/8",
          })),
        },
        ...Array.from({ length: 150 }, (_, n) => ({ groupId: `sg-${n}`, name: `g${n}`, rules: [] })),
      ],
      instances: [],
    },
    switches: { ...switchUnderTest(), readAfterWriteMs: 0, modifiedRule: "same-id" },
    limits: { rulesPerGroup: 2000 },
    onCall: ({ operation }) => void calls.push(operation),
  });
});
beforeEach(async () => {
  await cloud.reset();
  calls = [];
});
afterEach(() => {
  cloud.switches.ruleOrder = switchUnderTest().ruleOrder ?? "oldest-first";
  cloud.switches.priorityForm = switchUnderTest().priorityForm ?? "number";
});
afterAll(() => cloud.stop());

const client = (endpoint = () => cloud.endpoint) =>
  ecsRpcClient({
    clock: systemClock,
    credentials: () => ({ accessKeyId: "ak", accessKeySecret: "sk" }),
    endpoint,
    protocol: "http",
  });
const firewall = () => ecsFirewall(client());

async function write(ref: GroupRef, port: string, description: string): Promise<void> {
  const grant = parseGrant({ protocol: "tcp", port, sources: ["203.0.113.7"], priority: 100 });
  if (!grant.ok) throw new Error("no grant");
  const wanted = grant.specs.map((spec) => ({ spec, description }));
  await firewall().authorize(ref, wanted, `t-${port}`, "open");
}

/** A server that answers every request with this text. */
async function saying(text: string) {
  const server = http.createServer((_request, response) => response.end(text));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    firewall: ecsFirewall(client(() => endpoint)),
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe("a glance with a digest", () => {
  it("knows a group that nobody touched, in one call", async () => {
    const { digest } = await firewall().readGroup(web, "drift");
    calls = [];
    expect(await firewall().glance(web, { digest, mark: MARK }, "inventory")).toEqual({ kind: "same" });
    expect(calls).toEqual(["DescribeSecurityGroupAttribute"]);
  });

  it("knows it in another order and spelling too", async () => {
    cloud.switches.ruleOrder = "oldest-first";
    cloud.switches.priorityForm = "string";
    const { digest } = await firewall().readGroup(web, "drift");
    cloud.switches.ruleOrder = "newest-first";
    cloud.switches.priorityForm = "number";
    expect(await firewall().glance(web, { digest, mark: MARK }, "inventory")).toEqual({ kind: "same" });
  });

  it("knows a group of several pages, and a change on the last", async () => {
    const { digest } = await firewall().readGroup(big, "drift");
    calls = [];
    expect(await firewall().glance(big, { digest, mark: MARK }, "inventory")).toEqual({ kind: "same" });
    expect(calls).toHaveLength(2);
    cloud.switches.ruleOrder = "oldest-first";
    await write(big, "22", "last");
    expect(await firewall().glance(big, { digest, mark: MARK }, "inventory")).toEqual({ kind: "other", marked: false });
  });

  it("sees an added rule, a removed one and a changed description", async () => {
    const before = await firewall().readGroup(web, "drift");
    const look = () => firewall().glance(web, { digest: before.digest, mark: MARK }, "inventory");
    await write(web, "22", "new");
    expect(await look()).toEqual({ kind: "other", marked: false });
    const added = (await firewall().readGroup(web, "drift")).rules.find((rule) => rule.description === "new");
    await firewall().revoke(web, [added?.id ?? ("" as never)], "t-r", "drift");
    expect(await look()).toEqual({ kind: "same" });
    const [rule] = before.rules;
    if (!rule?.id) throw new Error("no rule");
    await firewall().modify(web, rule.id, { spec: rule, description: "edited" }, "t-m", "drift");
    expect(await look()).toEqual({ kind: "other", marked: false });
  });

  it("takes a digest nobody made for no digest", async () => {
    for (const digest of ["", ".", "x", "a.b.c", "."])
      expect(await firewall().glance(web, { digest, mark: MARK }, "inventory")).toEqual({
        kind: "other",
        marked: false,
      });
  });
});

describe("a glance for marks", () => {
  const ask = { digest: null, mark: MARK };

  it("finds none, and then one", async () => {
    expect(await firewall().glance(web, ask, "inventory")).toEqual({ kind: "other", marked: false });
    await write(web, "22", `${MARK}e-0123456789abcdef until=2026-11-20T08:00:00Z k=00000000`);
    expect(await firewall().glance(web, ask, "inventory")).toEqual({ kind: "other", marked: true });
  });

  it("finds one on the last of several pages", async () => {
    cloud.switches.ruleOrder = "oldest-first";
    await write(big, "22", `${MARK}e-0123456789abcdef`);
    expect(await firewall().glance(big, ask, "inventory")).toEqual({ kind: "other", marked: true });
  });

  it("does not take another installation's for ours", async () => {
    await write(web, "22", "safeport/1 other e-0123456789abcdef");
    expect(await firewall().glance(web, ask, "inventory")).toEqual({ kind: "other", marked: false });
  });

  const page = (description: string, more = "") =>
    `{"RequestId":"R","SecurityGroupId":"sg-web"${more},"Permissions":{"Permission":[{"SecurityGroupRuleId":"sgr-1","Description":"${description}"}]}}`;

  it.each([
    ["with escaped slashes", page("safeport\\/1 test e-1")],
    ["with escaped letters", page("\\u0073afeport/1 test e-1")],
    ["with spaces between the fields", page("safeport/1 test e-1").replaceAll('":', '": ')],
  ])("finds one %s", async (_how, text) => {
    const stub = await saying(text);
    expect(await stub.firewall.glance(web, ask, "inventory")).toEqual({ kind: "other", marked: true });
    stub.stop();
  });

  it.each([
    ["another group's", page("x").replace("sg-web", "sg-other")],
    ["without rules", '{"RequestId":"R","SecurityGroupId":"sg-web","Permissions":{}}'],
    ["of pages without end", page("x", ',"NextToken":"a"')],
    ["cut off", page("x").slice(0, 60)],
    ["not JSON", "<html>"],
  ])("refuses an answer that is %s", async (_how, text) => {
    const stub = await saying(text);
    const failure = await stub.firewall.glance(web, ask, "inventory").then(
      () => null,
      (error: unknown) => error,
    );
    stub.stop();
    expect(failure).toBeInstanceOf(CloudFailure);
    expect((failure as CloudFailure).kind).toBe("unknown");
  });
});

describe("a page of groups", () => {
  it("leads through all groups, each once", async () => {
    const inventory = ecsInventory(client(), systemClock);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await inventory.groupPage(region, cursor, "inventory");
      seen.push(...page.groups.map((group) => group.ref.groupId));
      cursor = page.next;
    } while (cursor !== null);
    expect(new Set(seen).size).toBe(152);
    expect([seen.length, calls.length]).toEqual([152, 2]);
  });

  it("says so when a cursor is taken no longer", async () => {
    const inventory = ecsInventory(client(), systemClock);
    await expect(inventory.groupPage(region, "old", "inventory")).rejects.toMatchObject({ kind: "invalid" });
  });
});
