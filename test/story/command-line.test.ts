// The command `safeport` against the embedded cloud: setting up, looking, changing the policy, and going without a trace.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import TableStore from "tablestore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { environmentOf } from "../../cli/dev/deployment.ts";
import { accountOf } from "../../cli/safeport/account.ts";
import { newRoleTokens } from "../../cli/setup/installation.ts";
import { stateOf } from "../../cli/setup/installation-steps.ts";
import { seedUser, seedUserNames } from "../../local/seed.ts";
import { schemas } from "../../shared/store/tables.ts";
import { type CommandRun, terminalOf, typed } from "../kit/command-line.ts";
import { type Deployed, deploy } from "../kit/deployed.ts";

const FRESH = "fresh";
let world: Deployed;

beforeAll(async () => {
  const environment = { SAFEPORT_HEARTBEAT: "on" };
  world = await deploy({ tablestoreInstances: ["safeport", FRESH], environment, refusals: true });
  await world.cloud.recordFlowLogs("safeport", "flow-log", 60);
  await world.advance(60_000);
});
afterAll(() => world?.stop());

interface Run extends CommandRun {
  // biome-ignore lint/suspicious/noExplicitAny: answers of every command, of which each test says what it expects.
  readonly json: any;
}

/** The environment of whoever deploys: the functions' own, and keys. */
function environment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { cloud, tokens } = world;
  const deployer = seedUser(cloud.account, seedUserNames.admin);
  const secrets = { installation: "test-1", markSecret: "m".repeat(64), alarmSecret: "a".repeat(48), tokens };
  return {
    ...environmentOf(cloud, secrets),
    SAFEPORT_ROLE: seedUserNames.role,
    SAFEPORT_FUNCTION_PREFIX: "",
    SAFEPORT_HEARTBEAT: "on",
    SAFEPORT_API: cloud.endpoints.api,
    SAFEPORT_TOKEN: tokens.admin,
    ALIBABA_CLOUD_ACCESS_KEY_ID: deployer.accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: deployer.accessKeySecret,
    ...extra,
  };
}

async function safeport(line: string, extra: Readonly<Record<string, string>> = {}): Promise<Run> {
  const { cloud } = world;
  const run = await typed(line, { cloud, env: environment(extra), sleep: (ms) => world.advance(ms) });
  return { ...run, json: run.out.startsWith("{") ? JSON.parse(run.out) : null };
}

const fresh = { SAFEPORT_TABLESTORE_INSTANCE: FRESH, SAFEPORT_FUNCTION_PREFIX: "fresh-" };
const APPLY = "setup --apply --contacts operations --json";
const PLAN = "setup --plan --contacts operations --json";
const statesOf = ({ json }: Run): readonly string[] => [
  ...new Set<string>(json.steps.map((it: { state: string }) => it.state)),
];

async function removeAll(): Promise<void> {
  expect((await safeport("uninstall --state --records --json", fresh)).code).toBe(0);
}

