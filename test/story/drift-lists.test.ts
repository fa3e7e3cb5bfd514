// Prefix lists and port lists: a rule that names one stands as it was granted, and lets through what somebody puts into the list.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Rule } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import type { App } from "../../shared/usecases/app.ts";
import { changeAllocations } from "../../shared/usecases/ledger/change-allocations.ts";
import { anAllocation } from "../kit/drift-pictures.ts";
import { GuardedWorld, openDatabase } from "../kit/guarded-world.ts";
import { callByOther } from "../kit/other-calls.ts";

let guarded: GuardedWorld;
beforeEach(async () => {
  guarded = await GuardedWorld.start();
  await guarded.world.ticks(1);
});
afterEach(() => guarded.world.stop());

const OFFICES = { AddressFamily: "IPv4", MaxEntries: "5", PrefixListName: "offices", "Entry.1.Cidr": "192.0.2.0/24" };
const call = (action: string, parameters: Readonly<Record<string, string>>) =>
  callByOther(guarded.world, action, parameters);

/** A rule of `web` that names the list, and that a person grants for the allowed sources. */
async function granted(parameters: Readonly<Record<string, string>>, allowedSources: readonly string[]): Promise<Rule> {
  const { world } = guarded;
  await call("AuthorizeSecurityGroup", { SecurityGroupId: "sg-web", "Permissions.1.IpProtocol": "TCP", ...parameters });
  // Where the cloud shows late what was written.
  await world.advance(1000);
  const rule = (await guarded.rules()).find((it) => it.peer.kind === "prefixList" || it.ports.kind === "list");
  if (!rule?.id) throw new Error("no such rule");
  const { id: _, description: __, createdAt: ___, ...spec } = rule;
  const allocation = anAllocation({ owner: "ann", allowedSources, at: world.clock.now(), seenAt: world.clock.now() });
  await world.run(changeAllocations(world.process(), world.web, "root", [{ spec, allocation, standsAs: rule.id }]));
  await guarded.settle();
  await world.ticks(2);
  return rule;
}

async function offices(allowedSources: readonly string[] = ["192.0.2.0/23"]): Promise<string> {
  const { PrefixListId: listId } = await call("CreatePrefixList", OFFICES);
  const rule = { "Permissions.1.PortRange": "443/443", "Permissions.1.SourcePrefixListId": String(listId) };
  await granted(rule, allowedSources);
  return String(listId);
}

/** What people are told of lists. */
async function notices(): Promise<readonly { readonly data: Readonly<Record<string, unknown>> }[]> {
  const { tables } = guarded.world.process();
  const { rows } = await tables.range({ table: "outbox", from: [0, 0, ""], to: [9, 0, ""], limit: 100 });
  return rows.map(({ columns }) => JSON.parse(String(columns["body"]))).filter(({ kind }) => kind === "reachChanged");
}

