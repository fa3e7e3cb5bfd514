// Several interfaces and groups, basic and enterprise ones, traffic between instances, UDP: the same on both engines.

import { afterEach, describe, expect, test } from "vitest";
import { type DataPlane, startDataPlane } from "../../../local/dataplane/data-plane.ts";
import { nftUnusable } from "../../../local/dataplane/nft-process.ts";
import type { Group, Rule } from "../../../local/dataplane/topology.ts";
import { systemClock } from "../../../shared/adapters/system/clock.ts";
import { aGroup, anEni, aRule, aTopology } from "../../unit/local/dataplane/builders.ts";
import { attempt, ownNet } from "./connect.ts";
import { ask } from "./udp.ts";

const net = ownNet(112);
const tableName = `safeport_groups_${process.pid}`;
const reason = await nftUnusable(tableName);
if (reason !== undefined) console.log(`The nft data plane is not tested here: ${reason}`);

const PORT = 5022;
const first = anEni(`${net}.11`, ["sg-a"], { eniId: "eni-first", instanceId: "i-1" });
const second = anEni(`${net}.12`, ["sg-b", "sg-c"], { eniId: "eni-second", instanceId: "i-1" });
const other = anEni(`${net}.13`, ["sg-a"], { eniId: "eni-other", instanceId: "i-2" });
const open = (over: Partial<Rule> = {}): Rule => aRule({ portRange: `${PORT}/${PORT}`, ...over });
const world = (groups: readonly Group[]) =>
  aTopology({
    groups,
    enis: [first, second, other],
    instances: [
      { instanceId: "i-1", name: "one", eniIds: ["eni-first", "eni-second"], listening: [PORT], listeningUdp: [PORT] },
      { instanceId: "i-2", name: "two", eniIds: ["eni-other"], listening: [PORT], listeningUdp: [PORT] },
    ],
    prefixLists: [{ prefixListId: "pl-1", entries: ["127.0.0.2"] }],
    portRangeLists: [{ portRangeListId: "prl-1", entries: ["80/80", `${PORT}/${PORT + 1}`] }],
  });

const engines = ["nft", "userspace"] as const;

describe.each(engines)("the %s data plane", (engine) => {
  const skipped = engine === "nft" && reason !== undefined;
  let plane: DataPlane | undefined;
  const start = async (groups: readonly Group[]): Promise<DataPlane> => {
    const own = { clock: systemClock, destCidrIp: () => "honoured" as const, range: `${net}.0/24`, tableName };
    plane = await startDataPlane({ engine, ...own });
    await plane.apply(world(groups));
    return plane;
  };
  const reaches = async (address: string, from?: string): Promise<boolean> =>
    (await attempt(address, PORT, from)).kind === "connected";
  afterEach(async () => {
    await plane?.stop();
    plane = undefined;
  });

  test.skipIf(skipped)("decides for each interface of an instance by the groups of that interface", async () => {
    await start([aGroup("sg-a", []), aGroup("sg-b", []), aGroup("sg-c", [open()])]);
    expect(await Promise.all([reaches(first.privateIp), reaches(second.privateIp)])).toEqual([false, true]);
  });

  test.skipIf(skipped)("merges the groups of an interface: the strongest rule of any, Drop first", async () => {
    const { apply } = await start([aGroup("sg-b", [open({ priority: 5 })]), aGroup("sg-c", [])]);
    expect(await reaches(second.privateIp)).toBe(true);
    const drop = open({ priority: 5, policy: "Drop" });
    await apply(world([aGroup("sg-b", [open({ priority: 5 })]), aGroup("sg-c", [drop])]));
    expect(await reaches(second.privateIp)).toBe(false);
    await apply(world([aGroup("sg-b", [open({ priority: 4 })]), aGroup("sg-c", [drop])]));
    expect(await reaches(second.privateIp)).toBe(true);
  });

  test.skipIf(skipped)(
    "lets members of a basic group reach each other against a Drop, and not in an enterprise group",
    async () => {
      const drop = open({ policy: "Drop" });
      const { apply } = await start([aGroup("sg-a", [drop], { innerAccessPolicy: "Accept" })]);
      expect(await reaches(first.privateIp, other.privateIp)).toBe(true);
      expect(await reaches(first.privateIp)).toBe(false);
      await apply(world([aGroup("sg-a", [drop], { innerAccessPolicy: "Accept", type: "enterprise" })]));
      expect(await reaches(first.privateIp, other.privateIp)).toBe(false);
    },
  );

  test.skipIf(skipped)("keeps an instance of an enterprise group in until an egress rule lets it out", async () => {
    const enterprise = { type: "enterprise" };
    const out = open({ direction: "egress", sourceCidrIp: "", destCidrIp: first.privateIp });
    const { apply } = await start([aGroup("sg-a", [open()], enterprise)]);
    expect(await reaches(first.privateIp, other.privateIp)).toBe(false);
    expect(await reaches(first.privateIp)).toBe(true);
    await apply(world([aGroup("sg-a", [open(), out], enterprise)]));
    expect(await reaches(first.privateIp, other.privateIp)).toBe(true);
    expect(await reaches(other.privateIp, first.privateIp)).toBe(false);
  });

  test.skipIf(skipped)("keeps an instance of a basic group from what an egress rule drops", async () => {
    const out = open({ direction: "egress", sourceCidrIp: "", destCidrIp: first.privateIp, policy: "Drop" });
    await start([aGroup("sg-a", [open(), out])]);
    expect(await reaches(first.privateIp, other.privateIp)).toBe(false);
    expect(await reaches(other.privateIp, first.privateIp)).toBe(true);
  });

  test.skipIf(skipped)("reads prefix lists and port lists", async () => {
    await start([
      aGroup("sg-a", [
        aRule({ portRange: "", portRangeListId: "prl-1", sourceCidrIp: "", sourcePrefixListId: "pl-1" }),
      ]),
    ]);
    expect(await reaches(first.privateIp, "127.0.0.2")).toBe(true);
    expect(await reaches(first.privateIp, "127.0.0.3")).toBe(false);
  });

  test.skipIf(skipped)("carries UDP where the rules allow it", async () => {
    const { apply } = await start([aGroup("sg-a", [open({ ipProtocol: "UDP", sourceCidrIp: "127.0.0.1" })])]);
    const [allowed, refused, tcp] = await Promise.all([
      ask(first.privateIp, PORT),
      ask(first.privateIp, PORT, "127.0.0.2"),
      reaches(first.privateIp),
    ]);
    expect([allowed, refused, tcp]).toEqual([`one port ${PORT}\r\nhello`, undefined, false]);
    await apply(world([aGroup("sg-a", [])]));
    expect(await ask(first.privateIp, PORT)).toBeUndefined();
  });
});
