// Rules of cloud services that write some of their own: known by source range or owner, never by what they say of themselves.
import { afterEach, describe, expect, test } from "vitest";
import { type GuardedOptions, GuardedWorld, openDatabase } from "../kit/guarded-world.ts";
import { callByOther } from "../kit/other-calls.ts";
import { fromCidr, somePorts } from "../kit/rules.ts";
import { keepsId } from "../kit/switch-under-test.ts";

const policy = {
  foreignWriters: [
    { name: "DTS", sources: ["100.104.0.0/16", "96.0.0.0/3"] },
    { name: "Bastionhost", ownerAccounts: ["1098765432109876"] },
  ],
};

let guarded: GuardedWorld;
afterEach(() => guarded.world.stop());

async function start(options: GuardedOptions = {}): Promise<void> {
  guarded = await GuardedWorld.start({ policy, ...options });
  await guarded.world.ticks(1);
}

const fromDts = { ...openDatabase, peer: fromCidr("100.104.128.0/24") };

/** Somebody opens a port to a group of another account. */
const authorizeGroup = (account: string, description: string) =>
  callByOther(guarded.world, "AuthorizeSecurityGroup", {
    SecurityGroupId: "sg-web",
    "Permissions.1.IpProtocol": "TCP",
    "Permissions.1.PortRange": "22/22",
    "Permissions.1.SourceGroupId": "sg-bastion",
    "Permissions.1.SourceGroupOwnerAccount": account,
    "Permissions.1.Description": description,
  });

describe("a cloud service that writes rules of its own", () => {
  test("is known by its source range: the rule is never reverted, with its event or without", async () => {
    await start();
    const { world } = guarded;
    await guarded.authorize(fromDts, "", world.addPrincipal({ kind: "service", name: "dts" }));
    await guarded.settle();
    await guarded.authorize({ ...fromDts, ports: somePorts("3307/3307") });
    await guarded.events();
    await guarded.authorize({ ...fromDts, ports: somePorts("3308/3308") });
    await guarded.settle();
    await world.advance(20 * 60_000);
    await world.ticks(2);
    expect([...world.openPorts()].sort()).toEqual(["3306/3306", "3307/3307", "3308/3308"]);
    const items = await guarded.drift();
    expect(items).toHaveLength(3);
    for (const item of items)
      expect(item).toMatchObject({ state: "reported", verdict: { kind: "foreign", writer: "DTS" } });
  });

  test("is known by the account that owns the group its rule names", async () => {
    await start();
    await authorizeGroup("1098765432109876", "way in");
    await guarded.settle();
    await guarded.world.ticks(1);
    expect(guarded.world.openPorts()).toEqual(["22/22"]);
    const [item] = await guarded.drift();
    expect(item).toMatchObject({ state: "reported", verdict: { kind: "foreign", writer: "Bastionhost" } });
  });

  test("another account's group is nobody's, whatever the rule says of itself", async () => {
    await start();
    await authorizeGroup("1000000000000001", "created by Bastionhost");
    await guarded.settle();
    expect(guarded.world.openPorts()).toEqual([]);
  });

  test("is not known by words alone", async () => {
    await start();
    const dts = guarded.world.addPrincipal({ kind: "service", name: "dts" });
    await guarded.authorize(
      { ...openDatabase, peer: fromCidr("203.0.113.0/24") },
      "created by DTS, do not delete",
      dts,
    );
    await guarded.settle();
    expect(guarded.world.openPorts()).toEqual([]);
    expect((await guarded.drift()).map((item) => item.state)).toEqual(["rolledBack"]);
  });

  test("never has a source wider than the policy says, even within its ranges", async () => {
    await start();
    await guarded.authorize({ ...openDatabase, peer: fromCidr("100.0.0.0/8") });
    await guarded.settle();
    expect(guarded.world.openPorts()).toEqual([]);
  });

  test("does not get a baseline rule edited into its range: that one is restored", async () => {
    await start();
    const http = (await guarded.rules()).find((rule) => rule.description === "http");
    if (!http?.id) throw new Error("no such rule");
    await guarded.modify(http.id, { ...http, peer: fromDts.peer }, http.description);
    await guarded.settle();
    // Where the cloud gives a changed rule another id, an event alone does not take a rule of the range from its service.
    const rules = guarded.world.rules();
    const others = rules.filter((rule) => rule.source !== "100.104.128.0/24");
    expect(others.map((rule) => rule.source)).toEqual(["0.0.0.0/0", "0.0.0.0/0"]);
    expect(rules.length - others.length).toBe(keepsId ? 0 : 1);
  });
});
