// The deployed program collects by itself: the minute timer runs the job, and a session through the data plane becomes evidence.
import { afterAll, beforeAll, expect, test } from "vitest";
import { flowLog } from "../../cli/dev/monitoring.ts";
import { seedTablestoreInstance, seedUser } from "../../local/seed.ts";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import { systemClock } from "../../shared/adapters/system/clock.ts";
import { systemRandom } from "../../shared/adapters/system/random.ts";
import { dayAfter, dayOf } from "../../shared/domain/evidence.ts";
import { listUse } from "../../shared/store/evidence.ts";
import { schemas } from "../../shared/store/tables.ts";
import { type Deployed, deploy, inWords } from "../kit/deployed.ts";
import { visits } from "../kit/visits.ts";

const HOUR = 3_600_000;
let program: Deployed;

beforeAll(async () => {
  program = await deploy();
}, 60_000);
afterAll(() => program.stop());

test("a session with web-1 is evidence within half a day, at a few queries", async () => {
  const { cloud } = program;
  await cloud.recordFlowLogs(flowLog.project, flowLog.logstore, flowLog.ttlDays);
  // The first full pass books the jobs.
  await program.advance(HOUR);
  const { address = "" } = cloud.account.instances.find(({ name }) => name === "web-1") ?? {};
  const visitor = address.replace(/\d+\.\d+$/, "200.7");
  expect(await visits(cloud.dataPlane).session(visitor, { address, port: 80 })).toBe("answered");
  const before = program.next();
  // Its slice of six hours has to end, and the next collection to come.
  await program.advance(14 * HOUR);
  const calls = program.calls(before).filter(({ service }) => service === "sls" || service === "vpc");
  expect(
    calls.some(({ operation }) => operation === "GetLogsV2"),
    inWords(calls),
  ).toBe(true);
  expect(
    calls.every(({ status }) => status === 200),
    inWords(calls),
  ).toBe(true);
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, "admin");
  const tables = tablestoreTables({
    ...{ clock: systemClock, random: systemRandom, schemas },
    credentials: () => ({ accessKeyId, accessKeySecret }),
    endpoint: cloud.endpoints.tablestore,
    instance: seedTablestoreInstance,
  });
  const today = dayOf(cloud.clock.now());
  const used = await listUse(tables, cloud.account.regionId, dayAfter(today, -2), dayAfter(today, 1));
  expect(used.flatMap(({ ports }) => ports)).toMatchObject([{ protocol: "tcp", port: 80, peers: 1 }]);
});
