import { createServer } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type DataPlane, type DataPlaneOptions, startDataPlane } from "../../../local/dataplane/data-plane.ts";
import type { Flow } from "../../../local/dataplane/flow.ts";
import type { Rule } from "../../../local/dataplane/topology.ts";
import { systemClock } from "../../../shared/adapters/system/clock.ts";
import { aGroup, anEni, anInstance, aRule, aTopology } from "../../unit/local/dataplane/builders.ts";
import { attempt, echoes, openSession, ownNet } from "./connect.ts";

const net = ownNet(96);
const web = anEni(`${net}.11`, ["sg-web"]);
const world = (rules: readonly Rule[], listening = [5022, 7890]) =>
  aTopology({
    groups: [aGroup("sg-web", rules)],
    enis: [web],
    instances: [anInstance("web-1", web, listening)],
  });
const open = (port: number, over: Partial<Rule> = {}) => aRule({ portRange: `${port}/${port}`, ...over });

let flows: Flow[] = [];
let plane: DataPlane;
const start = async (over: Partial<DataPlaneOptions> = {}): Promise<DataPlane> => {
  plane = await startDataPlane({
    engine: "userspace",
    clock: systemClock,
    destCidrIp: () => "honoured",
    range: `${net}.0/24`,
    onFlow: (flow) => flows.push(flow),
    ...over,
  });
  return plane;
};

beforeEach(() => {
  flows = [];
});
afterEach(() => plane.stop());

test("an allowed source connects and another one is reset", async () => {
  const { apply, engine } = await start();
  await apply(world([open(5022, { ruleId: "sgr-in", sourceCidrIp: "127.0.0.1" })]));
  expect(engine).toBe("userspace");
  expect(await attempt(web.privateIp, 5022)).toEqual({ kind: "connected", text: "web-1 port 5022\r\n" });
  expect(await attempt(web.privateIp, 5022, "127.0.0.2")).toEqual({ kind: "failed", code: "ECONNRESET" });
  expect(flows.find(({ phase }) => phase === "refused")).toMatchObject({
    action: "REJECT",
    sourceAddress: "127.0.0.2",
  });
  expect(flows.find(({ phase }) => phase === "opened")).toMatchObject({ action: "ACCEPT", ruleId: "sgr-in" });
});

test("a change is in force when apply resolves", async () => {
  const { apply } = await start();
  await apply(world([]));
  expect(await attempt(web.privateIp, 5022)).toMatchObject({ kind: "failed" });
  await apply(world([open(5022)]));
  expect(await attempt(web.privateIp, 5022)).toMatchObject({ kind: "connected" });
});

test.each([
  ["kept", "keep", true],
  ["cut", "cut", false],
] as const)(
  "an open session whose rule is gone is %s, as the switch says",
  async (_name, establishedAfterDeny, alive) => {
    const { apply } = await start({ establishedAfterDeny: () => establishedAfterDeny });
    await apply(world([open(7890)]));
    const session = await openSession(web.privateIp, 7890);
    session.on("error", () => undefined);
    await apply(world([]));
    expect(await echoes(session)).toBe(alive);
    session.destroy();
  },
);

test("a port that cannot be had is served 20000 higher and judged as itself", async () => {
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(5022, web.privateIp, resolve));
  try {
    const { apply, mappedPorts } = await start();
    await apply(world([open(5022)]));
    expect(mappedPorts()).toEqual({ [`${web.privateIp}:5022`]: 25_022 });
    expect(await attempt(web.privateIp, 25_022)).toEqual({ kind: "connected", text: "web-1 port 5022\r\n" });
  } finally {
    await new Promise((resolve) => squatter.close(resolve));
  }
});

test("a stopped instance serves nothing until it runs again", async () => {
  const { apply } = await start();
  const running = world([open(5022)]);
  await apply({ ...running, instances: running.instances.map((instance) => ({ ...instance, status: "Stopped" })) });
  expect(await attempt(web.privateIp, 5022)).toEqual({ kind: "failed", code: "ECONNREFUSED" });
  await apply(running);
  expect(await attempt(web.privateIp, 5022)).toMatchObject({ kind: "connected" });
});

test("addresses outside the range are not served", async () => {
  const { apply, mappedPorts } = await start({ range: "127.200.0.0/24" });
  await apply(world([open(5022)]));
  expect(await attempt(web.privateIp, 5022)).toEqual({ kind: "failed", code: "ECONNREFUSED" });
  expect(mappedPorts()).toEqual({});
});

test("a range outside the loopback block is refused", async () => {
  await expect(
    startDataPlane({ clock: systemClock, destCidrIp: () => "ignored", range: "10.0.0.0/8" }),
  ).rejects.toThrow("127.0.0.0/8");
});
