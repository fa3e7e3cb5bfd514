// The whole embedded cloud: functions that call its services, time, calls, reset, restart.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { type Cloud, type CloudOptions, startCloud } from "../../../local/cloud.ts";
import { seededRandom } from "../../../local/random.ts";
import { seedAccount, seedUser, seedUserNames } from "../../../local/seed.ts";
import { ecsClient } from "./rpc-call.ts";

const START_MS = Date.UTC(2026, 10, 1, 8, 0, 0);
// An address block of its own, so that clouds of other tests do not meet it.
const RANGE = { range: "127.119.0.0/16", engine: "userspace" } as const;

const away = (address: string): string => address.replace("127.10.", "127.113.");

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "cloud-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function bundle(source: string): string {
  const path = join(folder(), "code");
  mkdirSync(path);
  writeFileSync(join(path, "index.js"), source);
  return path;
}

async function start(options: CloudOptions = {}): Promise<Cloud> {
  const cloud = await startCloud({ ...RANGE, ...options });
  onTestFinished(() => cloud.stop());
  return cloud;
}

async function control(
  cloud: Cloud,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Record<string, never> }> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(cloud.endpoints.control + path, {
    method,
    ...(body === undefined ? {} : { body: text }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, never> };
}

const TICKER = `let n = 0; exports.handler = async () => { n += 1; return { n, at: new Date().toISOString() }; };`;
const timer = { type: "timer", name: "tick", cron: "@every 1m" } as const;

it("starts with the same account each time: a group of every guard level and a managed one", async () => {
  const cloud = await start();
  const other = await start({ range: "127.11.0.0/16" });
  expect(other.account).toEqual(cloud.account);
  const guards = cloud.account.groups.map(({ name, tags, serviceManaged = false }) => [
    name,
    tags?.["safeport:guard"],
    serviceManaged,
  ]);
  expect(guards).toEqual([
    ["web", "enforce", false],
    ["legacy", "observe", false],
    ["lab", undefined, false],
    ["ack-cluster", undefined, true],
  ]);
  expect(cloud.account.users.map((user) => user.name)).toEqual(Object.values(seedUserNames));
});

it("lets connections through as the rules of the seeded account say, and follows a change", async () => {
  // In a block that no other cloud on the host decides about.
  const seeded = seedAccount(seededRandom("safeport seeded account"));
  const moved = { ...seeded, instances: seeded.instances.map((each) => ({ ...each, address: away(each.address) })) };
  const cloud = await start({ account: moved, range: away("127.10.0.0/24") });
  const reaches = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const mapped = cloud.dataPlane.mappedPorts()[`${away("127.10.0.21")}:${port}`] ?? port;
      const socket = connect(mapped, away("127.10.0.21"));
      // The instance speaks first; a refused connection is reset before that.
      socket.once("data", () => {
        resolve(true);
        socket.destroy();
      });
      socket.once("error", () => resolve(false));
      socket.once("close", () => resolve(false));
    });
  const legacy = cloud.account.groups.find((group) => group.name === "legacy");
  expect(await reaches(22)).toBe(false);
  await ecsClient(cloud, seedUser(cloud.account, "foreign"))("AuthorizeSecurityGroup", {
    SecurityGroupId: legacy?.groupId ?? "",
    "Permissions.1.IpProtocol": "TCP",
    "Permissions.1.PortRange": "22/22",
    "Permissions.1.SourceCidrIp": "127.0.0.1",
  });
  expect(await reaches(22)).toBe(true);
});

it("lists every call with its caller, from a sequence number or an instant on", async () => {
  const cloud = await start({ startMs: START_MS });
  const foreign = seedUser(cloud.account, "foreign");
  const call = ecsClient(cloud, foreign);
  await call("DescribeRegions", {});
  const first = (await control(cloud, "GET", "/calls?since=0")).body as unknown as { calls: object[]; next: number };
  expect(first.calls).toMatchObject([
    {
      seq: 1,
      at: START_MS,
      service: "ecs",
      operation: "DescribeRegions",
      caller: { accessKeyId: foreign.accessKeyId, principal: "foreign" },
      status: 200,
    },
  ]);
  await cloud.advance(60_000);
  await call("DescribeSecurityGroups", { RegionId: "cn-hangzhou" });
  for (const since of [first.next, START_MS + 1]) {
    const later = (await control(cloud, "GET", `/calls?since=${since}`)).body as unknown as {
      calls: { operation: string }[];
    };
    expect(later.calls.map((each) => each.operation)).toEqual(["DescribeSecurityGroups"]);
  }
});

