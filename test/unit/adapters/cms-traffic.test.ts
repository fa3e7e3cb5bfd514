// What hosts report of themselves, as CloudMonitor has it while it is being asked.
import { expect, test } from "vitest";
import { HOST_METRICS, hostTraffic } from "../../../shared/adapters/alibaba/cms-traffic.ts";
import { defaultPolicy } from "../../../shared/config/policy-schema.ts";

const FROM = Date.UTC(2026, 10, 2);
const { recycling } = defaultPolicy("cn-hangzhou");
const span = { region: "cn-hangzhou", from: FROM, until: FROM + 600_000, recycling };

/** A request of the SDK, as far as it is looked into here. */
class Asked {
  readonly metricName: string;

  constructor({ metricName }: { readonly metricName: string }) {
    this.metricName = metricName;
  }
}

/** CloudMonitor, to which a host reports right after the first question. */
function counters() {
  let hasReported = false;
  const call = async ({ request }: { request: (models: unknown) => Asked }) => {
    const { metricName } = request({ DescribeMetricListRequest: Asked });
    const instanceId = "i-1";
    const alive = [FROM, FROM + 300_000].map((timestamp) => ({ timestamp, instanceId, Maximum: 1 }));
    const sessions = [{ timestamp: FROM, instanceId, protocol: "tcp", port: "22", Maximum: 1 }];
    const told = metricName === HOST_METRICS.alive ? alive : sessions;
    const Datapoints = JSON.stringify(hasReported ? told : []);
    hasReported = true;
    return { Datapoints };
  };
  return hostTraffic({ call: call as never, skewMs: () => 0 }, "1");
}

test("what a host reports while it is asked for is used before it is silent", async () => {
  const traffic = counters();
  const { kind, members } = await traffic.read(span, 10);
  expect(kind).toBe("complete");
  expect(members).toMatchObject([{ member: "i-1", seen: 0n, ports: [{ protocol: "tcp", port: 22 }] }]);
});

test("of sessions that were not asked for no silence is known", async () => {
  const traffic = counters();
  await traffic.read(span, 1);
  expect(await traffic.read(span, 1)).toMatchObject({ kind: "incomplete", members: [] });
});
