// Leases that start later, move, come again and take their sessions with them: on the built program, over HTTP, with real connections.
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Deployed, deploy } from "../kit/deployed.ts";

const MINUTE = 60_000;
/** Of another host: what 127.0.0.1 is seen as is the host's own. */
const VISITOR = "127.0.9.7";
let deployed: Deployed;
beforeAll(async () => {
  // Elsewhere an established session would not outlive its rule, and there would be nothing to cut.
  deployed = await deploy({ switches: { establishedSession: "until-910-s" } });
});
afterAll(() => deployed.stop());

const lease = async (path: string, body: object = {}) =>
  (await deployed.api("POST", `/v1/leases${path}`, { body })).body;
const read = async (id: string) => (await deployed.api("GET", `/v1/leases/${id}`)).body;
const sources = (port: number): readonly string[] =>
  deployed
    .rules("web")
    .filter((rule) => rule.portRange === `${port}/${port}`)
    .map((rule) => rule.sourceCidrIp.replace("/32", ""));
const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** A session with `web-1`, once its banner has come; resolves with the socket. */
function session(port: number): Promise<Socket> {
  const instance = deployed.cloud.account.instances.find(({ name }) => name === "web-1");
  const host = instance?.address ?? "";
  const real = deployed.cloud.dataPlane.mappedPorts()[`${host}:${port}`] ?? port;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: real, localAddress: VISITOR });
    socket.once("data", () => resolve(socket));
    socket.once("error", reject);
  });
}

test("a lease starts at its start, follows to another address, and comes again", async () => {
  const startAt = utc(deployed.cloud.clock.now() + 10 * MINUTE);
  const asked = await lease("", { port: 8443, period: 1800, source: "203.0.113.7", group: "web", startAt });
  expect(asked, JSON.stringify(asked)).toMatchObject({ state: "approved", startAt, approval: null });
  expect(asked.message).toMatch(/opens at/);
  await deployed.advance(9 * MINUTE);
  expect(sources(8443)).toEqual([]);
  await deployed.advance(2 * MINUTE);
  expect(await read(asked.id)).toMatchObject({ state: "open", until: utc(Date.parse(startAt) + 30 * MINUTE) });
  expect(sources(8443)).toEqual(["203.0.113.7"]);

  const moved = await lease(`/${asked.id}:follow`, { source: "198.51.100.9" });
  expect(moved, JSON.stringify(moved)).toMatchObject({
    state: "open",
    follows: asked.id,
    until: (await read(asked.id)).until,
  });
  expect([sources(8443), (await read(asked.id)).state]).toEqual([["198.51.100.9"], "closed"]);
  await deployed.advance(31 * MINUTE);
  expect([sources(8443), (await read(moved.id)).state]).toEqual([[], "closed"]);

  const again = await lease(`/${asked.id}:again`);
  expect(again, JSON.stringify(again)).toMatchObject({
    state: "open",
    sources: ["203.0.113.7/32"],
    periodSeconds: 1800,
  });
  await lease(`/${again.id}:end`);
  expect(sources(8443)).toEqual([]);
});

test("a session outlives a lease that keeps it, and is cut on the host by one that does not", async () => {
  for (const sessions of ["keep", "cut"] as const) {
    const body = { port: 3306, period: 60, source: "127.0.9.0/24", group: "web", sessions };
    const opened = await lease("", body);
    expect(opened, JSON.stringify(opened)).toMatchObject({
      state: "open",
      sessions: { atEnd: sessions, outcome: null },
    });
    const socket = await session(3306);
    const ended = new Promise((resolve) => socket.once("close", () => resolve("ended")));
    socket.on("error", () => undefined);
    await deployed.advance(3 * MINUTE);
    expect([sources(3306), (await read(opened.id)).state]).toEqual([[], "closed"]);
    const { outcome } = (await read(opened.id)).sessions;
    if (sessions === "keep") expect([outcome, socket.destroyed]).toEqual([null, false]);
    else {
      expect(outcome).toMatch(/: [1-9]\d* ended, 0 left/);
      expect(await ended).toBe("ended");
    }
    socket.destroy();
  }
});

test("who asks for a shell's port is told of Session Manager, by a dry run too", async () => {
  const body = { port: 22, period: 60, source: "203.0.113.7", group: "web" };
  const { body: preview } = await deployed.api("POST", "/v1/leases?dryRun=true", { body });
  expect(preview.notes.join(" ")).toMatch(/Session Manager reaches i-\w+ without port 22 being opened/);
});
