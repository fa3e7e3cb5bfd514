import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { type DataPlane, type DataPlaneOptions, startDataPlane } from "../../../local/dataplane/data-plane.ts";
import type { Flow } from "../../../local/dataplane/flow.ts";
import { nftUnusable } from "../../../local/dataplane/nft-process.ts";
import type { Rule } from "../../../local/dataplane/topology.ts";
import { verdict } from "../../../local/dataplane/verdict.ts";
import { systemClock } from "../../../shared/adapters/system/clock.ts";
import { aGroup, anEni, anInstance, aPacket, aRule, aTopology } from "../../unit/local/dataplane/builders.ts";
import { attempt, echoes, openSession, ownNet } from "./connect.ts";

const net = ownNet(64);
const tableName = `safeport_test_${process.pid}`;
const reason = await nftUnusable(tableName);
if (reason !== undefined) console.log(`The nft data plane is not tested here: ${reason}`);

const web = anEni(`${net}.11`, ["sg-web"]);
const other = anEni(`${net}.12`, ["sg-web"]);
const loopback = "127.0.0.1";
const stranger = "127.0.0.2";

const world = (rules: readonly Rule[], inner = "Drop") =>
  aTopology({
    groups: [aGroup("sg-web", rules, { innerAccessPolicy: inner })],
    enis: [web, other],
    instances: [anInstance("web-1", web, [22, 80, 7890]), anInstance("web-2", other, [22, 80, 7890])],
  });

