// Events that are malformed, foreign, made up, old or huge change nothing by themselves; where somebody should read of it, they can.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultPolicy } from "../../shared/config/policy-schema.ts";
import { GuardedWorld, openDatabase } from "../kit/guarded-world.ts";
import { callByOther } from "../kit/other-calls.ts";
import { fromCidr, somePorts } from "../kit/rules.ts";
import { trailRecord } from "../kit/trail-records.ts";
import { region } from "../kit/world.ts";

type Json = Readonly<Record<string, unknown>>;

let guarded: GuardedWorld;
beforeEach(async () => {
  guarded = await GuardedWorld.start();
  await guarded.world.ticks(1);
});
afterEach(() => guarded.world.stop());

const told = async () => (await guarded.world.recorded()).join("\n");
const timeOf = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

let made = 0;
/** A record of an opening in `sg-web` that never happened. */
function madeUp(changes: Json = {}, parameters: Json = {}): Json {
  const asked = {
    SecurityGroupId: "sg-web",
    "Permissions.1.IpProtocol": "TCP",
    "Permissions.1.PortRange": "22/22",
    "Permissions.1.SourceCidrIp": "0.0.0.0/0",
    ...parameters,
  };
  const resources = { referencedResources: { "ACS::ECS::SecurityGroup": ["sg-web"] }, resourceName: "sg-web" };
  made += 1;
  const own = { eventId: `made-up-${made}`, eventTime: timeOf(guarded.world.clock.now()) };
  return trailRecord(asked, { ...resources, ...own, ...changes });
}

test("a call with a token that was copied from one of ours is looked at like any other", async () => {
  const { world } = guarded;
  await world.open({ periodMs: 60_000 });
  const own = (await guarded.events()).find((record) => record["eventName"] === "AuthorizeSecurityGroup") as Json;
  const { ClientToken } = own["requestParameters"] as Readonly<Record<string, string>>;
  if (ClientToken === undefined) throw new Error("no token");
  await world.advance(25 * 3_600_000);
  await world.ticks(2);
  await guarded.settle();
  await callByOther(world, "AuthorizeSecurityGroup", {
    SecurityGroupId: "sg-web",
    ClientToken,
    "Permissions.1.IpProtocol": "TCP",
    "Permissions.1.PortRange": "3306/3306",
    "Permissions.1.SourceCidrIp": "0.0.0.0/0",
  });
  expect(world.openPorts()).toEqual(["3306/3306"]);
  await guarded.settle();
  expect(world.openPorts()).toEqual([]);
});

test("a call of another name with a token that was copied from one of ours a moment ago is looked at, too", async () => {
  // Where a token is good for one API of the whole account the cloud itself refuses the copy.
  await guarded.world.stop();
  guarded = await GuardedWorld.start({ switches: { clientTokenScope: "api" } });
  await guarded.world.ticks(1);
  const { world } = guarded;
  await world.open();
  const records = await guarded.events();
  const own = records.find((record) => record["eventName"] === "AuthorizeSecurityGroup") as Json;
  const { ClientToken } = own["requestParameters"] as Readonly<Record<string, string>>;
  if (ClientToken === undefined) throw new Error("no token");
  for (const record of [...records, ...records]) expect(await guarded.deliver(record)).toMatchObject({ looked: [] });
  const before = await guarded.rules();
  await callByOther(world, "AuthorizeSecurityGroupEgress", {
    SecurityGroupId: "sg-web",
    ClientToken,
    "Permissions.1.IpProtocol": "ALL",
    "Permissions.1.PortRange": "-1/-1",
    "Permissions.1.DestCidrIp": "0.0.0.0/0",
  });
  expect(await guarded.rules()).toHaveLength(before.length + 1);
  await guarded.settle();
  await world.written();
  expect(await guarded.rules()).toEqual(before);
  expect((await guarded.drift())[0]?.attribution).toMatchObject({ actor: "other" });
});

describe("an event that counts for nothing", () => {
  const cases: readonly [string, () => unknown, string][] = [
    ["of another account", () => madeUp({ recipientAccountId: "999999999999" }), "not of ours"],
    ["too old", () => madeUp({ eventTime: timeOf(guarded.world.clock.now() - 4 * 86_400_000) }), "too old"],
    ["from the future", () => madeUp({ eventTime: timeOf(guarded.world.clock.now() + 3_600_000) }), "from the future"],
    ["of a call that failed", () => madeUp({ errorCode: "Forbidden.RAM", errorMessage: "no" }), "was refused"],
    ["without a time", () => madeUp({ eventTime: undefined }), "cannot be read"],
    ["with a time that is none", () => madeUp({ eventTime: "yesterday" }), "cannot be read"],
    ["without an id", () => madeUp({ eventId: undefined }), "cannot be read"],
    ["null", () => null, "cannot be read"],
    ["a number", () => 42, "cannot be read"],
    ["text", () => "sg-web", "cannot be read"],
    ["a list", () => [], "cannot be read"],
    ["an object of nothing", () => ({}), "cannot be read"],
  ];

  test("is told: of another account, too old, from the future, of a failed call, malformed", async () => {
    const before = await guarded.rules();
    for (const [what, record, words] of cases) {
      await guarded.world.advance(1000);
      const seen = (await guarded.world.recorded()).length;
      const report = await guarded.deliver(record());
      expect(report, what).toMatchObject({ looked: [], left: [] });
      const lines = await guarded.world.recorded();
      expect(lines.slice(0, lines.length - seen).join("\n"), what).toContain(words);
    }
    expect(await guarded.rules()).toEqual(before);
    expect(await guarded.drift()).toEqual([]);
  });
});

