// The firewall and inventory ports on ECS, against the embedded one over its wire.
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Fault } from "../../local/faults.ts";
import { seededRandom } from "../../local/random.ts";
import type { EcsService } from "../../local/services/ecs/ecs-service.ts";
import type { AccountSeed } from "../../local/services/ecs/seed.ts";
import { startEcs } from "../../local/services/ecs/start-ecs.ts";
import { ecsFirewall } from "../../shared/adapters/alibaba/ecs-firewall.ts";
import { ecsInventory } from "../../shared/adapters/alibaba/ecs-inventory.ts";
import { ecsRpcClient, type RpcSettings } from "../../shared/adapters/alibaba/rpc-client.ts";
import { systemClock } from "../../shared/adapters/system/clock.ts";
import { parseCidr } from "../../shared/domain/cidr.ts";
import type { GroupId, GroupRef, RuleId } from "../../shared/domain/ids.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { CloudFailure } from "../../shared/ports/firewall.ts";
import { switchUnderTest } from "../kit/switch-under-test.ts";

const region = "cn-hangzhou";
const web: GroupRef = { region, groupId: "sg-web" as GroupId };
const managed: GroupRef = { region, groupId: "sg-managed" as GroupId };
const nobody: GroupRef = { region, groupId: "sg-nobody" as GroupId };

const seed: AccountSeed = {
  accountId: "100000000000",
  regionId: region,
  vpcId: "vpc-1",
  users: [{ name: "safeport", accessKeyId: "ak", accessKeySecret: "sk", principalId: "20001" }],
  groups: [
    {
      groupId: "sg-web",
      name: "web",
      tags: { "safeport:guard": "observe" },
      rules: [{ portRange: "80/80", sourceCidrIp: "0.0.0.0/0" }],
    },
    { groupId: "sg-managed", name: "lb", serviceManaged: true, rules: [] },
    {
      groupId: "sg-big",
      name: "big",
      innerAccessPolicy: "Drop",
      rules: Array.from({ length: 1200 }, (_, n) => ({ portRange: `${n + 1}/${n + 1}`, sourceCidrIp: "10.0.0.0/8" })),
    },
    ...Array.from({ length: 250 }, (_, n) => ({ groupId: `sg-${n}`, name: `g${n}`, rules: [] })),
  ],
  instances: [
    {
      instanceId: "i-1",
      name: "web-1",
      address: "192.168.0.11",
      ipv6: ["2001:db8::11"],
      groupIds: ["sg-web"],
      listening: [],
    },
    { instanceId: "i-2", name: "web-2", address: "192.168.0.12", groupIds: ["sg-web"], listening: [] },
    { instanceId: "i-3", name: "other", address: "192.168.0.13", groupIds: ["sg-1"], listening: [] },
  ],
  enis: [
    { eniId: "eni-second", instanceId: "i-3", address: "192.168.0.23", groupIds: ["sg-web"] },
    { eniId: "eni-lb", type: "LoadBalancer", address: "192.168.0.99", groupIds: ["sg-web"] },
  ],
};

let cloud: EcsService;
let calls: string[] = [];

beforeAll(async () => {
  cloud = await startEcs({
    clock: systemClock,
    random: seededRandom("ecs"),
    seed,
    // Each call is looked at by itself: what was written is read at once and whole, last, and by its id.
    switches: {
      ...switchUnderTest(),
      readAfterWriteMs: 0,
      modifiedRule: "same-id",
      ruleOrder: "oldest-first",
      destCidrIp: "honoured",
    },
    onCall: ({ operation }) => void calls.push(operation),
  });
});
beforeEach(async () => {
  await cloud.reset();
  calls = [];
});
afterEach(() => {
  cloud.faults.set([]);
  cloud.switches.eniBySecurityGroup = switchUnderTest().eniBySecurityGroup ?? "secondary";
});
afterAll(() => cloud.stop());

function rpc(settings: Partial<RpcSettings> = {}) {
  return ecsRpcClient({
    clock: systemClock,
    credentials: () => ({ accessKeyId: "ak", accessKeySecret: "sk" }),
    endpoint: () => cloud.endpoint,
    protocol: "http",
    ...settings,
  });
}

