// An unused port on the built program, over its API: what is known of it, what people decide, and that it comes back as it was.
import { afterAll, beforeAll, expect, test } from "vitest";
import { seedTablestoreInstance, seedUser } from "../../local/seed.ts";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import { systemClock } from "../../shared/adapters/system/clock.ts";
import { systemRandom } from "../../shared/adapters/system/random.ts";
import { type Day, dayAfter, dayOf, daysBetween, type PortUse, unknownDay } from "../../shared/domain/evidence.ts";
import type { Tables } from "../../shared/ports/tables.ts";
import { addEvidence } from "../../shared/store/evidence.ts";
import { schemas } from "../../shared/store/tables.ts";
import { type Deployed, deploy } from "../kit/deployed.ts";
import { WHOLE_DAY } from "../kit/evidence.ts";
import { touched } from "../kit/recycling-world.ts";
import { visits } from "../kit/visits.ts";

const DAY_MS = 86_400_000;
const policy = `
defaultTarget: web
recycling: { window: 7, notice: 1, quarantine: 1, groups: [legacy, lab] }
`;

let program: Deployed;
let tables: Tables;
beforeAll(async () => {
  program = await deploy({ policy, ageDays: 9 });
  const { cloud } = program;
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, "admin");
  tables = tablestoreTables({
    ...{ clock: systemClock, random: systemRandom, schemas },
    credentials: () => ({ accessKeyId, accessKeySecret }),
    endpoint: cloud.endpoints.tablestore,
    instance: seedTablestoreInstance,
  });
  for (const day of daysBetween(dayAfter(today(), -9), today())) await tellAll(day);
}, 60_000);
afterAll(() => program.stop());

const today = (): Day => dayOf(program.cloud.clock.now());
/** What the flow log told of a whole day. */
const tell = (name: string, day: Day, ports: readonly PortUse[] = []): Promise<void> => {
  const member = unknownDay(program.instanceId(name), day);
  return addEvidence(tables, "cn-hangzhou", { ...member, seen: WHOLE_DAY, sources: ["flowLog"], ports });
};
const tellAll = async (day: Day): Promise<void> => {
  for (const name of ["legacy-1", "lab-1"]) await tell(name, day);
};
const nextDay = async (): Promise<void> => {
  await program.advance(DAY_MS + 60_000);
  await tellAll(dayAfter(today(), -1));
  await tellAll(today());
};
const as = (role: "operator" | "approver" | "auditor" | "requester") => {
  const token = program.tokens[role];
  return {
    get: (path: string) => program.api("GET", path, { token }),
    post: (path: string, body?: unknown) =>
      program.api("POST", path, { token, ...(body === undefined ? {} : { body }) }),
  };
};
const steps = (answer: { readonly body: { readonly steps: readonly { readonly step: string }[] } }) =>
  answer.body.steps.map(({ step }) => step).sort();
const dropsOf = (group: string) => program.rules(group).filter((rule) => rule.policy === "Drop");
const acceptsOf = (group: string) =>
  program
    .rules(group)
    .filter((rule) => rule.policy === "Accept")
    .map((rule) => ({ ...rule, ruleId: "", createTime: "", createdAt: 0 }));

