// The sources of evidence fail for days: what is not known is nobody's silence. Real connections, flow logs and evidence, night by night.
import { afterEach, expect, test } from "vitest";
import type { FaultRule } from "../../local/faults.ts";
import { markInstalled } from "../../shared/store/due.ts";
import { listRecyclingItems } from "../../shared/store/recycling.ts";
import { collectEvidence } from "../../shared/usecases/recycling/collect-evidence.ts";
import { recycle } from "../../shared/usecases/recycling/recycle.ts";
import { watchRecycling } from "../../shared/usecases/recycling/watch-recycling.ts";
import { type EvidenceCloud, startEvidenceCloud } from "../kit/evidence-cloud.ts";
import { switchUnderTest } from "../kit/switch-under-test.ts";

const START = Date.UTC(2026, 8, 1, 10);
const DAY = 86_400_000;
/** Nobody comes to `idle`; `back` is used on the first day and again in the outage; `used` before it and in it. */
const hosts = [
  { name: "idle", port: 5001 },
  { name: "back", port: 5002 },
  { name: "used", port: 5003 },
];
const OUTAGE = { from: 11, until: 19 };

const failing = (service: "sls" | "cms" | "vpc" | "actiontrail", fault: FaultRule["fault"]): FaultRule => ({
  ...{ service, fault, from: START + (OUTAGE.from + 1) * DAY, until: START + (OUTAGE.until + 1) * DAY },
});
const down = { kind: "reject", status: 503, code: "ServerBusy" } as const;

let world: EvidenceCloud;
afterEach(() => world.stop());

async function night(): Promise<void> {
  const { app, policy } = world;
  const region = "cn-hangzhou";
  const deadlineAt = Number.POSITIVE_INFINITY;
  // As the job does: what failed is tried again in a quarter of an hour, and by the next booking at the latest.
  for (let tries = 0; tries < 4; tries++) {
    const next = await collectEvidence(app, { policy, region, deadlineAt });
    if (next === null) break;
    await world.cloud.advance(Math.max(1000, next - world.cloud.clock.now()));
  }
  await recycle(app, { policy, deadlineAt, dryRun: false, from: null });
  // The watch comes a while after, when what was written can be read, also where the cloud shows it late.
  await world.cloud.advance(switchUnderTest().readAfterWriteMs ?? 0);
  await watchRecycling(app, { policy, deadlineAt });
}

async function states(): Promise<Readonly<Record<string, string>>> {
  const { items } = await listRecyclingItems(world.app.tables, { limit: 10 });
  return Object.fromEntries(items.map((item) => [item.groupName, item.state]));
}

test.each([
  ["the log service answers a part alone", [failing("sls", { kind: "incomplete" })]],
  [
    "logs, metrics and the trail are down",
    [failing("sls", down), failing("cms", down), failing("vpc", down), failing("actiontrail", down)],
  ],
] satisfies [string, FaultRule[]][])(
  "%s for eight days: nothing goes forward meanwhile, and nobody who came is cut off",
  async (_, faults) => {
    world = await startEvidenceCloud({
      hosts,
      startMs: START,
      ttlDays: 9,
      recycling: () => ({
        ...{ window: 7, notice: 1, quarantine: 2, groups: hosts.map(({ name }) => name), neverClose: [] },
        steps: { quarantine: "auto", delete: "auto" },
      }),
    });
    await markInstalled(world.app.tables, "test", START);
    world.cloud.faults.set(faults);
    const { visits, network, port } = world;
    const seen: Readonly<Record<string, string>>[] = [];
    await world.days(28, async (day) => {
      await night();
      seen.push(await states());
      if (day === 0 || (day > 13 && day < 16)) await visits.session(`${network}.200.2`, port("back"));
      if ([3, 8, 14, 20, 25].includes(day))
        expect(await visits.session(`${network}.200.3`, port("used"))).toBe("answered");
    });
    const [before, during, last] = [seen[OUTAGE.from - 1], seen.slice(OUTAGE.from, OUTAGE.until), seen.at(-1)];
    expect(before).toEqual({ idle: "quarantined", back: "quarantined" });
    for (const state of during) expect(state["idle"]).toBe("quarantined");
    for (const state of seen) expect([state["used"], state["back"]]).not.toContain("deleted");
    for (const state of seen) expect(state["used"]).not.toBe("quarantined");
    expect([last?.["idle"], last?.["back"]]).toEqual(["deleted", "restored"]);
  },
  60_000,
);
