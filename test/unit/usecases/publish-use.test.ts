// What CloudMonitor is told of the use of ports.
import { beforeEach, describe, expect, test } from "vitest";
import { dayAfter, dayOf, startOf, unknownDay, unusedPort } from "../../../shared/domain/evidence.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import type { MetricPoint } from "../../../shared/ports/metrics.ts";
import { addEvidence } from "../../../shared/store/evidence.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { nextPublication, noTrafficAlarm, publishUse } from "../../../shared/usecases/recycling/publish-use.ts";
import { aPeer } from "../../kit/evidence.ts";
import { type AppWorld, appWorld, START } from "./app-world.ts";

const region = "cn-hangzhou";
let world: AppWorld;
let app: App;
let told: MetricPoint[];

beforeEach(async () => {
  world = await appWorld();
  told = [];
  const publish = async (_region: string, points: readonly MetricPoint[], callsMax: number) => {
    told = points.slice(0, callsMax * 10);
    return { published: told.length, calls: Math.ceil(told.length / 10) };
  };
  app = { ...world.app, metrics: async () => ({ publish }) };
});

/** The port had sessions with so many peers, so many days ago. */
async function used(member: string, port: number, daysAgo: number, peers = 1): Promise<void> {
  const day = dayAfter(dayOf(START), -daysAgo);
  const list = Array.from({ length: peers }, (_, n) => aPeer(`203.0.113.${n}`, day));
  const real = { list, more: false };
  await addEvidence(world.tables, region, {
    ...unknownDay(member, day),
    ports: [{ ...unusedPort("tcp", port), real }],
  });
}

/** Its log tells that nobody came. */
const quiet = (member: string, daysAgo: number): Promise<void> =>
  addEvidence(world.tables, region, { ...unknownDay(member, dayAfter(dayOf(START), -daysAgo)), seen: 1n });

describe("published use", () => {
  test("is how many came yesterday, for how long nobody has, and how many ports that is", async () => {
    await used("eni-1", 22, 1, 3);
    await used("eni-1", 22, 5);
    await used("eni-2", 3306, 4);
    await quiet("eni-2", 1);
    await used("eni-3", 80, 20);
    expect(await publishUse(app, world.policy)).toBe(nextPublication(START));
    const values = told.map(
      ({ name, dimensions: { member = "", port = "" }, value }) => `${name} ${member} ${port} ${value}`,
    );
    expect(values).toEqual([
      "safeport_idle_ports   1",
      "safeport_port_idle_hours eni-2 3306 96",
      "safeport_port_idle_hours eni-1 22 24",
      "safeport_port_peers eni-1 22 3",
    ]);
    expect(told[0]?.dimensions).toEqual({ installation: app.settings.installation, region });
  });

  test("is not of hosts that are gone: nobody misses their traffic", async () => {
    await used("eni-gone", 22, 5);
    await quiet("eni-gone", 2);
    await used("i-counted", 22, 5);
    await publishUse(app, world.policy);
    expect(told.map(({ name, dimensions: { member = "" }, value }) => `${name} ${member} ${value}`)).toEqual([
      "safeport_idle_ports  1",
      "safeport_port_idle_hours i-counted 120",
    ]);
  });

  test("is not where there is no evidence, and no more than its calls", async () => {
    await publishUse(app, world.policy);
    expect(told).toEqual([]);
    for (let n = 0; n < 30; n += 1) await used(`eni-${n}`, 22, 1);
    const { recycling } = world.policy;
    const collect = { ...recycling.collect, metricCallsPerDay: 2 };
    await publishUse(app, { ...world.policy, recycling: { ...recycling, collect } });
    expect(told).toHaveLength(20);
  });

  test("that CloudMonitor refuses is left for the next day", async () => {
    await used("eni-1", 22, 1);
    const publish = async () => {
      throw new CloudFailure("refused", "PutCustomMetric");
    };
    const metrics = async () => ({ publish });
    expect(await publishUse({ ...app, metrics }, world.policy)).toBe(nextPublication(START));
  });

  test("comes once a day, when yesterday has been read", () => {
    expect(nextPublication(startOf("2026-11-05") + 6 * 3_600_000)).toBe(startOf("2026-11-05") + 7 * 3_600_000);
    expect(nextPublication(startOf("2026-11-05") + 7 * 3_600_000)).toBe(startOf("2026-11-06") + 7 * 3_600_000);
  });

  test("can be alarmed on", () => {
    const { parameters } = noTrafficAlarm({
      installation: "prod",
      region,
      contactGroup: "ops",
      webhook: "https://x/y",
    });
    expect(parameters).toMatchObject({
      RuleId: "safeport-prod-no-traffic-cn-hangzhou",
      MetricName: "safeport_idle_ports",
      Resources: '[{"groupId":0,"dimension":"installation=prod,region=cn-hangzhou"}]',
      ComparisonOperator: ">=",
      Threshold: "1",
      Webhook: "https://x/y",
    });
    expect(
      noTrafficAlarm({ installation: "p", region, contactGroup: "ops", webhook: null }).parameters,
    ).not.toHaveProperty("Webhook");
  });
});