describe("a list that granted rules name is changed", () => {
  test("its groups are looked at, and told what it lets through beyond what is allowed; the rule stands", async () => {
    const { world } = guarded;
    const listId = await offices();
    // The event of an opening was lost, and the rule is old: whatever makes a look closes it.
    await guarded.authorize(openDatabase);
    await guarded.events();
    await world.advance(16 * 60_000);
    await call("ModifyPrefixList", { PrefixListId: listId, "AddEntry.1.Cidr": "0.0.0.0/1" });
    const [record] = await guarded.events();
    const report = await guarded.deliver(record);
    expect(report.left).toEqual(["sg-web"]);
    expect(await notices()).toMatchObject([
      {
        data: { list: listId, beyond: "0.0.0.0/1", confirmed: true },
        to: expect.arrayContaining([{ kind: "person", principal: "ann" }]),
      },
    ]);
    await world.ticks(1);
    expect(world.openPorts()).toEqual([]);
    expect((await guarded.rules()).some(({ peer }) => peer.kind === "prefixList")).toBe(true);
    const lines = (await world.recorded()).filter((line) => line.includes("beyond what is allowed"));
    expect(lines).toHaveLength(1);
    for (const words of ["changed pl-", "443", "beyond what is allowed: 0.0.0.0/1", String(record?.["requestId"])])
      expect(lines[0]).toContain(words);
  });

  test("within what is allowed: its people are told, and nothing is beyond", async () => {
    const listId = await offices();
    await call("ModifyPrefixList", { PrefixListId: listId, "AddEntry.1.Cidr": "192.0.3.0/24" });
    await guarded.settle();
    const lines = (await guarded.world.recorded()).filter((line) => line.includes(`changed ${listId} (`));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join("\n")).not.toContain("beyond");
  });

  test("once, however often its event is delivered", async () => {
    const listId = await offices();
    await call("ModifyPrefixList", { PrefixListId: listId, "AddEntry.1.Cidr": "0.0.0.0/0" });
    const [record] = await guarded.events();
    await guarded.deliver(record);
    const { callNames } = guarded.world;
    const calls = callNames.length;
    for (let times = 0; times < 4; times++) await guarded.deliver(record);
    // What is known already costs no call of the cloud's.
    expect(callNames.slice(calls).filter((name) => name.startsWith("ecs") || name.startsWith("trail"))).toEqual([]);
    const lines = (await guarded.world.recorded()).filter((line) => line.includes("ModifyPrefixList"));
    // One of the account, and one of the group.
    expect(lines).toHaveLength(2);
  });

  test("as made-up events say: its people are told once, and that the trail does not confirm it", async () => {
    const listId = await offices();
    await call("ModifyPrefixList", { PrefixListId: listId, "AddEntry.1.Cidr": "192.0.3.0/24" });
    const [record] = await guarded.events();
    for (let index = 0; index < 5; index++) await guarded.deliver({ ...record, eventId: `made-up-${index}` });
    expect(await notices()).toMatchObject([{ data: { list: listId, confirmed: false } }]);
    const lines = (await guarded.world.recorded()).filter((line) => line.includes(`changed ${listId} (`));
    expect(lines.every((line) => line.includes("has not confirmed"))).toBe(true);
    // The true one is news, whatever was made up before it. The trail answers two calls a second.
    await guarded.world.advance(2000);
    await guarded.deliver(record);
    expect((await notices()).map(({ data }) => data["confirmed"])).toEqual([false, true]);
  });

  test("as an event says of which the trail keeps something else: that counts for nothing", async () => {
    const listId = await offices();
    await guarded.authorize(openDatabase);
    const [other] = await guarded.events();
    await call("ModifyPrefixList", { PrefixListId: listId, "AddEntry.1.Cidr": "192.0.3.0/24" });
    const [record] = await guarded.events();
    await guarded.deliver({ ...record, eventId: other?.["eventId"] });
    expect(await notices()).toEqual([]);
    expect((await guarded.world.recorded()).join("\n")).toContain("the trail says otherwise");
  });

  test("a list of ports likewise", async () => {
    const list = { MaxEntries: "5", PortRangeListName: "web", "Entry.1.PortRange": "443/443" };
    const { PortRangeListId: listId } = await call("CreatePortRangeList", list);
    const peer = { "Permissions.1.PortRangeListId": String(listId), "Permissions.1.SourceCidrIp": "192.0.2.0/24" };
    const rule = await granted(peer, []);
    await call("ModifyPortRangeList", { PortRangeListId: String(listId), "AddEntry.1.PortRange": "3306/3306" });
    const [record] = await guarded.events();
    expect((await guarded.deliver(record)).left).toEqual(["sg-web"]);
    const after = (await guarded.rules()).map(ruleKey);
    expect(after).toContain(ruleKey(rule));
  });

  test("where the cloud does not say which groups name it, that is told", async () => {
    const listId = await offices();
    await call("ModifyPrefixList", { PrefixListId: listId, "AddEntry.1.Cidr": "0.0.0.0/0" });
    const refusal = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
    guarded.world.faults([{ service: "ecs", operation: "DescribePrefixListAssociations", fault: refusal }]);
    await guarded.settle();
    expect((await guarded.world.recorded()).join("\n")).toContain("cannot be asked: Forbidden.RAM");
  });
});

test("where our clock is behind the cloud's, which is asked for its time, a list's event is none of the future", async () => {
  const { world } = guarded;
  const listId = await offices();
  await guarded.events();
  await call("ModifyPrefixList", { PrefixListId: listId, "AddEntry.1.Cidr": "192.0.3.0/24" });
  const [record] = await guarded.events();
  const app = world.process();
  const { clock, firewall, inventory } = app;
  let isKnown = false;
  const behind: App = {
    ...app,
    clock: {
      ...clock,
      monotonicMs: () => clock.monotonicMs(),
      now: () => clock.now() - 600_000,
      sleep: async () => {},
    },
    firewall: { ...firewall, skewMs: () => (isKnown ? -600_000 : 0) },
    inventory: {
      ...inventory,
      groupsNaming: async (...asked) => {
        const named = await inventory.groupsNaming(...asked);
        isKnown = true;
        return named;
      },
    },
  };
  expect(await guarded.deliver(record, behind)).toMatchObject({ left: ["sg-web"], ignored: null });
});

test("who joins or leaves a group is told once, however often the event is delivered", async () => {
  await call("JoinSecurityGroup", { SecurityGroupId: "sg-web", InstanceId: "i-app-1" });
  const [record] = await guarded.events();
  for (let times = 0; times < 5; times++) await guarded.deliver(record);
  const lines = (await guarded.world.recorded()).filter((line) => line.includes("changed who is in sg-web"));
  expect(lines).toHaveLength(1);
});
