// IPv6 where it is real: addresses on the loopback interface, rules in the table, and nothing left behind.

import { execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type DataPlane, startDataPlane } from "../../../local/dataplane/data-plane.ts";
import type { Flow } from "../../../local/dataplane/flow.ts";
import { nftUnusable } from "../../../local/dataplane/nft-process.ts";
import type { Group, Rule } from "../../../local/dataplane/topology.ts";
import { systemClock } from "../../../shared/adapters/system/clock.ts";
import { aGroup, anEni, anInstance, aRule, aTopology } from "../../unit/local/dataplane/builders.ts";
import { attempt, ownNet } from "./connect.ts";

const net = ownNet(192);
const [, second = 0, third = 0] = net.split(".").map(Number);
/** An address of the block that belongs to `net`, as the kernel spells it. */
const addressOf = (host: string): string =>
  new URL(`http://[fd00:${(0x7f00 | second).toString(16)}:${(third << 8).toString(16)}::${host}]`).hostname.slice(
    1,
    -1,
  );
const tableName = `safeport_ipv6_${process.pid}`;
const noNft = await nftUnusable(tableName);
const unusable = noNft ?? (await loopbackRefuses());
if (unusable !== undefined) console.log(`IPv6 on the wire is not tested here: ${unusable}`);

const [webAddress, batchAddress] = [addressOf("11"), addressOf("12")];
const web = anEni(`${net}.11`, ["sg-web"], { ipv6: [webAddress] });
const batch = anEni(`${net}.12`, ["sg-batch"], { ipv6: [batchAddress] });
const PORT = 5022;
const from = (ipv6SourceCidrIp: string, more: Partial<Rule> = {}): Rule =>
  aRule({ portRange: `${PORT}/${PORT}`, ipv6SourceCidrIp, ...more });
const world = (rules: readonly Rule[], outside: Partial<Group> = {}) =>
  aTopology({
    groups: [aGroup("sg-web", rules), aGroup("sg-batch", [], outside)],
    enis: [web, batch],
    instances: [{ ...anInstance("web-1", web, [PORT]), listeningUdp: [PORT] }],
  });
/** The lines about these two addresses; others on this host are others' business. */
const onLoopback = (): string =>
  `${execFileSync("ip", ["-6", "addr", "show", "dev", "lo"])}${execFileSync("ip", ["-6", "route", "show", "table", "local"])}`
    .split("\n")
    .filter((line) => line.includes(webAddress) || line.includes(batchAddress))
    .join("\n");

async function loopbackRefuses(): Promise<string | undefined> {
  const plane = await startDataPlane({ engine: "nft", clock: systemClock, destCidrIp: () => "honoured", ...place() });
  await plane.apply(aTopology({ enis: [anEni(`${net}.9`, [], { ipv6: [addressOf("9")] })] }));
  const [problem] = plane.problems();
  await plane.stop();
  return problem;
}

function place(): { range: string; tableName: string } {
  return { range: `${net}.0/24`, tableName };
}

describe.skipIf(unusable !== undefined)("IPv6", () => {
  let plane: DataPlane | undefined;
  const flows: Flow[] = [];
  const start = async (): Promise<DataPlane> => {
    flows.length = 0;
    const common = {
      clock: systemClock,
      destCidrIp: () => "honoured" as const,
      onFlow: (flow: Flow) => flows.push(flow),
    };
    plane = await startDataPlane({ engine: "nft", ...common, ...place() });
    return plane;
  };
  afterEach(async () => {
    await plane?.stop();
    plane = undefined;
  });

  test("an allowed source connects, another times out, and a closed port inside a rule is refused", async () => {
    const { apply } = await start();
    const meet = () =>
      Promise.all([
        attempt(webAddress, PORT, "::1"),
        attempt(webAddress, PORT, batchAddress),
        attempt(webAddress, 5050, "::1"),
        attempt(web.privateIp, PORT),
      ]);
    const timeout = { kind: "timeout" };
    await apply(world([from("::1/128")]));
    expect(await meet()).toEqual([
      { kind: "connected", text: `web-1 port ${PORT}\r\n` },
      ...[timeout, timeout, timeout],
    ]);
    expect(flows[0]).toMatchObject({
      sourceAddress: "::1",
      destAddress: webAddress,
      phase: "opened",
      action: "ACCEPT",
    });
    await apply(world([from("::/0", { portRange: "5000/5100" }), from("::1", { policy: "Drop" })]));
    expect(await meet()).toEqual([
      timeout,
      { kind: "connected", text: `web-1 port ${PORT}\r\n` },
      { kind: "failed", code: "ECONNREFUSED" },
      timeout,
    ]);
  });

  test("who says no address of its own comes as a stranger, not as the instance", async () => {
    const { apply } = await start();
    await apply(world([from("::1")]));
    expect(await attempt(webAddress, PORT, "::")).toMatchObject({ kind: "connected" });
  });

  test("groups meet by their IPv6 addresses, inside a group and through egress rules", async () => {
    const { apply } = await start();
    const rules = [aRule({ portRange: `${PORT}/${PORT}`, sourceGroupId: "sg-batch" })];
    await apply(world(rules));
    expect(await attempt(webAddress, PORT, batchAddress)).toMatchObject({ kind: "connected" });
    await apply(world(rules, { type: "enterprise" }));
    expect(await attempt(webAddress, PORT, batchAddress)).toEqual({ kind: "timeout" });
    const out = { ...aRule({ direction: "egress", ipProtocol: "ALL" }), sourceCidrIp: "", ipv6DestCidrIp: webAddress };
    await apply(world(rules, { type: "enterprise", rules: [out] }));
    expect(await attempt(webAddress, PORT, batchAddress)).toMatchObject({ kind: "connected" });
  });

  test("datagrams obey too", async () => {
    const { apply } = await start();
    const ask = async (): Promise<string> => {
      const socket = createSocket("udp6");
      const answer = once(socket, "message", { signal: AbortSignal.timeout(400) }).then(
        ([data]) => String(data),
        () => "nothing",
      );
      socket.send("hello", PORT, webAddress);
      return answer.finally(() => socket.close());
    };
    await apply(world([from("::1", { ipProtocol: "UDP" })]));
    expect(await ask()).toContain("hello");
    await apply(world([]));
    expect(await ask()).toBe("nothing");
  });

  test("addresses go with their interface, with the cloud, and after a kill at the next start", async () => {
    expect(onLoopback()).toBe("");
    const { apply, stop } = await start();
    await apply(world([]));
    expect(onLoopback().split(batchAddress)).toHaveLength(3);
    await apply(aTopology({ enis: [web] }));
    expect(onLoopback()).not.toContain(batchAddress);
    await stop();
    expect(onLoopback()).toBe("");
    const child = spawn(process.execPath, [
      ...["--import", "tsx", join(import.meta.dirname, "plane-child.ts")],
      ...[place().range, tableName, web.privateIp, String(PORT), webAddress],
    ]);
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "close");
    expect(onLoopback()).toContain(webAddress);
    const next = await start();
    expect(onLoopback()).toBe("");
    await next.stop();
  });
});
