// Prefix lists for lockdowns on the built program: the cost is shown first, an alarm fills them, ports really close, and nothing is left in the end.
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { environmentOf } from "../../cli/dev/deployment.ts";
import { accountOf } from "../../cli/safeport/account.ts";
import { cloudCalls } from "../../cli/setup/cloud-call.ts";
import { seededRandom } from "../../local/random.ts";
import { seedAccount, seedUser, seedUserNames } from "../../local/seed.ts";
import { listProbeWord } from "../../shared/domain/list-probe.ts";
import { terminalOf, typed } from "../kit/command-line.ts";
import { type Deployed, deploy } from "../kit/deployed.ts";
import { listsProbed } from "../kit/switch-under-test.ts";

const SECRET = "a".repeat(48);
const { accountId, regionId } = seedAccount(seededRandom("safeport seeded account"));
const environment = { SAFEPORT_LOCKDOWN_LISTS: listProbeWord(accountId, regionId, "20261127") };
const scope = { groups: ["web", "legacy"] };
const policy = `
defaultTarget: web
operatorPath: [{ port: "22", sources: ["127.0.0.8/29"] }]
lockdown: { groups: [web, legacy] }
alarms: [{ rule: flood, do: lockdown, scope: ${JSON.stringify(scope)} }]
`;

let program: Deployed;
beforeAll(async () => {
  program = await deploy({ policy, environment, switches: listsProbed });
  await program.advance(120_000);
}, 60_000);
afterAll(() => program?.stop());

const lists = () => program.cloud.ecs.lists().map(({ entries }) => entries.length);
const dropsOf = (group: string) => program.rules(group).filter((rule) => rule.policy === "Drop").length;
const admin = (method: string, path: string, body?: unknown) =>
  program.api(method, path, { token: program.tokens.admin, body });

function answers(name: string, port: number): Promise<boolean> {
  const instance = program.cloud.account.instances.find((it) => it.name === name);
  const address = instance?.address ?? "";
  const real = program.cloud.dataPlane.mappedPorts()[`${address}:${port}`] ?? port;
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: real, timeout: 700 });
    const end = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    // The gateway in user space takes a connection first, and resets what the rules refuse.
    socket.on("connect", () => setTimeout(() => end(!socket.destroyed && socket.readable), 150));
    for (const event of ["error", "timeout", "close"]) socket.on(event, () => end(false));
  });
}

const post = async (alertState: string) => {
  await program.advance(2000);
  const body = new URLSearchParams({
    ...{ alertName: "flood", alertState, triggerLevel: "CRITICAL", ruleId: "flood" },
    timestamp: String(Math.floor(program.cloud.clock.now() / 1000)),
  });
  const response = await fetch(`${program.cloud.endpoints.api}/alarm/${SECRET}`, { method: "POST", body });
  expect(response.status).toBe(200);
};

test("the cost is told before anything of it stands", async () => {
  const { body: view } = await admin("GET", "/v1/policy");
  const document = { ...view.policy, lockdown: { ...view.policy.lockdown, prefixLists: [scope] } };
  const shown = await admin("PUT", "/v1/policy?dryRun=true", { policy: document, base: view.version, reason: "" });
  expect(shown.body.lists).toMatchObject({ writingCalls: 2 });
  expect(shown.body.lists.groups.map((it: { name: string; why: string | null }) => [it.name, it.why]).sort()).toEqual([
    ["legacy", null],
    ["web", null],
  ]);
  expect(program.cloud.ecs.lists()).toEqual([]);
  const applied = await admin("PUT", "/v1/policy", { policy: document, base: view.version, reason: "" });
  expect(applied.body.state, JSON.stringify(applied.body)).toBe("applied");
  await program.advance(180_000);
  expect([lists(), dropsOf("web"), dropsOf("legacy")]).toEqual([[0, 0], 6, 6]);
}, 60_000);