test("ports that nobody uses are shown, quarantined, deleted and given back, as people decide", async () => {
  const [operator, approver, auditor] = [as("operator"), as("approver"), as("auditor")];
  const before = { legacy: acceptsOf("legacy"), lab: acceptsOf("lab") };
  const visit = (name: string, port: number) => {
    const { address = "" } = program.cloud.account.instances.find((it) => it.name === name) ?? {};
    const visitor = address.replace(/\d+\.\d+$/, "200.9");
    return visits(program.cloud.dataPlane).session(visitor, { address, port });
  };

  // The dry run of the whole job says what would be done, and does nothing.
  const dry = await operator.post("/v1/recycling:run?dryRun=true");
  expect(dry).toMatchObject({ status: 200, body: { dryRun: true, idle: 2, complete: true, failed: [] } });
  expect(steps(dry)).toEqual(["queue", "queue"]);
  expect((await auditor.get("/v1/recycling")).body).toEqual({ recycling: [], next: null });
  expect((await as("requester").post("/v1/recycling:run?dryRun=true")).status).toBe(403);
  expect(steps(await operator.post("/v1/recycling:run"))).toEqual(["notice", "notice", "queue", "queue"]);
  const found = async (group: string) => {
    const { body } = await auditor.get(`/v1/recycling?group=${group}&state=noticed`);
    expect(body.recycling).toMatchObject([{ state: "noticed", evidence: { verdict: "idle", coverage: 1 } }]);
    return `/v1/recycling/${body.recycling[0].id}`;
  };
  const [legacy, lab] = [await found("legacy"), await found("lab")];

  // The evidence, day by day; nobody approves what is too early, or has no right to.
  const yesterday = dayAfter(today(), -1);
  await tell("legacy-1", yesterday, [touched("shaken", yesterday, ["198.51.100.7"])]);
  const { body: shown } = await auditor.get(`${legacy}?days=5`);
  const told = shown.days.map(({ day, coverage }: { day: Day; coverage: number }) => [day, coverage]);
  expect(told).toEqual([1, 2, 3, 4].map((ago) => [dayAfter(today(), -ago), 1]));
  expect(shown.days[0].ports).toMatchObject([{ port: 7890, sessions: [], handshakes: [{ block: "198.51.100.7" }] }]);
  expect((await auditor.post(`${legacy}:approve`, { step: "quarantine" })).status).toBe(403);
  expect((await approver.post(`${legacy}:approve`, { step: "delete" })).body.code).toBe("RECYCLING_STATE");

  // Quarantined on a person's word, once the notice is over.
  const asked = await approver.post(`${legacy}:approve?dryRun=true`, { step: "quarantine" });
  expect(asked).toMatchObject({ status: 200, body: { dryRun: true, state: "noticed" } });
  expect(asked.body.notes.join()).toContain("load balancer");
  await nextDay();
  // What is approved is what was shown: of another state of the item nothing is.
  const { rev } = (await auditor.get(legacy)).body;
  const stale = await approver.post(`${legacy}:approve`, { step: "quarantine", rev: rev + 1 });
  expect(stale).toMatchObject({ status: 409, body: { code: "RECYCLING_CHANGED" } });
  for (const [path, terms] of [
    [legacy, { rev }],
    [lab, {}],
  ] as const) {
    const { body } = await approver.post(`${path}:approve`, { step: "quarantine", ...terms });
    expect(body, JSON.stringify(body.waiting)).toMatchObject({ state: "quarantined", settled: true });
  }
  expect([await visit("legacy-1", 7890), await visit("lab-1", 8080)]).toEqual(["refused", "refused"]);

  // A person leaves one alone: it is given back first.
  const until = new Date(program.cloud.clock.now() + 30 * DAY_MS).toISOString();
  const word = { owner: "bob", reason: "quarter end", until };
  expect((await operator.post(`${lab}:exempt?dryRun=true`, word)).body.plan[0]).toContain("remove the drop");
  const exempt = await operator.post(`${lab}:exempt`, word);
  expect(exempt.body).toMatchObject({ state: "exempt", owner: "bob", exemption: { owner: "bob" }, settled: true });
  expect([dropsOf("lab"), acceptsOf("lab"), await visit("lab-1", 8080)]).toEqual([[], before.lab, "answered"]);

  // The other one is deleted after its time of silence, on a person's word.
  await nextDay();
  await nextDay();
  const deleted = await approver.post(`${legacy}:approve`, { step: "delete" });
  expect(deleted.body, JSON.stringify(deleted.body.waiting)).toMatchObject({ state: "deleted", settled: true });
  expect([program.rules("legacy"), await visit("legacy-1", 7890)]).toEqual([[], "refused"]);

  // Deleted is not lost: it comes back with every field but its id and time.
  expect((await operator.post(`${legacy}:restore?dryRun=true`, {})).body.plan[0]).toContain("old proxy");
  const restored = await operator.post(`${legacy}:restore`, { reason: "it was needed" });
  expect(restored.body).toMatchObject({ state: "restored", settled: true });
  expect([acceptsOf("legacy"), await visit("legacy-1", 7890)]).toEqual([before.legacy, "answered"]);
  const { history } = (await auditor.get(legacy)).body;
  expect(history.map(({ to, by }: { to: string; by: string }) => `${to} by ${by}`)).toEqual([
    ...["queued by safeport", "noticed by safeport", "quarantined by approver", "deleted by approver"],
    "restored by operator",
  ]);
}, 120_000);