describe.skipIf(reason !== undefined)("the nft data plane", () => {
  let plane: DataPlane | undefined;
  const start = async (over: Partial<DataPlaneOptions> = {}): Promise<DataPlane> => {
    const common = { clock: systemClock, destCidrIp: () => "honoured" as const, range: `${net}.0/24`, tableName };
    plane = await startDataPlane({ engine: "nft", ...common, ...over });
    return plane;
  };
  const tables = () => execFileSync("nft", ["list", "tables"], { encoding: "utf8" });

  afterEach(async () => {
    await plane?.stop();
    plane = undefined;
  });

  test("lets an allowed source connect and another one time out", async () => {
    const { apply } = await start();
    await apply(world([aRule({ sourceCidrIp: loopback })]));
    const [allowed, refused] = await Promise.all([attempt(web.privateIp, 22), attempt(web.privateIp, 22, stranger)]);
    expect(allowed).toEqual({ kind: "connected", text: "web-1 port 22\r\n" });
    expect(refused).toEqual({ kind: "timeout" });
  });

  test("refuses a closed port inside an allowed rule and drops one outside", async () => {
    const { apply } = await start();
    await apply(world([aRule({ portRange: "20/30" })]));
    const [closed, filtered] = await Promise.all([attempt(web.privateIp, 23), attempt(web.privateIp, 31)]);
    expect(closed).toEqual({ kind: "failed", code: "ECONNREFUSED" });
    expect(filtered).toEqual({ kind: "timeout" });
  });

  test("answers web requests", async () => {
    const { apply } = await start();
    await apply(world([aRule({ portRange: "80/80" })]));
    const answer = await attempt(web.privateIp, 80, loopback, "GET / HTTP/1.1\r\nHost: web\r\n\r\n");
    expect(answer).toMatchObject({
      kind: "connected",
      text: expect.stringMatching(/^HTTP\/1\.1 200 OK[\s\S]*web-1 port 80/),
    });
  });

  test("has a change in force when apply resolves, also when several come at once", async () => {
    const { apply } = await start();
    await apply(world([]));
    expect(await attempt(web.privateIp, 22)).toEqual({ kind: "timeout" });
    await Promise.all([apply(world([])), apply(world([aRule({ portRange: "80/80" })])), apply(world([aRule()]))]);
    expect(await attempt(web.privateIp, 22)).toMatchObject({ kind: "connected" });
    await apply(world([aRule(), aRule({ policy: "Drop" })]));
    expect(await attempt(web.privateIp, 22)).toEqual({ kind: "timeout" });
  });

  test.each(["keep", "cut"] as const)(
    "lets answers return to an instance that nobody may reach (%s)",
    async (choice) => {
      const { apply } = await start({ establishedAfterDeny: () => choice });
      await apply(world([aRule({ destCidrIp: web.privateIp })]));
      const [out, back] = await Promise.all([
        attempt(web.privateIp, 22, other.privateIp),
        attempt(other.privateIp, 22, web.privateIp),
      ]);
      expect(out).toMatchObject({ kind: "connected" });
      expect(back).toEqual({ kind: "timeout" });
    },
  );

  test("lets members of a group with inner access through", async () => {
    const { apply } = await start();
    await apply(world([], "Accept"));
    const [peer, outside] = await Promise.all([
      attempt(web.privateIp, 22, other.privateIp),
      attempt(web.privateIp, 22, stranger),
    ]);
    expect(peer).toMatchObject({ kind: "connected" });
    expect(outside).toEqual({ kind: "timeout" });
  });

  test.each([
    ["keeps", "keep", true],
    ["cuts", "cut", false],
  ] as const)(
    "%s an open session whose rule is gone, as the switch says",
    async (_name, establishedAfterDeny, alive) => {
      const { apply } = await start({ establishedAfterDeny: () => establishedAfterDeny });
      await apply(world([aRule({ portRange: "7890/7890" })]));
      const session = await openSession(web.privateIp, 7890);
      expect(await echoes(session)).toBe(true);
      await apply(world([]));
      expect(await echoes(session)).toBe(alive);
      expect(await attempt(web.privateIp, 7890)).toEqual({ kind: "timeout" });
      session.destroy();
    },
  );

  test("filters UDP: only a closed port that the rules allow answers", async () => {
    const { apply } = await start();
    await apply(world([aRule({ ipProtocol: "UDP", portRange: "53/53" })]));
    const refused = (port: number): Promise<boolean> =>
      new Promise((resolve) => {
        const socket = createSocket("udp4");
        const timer = setTimeout(() => socket.close(() => resolve(false)), 400);
        socket.on("error", () => {
          clearTimeout(timer);
          socket.close(() => resolve(true));
        });
        socket.connect(port, web.privateIp, () => socket.send("?"));
      });
    expect(await Promise.all([refused(53), refused(54)])).toEqual([true, false]);
  });

  test("decides as the verdict does, for every source and port of a mixed set of rules", async () => {
    const sources = [loopback, stranger, "127.0.1.1", other.privateIp];
    const rules = [
      aRule({ ruleId: "1", priority: 1, policy: "Drop", sourceCidrIp: `${stranger}/32`, portRange: "22/22" }),
      aRule({ ruleId: "2", priority: 2, ipProtocol: "ALL", portRange: "-1/-1", sourceCidrIp: "127.0.0.9/24" }),
      aRule({ ruleId: "3", priority: 2, policy: "Drop", sourceCidrIp: loopback, portRange: "80/80" }),
      aRule({ ruleId: "4", priority: 3, sourceGroupId: "sg-web", portRange: "22/80" }),
      aRule({ ruleId: "5", priority: 9, policy: "Drop", portRange: "1/1000" }),
      aRule({ ruleId: "6", priority: 9, portRange: "80/7890", destCidrIp: other.privateIp }),
      aRule({ ruleId: "7", priority: 10, portRange: "7890/7890", sourcePortRange: "1/1023" }),
    ];
    const topology = world(rules);
    const { apply } = await start();
    await apply(topology);
    const probes = [web.privateIp, other.privateIp].flatMap((destAddress) =>
      [22, 80, 7890].flatMap((destPort) => sources.map((sourceAddress) => ({ destAddress, destPort, sourceAddress }))),
    );
    const outcomes = await Promise.all(
      probes.map(({ destAddress, destPort, sourceAddress }) =>
        attempt(destAddress, destPort, sourceAddress, destPort === 80 ? "GET / HTTP/1.0\r\n\r\n" : ""),
      ),
    );
    const expected = probes.map((probe) =>
      verdict(topology, aPacket(probe), { destCidrIp: "honoured" }).accept ? "connected" : "timeout",
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(expected);
    expect(new Set(expected).size).toBe(2);
  });

  test("serves a busy port 20000 higher, judges it as itself, and redirects to it", async () => {
    const squatter = createServer((socket) => socket.end("squatter\n"));
    await new Promise<void>((resolve) => squatter.listen(22, web.privateIp, resolve));
    try {
      const { apply, mappedPorts } = await start();
      await apply(world([aRule({ sourceCidrIp: loopback })]));
      expect(mappedPorts()).toEqual({ [`${web.privateIp}:22`]: 20_022 });
      const mine = { kind: "connected", text: "web-1 port 22\r\n" };
      expect(await attempt(web.privateIp, 20_022)).toEqual(mine);
      expect(await attempt(web.privateIp, 22)).toEqual(mine);
      expect(await attempt(web.privateIp, 20_022, stranger)).toEqual({ kind: "timeout" });
    } finally {
      await new Promise((resolve) => squatter.close(resolve));
    }
  });

  test("tells of each connection as it opens and closes", async () => {
    const flows: Flow[] = [];
    let closed = (): void => undefined;
    const seen = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { apply } = await start({
      onFlow: (flow) => {
        flows.push(flow);
        if (flow.phase === "closed") closed();
      },
    });
    await apply(world([aRule({ ruleId: "sgr-22" })]));
    await attempt(web.privateIp, 22);
    await seen;
    expect(flows.map(({ phase, bytesOut }) => [phase, bytesOut])).toEqual([
      ["opened", 0],
      ["closed", 15],
    ]);
    expect(flows[1]).toMatchObject({
      action: "ACCEPT",
      sourceAddress: loopback,
      destAddress: web.privateIp,
      destPort: 22,
      instanceId: "i-web-1",
      ruleId: "sgr-22",
    });
  });

  test("stops serving an instance that is gone", async () => {
    const { apply } = await start();
    await apply(world([aRule()]));
    await apply({ ...world([aRule()]), instances: [] });
    expect(await attempt(web.privateIp, 22)).toEqual({ kind: "failed", code: "ECONNREFUSED" });
  });

  test("replaces a stale table at start and leaves none when it stops", async () => {
    execFileSync("nft", ["-f", "-"], { input: `table inet ${tableName} { chain stale {\ndrop\n}\n}\n` });
    const { stop } = await start();
    expect(execFileSync("nft", ["list", "table", "inet", tableName], { encoding: "utf8" })).not.toContain("stale");
    await stop();
    expect(tables()).not.toContain(`${tableName}\n`);
  });
});
