// What is rolled back in an enforced group, and that every field comes back; what a group that is only observed keeps.
import { afterEach, describe, expect, test } from "vitest";
import type { EcsRule } from "../../local/services/ecs/model.ts";
import { cidrOf } from "../../shared/domain/cidr.ts";
import type { RuleId } from "../../shared/domain/ids.ts";
import type { Rule } from "../../shared/domain/rule.ts";
import { listRecords } from "../../shared/store/records.ts";
import { type GuardedOptions, GuardedWorld, openDatabase } from "../kit/guarded-world.ts";
import { callByOther } from "../kit/other-calls.ts";
import { fromCidr, somePorts } from "../kit/rules.ts";
import { takesDestination } from "../kit/switch-under-test.ts";
import { worldSeed } from "../kit/world.ts";

/** Rules that use every field a rule has. */
const everyField: readonly Partial<EcsRule>[] = [
  { portRange: "80/80", sourceCidrIp: "0.0.0.0/0", description: "http" },
  { portRange: "8443/8450", sourceCidrIp: "10.1.0.0/16", priority: 40, description: "a range at 40" },
  { portRange: "25/25", sourceCidrIp: "0.0.0.0/0", policy: "Drop", priority: 7, description: "no mail" },
  { direction: "egress", portRange: "443/443", destCidrIp: "192.0.2.0/24", description: "to the partner" },
  { direction: "egress", portRange: "-1/-1", ipProtocol: "ALL", destCidrIp: "198.51.100.0/24", policy: "Drop" },
  {
    portRange: "5432/5432",
    sourceCidrIp: "10.2.0.0/16",
    destCidrIp: "127.10.0.11/32",
    sourcePortRange: "1024/65535",
    description: "five-tuple",
  },
  { portRange: "9200/9200", sourceGroupId: "sg-app", priority: 3, description: "by group" },
  {
    portRange: "9300/9300",
    sourceGroupId: "sg-far",
    sourceGroupOwnerAccount: "1900000000000000",
    description: "by a group of another account",
  },
  {
    direction: "egress",
    portRange: "9301/9301",
    destGroupId: "sg-far",
    destGroupOwnerAccount: "partner@example.com",
    description: "to a group of another account",
  },
  { portRange: "22/22", ipv6SourceCidrIp: "2001:db8::/64", description: "six" },
  { portRange: "-1/-1", ipProtocol: "ICMP", sourceCidrIp: "10.0.0.0/8", description: "ping" },
];

/** Where the cloud takes no destination, nobody has such a rule. */
const manyFields = everyField.filter(({ description }) => takesDestination || description !== "five-tuple");

const seed = {
  ...worldSeed,
  groups: worldSeed.groups.map((group) => (group.groupId === "sg-web" ? { ...group, rules: manyFields } : group)),
};

let guarded: GuardedWorld;
afterEach(() => guarded.world.stop());

async function start(options: GuardedOptions = {}): Promise<void> {
  guarded = await GuardedWorld.start({ seed, ...options });
  await guarded.world.ticks(1);
}

/** Everything the cloud keeps of the rules but ids and times. */
function contents(): readonly string[] {
  const group = guarded.world.ecs.groups().find((it) => it.groupId === "sg-web");
  const texts = (group?.rules ?? []).map(({ ruleId: _id, createTime: _at, ...rule }) =>
    JSON.stringify(Object.entries(rule).sort()),
  );
  return texts.sort();
}

const idOf = ({ id }: Rule): RuleId => {
  if (id === null) throw new Error("the rule has no id");
  return id;
};

