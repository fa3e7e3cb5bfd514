// setup, doctor and uninstall that are cut at a call and run again: nothing is left half, and nothing is made twice.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { environmentOf } from "../../cli/dev/deployment.ts";
import type { CloudCall } from "../../local/call-ring.ts";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import type { FaultService } from "../../local/faults.ts";
import { seedUser, seedUserNames } from "../../local/seed.ts";
import { type CommandRun, typed } from "../kit/command-line.ts";

/** Every how manyth call is cut; `CRASH_POINTS=all` cuts each. */
const STEP = process.env["CRASH_POINTS"] === "all" ? 1 : 17;
const FRESH_MAX = 400;
const instances = Array.from({ length: FRESH_MAX }, (_, index) => `fresh-${index}`);
let cloud: Cloud;
let used = 0;

beforeAll(async () => {
  cloud = await startCloud({
    engine: "userspace",
    range: "127.136.0.0/16",
    startMs: Date.UTC(2026, 10, 27),
    tablestoreInstances: instances,
  });
});
afterAll(() => cloud?.stop());

type Run = (line: string) => Promise<CommandRun>;

/** An installation that nobody has seen yet; runs a command line in it. */
const freshInstallation = (): Run => installation(used++);

/** The installation of that number, or another one on its tables. */
function installation(index: number, name = `cut-${index}`): Run {
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const secrets = { installation: name, markSecret: "m".repeat(64), alarmSecret: "a".repeat(48) };
  const env = {
    ...environmentOf(cloud, { ...secrets, tokens: {} as never }),
    SAFEPORT_TABLESTORE_INSTANCE: instances[index] ?? "",
    SAFEPORT_ROLE: `safeport-${index}`,
    SAFEPORT_LOG_PROJECT: `logs-${index}`,
    SAFEPORT_HEARTBEAT: "on",
    ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret,
  };
  return (line) => typed(line, { cloud, env });
}

/** Each of the calls that a whole run makes, as service and how many of that service come before it. */
async function pointsOf(work: () => Promise<unknown>): Promise<readonly (readonly [FaultService, number])[]> {
  const { next } = cloud.calls.since(Number.MAX_SAFE_INTEGER);
  await work();
  const counts = new Map<string, number>();
  return cloud.calls.since(next).calls.map(({ service }: CloudCall) => {
    const before = counts.get(service) ?? 0;
    counts.set(service, before + 1);
    return [service as FaultService, before] as const;
  });
}

/** Runs `line` with one of its calls cut after its effect, or before it. */
async function cut(run: Run, line: string, at: readonly [FaultService, number], index: number) {
  const [service, skip] = at;
  cloud.faults.set([{ service, skip, times: 1, fault: { kind: index % 2 === 0 ? "drop-after" : "drop-before" } }]);
  const told = await run(line);
  cloud.faults.set([]);
  // Where a call is tried again by itself nothing was cut.
  expect([0, 1], told.err).toContain(told.code);
  return told;
}

const APPLY = "setup --apply --contacts operations --json";
const PLAN = "setup --plan --contacts operations --json";
const REMOVE = "uninstall --state --json";
const statesOf = ({ out }: CommandRun): readonly string[] => [
  ...new Set<string>(JSON.parse(out).steps.map((it: { state: string }) => it.state)),
];
const sampled = <Item>(items: readonly Item[]): readonly Item[] => items.filter((_, index) => index % STEP === 0);

describe("an interrupted command", () => {
  it("setup is finished by the next, and a token that nobody was told of is followed by another", async () => {
    const whole = freshInstallation();
    const points = await pointsOf(() => whole(APPLY));
    expect(new Set(points.map(([service]) => service))).toEqual(new Set(["ram", "sls", "ots", "cms", "fc"]));
    for (const [index, at] of sampled(points).entries()) {
      const run = freshInstallation();
      await cut(run, APPLY, at, index);
      const again = await run(APPLY);
      expect(again.code, `${at}: ${again.err}`).toBe(0);
      const plan = await run(PLAN);
      expect([plan.code, statesOf(plan)], `${at}`).toEqual([0, ["ready"]]);
      const told = ({ out }: CommandRun): readonly string[] => out.match(/spt_\w+/g) ?? [];
      const [first, further] = [told(again), told(await run(`${APPLY} --new-token`))];
      expect(further, `${at}`).toHaveLength(1);
      expect(first).not.toEqual(further);
    }
  });

  it("setup that cannot make its alarms has issued no token of which nobody is told", async () => {
    const run = freshInstallation();
    const fault = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
    cloud.faults.set([{ service: "cms", operation: "PutResourceMetricRule", fault }]);
    expect((await run(APPLY)).code).toBe(1);
    cloud.faults.set([]);
    expect((await run(APPLY)).out).toMatch(/spt_/);
  });

  it("between the tables and their claim leaves them nobody's, whoever comes next; after it they are its own", async () => {
    const points = await pointsOf(() => freshInstallation()(APPLY));
    const calls = cloud.calls.since(0).calls.slice(-points.length);
    const claim = points[calls.findIndex(({ service, operation }) => service === "ots" && operation === "PutRow")];
    if (claim === undefined) return expect.fail("nothing claims the tables");
    const taken = "SAFEPORT_TABLESTORE_INSTANCE to an instance of its own";
    for (const isClaimed of [false, true]) {
      const index = used++;
      const [own, other] = [installation(index), installation(index, `other-${index}`)];
      const [service, skip] = claim;
      const fault = { kind: isClaimed ? "drop-after" : "drop-before" } as const;
      cloud.faults.set([{ service, skip, fault }]);
      expect((await own(APPLY)).code).toBe(1);
      cloud.faults.set([]);
      expect(statesOf(await own(PLAN))).toEqual(["ready", "missing"]);
      const [first, second] = isClaimed ? [own, other] : [other, own];
      expect((await first(APPLY)).code).toBe(0);
      const refused = await second(APPLY);
      expect([refused.code, refused.out + refused.err]).toEqual([1, expect.stringContaining(taken)]);
      expect(statesOf(await first(PLAN))).toEqual(["ready"]);
    }
  });

  it("uninstall is finished by the next, which leaves the audit trail and the logs alone", async () => {
    const whole = freshInstallation();
    await whole(APPLY);
    const points = await pointsOf(() => whole(REMOVE));
    const left = JSON.parse((await whole(PLAN)).out).steps;
    for (const [index, at] of sampled(points).entries()) {
      const run = freshInstallation();
      await run(APPLY);
      await cut(run, REMOVE, at, index);
      const again = await run(REMOVE);
      expect(again.code, `${at}: ${again.err}`).toBe(0);
      const states = JSON.parse((await run(PLAN)).out).steps.map((it: { state: string }) => it.state);
      expect(states, `${at}`).toEqual(left.map((it: { state: string }) => it.state));
    }
  });

  it("doctor says what it could not look at, in words, and changes nothing", async () => {
    const run = freshInstallation();
    await run(APPLY);
    const points = await pointsOf(() => run("doctor --contacts operations --json"));
    for (const [index, at] of sampled(points).entries()) {
      const told = await cut(run, "doctor --contacts operations --json", at, index);
      const { findings } = JSON.parse(told.out);
      for (const it of findings) if (it.state === "fail") expect(it.remedy, `${at}: ${it.found}`).not.toBe("");
    }
    expect(statesOf(await run(PLAN))).toEqual(["ready"]);
  });
});