describe("setup", () => {
  it("shows everything that is missing and changes nothing, then makes it, and then finds nothing to do", async () => {
    const plan = await safeport(PLAN, fresh);
    expect([plan.code, statesOf(plan).includes("made")]).toEqual([3, false]);
    expect(plan.json.steps.length).toBeGreaterThan(schemas.length + 4);
    expect((await safeport(PLAN, fresh)).json).toEqual(plan.json);
    const made = await safeport(APPLY, fresh);
    expect([made.code, statesOf(made)]).toEqual([0, expect.arrayContaining(["made"])]);
    const [token] = made.json.steps.filter((it: { told?: string }) => it.told);
    expect(token).toMatchObject({ id: "admin token", told: expect.stringMatching(/^spt_/) });
    const again = await safeport(APPLY, fresh);
    expect([again.code, statesOf(again), again.out.includes("spt_")]).toEqual([0, ["ready"], false]);
    expect(made.err).toContain("admin token");
    await removeAll();
    const left: { id: string; state: string }[] = (await safeport(PLAN, fresh)).json.steps;
    expect(left.flatMap(({ id, state }) => (state === "ready" ? [id] : []))).toEqual([
      "log project safeport-logs",
      "logstore functions",
    ]);
  });

  it("mends a table whose rows would go too early, and refuses one that is somebody else's", async () => {
    await safeport(APPLY, fresh);
    const { accessKeyId, accessKeySecret } = seedUser(world.cloud.account, seedUserNames.admin);
    const client = new TableStore.Client({
      accessKeyId,
      secretAccessKey: accessKeySecret,
      endpoint: world.cloud.endpoints.tablestore,
      instancename: FRESH,
    });
    await client.updateTable({ tableName: "record", tableOptions: { timeToLive: 86_400, maxVersions: 1 } });
    const plan = await safeport(PLAN, fresh);
    expect(plan.json.steps.find((it: { id: string }) => it.id === "table record")).toMatchObject({ state: "differs" });
    expect((await safeport(APPLY, fresh)).code).toBe(0);
    await client.deleteTable({ tableName: "lock" });
    await client.createTable({
      tableMeta: { tableName: "lock", primaryKey: [{ name: "other", type: "STRING" }] },
      reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
      tableOptions: { timeToLive: -1, maxVersions: 1 },
    });
    const refused = await safeport(APPLY, fresh);
    expect(refused.code).toBe(3);
    expect(refused.json.steps.find((it: { id: string }) => it.id === "table lock")).toMatchObject({ state: "wrong" });
    await removeAll();
  });

  it("needs to be told what, and with which configuration", async () => {
    expect(await safeport("setup")).toMatchObject({ code: 2, err: expect.stringContaining("--plan or --apply") });
    expect(await safeport("setup --plan --colour")).toMatchObject({ code: 2 });
    for (const line of ["setup --plan web", "uninstall --close web", "mode halt now --reason x", "policy check a b"])
      expect(await safeport(line), line).toMatchObject({
        code: 2,
        err: expect.stringMatching(/(web|now|b) is not understood/),
      });
    const nowhere = await safeport("mode", { SAFEPORT_API: "http://127.0.0.1:1" });
    expect(nowhere).toMatchObject({ code: 1, err: expect.stringContaining("Check SAFEPORT_API") });
    const silent = await safeport("setup --plan", { SAFEPORT_TABLESTORE_ENDPOINT: "http://127.0.0.1:1" });
    expect(silent).toMatchObject({ code: 1, err: expect.stringContaining("SAFEPORT_TABLESTORE_INSTANCE") });
    expect(await safeport("setup --plan", { SAFEPORT_MARK_SECRET: "short" })).toMatchObject({
      code: 1,
      err: expect.stringContaining("SAFEPORT_MARK_SECRET"),
    });
    expect(await safeport("frobnicate")).toMatchObject({ code: 2 });
    expect(await safeport("setup --help")).toMatchObject({ code: 0, out: expect.stringContaining("Usage:") });
  });
});