it("runs 45 days of minute ticks within three minutes", async () => {
  const cloud = await start({ startMs: START_MS });
  cloud.deploy([{ name: "sweep", bundle: bundle(TICKER), triggers: [timer] }]);
  const startMs = performance.now();
  const answer = await control(cloud, "POST", "/clock/advance", { ms: 45 * 86_400_000 });
  const tookMs = performance.now() - startMs;
  expect(answer.body).toEqual({ now: START_MS + 45 * 86_400_000, mode: "virtual" });
  const seen = await control(cloud, "POST", "/events", { function: "sweep", event: {} });
  expect(seen.body).toMatchObject({ result: { n: 45 * 1_440 + 1 } });
  console.info(`45 days in ${(tookMs / 1_000).toFixed(1)} s`);
  expect(tookMs).toBeLessThan(180_000);
}, 200_000);

it("puts everything back on reset, and tells those who wait for it", async () => {
  const cloud = await start({ startMs: START_MS });
  const before = JSON.stringify(cloud.ecs.groups().map(({ groupId, rules }) => [groupId, rules.length]));
  const web = cloud.account.groups[0]?.groupId ?? "";
  await ecsClient(cloud, seedUser(cloud.account, "foreign"))("AuthorizeSecurityGroup", {
    SecurityGroupId: web,
    "Permissions.1.IpProtocol": "TCP",
    "Permissions.1.PortRange": "22/22",
    "Permissions.1.SourceCidrIp": "10.0.0.1",
  });
  cloud.deploy([{ name: "sweep", bundle: bundle(TICKER) }]);
  cloud.functions.registry.submit("sweep", Buffer.from("{}"), { delayMs: 60_000 });
  await control(cloud, "PUT", "/switches", { destCidrIp: "ignored" });
  let told = 0;
  cloud.afterReset(async () => {
    told += 1;
  });
  expect((await control(cloud, "POST", "/reset")).body).toMatchObject({ mode: "real" });
  expect(JSON.stringify(cloud.ecs.groups().map(({ groupId, rules }) => [groupId, rules.length]))).toBe(before);
  expect([cloud.functions.registry.queued, cloud.switches.destCidrIp, told]).toEqual([0, "honoured", 1]);
  const again = await control(cloud, "POST", "/events", { function: "sweep", event: {} });
  expect(again.body).toMatchObject({ result: { n: 1 } });
});

it("keeps rules and queued invocations across a restart in the same folder", async () => {
  const directory = folder();
  const code = bundle(`exports.handler = async (event) => { console.log("ran", event.toString()); };`);
  const first = await start({ directory, startMs: START_MS });
  first.deploy([{ name: "x", bundle: code }]);
  first.functions.registry.submit("x", Buffer.from("kept"), { delayMs: 30_000 });
  await ecsClient(first, seedUser(first.account, "foreign"))("AuthorizeSecurityGroup", {
    SecurityGroupId: first.account.groups[2]?.groupId ?? "",
    "Permissions.1.IpProtocol": "TCP",
    "Permissions.1.PortRange": "22/22",
    "Permissions.1.SourceCidrIp": "10.0.0.1",
  });
  await first.stop();
  const second = await start({ directory, startMs: START_MS });
  expect(second.ecs.groups()[2]?.rules).toHaveLength(2);
  second.deploy([{ name: "x", bundle: code }]);
  await second.advance(30_000);
  await expect
    .poll(() =>
      second.functions.registry
        .logs()
        .lines()
        .map((line) => line.text),
    )
    .toEqual(["ran kept"]);
});

it("gives back its ports when one of its services cannot start", async () => {
  const taken = await start();
  const port = Number(new URL(taken.endpoints.control).port);
  await expect(startCloud({ ...RANGE, range: "127.12.0.0/16", ports: { control: port } })).rejects.toThrow(
    "EADDRINUSE",
  );
});
