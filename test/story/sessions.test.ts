// Sessions that are established at the end of a lease, and Session Manager in place of an opening.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Lease } from "../../shared/domain/lease-record.ts";
import { endLease } from "../../shared/usecases/lease/end-lease.ts";
import { openLease } from "../../shared/usecases/lease/open-lease.ts";
import { callByOther } from "../kit/other-calls.ts";
import { World } from "../kit/world.ts";

const HOLDER = "203.0.113.7";

let world: World;
/** Sessions of `i-web-1`, as `peer:port`. */
let sessions: Set<string>;

async function start(cloudAssistant = true): Promise<void> {
  world = await World.start({ cloudAssistant });
  sessions = new Set([`${HOLDER}>22`, `${HOLDER}>80`, "198.51.100.9>22"]);
  world.ecs.giveSessions((instanceId) =>
    [...(instanceId === "i-web-1" ? sessions : [])].map((text) => {
      const [peerAddress = "", port] = text.split(">");
      const local = { localAddress: "127.10.0.11", localPort: Number(port) };
      return { ...local, peerAddress, peerPort: 40_000, end: () => void sessions.delete(text) };
    }),
  );
}
beforeEach(() => start());
afterEach(() => world.stop());

const opened = async (change = {}): Promise<Lease> => (await world.open({ sessions: "cut", ...change })).lease;
const outcome = async (lease: Lease) => (await world.lease(lease.request.leaseId)).sessionsOutcome ?? null;

describe("a lease that is to end with its sessions", () => {
  test("ends exactly those of its source on its port, once its rule is gone, and says so", async () => {
    const lease = await opened();
    await world.ticks(2);
    expect([sessions.size, await outcome(lease)]).toEqual([3, null]);
    await world.pastEnd(lease);
    expect([...sessions]).toEqual([`${HOLDER}>80`, "198.51.100.9>22"]);
    expect(await outcome(lease)).toBe("i-web-1: 1 ended, 0 left");
    expect((await world.recorded()).join("\n")).toMatch(/sessions of ls-\w+: i-web-1: 1 ended, 0 left/);
    expect((await world.rows("due")).filter((row) => row.includes("sessions"))).toEqual([]);
  });

  test("does so too when it is ended early", async () => {
    const lease = await opened();
    await world.run(endLease(world.process(), world.caller(), lease.request.leaseId, { dryRun: false }));
    await world.ticks(1);
    expect([sessions.has(`${HOLDER}>22`), await outcome(lease)]).toEqual([false, "i-web-1: 1 ended, 0 left"]);
  });

  test("leaves them where another rule lets them in: another lease, or one that was there before", async () => {
    const lease = await opened();
    await world.open({ periodMs: 3_600_000 }, "bob");
    await world.pastEnd(lease);
    expect([sessions.size, await outcome(lease)]).toEqual([3, expect.stringMatching(/kept, another rule.*sgr-/)]);
    const web = await opened({ port: "80" });
    await world.pastEnd(web);
    expect([sessions.size, await outcome(web)]).toEqual([3, expect.stringMatching(/^(kept|i-web-1: kept)/)]);
  });

  test("leaves them where a group is let in, whoever is in it", async () => {
    const lease = await opened();
    await callByOther(world, "AuthorizeSecurityGroup", {
      SecurityGroupId: "sg-web",
      "Permissions.1.IpProtocol": "TCP",
      "Permissions.1.PortRange": "22/22",
      "Permissions.1.SourceGroupId": "sg-app",
      "Permissions.1.Policy": "accept",
      "Permissions.1.Priority": "1",
    });
    await world.pastEnd(lease);
    expect([sessions.size, await outcome(lease)]).toEqual([3, expect.stringMatching(/kept, another rule may let/)]);
  });

  test("says what it could not do, and the lease is closed all the same", async () => {
    const lease = await opened();
    await callByOther(world, "StopInstance", { InstanceId: "i-web-1" });
    await world.pastEnd(lease);
    await world.ticks(1);
    expect(world.openPorts()).toEqual([]);
    expect(await outcome(lease)).toMatch(/i-web-1: not cut, .*InstanceNotRunning/);
  });

  test("is cut once, wherever the process dies that cuts", async () => {
    const lease = await opened();
    await world.advance(lease.status.until - world.clock.now());
    for (let at = 3; at < 400; at += 9) {
      let turn = 0;
      const app = world.process(async (_call, act) => {
        if (turn++ >= at) throw new Error("died");
        return act();
      });
      await world.sweep(app).catch(() => undefined);
      if (turn <= at) break;
    }
    await world.ticks(3);
    expect(sessions.has(`${HOLDER}>22`)).toBe(false);
    expect(await outcome(lease)).toBe("i-web-1: 1 ended, 0 left");
  });
});

describe("is refused, and nothing is booked,", () => {
  const refused = async (change = {}) => {
    await expect(opened(change)).rejects.toMatchObject({ code: "SESSIONS_NOT_CUT" });
    expect([await world.rows("lease"), world.openPorts()]).toEqual([[], []]);
  };

  test("where Cloud Assistant is switched off", async () => {
    await world.stop();
    await start(false);
    await refused();
  });
  test("for what is not TCP", () => refused({ protocol: "udp", port: "53" }));
  test("for ports of connections that the host itself begins", async () => {
    await refused({ port: "1024-65535" });
    await refused({ port: "40000-40001" });
  });
  test("on a host whose agent does not answer", async () => {
    await callByOther(world, "StopInstance", { InstanceId: "i-web-1" });
    await world.advance(60_000);
    await refused();
  });
});

describe("Session Manager", () => {
  const dry = { mode: "create", idempotencyKey: null, dryRun: true } as const;
  const notes = async (change = {}) => (await world.open(change)).notes.join(" ");

  test("is suggested where a shell's port is asked for and the host has an agent, also as a dry run", async () => {
    expect(await notes()).toMatch(/Session Manager reaches i-web-1 without port 22/);
    const preview = await world.run(openLease(world.process(), world.caller(), world.ask({ port: "3389" }), dry));
    expect(preview.notes.join(" ")).toMatch(/without port 3389/);
    expect(await notes({ port: "8000" })).not.toMatch(/Session Manager/);
  });

  test("is not in the way of an opening when nobody can say", async () => {
    const fault = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
    world.faults([{ service: "ecs", operation: "DescribeCloudAssistantStatus", fault }]);
    expect(await notes()).not.toMatch(/Session Manager/);
    expect(world.openPorts()).toEqual(["22/22"]);
  });

  test("is nobody's to ask where that is switched off", async () => {
    await world.stop();
    await start(false);
    await notes();
    expect(world.callNames.join()).not.toMatch(/CloudAssistant/);
  });
});