describe("doctor", () => {
  const of = ({ json }: Run, check: string) => json.findings.find((it: { check: string }) => it.check === check);

  it("finds nothing that fails in a whole installation, and how late a wake-up comes", async () => {
    await safeport(APPLY);
    // The first full pass has ended by now.
    await world.advance(120_000);
    const run = await safeport("doctor --wake-up --contacts operations --json");
    expect(run.json.findings.filter((it: { state: string }) => it.state === "fail")).toEqual([]);
    expect(run.code).toBe(0);
    expect(of(run, "alarm safeport-test-1-no-traffic-cn-hangzhou")).toMatchObject({ state: "ok" });
    expect(of(run, `what else ${seedUserNames.role} may do`)).toMatchObject({ state: "ok" });
    expect(of(run, "wake-up")).toMatchObject({ state: "ok", found: expect.stringMatching(/came 0\.\d\d s/) });
    expect(of(run, "call budget")).toMatchObject({ state: expect.stringMatching(/ok|unknown/) });
  });

  it("says whether sessions can be cut and Session Manager is there, and what is not allowed", async () => {
    const off = { SAFEPORT_CLOUD_ASSISTANT: "off" };
    expect(of(await safeport("doctor --json", off), "cloud assistant")).toMatchObject({
      state: "ok",
      found: expect.stringMatching(/^off: /),
    });
    const on = { SAFEPORT_CLOUD_ASSISTANT: "on" };
    const found = /^on: the agents of (\d+) of (\d+) instances answer, (\d+) with Session Manager$/;
    expect(of(await safeport("doctor --json", on), "cloud assistant")).toMatchObject({
      found: expect.stringMatching(found),
    });
    const fault = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
    world.cloud.faults.set([{ service: "ecs", operation: "DescribeInvocationResults", fault }]);
    const refused = of(await safeport("doctor --json", on), "cloud assistant");
    world.cloud.faults.set([]);
    expect(refused).toMatchObject({
      state: "fail",
      found: "DescribeInvocationResults: Forbidden.RAM",
      remedy: expect.stringContaining("Allow DescribeInvocationResults"),
    });
  });

  it("names what is wrong, each with a remedy", async () => {
    const broken = await safeport("doctor --contacts operations --json", {
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: "wrong",
    });
    expect(broken.code).toBe(1);
    expect(of(broken, "ecs:DescribeSecurityGroups")).toMatchObject({ state: "fail", remedy: expect.any(String) });
    for (const it of broken.json.findings) if (it.state !== "ok") expect(it.remedy, it.check).not.toBe("");
    expect(JSON.stringify(broken)).not.toContain("m".repeat(64));
    // What is wrong is the key, wherever it is looked at.
    for (const check of ["clock", "functions", "role"])
      expect(Object.values(of(broken, check)).join(" "), check).toContain("Correct ALIBABA_CLOUD_ACCESS_KEY_ID");
    const away = await safeport("doctor --only clock --json", { SAFEPORT_ECS_ENDPOINT: "http://127.0.0.1:1" });
    expect(of(away, "clock")).toMatchObject({ remedy: expect.stringContaining("Check SAFEPORT_REGION") });
    const strange = await safeport("doctor --contacts other --json", { SAFEPORT_FLOW_LOGS: "-" });
    expect(of(strange, "alarm safeport-test-1-silent")).toMatchObject({ state: "fail" });
    expect(of(strange, "flow logs")).toMatchObject({ state: "warn" });
    // Without flow logs nobody publishes what it is about.
    expect(of(strange, "alarm safeport-test-1-no-traffic-cn-hangzhou")).toBeUndefined();
  });
});

describe("the role that setup makes", () => {
  const roleCalls = () => world.cloud.ram.used().filter((it) => it.principal === seedUserNames.role);
  const body = (port: number) => ({ body: { port, period: 60, group: "lab" } });

  it("may do all that opening, closing and watching take, and was refused nothing", async () => {
    await safeport(APPLY);
    // A tick that came before the role had its policy was refused.
    const refused = () => roleCalls().flatMap(({ action, denied }) => (denied > 0 ? [`${action} ${denied}`] : []));
    const before = refused();
    expect((await world.api("POST", "/v1/leases", body(9100))).body).toMatchObject({ state: "open" });
    await world.advance(180_000);
    expect(world.rules("lab").filter((rule) => rule.portRange === "9100/9100")).toEqual([]);
    expect(refused()).toEqual(before);
    const used = roleCalls().map((it) => it.action);
    for (const action of ["ecs:AuthorizeSecurityGroup", "ecs:RevokeSecurityGroup", "cms:PutCustomMetric"])
      expect(used).toContain(action);
  });

  it.each([
    "ecs:AuthorizeSecurityGroup",
    "ecs:DescribeSecurityGroupAttribute",
    "ots:PutRow",
    "ots:GetRow",
    "ots:GetRange",
  ])("opens nothing without %s", async (action) => {
    const whole = world.cloud.ram.attached()[seedUserNames.role] ?? [];
    const without = whole.map((it) => ({
      ...it,
      Statement: it.Statement.map((one) => ({
        ...one,
        Action: [one.Action].flat().filter((name) => name !== action),
      })).filter((one) => one.Action.length > 0),
    }));
    world.cloud.ram.attach(seedUserNames.role, without);
    const opened = await world.api("POST", "/v1/leases", body(9101));
    world.cloud.ram.attach(seedUserNames.role, whole);
    expect(opened.body.state).not.toBe("open");
    await world.advance(240_000);
    expect(world.rules("lab").filter((rule) => rule.portRange === "9101/9101")).toEqual([]);
  });
});