function door(source: string, change: Partial<RuleSpec> = {}): RuleSpec {
  const cidr = parseCidr(source);
  if (cidr === null) throw new Error(source);
  return {
    direction: "ingress",
    protocol: "tcp",
    ports: { kind: "range", range: { from: 22, to: 22 } },
    peer: { kind: "cidr", cidr },
    policy: "accept",
    priority: 1,
    sourcePorts: { kind: "any" },
    dest: null,
    ...change,
  };
}

async function failureOf(promise: Promise<unknown>): Promise<CloudFailure> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CloudFailure);
  return error as CloudFailure;
}

/** A server that answers every request with JSON. */
async function answering(answer: (request: http.IncomingMessage) => unknown) {
  const server = http.createServer((request, response) => {
    response.setHeader("content-type", "application/json").end(JSON.stringify(answer(request)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

/** A clock that stands where it is put. */
function standingClock(): Clock & { at: number } {
  return {
    at: 0,
    now() {
      return this.at;
    },
    monotonicMs() {
      return this.at;
    },
    sleep: async () => undefined,
  };
}

describe("the firewall on ECS", () => {
  it("opens a rule and finds it in three calls", async () => {
    const firewall = ecsFirewall(rpc());
    const dest = parseCidr("192.168.0.11");
    await firewall.readGroup(web, "open");
    await firewall.authorize(web, [{ spec: door("203.0.113.7", { dest }), description: "端口 a door" }], "t-1", "open");
    const { rules, vpcId, innerAccessPolicy } = await firewall.readGroup(web, "open");
    expect(calls).toEqual([
      "DescribeSecurityGroupAttribute",
      "AuthorizeSecurityGroup",
      "DescribeSecurityGroupAttribute",
    ]);
    const opened = rules.find((rule) => rule.description === "端口 a door");
    expect(opened).toMatchObject(door("203.0.113.7", { dest }));
    expect(opened?.id).toMatch(/^sgr-/);
    expect([vpcId, innerAccessPolicy, rules.length]).toEqual(["vpc-1", "accept", 2]);
  });

  it("removes what it opened, of both address families", async () => {
    const firewall = ecsFirewall(rpc());
    const specs = [door("203.0.113.7"), door("2001:db8::/56", { policy: "drop" })];
    const rules = specs.map((spec) => ({ spec, description: "x" }));
    await firewall.authorize(web, rules, "t-1", "open");
    const opened = (await firewall.readGroup(web, "end")).rules.filter((rule) => rule.description === "x");
    expect(opened).toEqual(specs.map((spec) => expect.objectContaining(spec)));
    const ids = opened.flatMap((rule) => rule.id ?? []);
    await firewall.revoke(web, ids, "t-2", "end");
    expect((await firewall.readGroup(web, "end")).rules).toHaveLength(1);
  });

  it("uses the calls of each direction, and knows a read egress rule by its id", async () => {
    const egress = { SecurityGroupRuleId: "sgr-out", Direction: "egress", DestCidrIp: "198.51.100.0/24" };
    const heard: string[] = [];
    const stub = await answering((request) => {
      const query = new URL(request.url ?? "", "http://stub").searchParams;
      heard.push(`${request.headers["x-acs-action"]} ${query.get("ClientToken")}`);
      return { RequestId: "R", SecurityGroupId: "sg-web", Permissions: { Permission: [egress] } };
    });
    const firewall = ecsFirewall(rpc({ endpoint: () => stub.endpoint }));
    const out = { spec: door("198.51.100.0/24", { direction: "egress", policy: "drop" }), description: "x" } as const;
    const into = { spec: door("203.0.113.7"), description: "x" };
    await firewall.authorize(web, [out, into], "t-1", "open");
    await firewall.authorize(web, [out], "t-2", "open");
    await firewall.modify(web, "sgr-out" as RuleId, out, "t-3", "open");
    await firewall.readGroup(web, "end");
    await firewall.revoke(web, ["sgr-out" as RuleId, "sgr-in" as RuleId], "t-4", "end");
    expect(heard).toEqual([
      "AuthorizeSecurityGroup t-1",
      "AuthorizeSecurityGroupEgress t-1-egress",
      "AuthorizeSecurityGroupEgress t-2",
      "ModifySecurityGroupEgressRule t-3",
      "DescribeSecurityGroupAttribute null",
      "RevokeSecurityGroup t-4",
      "RevokeSecurityGroupEgress t-4-egress",
    ]);
    stub.stop();
  });

  it("rewrites a rule in place", async () => {
    const firewall = ecsFirewall(rpc());
    await firewall.authorize(web, [{ spec: door("203.0.113.7"), description: "old" }], "t-1", "open");
    const id = (await firewall.readGroup(web, "open")).rules.find((rule) => rule.description === "old")?.id as RuleId;
    await firewall.modify(web, id, { spec: door("203.0.113.7"), description: "new" }, "t-2", "open");
    const { rules } = await firewall.readGroup(web, "open");
    expect(rules.find((rule) => rule.id === id)).toMatchObject({ ...door("203.0.113.7"), description: "new" });
  });

  it("acts once for one token", async () => {
    const firewall = ecsFirewall(rpc());
    const rule = [{ spec: door("203.0.113.7"), description: "x" }];
    await firewall.authorize(web, rule, "same", "open");
    const id = (await firewall.readGroup(web, "open")).rules.find((it) => it.description === "x")?.id as RuleId;
    await firewall.revoke(web, [id], "t-2", "end");
    await firewall.authorize(web, rule, "same", "open");
    expect((await firewall.readGroup(web, "open")).rules).toHaveLength(1);
  });

  it("reads a group to its last page", async () => {
    const reading = await ecsFirewall(rpc()).readGroup({ region, groupId: "sg-big" as GroupId }, "drift");
    expect(new Set(reading.rules.map((rule) => rule.id)).size).toBe(1200);
    expect(reading.innerAccessPolicy).toBe("drop");
    expect(calls).toHaveLength(2);
  });

  it("names what the cloud refuses", async () => {
    const firewall = ecsFirewall(rpc());
    const rule = [{ spec: door("203.0.113.7"), description: "x" }];
    expect((await failureOf(firewall.readGroup(nobody, "open"))).kind).toBe("groupGone");
    expect((await failureOf(firewall.authorize(managed, rule, "t-1", "open"))).kind).toBe("refused");
    expect((await failureOf(firewall.revoke(web, ["sgr-gone" as RuleId], "t-2", "end"))).kind).toBe("ruleGone");
    const wrong = ecsFirewall(rpc({ credentials: () => ({ accessKeyId: "ak", accessKeySecret: "wrong" }) }));
    expect((await failureOf(wrong.readGroup(web, "open"))).kind).toBe("refused");
  });

  it("refuses a call of no rules, or of too many, without asking", async () => {
    const firewall = ecsFirewall(rpc());
    const rules = Array.from({ length: 21 }, () => ({ spec: door("203.0.113.7"), description: "x" }));
    expect((await failureOf(firewall.authorize(web, rules, "t", "open"))).kind).toBe("invalid");
    expect((await failureOf(firewall.revoke(web, [], "t", "end"))).kind).toBe("invalid");
    expect(calls).toEqual([]);
  });

  it.each<[Fault, string, number]>([
    [{ kind: "reject", status: 400, code: "Throttling.User" }, "throttled", 0],
    [{ kind: "reject", status: 503, code: "ServiceUnavailable" }, "unknown", 0],
    [{ kind: "drop-before" }, "unknown", 0],
    [{ kind: "drop-after" }, "unknown", 1],
    [{ kind: "html-502" }, "unknown", 0],
  ])("says after the fault %j that the outcome is %s, and writes no second time", async (fault, kind, written) => {
    const firewall = ecsFirewall(rpc());
    cloud.faults.set([{ service: "ecs", operation: "AuthorizeSecurityGroup", times: 1, fault }]);
    const rule = [{ spec: door("203.0.113.7"), description: "x" }];
    const failure = await failureOf(firewall.authorize(web, rule, "t-1", "open"));
    expect([failure.kind, failure.operation]).toEqual([kind, "AuthorizeSecurityGroup"]);
    expect(failure.message).not.toContain("203.0.113.7");
    expect((await firewall.readGroup(web, "open")).rules).toHaveLength(1 + written);
  });

  it("reads once more after a broken connection", async () => {
    cloud.faults.set([{ service: "ecs", times: 1, fault: { kind: "drop-before" } }]);
    await expect(ecsFirewall(rpc()).readGroup(web, "open")).resolves.toMatchObject({ vpcId: "vpc-1" });
  });

  it("ends a call that is not answered, as unknown", async () => {
    cloud.faults.set([{ service: "ecs", times: 1, fault: { kind: "delay", ms: 60_000 } }]);
    const firewall = ecsFirewall(rpc({ timeoutMs: 100 }));
    expect((await failureOf(firewall.readGroup(web, "open"))).kind).toBe("unknown");
  });

  it("leaves no timer of the transport behind, which would hold the call in memory", async () => {
    const timeoutMs = 54_321;
    const begun = vi.spyOn(globalThis, "setTimeout");
    await ecsFirewall(rpc({ timeoutMs })).readGroup(web, "open");
    const timers = begun.mock.results.filter((_, at) => begun.mock.calls[at]?.[1] === timeoutMs);
    begun.mockRestore();
    expect(timers.length).toBeGreaterThan(0);
    expect(timers.filter(({ value }) => !(value as { _destroyed: boolean })._destroyed)).toEqual([]);
  });

  it("reads once more when the answer is cut off in its middle", async () => {
    let asked = 0;
    const server = http.createServer((_request, response) => {
      asked += 1;
      const text = JSON.stringify({ RequestId: "R", SecurityGroupId: "sg-web", Permissions: { Permission: [] } });
      response.writeHead(200, { "content-type": "application/json", "content-length": text.length });
      if (asked > 1) return response.end(text);
      return response.write(text.slice(0, 20), () => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(ecsFirewall(rpc({ endpoint: () => endpoint })).readGroup(web, "open")).resolves.toMatchObject({
      rules: [],
    });
    expect(asked).toBe(2);
    server.closeAllConnections();
    server.close();
  });

  it("tells how far the local clock is off", async () => {
    const ahead: Clock = { ...systemClock, now: () => systemClock.now() + 60_000 };
    const firewall = ecsFirewall(rpc({ clock: ahead }));
    expect(firewall.skewMs()).toBe(0);
    await firewall.readGroup(web, "open");
    expect(Math.abs(firewall.skewMs() - 60_000)).toBeLessThan(3_000);
  });

  it("uses a changed key with the next call", async () => {
    let secret = "wrong";
    const firewall = ecsFirewall(rpc({ credentials: () => ({ accessKeyId: "ak", accessKeySecret: secret }) }));
    await failureOf(firewall.readGroup(web, "open"));
    secret = "sk";
    await expect(firewall.readGroup(web, "open")).resolves.toBeDefined();
  });

  it("asks its gate before every call and tells it of throttling", async () => {
    const heard: string[] = [];
    const gate = {
      foresee: () => undefined,
      admit: (at: string, action: string, priority: string) => void heard.push(`${at} ${action} ${priority}`),
      throttled: (_at: string, action: string) => void heard.push(`throttled ${action}`),
    };
    cloud.faults.set([{ service: "ecs", times: 1, fault: { kind: "reject", status: 400, code: "Throttling" } }]);
    await failureOf(ecsFirewall(rpc({ gate })).readGroup(web, "drift"));
    expect(heard).toEqual([
      "cn-hangzhou DescribeSecurityGroupAttribute drift",
      "throttled DescribeSecurityGroupAttribute",
    ]);
  });
});

describe("a reading that is not whole", () => {
  const page = (token: string, list: unknown = { Permission: [] }) => ({
    RequestId: "R",
    SecurityGroupId: "sg-web",
    NextToken: token,
    Permissions: list,
  });

  it.each([
    ["a token that repeats", [page("a"), page("a")]],
    ["tokens in a circle", [page("a"), page("b"), page("a")]],
    ["a page without its list", [page("a"), page("", null)]],
    ["another group's rules", [{ ...page(""), SecurityGroupId: "sg-other" }]],
    ["no JSON object", [[]]],
  ])("is an error with %s", async (_what, answers) => {
    let asked = 0;
    const stub = await answering(() => answers[asked++] ?? page(""));
    const failure = await failureOf(ecsFirewall(rpc({ endpoint: () => stub.endpoint })).readGroup(web, "open"));
    expect(failure.kind).toBe("unknown");
    expect(asked).toBe(answers.length);
    stub.stop();
  });
});

describe("the inventory on ECS", () => {
  it("lists all groups of the region with their facts", async () => {
    const groups = await ecsInventory(rpc(), systemClock).listGroups(region, "inventory");
    expect(groups).toHaveLength(253);
    expect(groups.find((group) => group.ref.groupId === "sg-web")).toEqual({
      ref: web,
      name: "web",
      vpcId: "vpc-1",
      type: "normal",
      serviceManaged: false,
      tags: { "safeport:guard": "observe" },
    });
    expect(groups.find((group) => group.ref.groupId === "sg-managed")?.serviceManaged).toBe(true);
    expect(calls).toHaveLength(3);
  });

  it("knows a group for ten minutes, also from the list, and an absent one not at all", async () => {
    const clock = standingClock();
    const inventory = ecsInventory(rpc(), clock);
    expect((await inventory.group(web, "open"))?.name).toBe("web");
    await inventory.group(web, "open");
    expect(calls).toHaveLength(1);
    clock.at = 10 * 60_000;
    await inventory.group(web, "open");
    expect(calls).toHaveLength(2);
    await inventory.group(web, "open", true);
    await inventory.group(web, "open");
    expect(calls).toHaveLength(3);
    await inventory.listGroups(region, "inventory");
    calls = [];
    await inventory.group(managed, "open");
    expect(calls).toHaveLength(0);
    expect(await inventory.group(nobody, "open")).toBeNull();
    expect(await inventory.group(nobody, "open")).toBeNull();
    expect(calls).toHaveLength(2);
  });

  it.each(["secondary", "all"] as const)(
    "finds every interface of a group when the list holds %s ones",
    async (held) => {
      cloud.switches.eniBySecurityGroup = held;
      const inventory = ecsInventory(rpc(), systemClock);
      const members = await inventory.members(web, "open");
      const by = (address: string) => members.find((member) => member.address === address);
      expect(members).toHaveLength(4);
      expect(by("192.168.0.11")).toMatchObject({
        instanceId: "i-1",
        instanceName: "web-1",
        ipv6: ["2001:db8::11"],
        groupIds: ["sg-web"],
        serviceManaged: false,
      });
      expect(by("192.168.0.12")).toMatchObject({ instanceId: "i-2", serviceManaged: false });
      expect(by("192.168.0.23")).toMatchObject({ eniId: "eni-second", instanceId: "i-3", serviceManaged: false });
      expect(by("192.168.0.99")).toMatchObject({ eniId: "eni-lb", instanceId: null, serviceManaged: true });
      await inventory.members(web, "open");
      expect(calls).toHaveLength(2);
    },
  );

  it("finds an instance with one call, its primary interface first", async () => {
    const inventory = ecsInventory(rpc(), systemClock);
    const found = await inventory.instance(region, "i-3", "open");
    expect(found?.[0]).toMatchObject({
      instanceId: "i-3",
      instanceName: "other",
      address: "192.168.0.13",
      groupIds: ["sg-1"],
    });
    expect(await inventory.instance(region, "i-nobody", "open")).toBeNull();
    expect(calls).toEqual(["DescribeInstances", "DescribeInstances"]);
  });
});