test("an alarm closes the groups by two writing calls, and OK opens them", async () => {
  const seen = async () => [await answers("legacy-1", 7890), await answers("web-1", 80)];
  expect(await seen()).toEqual([true, true]);
  const from = program.next();
  await post("ALERT");
  const writing = program.calls(from).filter((it) => it.service === "ecs" && !it.operation.startsWith("Describe"));
  expect(writing.map(({ operation }) => operation)).toEqual(["ModifyPrefixList", "ModifyPrefixList"]);
  expect(await seen()).toEqual([false, true]);
  const { body } = await program.api("GET", "/v1/lockdown");
  expect(body.lockdowns[0]).toMatchObject({ state: "active", closed: true });
  await post("OK");
  expect([await seen(), lists()]).toEqual([
    [true, true],
    [0, 0],
  ]);
}, 60_000);

/** Where commands run; `changed` is what its environment has besides. */
const terminal = (changed: Readonly<Record<string, string>> = {}) => {
  const { cloud, tokens } = program;
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const secrets = { installation: "test-1", markSecret: "m".repeat(64), alarmSecret: SECRET, tokens };
  const env = {
    // Not where lists were switched on: whoever takes it away may not know, or have switched them off.
    ...environmentOf(cloud, secrets),
    ...{ SAFEPORT_FUNCTION_PREFIX: "", SAFEPORT_API: cloud.endpoints.api, SAFEPORT_TOKEN: tokens.admin },
    ...{ ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId, ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret },
    ...changed,
  };
  return { cloud, env, sleep: (ms: number) => program.advance(ms), fetch };
};

test("doctor names lists that hold something in peace or are gone, drops that are missing, and what is not switched on", async () => {
  const said = async (changed = environment as Readonly<Record<string, string>>) => {
    const { findings } = JSON.parse((await typed("doctor --json", terminal(changed))).out) as {
      readonly findings: readonly { check: string; state: string; found: string; remedy: string }[];
    };
    return findings.filter(({ check }) => check === "lockdown lists");
  };
  expect(await said()).toMatchObject([{ state: "ok", found: "1 sets, as they should be" }]);
  expect(await said({})).toMatchObject([{ state: "warn", found: expect.stringContaining("no probe has passed") }]);
  const { ask, ecs } = cloudCalls(accountOf(terminalOf(terminal()).surroundings));
  // The program finds both within seconds, and cannot mend them.
  const fault = { kind: "reject", status: 400, code: "Throttling" } as const;
  program.cloud.faults.set([
    { service: "ecs", operation: "ModifyPrefixList", skip: 1, times: 1000, fault },
    { service: "ecs", operation: "AuthorizeSecurityGroup", times: 1000, fault },
  ]);
  const [first] = program.cloud.ecs.lists();
  await ask(ecs, "ModifyPrefixList", { PrefixListId: first?.listId, AddEntry: [{ Cidr: "198.51.100.0/24" }] });
  const drop = program.rules("web").find((rule) => rule.policy === "Drop");
  const SecurityGroupId = program.groupId("web");
  await ask(ecs, "RevokeSecurityGroup", { SecurityGroupId, SecurityGroupRuleId: [drop?.ruleId] });
  await ask(ecs, "CreatePrefixList", {
    ...{ PrefixListName: "safeport-test-1-0123456789ab-ba9876543210", AddressFamily: "IPv4", MaxEntries: 2 },
  });
  const found = await said();
  program.cloud.faults.set([]);
  expect(found.map(({ state }) => state)).toEqual(["warn", "fail", "fail"]);
  expect(found.map((it) => it.found)).toEqual([
    expect.stringContaining("belong to no set"),
    expect.stringContaining(`${first?.listId} holds 1 blocks in peace`),
    expect.stringContaining("1 drops on lists are missing in"),
  ]);
  expect(found.every(({ remedy }) => remedy !== "")).toBe(true);
}, 60_000);

test("uninstall takes the rules away, and then the lists", async () => {
  const { code, err } = await typed("uninstall --close --json", terminal());
  expect(code, err).toBe(0);
  expect([program.cloud.ecs.lists(), dropsOf("web"), dropsOf("legacy")]).toEqual([[], 0, 0]);
}, 90_000);