describe("policy and mode", () => {
  const folder = mkdtempSync(join(tmpdir(), "safeport-cli-"));
  const file = (text: string): string => {
    const path = join(folder, "policy.yaml");
    writeFileSync(path, text);
    return path;
  };

  it("checks a file and names the line of a mistake", async () => {
    expect(await safeport(`policy check ${file("lease:\n  periodMax: 3600\n")}`)).toMatchObject({ code: 0 });
    const bad = await safeport(`policy check ${file("lease:\n  periodMax: never\n")}`);
    expect(bad).toMatchObject({ code: 1, err: expect.stringContaining("policy.yaml:2: lease.periodMax") });
    expect((await safeport("policy schema")).json).toMatchObject({ title: "safeport policy" });
  });

  it("compares, applies, and has another admin confirm what allows more", async () => {
    const shown = (await safeport("policy show")).json;
    const shorter = file(JSON.stringify({ ...shown, lease: { ...shown.lease, periodMax: 7200 } }));
    const diff = await safeport(`policy diff ${shorter}`);
    expect(diff).toMatchObject({
      err: "",
      code: 0,
      out: expect.stringContaining("lease.periodMax: 28800 → 7200 (narrows)"),
    });
    expect(await safeport(`policy apply ${shorter} --reason shorter`)).toMatchObject({
      code: 0,
      out: expect.stringContaining("Version 2 is in force."),
    });
    const wider = file(JSON.stringify({ ...shown, lease: { ...shown.lease, periodMax: 10_000 } }));
    const waits = await safeport(`policy apply ${wider} --reason wider --json`);
    expect(waits).toMatchObject({ code: 3, json: { state: "pending", widens: true } });
    const { digest } = waits.json;
    expect(await safeport(`policy confirm ${digest}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining("another person"),
    });
    expect(await safeport("policy confirm")).toMatchObject({ code: 3, out: expect.stringContaining(digest) });
    expect(await safeport("policy withdraw")).toMatchObject({ code: 0 });
  });

  it("changes a long policy as well as a short one", async () => {
    const shown = (await safeport("policy show")).json;
    const denied = Array.from({ length: 5000 }, (_, n) => `sg-${String(n).padStart(20, "0")}`);
    const long = file(JSON.stringify({ ...shown, groups: { ...shown.groups, denied } }));
    expect(await safeport(`policy check ${long}`)).toMatchObject({ code: 0 });
    expect(await safeport(`policy apply ${long} --reason long`)).toMatchObject({
      code: 0,
      out: expect.stringContaining("is in force."),
    });
    const again = file(JSON.stringify({ ...shown, groups: { ...shown.groups, denied: denied.slice(1) } }));
    expect(await safeport(`policy diff ${again}`)).toMatchObject({ code: 0, out: expect.stringContaining("(widens)") });
    const short = file(JSON.stringify(shown));
    expect(await safeport(`policy apply ${short} --reason short`)).toMatchObject({ code: 3 });
    expect(await safeport("policy withdraw")).toMatchObject({ code: 0 });
  });

  it("shows and sets the mode", async () => {
    expect(await safeport("mode")).toMatchObject({ code: 0, out: "normal\n" });
    expect(await safeport("mode halt")).toMatchObject({ code: 2 });
    expect(await safeport("mode halt --reason incident")).toMatchObject({ code: 0 });
    expect((await safeport("mode")).out).toContain("halt, set by admin");
    expect(await safeport("mode normal --reason over")).toMatchObject({ code: 0 });
  });

  it("says what is wrong with the token, and shows no secret", async () => {
    const token = newRoleTokens().admin;
    const refused = await safeport("mode", { SAFEPORT_TOKEN: token });
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("TOKEN_INVALID") });
    expect(refused.err).not.toContain(token);
  });
});

describe("records", () => {
  const tables = () => {
    const { accessKeyId, accessKeySecret } = seedUser(world.cloud.account, seedUserNames.admin);
    const { tablestore: endpoint } = world.cloud.endpoints;
    return new TableStore.Client({ accessKeyId, secretAccessKey: accessKeySecret, endpoint, instancename: "safeport" });
  };
  const folder = () => mkdtempSync(join(tmpdir(), "safeport-records-"));

  it("are verified, exported, verified from the file, and name what was tampered with in the table", async () => {
    await safeport(APPLY);
    await safeport("mode close-only --reason exercise");
    await safeport("mode normal --reason over");
    // Past the hour at which they are sealed.
    await world.advance(100 * 60_000);
    const whole = await safeport("records verify --json");
    expect(whole).toMatchObject({ code: 0, json: { findings: [], doubt: null } });
    const { head, records, seals } = whole.json;
    expect([records > 2, seals > 0]).toEqual([true, true]);
    // Whoever takes away all that was before leaves nothing that tells of it, but for a head that is kept elsewhere.
    expect((await safeport("records verify")).out).toMatch(
      /is whole since \S+\. Whether anything came before .* --head/,
    );
    const file = join(folder(), "trail.jsonl");
    expect(await safeport(`records export ${file}`)).toMatchObject({ code: 0 });
    expect(await safeport(`records export ${file}`)).toMatchObject({ code: 1 });
    const known = `--head ${head.number}:${head.digest}`;
    expect(await safeport(`records verify ${file} ${known}`)).toMatchObject({
      code: 0,
      out: expect.stringContaining("The trail is whole.\n"),
    });
    const [first = "", ...all] = readFileSync(file, "utf8").split("\n");
    const fresh = all.filter((line) => line.includes('"record"')).slice(0, 1);
    writeFileSync(`${file}.1`, [first, ...fresh].join("\n"));
    expect(await safeport(`records verify ${file}.1 ${known}`)).toMatchObject({
      code: 1,
      out: expect.stringContaining(`missing seal ${head.number}`),
    });
    const unknown = await safeport(`records verify ${file} --json`, { SAFEPORT_MARK_SECRET: "" });
    expect(unknown).toMatchObject({ code: 0, json: { doubt: expect.stringContaining("--key") } });

    const lines = readFileSync(file, "utf8").split("\n");
    const at = lines.findIndex((line) => line.includes("exercise"));
    const { sequence } = JSON.parse(lines[at] ?? "");
    lines[at] = (lines[at] ?? "").replace("exercise", "exorcism");
    writeFileSync(`${file}.2`, lines.join("\n"));
    const changed = await safeport(`records verify ${file}.2 --json`);
    expect(changed).toMatchObject({ code: 1, json: { findings: [{ kind: "changed", of: `record ${sequence}` }] } });

    // Somebody with the key of the tables takes it away.
    await tables().deleteRow({
      tableName: "record",
      condition: new TableStore.Condition(TableStore.RowExistenceExpectation.IGNORE, null),
      primaryKey: [{ chain: "main" }, { sequence }],
    });
    const missing = await safeport("records verify");
    expect(missing).toMatchObject({ code: 1, out: expect.stringContaining(`missing record ${sequence}`) });
  });

  it("are kept as long as the floor by setup, which shortens nothing that somebody keeps longer", async () => {
    await safeport(APPLY);
    const set = (timeToLive: number) =>
      tables().updateTable({ tableName: "record", tableOptions: { timeToLive, maxVersions: 1 } });
    const look = async () =>
      (await safeport("doctor --json")).json.findings.find((it: { check: string }) => it.check === "table record");
    await set(3 * 365 * 86_400);
    expect(await look()).toMatchObject({ state: "ok" });
    await set(86_400);
    expect(await look()).toMatchObject({ state: "fail", remedy: "Run safeport setup --apply." });
    await safeport(APPLY);
    expect(await look()).toMatchObject({ state: "ok" });
  });

  it("does not understand what is no key and no head", async () => {
    for (const wrong of ["verify --key x", "verify --head 1", "delete", "verify a b"])
      expect(await safeport(`records ${wrong}`), wrong).toMatchObject({ code: 2 });
    expect(await safeport("records verify /nowhere")).toMatchObject({
      code: 1,
      err: expect.stringContaining("/nowhere"),
    });
  });
});

describe("functions that were given the tables of another installation", () => {
  const OWNER = [0, 0, "installation", ""];

  it("open nothing, take no alarm and end nothing, and say so", async () => {
    const state = stateOf(accountOf(terminalOf({ cloud: world.cloud, env: environment() }).surroundings));
    expect((await state.get("due", OWNER))?.columns).toEqual({ owner: "test-1" });
    await state.put("due", OWNER, { owner: "another" }, { kind: "none" });
    // What warm functions know is asked again once a minute.
    await world.advance(61_000);
    const asked = await world.api("POST", "/v1/leases", { body: { port: 9335, period: 3600, group: "lab" } });
    expect([asked.status, asked.body.code]).toEqual([503, "STATE_OF_ANOTHER"]);
    const alarm = await fetch(`${world.cloud.endpoints.api}/alarm/${"a".repeat(48)}`, {
      method: "POST",
      body: new URLSearchParams({ alertName: "ddos", alertState: "ALERT", dimensions: "{}" }),
    });
    expect(alarm.status).toBeGreaterThanOrEqual(500);
    const since = world.next();
    await world.advance(61_000);
    const changes = world
      .calls(since)
      .filter(({ service, operation }) => service === "ots" && /Put|Write|Update/.test(operation));
    expect(changes).toEqual([]);
    expect(await safeport("setup --plan")).toMatchObject({
      code: 1,
      err: expect.stringContaining("of the installation another"),
    });
    await state.put("due", OWNER, { owner: "test-1" }, { kind: "none" });
    await world.advance(61_000);
    expect((await world.api("GET", "/v1/leases")).status).toBe(200);
  });
});

describe("uninstall", () => {
  /** As after `s remove`: under these names there are none. */
  const GONE = { SAFEPORT_FUNCTION_PREFIX: "gone-" };

  it("closes every lease first, refuses to drop its state before, and keeps the records", async () => {
    await safeport(APPLY);
    const opened = await world.api("POST", "/v1/leases", { body: { port: 9333, period: 3600, group: "lab" } });
    expect(opened.body).toMatchObject({ state: "open" });
    const before = await safeport("uninstall --plan --json");
    expect(before.json).toMatchObject({ leases: [opened.body.id], rules: [expect.stringContaining("sgr-")] });
    expect(await safeport("uninstall --state")).toMatchObject({
      code: 1,
      err: expect.stringContaining("still stand"),
    });
    // The functions are gone, and a rule stands: nobody would close it.
    expect(await safeport("uninstall --state", GONE)).toMatchObject({ code: 3 });
    const admin = { token: world.tokens.admin };
    const body = { groups: ["lab"], reason: "an incident", waivedBy: "ann" };
    const locked = await world.api("POST", "/v1/lockdown", { ...admin, body });
    expect(locked.status, JSON.stringify(locked.body)).toBeLessThan(300);
    const closed = await safeport("uninstall --close --json");
    expect(closed.err).toContain(`lifting ${locked.body.id}`);
    expect(closed).toMatchObject({ code: 0, json: { closed: true } });
    expect(world.rules("lab").filter((rule) => rule.portRange === "9333/9333")).toEqual([]);
    const late = await world.api("POST", "/v1/leases", { body: { port: 9334, period: 3600, group: "lab" } });
    expect(late.body.code).toBe("MODE_FORBIDS");
    // Which regions to look in is not known: what stands there would stay for ever.
    const denied = { kind: "reject", status: 403, code: "OTSAuthFailed" } as const;
    world.cloud.faults.set([{ service: "ots", operation: "GetRange", times: 1, fault: denied }]);
    expect(await safeport("uninstall --state", GONE)).toMatchObject({ code: 1, out: "" });
    world.cloud.faults.set([]);
    const gone = await safeport("uninstall --state --json", GONE);
    expect(gone.code).toBe(0);
    expect(gone.json.removed).toContain("table lease");
    expect(gone.json.removed).not.toContain("table record");
    expect(await safeport("uninstall --state --json", GONE)).toMatchObject({ code: 0 });
    // Also whoever asks for it does not get rid of records that are younger than the floor.
    const told = await safeport("uninstall --state --records --json", GONE);
    expect(told).toMatchObject({ code: 3, json: { recordsKeptUntil: expect.any(String) } });
    expect(Date.parse(told.json.recordsKeptUntil)).toBeGreaterThan(world.cloud.clock.now() + 179 * 86_400_000);
    expect(told.json.removed).toContain("table history");
    expect(told.json.removed.filter((id: string) => /table (record|seal)$/.test(id))).toEqual([]);
  });
});