describe("an enforced group", () => {
  test("gets every removed rule back with all its fields, also several at once", async () => {
    await start();
    const before = contents();
    const rules = await guarded.rules();
    for (let index = 0; index < rules.length; index += 3) {
      for (const rule of rules.slice(index, index + 3)) await guarded.revoke(idOf(rule));
      await guarded.settle();
      expect(contents()).toEqual(before);
    }
    const items = await guarded.drift();
    expect(items).toHaveLength(manyFields.length);
    for (const item of items)
      expect(item).toMatchObject({ kind: "removed", state: "rolledBack", attribution: { actor: "other" } });
    const { records } = await listRecords(guarded.world.process().tables, { limit: 200, before: null });
    const rolledBack = records.filter(({ lines }) => lines.some((line) => line.includes("; rolledBack")));
    expect([...new Set(rolledBack.map((it) => it.decidedBy))]).toEqual(["groups.guards.web: enforce"]);
  });

  test("gets a rule by prefix list back", async () => {
    await start();
    const { world } = guarded;
    const list = { AddressFamily: "IPv4", MaxEntries: "5", "Entry.1.Cidr": "192.0.2.0/24", PrefixListName: "monitors" };
    const { PrefixListId: listId } = await callByOther(world, "CreatePrefixList", list);
    const peer = { kind: "prefixList" as const, prefixListId: String(listId) };
    await guarded.authorize({ ...openDatabase, ports: somePorts("9100/9100"), peer }, "by list");
    await guarded.confirm();
    await world.ticks(1);
    await guarded.events();
    const before = contents();
    const rule = (await guarded.rules()).find((it) => it.description === "by list");
    if (!rule) throw new Error("no such rule");
    await guarded.revoke(idOf(rule));
    await guarded.settle();
    expect(contents()).toEqual(before);
  });

  test("gets an edited rule back: description, priority, policy, source, ports", async () => {
    await start();
    const before = contents();
    const edits: readonly ((rule: Rule) => { spec: Rule; description: string })[] = [
      (rule) => ({ spec: rule, description: "somebody else's words" }),
      (rule) => ({ spec: { ...rule, priority: 99 }, description: rule.description }),
      (rule) => ({
        spec: { ...rule, policy: rule.policy === "drop" ? "accept" : "drop" },
        description: rule.description,
      }),
      (rule) => ({ spec: { ...rule, peer: fromCidr("0.0.0.0/0") }, description: rule.description }),
      (rule) => ({ spec: { ...rule, ports: somePorts("1/65535") }, description: rule.description }),
    ];
    for (const [index, edit] of edits.entries()) {
      // Each edit takes a rule of its own, so that none is held for being rolled back too often.
      const rule = (await guarded.rules()).find(
        (it) =>
          it.description ===
          [
            "http",
            "by a group of another account",
            "no mail",
            "to the partner",
            takesDestination ? "five-tuple" : "six",
          ][index],
      );
      if (!rule) throw new Error("no such rule");
      const { spec, description } = edit(rule);
      await guarded.modify(idOf(rule), spec, description);
      expect(contents()).not.toEqual(before);
      await guarded.settle();
      expect(contents()).toEqual(before);
    }
    const items = await guarded.drift();
    expect(items.every((item) => item.state === "rolledBack" && item.attribution?.actor === "other")).toBe(true);
  });

  test("gets a rule back that was narrowed by what no call takes off again: source ports, a destination", async () => {
    await start();
    const before = contents();
    const narrowings: readonly (readonly [string, (rule: Rule) => Rule])[] = [
      ["a range at 40", (rule) => ({ ...rule, sourcePorts: somePorts("1024/2000") })],
      ["no mail", (rule) => ({ ...rule, sourcePorts: somePorts("1024/2000") })],
      ...(takesDestination ? [["http", (rule: Rule) => ({ ...rule, dest: cidrOf(4, 0x7f0a000bn, 32) })] as const] : []),
    ];
    for (const [description, narrowed] of narrowings) {
      const rule = (await guarded.rules()).find((it) => it.description === description);
      if (!rule) throw new Error("no such rule");
      await guarded.modify(idOf(rule), narrowed(rule), description);
      expect(contents()).not.toEqual(before);
      await guarded.settle();
      expect(contents()).toEqual(before);
    }
  });

  test("knows who edited a rule also where the cloud gives a changed rule another id", async () => {
    await start({ switches: { modifiedRule: "new-id" } });
    const before = contents();
    const rules = await guarded.rules();
    const [http, six] = ["http", "six"].map((text) => rules.find(({ description }) => description === text));
    if (!http || !six) throw new Error("no such rules");
    await guarded.modify(idOf(http), { ...http, ports: somePorts("1/65535") }, "wider");
    await guarded.modify(idOf(six), six, "other words");
    await guarded.settle();
    expect(contents()).toEqual(before);
    const items = await guarded.drift();
    expect(items).toHaveLength(2);
    for (const item of items)
      expect(item).toMatchObject({ kind: "edited", state: "rolledBack", attribution: { actor: "other" } });
    // Looked at before the event came: what waits is told apart once it comes.
    const ping = (await guarded.rules()).find(({ description }) => description === "ping");
    if (!ping) throw new Error("no such rule");
    await guarded.modify(idOf(ping), { ...ping, peer: fromCidr("0.0.0.0/0") }, "pong");
    await guarded.compare();
    expect(
      (await guarded.drift())
        .filter(({ state }) => state === "waiting")
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(["added", "removed"]);
    await guarded.settle();
    expect(contents()).toEqual(before);
    const edited = (await guarded.drift()).filter(({ kind }) => kind === "edited");
    expect(edited).toHaveLength(3);
    expect((await guarded.drift()).filter(({ state }) => state === "gone")).toHaveLength(2);
  });

  test("loses every kind of rule that nobody granted, and keeps each in full", async () => {
    await start();
    const before = contents();
    const added = [
      openDatabase,
      { ...openDatabase, direction: "egress" as const, ports: somePorts("4444/4444") },
      { ...openDatabase, policy: "drop" as const, ports: somePorts("80/80"), priority: 1 },
      { ...openDatabase, ports: somePorts("3389/3389"), peer: { kind: "group" as const, groupId: "sg-app" } },
    ];
    for (const spec of added) await guarded.authorize(spec, "quietly");
    await guarded.settle();
    expect(contents()).toEqual(before);
    const items = await guarded.drift();
    expect(items).toHaveLength(added.length);
    for (const spec of added) expect(items.map((item) => item.found)).toContainEqual({ spec, description: "quietly" });
  });

  test("tells what reach a change added or took away", async () => {
    await start();
    const http = (await guarded.rules()).find((rule) => rule.description === "http");
    if (!http) throw new Error("no such rule");
    await guarded.authorize(openDatabase);
    await guarded.revoke(idOf(http));
    await guarded.settle();
    const reaches = Object.fromEntries((await guarded.drift()).map((item) => [item.kind, item.reach]));
    expect(reaches["added"]).toBe("opens tcp 3306 to everybody (0.0.0.0/0) on 1 host");
    expect(reaches["removed"]).toBe("closes tcp 80 to everybody (0.0.0.0/0) on 1 host");
  });
});

describe("an observed group", () => {
  test("is reported and left as it is: added, removed and edited", async () => {
    await start({ guard: "observe" });
    const [first, second] = await guarded.rules();
    if (!first || !second) throw new Error("no rules");
    await guarded.authorize(openDatabase);
    await guarded.revoke(idOf(first));
    await guarded.modify(idOf(second), second, "mine now");
    const after = contents();
    await guarded.settle();
    await guarded.world.ticks(20);
    expect(contents()).toEqual(after);
    const items = await guarded.drift();
    expect(items.map((item) => item.kind).sort()).toEqual(["added", "edited", "removed"]);
    for (const item of items)
      expect(item).toMatchObject({ state: "reported", heldBy: null, attribution: { actor: "other" } });
  });

  test("an enforced group without a confirmed baseline is only observed", async () => {
    guarded = await GuardedWorld.start({ seed, guard: "none" });
    const { world } = guarded;
    world.policy = { ...world.policy, groups: { ...world.policy.groups, guards: { web: "enforce" } } };
    await guarded.authorize(openDatabase);
    const after = contents();
    await guarded.settle();
    expect(contents()).toEqual(after);
    const items = await guarded.drift();
    expect(items.some((item) => item.state === "reported" && item.kind === "added")).toBe(true);
    expect(items.every((item) => item.state !== "rolledBack" && item.state !== "rollingBack")).toBe(true);
  });

  test("a group that is not guarded is nobody's business", async () => {
    guarded = await GuardedWorld.start({ seed, guard: "none" });
    await guarded.authorize(openDatabase);
    const after = contents();
    await guarded.settle();
    expect(contents()).toEqual(after);
    expect(await guarded.drift()).toEqual([]);
  });
});