describe("an event that was made up", () => {
  test("of a group whose id is none is of nothing to us, and is not delivered again for ever", async () => {
    const resources = { referencedResources: { "ACS::ECS::SecurityGroup": ["__proto__"] }, resourceName: "__proto__" };
    const report = await guarded.deliver(madeUp(resources, { SecurityGroupId: "../../sg-web" }));
    expect(report).toMatchObject({ looked: [], left: [], ignored: expect.stringContaining("nothing to us") as string });
  });

  test("by a name that breaks lines or turns their direction is told on one line", async () => {
    await guarded.authorize(openDatabase);
    const [record] = await guarded.events();
    const identity = record?.["userIdentity"] as Json;
    await guarded.deliver({ ...record, userIdentity: { ...identity, userName: "bob\n\u202eerased" } });
    expect((await guarded.drift())[0]?.attribution?.actor).toBe("bob??erased");
  });

  test("of a rule that does not stand makes a look, and changes nothing", async () => {
    const before = await guarded.rules();
    await guarded.deliver(madeUp());
    expect(await guarded.rules()).toEqual(before);
    expect(await guarded.drift()).toEqual([]);
  });

  test("of a removal that did not happen restores nothing and blames nobody", async () => {
    const [http] = await guarded.rules();
    const before = await guarded.rules();
    const parameters = { "SecurityGroupRuleId.1": http?.id };
    await guarded.deliver(madeUp({ eventName: "RevokeSecurityGroup" }, parameters));
    expect(await guarded.rules()).toEqual(before);
    expect(await guarded.drift()).toEqual([]);
  });

  test("of a group that does not exist ends quietly", async () => {
    const resources = {
      referencedResources: { "ACS::ECS::SecurityGroup": ["sg-nowhere"] },
      resourceName: "sg-nowhere",
    };
    await guarded.deliver(madeUp(resources, { SecurityGroupId: "sg-nowhere" }));
    await guarded.world.ticks(2);
    expect(await guarded.drift()).toEqual([]);
  });

  test("of another region than the policy's is left out", async () => {
    const report = await guarded.deliver(madeUp({ acsRegion: "cn-shanghai" }, { RegionId: "cn-shanghai" }));
    expect(report.looked).toEqual([]);
  });

  test("of a group that the policy alone may guard comes again where that cannot be read, from whatever region", async () => {
    const { world } = guarded;
    const { policy } = world;
    const guards = { "sg-app": "observe" } as const;
    const own = madeUp({ referencedResources: {}, resourceName: "" }, { SecurityGroupId: "sg-app" });
    const far = madeUp({ acsRegion: "cn-shanghai" }, { SecurityGroupId: "sg-far" });
    world.policy = { ...defaultPolicy(region), isStandIn: true };
    for (const record of [own, far])
      await expect(guarded.deliver(record)).rejects.toMatchObject({ code: "POLICY_UNREADABLE" });
    world.policy = { ...policy, groups: { ...policy.groups, guards: { ...policy.groups.guards, ...guards } } };
    expect((await guarded.deliver(own)).looked).toEqual(["sg-app"]);
    expect(await guarded.deliver(far)).toMatchObject({ looked: [], ignored: expect.stringContaining("leaves out") });
  });

  const hostile: readonly [string, () => Json][] = [
    ["an id of 5000 characters", () => madeUp({ eventId: "e".repeat(5000) })],
    [
      "a group id of 5000 characters",
      () => madeUp({ referencedResources: {}, resourceName: "" }, { SecurityGroupId: `sg-${"x".repeat(5000)}` }),
    ],
    [
      "a user's name of 200 KB",
      () => madeUp({ userIdentity: { type: "ram-user", principalId: "1", userName: "n".repeat(200_000) } }),
    ],
    ["a token of 200 KB", () => madeUp({}, { ClientToken: "t".repeat(200_000) })],
    [
      "2000 permissions",
      () =>
        madeUp(
          {},
          Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`Permissions.${n + 1}.PortRange`, "1/1"])),
        ),
    ],
    [
      "500 groups",
      () =>
        madeUp({
          referencedResources: { "ACS::ECS::SecurityGroup": Array.from({ length: 500 }, (_, n) => `sg-${n}`) },
        }),
    ],
    [
      "a prototype's name as a parameter",
      () => madeUp({}, JSON.parse('{"__proto__": {"SecurityGroupId": "sg-app"}, "constructor": "x"}') as Json),
    ],
    ["control characters in its words", () => madeUp({ requestId: "a\u0000b\u2028\n", sourceIpAddress: "\u0007" })],
  ];

  test("of hostile size or form is taken or refused without failing, and a true one after it works", async () => {
    const before = await guarded.rules();
    for (const [what, record] of hostile) {
      await expect(guarded.deliver(record()), what).resolves.toBeDefined();
      await guarded.world.advance(1000);
    }
    expect(await guarded.rules()).toEqual(before);
    await guarded.authorize(openDatabase);
    await guarded.settle();
    expect(guarded.world.openPorts()).toEqual([]);
  });
});

