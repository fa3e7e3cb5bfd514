// An attack on the built program: the alarm comes in by its webhook, ports really close, and open again as they were.
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { adoptSeed } from "../../cli/dev/adopt-seed.ts";
import { type Deployed, deploy } from "../kit/deployed.ts";
import { takesDestination } from "../kit/switch-under-test.ts";

const SECRET = "a".repeat(48);
const MINUTE = 60_000;
let deployed: Deployed;

beforeEach(async () => {
  deployed = await deploy();
  await adoptSeed(deployed.cloud.endpoints.api, deployed.tokens.admin);
});
afterEach(() => deployed.stop());

async function post(
  form: Record<string, string>,
  path = `/alarm/${SECRET}`,
): Promise<{ status: number; done: string }> {
  const body = new URLSearchParams({ alertName: "ddos", alertState: "ALERT", triggerLevel: "CRITICAL", ...form });
  const response = await fetch(`${deployed.cloud.endpoints.api}${path}`, { method: "POST", body });
  const answer = (await response.json()) as { done?: string };
  return { status: response.status, done: answer.done ?? "" };
}

/** An event as EventBridge hands it to the function. */
const deliver = (event: object): Promise<unknown> =>
  fetch(`${deployed.cloud.endpoints.control}/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ function: "alarm", event }),
  });

const about = (name: string) => ({ dimensions: `{instanceId=${deployed.instanceId(name)}, userId=1}` });
const told = (state: string, secondsOn = 0) => ({
  alertState: state,
  timestamp: String(Math.floor(deployed.cloud.clock.now() / 1000) + secondsOn),
});
const shown = (group: string) =>
  deployed.rules(group).map((rule) => ({ ...rule, ruleId: "", creationTime: "", createdAt: 0 }));

/** The ports of an instance at which somebody answers. */
async function openPorts(name: string): Promise<readonly number[]> {
  const instance = deployed.cloud.account.instances.find((it) => it.name === name);
  if (!instance) throw new Error(`no instance ${name}`);
  const answers = await Promise.all(
    instance.listening.map(
      (port) =>
        new Promise<readonly number[]>((resolve) => {
          const real = deployed.cloud.dataPlane.mappedPorts()[`${instance.address}:${port}`] ?? port;
          const socket = connect({ host: instance.address, port: real, timeout: 700 });
          const end = (open: boolean) => {
            socket.destroy();
            resolve(open ? [port] : []);
          };
          // The gateway in user space takes a connection first, and resets what the rules refuse.
          socket.on("connect", () => setTimeout(() => end(!socket.destroyed && socket.readable), 150));
          for (const event of ["error", "timeout", "close"]) socket.on(event, () => end(false));
        }),
    ),
  );
  return answers.flat();
}

describe("an attack", () => {
  test("leaves the core ports alone open, refuses leases with 409 but for break-glass, and OK gives back just what was open", async () => {
    const opened = await deployed.api("PUT", "/safeport/temp_allow?port=22&period=1800&source=127.0.0.0/24");
    const [rules, ports] = [shown("web"), await openPorts("web-1")];
    expect(ports).toEqual(expect.arrayContaining([22, 80, 443]));
    expect(await post({ ...about("web-1"), ...told("ALERT") })).toMatchObject({ status: 200, done: /^lockdown ld-/ });
    expect(await openPorts("web-1")).toEqual([80, 443]);
    expect(await post({ ...about("web-1"), ...told("ALERT") })).toMatchObject({ done: "it was told before" });

    const refused = await deployed.api("PUT", "/safeport/temp_allow?port=3306&period=60&source=127.0.0.1");
    expect([refused.status, refused.body.code]).toEqual([409, "GROUP_LOCKED_DOWN"]);
    const longer = await deployed.api("POST", `/v1/leases/${opened.body.id}:extend`, { body: { period: 3600 } });
    expect([longer.status, longer.body.code]).toEqual([409, "GROUP_LOCKED_DOWN"]);
    const urgent = { port: 3306, period: 600, group: "web", source: "127.0.0.1", reason: "orders are failing" };
    const calm = await deployed.api("POST", "/v1/leases", { body: urgent });
    expect([calm.status, calm.body.code]).toEqual([409, "GROUP_LOCKED_DOWN"]);
    const token = deployed.tokens.operator;
    const glass = await deployed.api("POST", "/v1/leases", { token, body: { ...urgent, breakGlass: true } });
    expect([glass.status, glass.body.state, await openPorts("web-1")]).toEqual([201, "open", [80, 443, 3306]]);
    const over = await deployed.api("POST", `/v1/leases/${glass.body.id}:end`, { token });
    expect([over.status, over.body.state]).toEqual([200, "closed"]);
    await deployed.advance(MINUTE);
    expect(await openPorts("web-1")).toEqual([80, 443]);
    const { body } = await deployed.api("GET", "/v1/lockdown");
    expect(body.lockdowns[0]).toMatchObject({ state: "active", closed: true, scope: { kind: "instance" } });
    expect(body.lockdowns[0].steps.map((step: { name: string }) => step.name)).toEqual([
      "planned",
      "booked",
      "read back",
    ]);

    expect(await post({ ...about("web-1"), ...told("OK", 5) })).toMatchObject({ status: 200, done: /is lifted$/ });
    expect(shown("web")).toEqual(rules);
    expect(await openPorts("web-1")).toEqual(ports);
  }, 60_000);

  test("that meets a throttled cloud is answered in time, cuts off no operator, names what is open, and goes on", async () => {
    await deployed.stop();
    const policy = readFileSync("cli/dev/policy.yaml", "utf8");
    const operatorPath = 'operatorPath:\n  - { port: "22", sources: [127.0.0.1] }\n';
    deployed = await deploy({ policy: `${policy.replace(/^operatorPath:[^\n]*\n( [^\n]*\n)*/m, "")}${operatorPath}` });
    await adoptSeed(deployed.cloud.endpoints.api, deployed.tokens.admin);
    await deployed.api("PUT", "/safeport/temp_allow?port=22&period=1800&source=127.0.0.1");
    const before = await openPorts("web-1");
    const fault = { kind: "reject", status: 400, code: "Throttling.User" } as const;
    deployed.cloud.faults.set([{ service: "ecs", operation: "AuthorizeSecurityGroup", fault }]);
    const sentAt = performance.now();
    expect(await post({ ...about("web-1"), ...told("ALERT") })).toMatchObject({ status: 200, done: /^lockdown ld-/ });
    expect(performance.now() - sentAt).toBeLessThan(5000);
    const [during] = (await deployed.api("GET", "/v1/lockdown")).body.lockdowns;
    expect(during).toMatchObject({ state: "active", closed: false, groups: [{ name: "web", closed: false }] });
    expect(during.groups[0].left.join()).toMatch(/drops do not stand yet/);
    expect(during.steps).toEqual([
      { name: "planned", ms: expect.any(Number) },
      { name: "booked", ms: expect.any(Number) },
      { name: "read back", ms: expect.any(Number) },
    ]);
    const { records } = (await deployed.api("GET", "/v1/records")).body;
    expect(JSON.stringify(records)).toMatch(/0 of 1 groups are closed.*read back after \d+ ms/);
    expect(await openPorts("web-1")).toEqual(before);
    deployed.cloud.faults.set([]);
    await deployed.advance(2 * MINUTE);
    const [after] = (await deployed.api("GET", "/v1/lockdown")).body.lockdowns;
    expect(after).toMatchObject({ state: "active", closed: true });
    expect(await openPorts("web-1")).toEqual([22, 80, 443]);
  }, 60_000);

  test("is over after an hour, without a word, and a lease that ended meanwhile stays closed", async () => {
    await deployed.api("PUT", "/safeport/temp_allow?port=22&period=1800&source=127.0.0.0/24");
    const startAt = new Date(deployed.cloud.clock.now() + 10 * MINUTE).toISOString();
    const later = { port: 3306, period: 3600, source: "203.0.113.7", group: "web", startAt };
    const { body: asked } = await deployed.api("POST", "/v1/leases", { body: later });
    await post({ ...about("web-1"), ...told("ALERT") });
    await deployed.advance(59 * MINUTE);
    const { body: started } = await deployed.api("GET", `/v1/leases/${asked.id}`);
    expect(started, JSON.stringify(started)).toMatchObject({ state: "failed", note: "GROUP_LOCKED_DOWN" });
    expect(deployed.rules("web").some((rule) => rule.policy === "Drop")).toBe(true);
    await deployed.advance(2 * MINUTE);
    expect(
      deployed
        .rules("web")
        .map((rule) => rule.portRange)
        .sort(),
    ).toEqual(["443/443", "80/80"]);
    const { body } = await deployed.api("GET", "/v1/lockdown");
    expect(body.lockdowns[0]).toMatchObject({ state: "lifted", endedBy: "time" });
  }, 90_000);

  test("that a person has lifted does not come back before the alarm was OK", async () => {
    await post({ ...about("web-1"), ...told("ALERT") });
    const { body } = await deployed.api("GET", "/v1/lockdown");
    const lifted = await deployed.api("POST", `/v1/lockdown/${body.lockdowns[0].id}:lift`);
    expect([lifted.status, lifted.body.state]).toEqual([200, "lifted"]);
    expect((await post({ ...about("web-1"), ...told("ALERT", 10) })).done).toContain("a person has lifted");
    await post({ ...about("web-1"), ...told("OK", 20) });
    expect((await post({ ...about("web-1"), ...told("ALERT", 30) })).done).toMatch(/^lockdown ld-/);
  }, 60_000);

  test("that Anti-DDoS tells of locks the instance's group down, and is over by its end", async () => {
    const before = await openPorts("web-1");
    const instanceId = deployed.instanceId("web-1");
    const attack = (name: string, secondsOn: number) => ({
      ...{ source: "acs.ddos", type: `ddos:CloudMonitor:${name}`, data: { instanceId, ip: "203.0.113.9" } },
      time: new Date(deployed.cloud.clock.now() + secondsOn * 1000).toISOString(),
    });
    await deliver(attack("DDoSAttackAdd", 0));
    expect(await openPorts("web-1")).toEqual([80, 443]);
    const [on] = (await deployed.api("GET", "/v1/lockdown")).body.lockdowns;
    expect(on).toMatchObject({ state: "active", closed: true, by: "alarm" });
    await deliver(attack("DDoSAttackEnd", 5));
    expect(await openPorts("web-1")).toEqual(before);
    const [off] = (await deployed.api("GET", "/v1/lockdown")).body.lockdowns;
    expect(off).toMatchObject({ state: "lifted", endedBy: on.causes[0] });
  }, 60_000);

  test("by hand: shown first, started, listed with its groups, and refused where it makes no sense", async () => {
    const body = { groups: ["web", "legacy"], reason: "a drill" };
    const preview = await deployed.api("POST", "/v1/lockdown?dryRun=true", { body });
    expect(preview.body).toMatchObject({ dryRun: true, plan: ["web: 4 drops", "legacy: 4 drops"] });
    expect(deployed.rules("web").some((rule) => rule.policy === "Drop")).toBe(false);
    const started = await deployed.api("POST", "/v1/lockdown", { body });
    expect([started.status, started.body.closed]).toEqual([200, true]);
    expect(deployed.rules("legacy").some((rule) => rule.policy === "Drop")).toBe(true);
    const nobody = await deployed.api("POST", "/v1/lockdown", { body: { instance: "i-none", reason: "x" } });
    expect(nobody.body.code).toBe("INSTANCE_UNKNOWN");
    expect((await deployed.api("POST", "/v1/lockdown", { body: { reason: "x" } })).status).toBe(400);
    expect((await deployed.api("POST", "/v1/lockdown/ld-0123456789ab-1:lift")).body.code).toBe("LOCKDOWN_UNKNOWN");
  }, 60_000);
});

describe("what is no alarm", () => {
  const lines = async (): Promise<string> => JSON.stringify((await deployed.api("GET", "/v1/records")).body);

  test("is refused and recorded, each kind of it, and has no effect", async () => {
    const address = `${deployed.cloud.endpoints.api}/alarm/${SECRET}`;
    const rules = shown("web");
    const send = async (body: string, path = address) => {
      const answer = await fetch(path, { method: "POST", body });
      return [answer.status, ((await answer.json()) as { code: string }).code];
    };
    const forged = `${new URLSearchParams({ ...{ alertName: "ddos", alertState: "ALERT" }, ...about("web-1") })}`;
    expect(await send(forged, `${deployed.cloud.endpoints.api}/alarm/${"b".repeat(48)}`)).toEqual([
      404,
      "ALARM_REFUSED",
    ]);
    expect((await fetch(address)).status).toBe(404);
    expect(await send(`${forged}&x=${"x".repeat(10_000_000)}`)).toEqual([413, "BODY_TOO_LARGE"]);
    expect(await send(forged.slice(0, "alertName=ddos&alertSta".length))).toEqual([400, "ALARM_INVALID"]);
    expect(shown("web")).toEqual(rules);
    expect((await deployed.api("GET", "/v1/lockdown")).body.lockdowns).toEqual([]);
    const recorded = await lines();
    for (const what of ["a wrong secret from", "a GET from", "a post of 1", "an alarm from"])
      expect(recorded).toContain(`a post to the alarm webhook is refused: ${what}`);
    expect(recorded).not.toContain("is ALERT");
  }, 60_000);

  test("that no rule answers is recorded, and answered like any other", async () => {
    const answer = await post({ alertName: "cpu", ...about("web-1"), ...told("ALERT") });
    expect(answer).toEqual({ status: 200, done: "recorded; no rule of the policy answers it" });
    expect(await lines()).toContain("no rule of the policy answers it");
  }, 60_000);
});

/** Where the cloud takes no destination, nobody has a lease for one instance of several. */

test.runIf(takesDestination)(
  "an instance that stops ends its leases",
  async () => {
    const instance = deployed.instanceId("web-1");
    const asked = { instance, port: 22, source: "127.0.0.1", period: 1800, reason: "to look" };
    const { body } = await deployed.api("POST", "/v1/leases", { body: asked });
    expect(body, JSON.stringify(body)).toMatchObject({ state: "open" });
    const resourceId = `acs:ecs:${deployed.cloud.account.regionId}:1:instance/${instance}`;
    await deliver({ source: "acs.ecs", type: "ecs:Instance:StateChange", data: { resourceId, state: "Stopped" } });
    expect((await deployed.api("GET", `/v1/leases/${body.id}`)).body).toMatchObject({ state: "closed" });
  },
  60_000,
);