describe("somebody's own calls", () => {
  test("with the program's own key and without its token are somebody's: a rule opened so is rolled back", async () => {
    const { world } = guarded;
    const key = {
      accessKeyId: "ak",
      accessKeySecret: "sk",
      kind: "user",
      name: "safeport",
      principalId: "20001",
      since: 0,
    } as const;
    await guarded.authorize(openDatabase, "", key);
    await guarded.settle();
    expect(world.openPorts()).toEqual([]);
    expect((await guarded.drift())[0]).toMatchObject({ state: "rolledBack", attribution: { actor: "safeport" } });
  });

  test("the record names actor, address, event, request, time and what the call opened", async () => {
    const office = guarded.world.addPrincipal({ kind: "user", name: "bob", address: "198.51.100.23" });
    await guarded.authorize(openDatabase, "just for a moment", office);
    const [record] = await guarded.events();
    await guarded.deliver(record);
    const [item] = await guarded.drift();
    expect(item?.reach).toBe("opens tcp 3306 to everybody (0.0.0.0/0) on 1 host");
    expect(item?.attribution).toMatchObject({
      actor: "bob",
      actorType: "ram-user",
      address: "198.51.100.23",
      eventId: record?.["eventId"],
      requestId: record?.["requestId"],
      operation: "AuthorizeSecurityGroup",
    });
    const line = (await guarded.world.recorded()).find((it) => it.includes("rolledBack"));
    for (const words of [
      "bob",
      "198.51.100.23",
      record?.["eventId"],
      record?.["requestId"],
      "opens tcp 3306 to everybody",
    ])
      expect(line).toContain(words);
  });

  test("that made a group are told, with what is to be done to guard it", async () => {
    const made = await callByOther(guarded.world, "CreateSecurityGroup", {
      VpcId: "vpc-1",
      SecurityGroupName: "new",
      SecurityGroupType: "normal",
    });
    const [record] = await guarded.events();
    for (let times = 0; times < 3; times++) await guarded.deliver(record);
    const lines = (await guarded.world.recorded()).filter((line) => line.includes("created the group"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`GET /v1/groups/${String(made["SecurityGroupId"])}/baseline`);
  });

  test("whose events come again count once, and that is told once", async () => {
    await guarded.authorize(openDatabase);
    const [record] = await guarded.events();
    for (let times = 0; times < 5; times++) await guarded.deliver(record);
    const again = (await guarded.world.recorded()).filter((line) =>
      line.includes("was delivered again: it counts once"),
    );
    expect(again).toHaveLength(1);
    expect((await guarded.drift()).map(({ state }) => state)).toEqual(["rolledBack"]);
  });

  test("on members and lists are looked at or told", async () => {
    const { world } = guarded;
    // The event of the opening is lost, and the rule is old: whatever makes a look closes it.
    await guarded.authorize(openDatabase);
    await guarded.events();
    await world.advance(16 * 60_000);
    await callByOther(world, "JoinSecurityGroup", { SecurityGroupId: "sg-web", InstanceId: "i-app-1" });
    await guarded.settle();
    expect(world.openPorts()).toEqual([]);
    expect(await told()).toContain("changed who is in sg-web");
    const list = { AddressFamily: "IPv4", MaxEntries: "5", PrefixListName: "monitors", "Entry.1.Cidr": "192.0.2.0/24" };
    const { PrefixListId: listId } = await callByOther(world, "CreatePrefixList", list);
    await callByOther(world, "ModifyPrefixList", { PrefixListId: String(listId), "AddEntry.1.Cidr": "0.0.0.0/1" });
    await guarded.settle();
    expect(await told()).toContain(`changed ${String(listId)}`);
  });

  test("in a burst share few looks", async () => {
    const { world } = guarded;
    for (let port = 4000; port < 4012; port++)
      await guarded.authorize({
        ...openDatabase,
        peer: fromCidr("198.51.100.0/24"),
        ports: somePorts(`${port}/${port}`),
      });
    const records = await guarded.events();
    const before = world.callNames.length;
    await Promise.all(records.map((record) => guarded.deliver(record)));
    const readings = () =>
      world.callNames.slice(before).filter((name) => name === "ecs DescribeSecurityGroupAttribute");
    expect(world.openPorts()).toEqual([]);
    const shared = readings().length;
    expect(shared).toBeLessThan(8);
    // Who has left an event to somebody else's look cannot know whether that one has still read it.
    await world.ticks(1);
    expect(readings().length).toBeGreaterThan(shared);
  });
});
