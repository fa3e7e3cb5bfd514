// The ledger over HTTP, on the built program: a group is adopted, a rule is granted and taken back, and all of it can be read.
import { afterEach, expect, test } from "vitest";
import { type Deployed, deploy } from "../kit/deployed.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
let deployed: Deployed;

afterEach(async () => deployed.stop());

const ports = (group: string): readonly string[] => deployed.rules(group).map((rule) => rule.portRange);
const grant = { group: "legacy", port: 9443, source: "203.0.113.0/24", owner: "ann", reason: "the new shop" };

test("a group is adopted by its diff, and enforced from then on", async () => {
  deployed = await deploy();
  const { admin, operator } = deployed.tokens;
  const before = await deployed.api("GET", "/v1/groups/web");
  expect(before.body).toMatchObject({ guard: "enforce", acts: "observe", baseline: null });
  expect(before.body.why.join()).toContain("/baseline");

  const { body: diff } = await deployed.api("GET", "/v1/groups/web/baseline?from=rules");
  expect(diff.added.length).toBeGreaterThan(0);
  const word = { digest: diff.digest, owner: "ops", reason: "as it was", sensitive: diff.sensitive };
  const confirm = (token: string, body: object) => deployed.api("POST", "/v1/groups/web/baseline", { token, body });
  expect(await confirm(operator, word)).toMatchObject({ status: 403, body: { code: "ROLE_MISSING" } });
  const stale = { ...word, digest: "0".repeat(64) };
  expect(await confirm(admin, stale)).toMatchObject({ status: 409, body: { code: "BASELINE_CHANGED" } });
  expect(await confirm(admin, word)).toMatchObject({ status: 200, body: { settled: true } });

  const after = await deployed.api("GET", "/v1/groups/web");
  expect(after.body).toMatchObject({ acts: "enforce", why: [], baseline: { count: diff.added.length } });
  const { body: ledger } = await deployed.api("GET", "/v1/ledger?group=web");
  expect(ledger.entries.map((entry: { owner: string }) => entry.owner)).toEqual(diff.added.map(() => "ops"));
}, 60_000);

test("a rule is granted, stands at once, and taken back it is told of", async () => {
  deployed = await deploy();
  const dry = await deployed.api("PUT", "/v1/ledger?dryRun=true", { body: grant });
  expect(dry.body).toMatchObject({ dryRun: true, plan: [expect.stringContaining("authorize it")] });
  expect(ports("legacy")).not.toContain("9443/9443");

  const { status, body } = await deployed.api("PUT", "/v1/ledger", { body: grant });
  expect([status, body.settled]).toEqual([200, true]);
  expect(ports("legacy")).toContain("9443/9443");
  const { id, group } = body.entries[0];
  await deployed.advance(5 * MINUTE);
  expect(ports("legacy")).toContain("9443/9443");

  const path = `/v1/ledger/${group}/${id}`;
  const story = await deployed.api("GET", path);
  expect(story.body).toMatchObject({
    entry: { owner: "ann", owed: false, standing: "preExisting" },
    history: [{ kind: "allocated", by: "operator" }],
  });
  const retired = await deployed.api("DELETE", path);
  expect(retired.body.plan.join()).toContain("stays and is reported as drift");
  await deployed.advance(20 * MINUTE);
  const { body: drift } = await deployed.api("GET", "/v1/drift?group=legacy&state=reported");
  const item = drift.drift.find((it: { key: string }) => it.key.includes("9443/9443"));
  expect(item).toMatchObject({ kind: "added" });

  const adopted = await deployed.api("POST", `/v1/drift/${item.id}:adopt`, { body: { owner: "bob", reason: "kept" } });
  expect(adopted).toMatchObject({ status: 200, body: { state: "adopted" } });
  const again = await deployed.api("GET", path);
  expect(again.body.entry).toMatchObject({ owner: "bob", provenance: "adopted" });
  expect(again.body.history.map((line: { kind: string }) => line.kind)).toEqual(["allocated", "retired", "allocated"]);
  const { body: trail } = await deployed.api("GET", `/v1/records?group=${group}`);
  expect(JSON.stringify(trail)).toContain("the new shop");
}, 60_000);

test("a rule that the cloud refuses is granted, owed, and said to be so until it stands", async () => {
  deployed = await deploy();
  const refused = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
  deployed.cloud.faults.set([{ service: "ecs", operation: "AuthorizeSecurityGroup", fault: refused }]);
  const answer = await deployed.api("PUT", "/v1/ledger", { body: grant });
  expect(answer).toMatchObject({ status: 502, body: { code: "ENTRY_OWED" } });
  expect(answer.body.message).toContain("Forbidden.RAM");
  const path = `/v1/ledger/legacy/${answer.body.values.entry}`;
  expect((await deployed.api("GET", path)).body.entry).toMatchObject({ owner: "ann", owed: true });
  deployed.cloud.faults.set([]);
  expect(await deployed.api("PUT", "/v1/ledger", { body: grant })).toMatchObject({
    status: 200,
    body: { settled: true },
  });
  expect((await deployed.api("GET", path)).body.entry).toMatchObject({ owed: false });
}, 60_000);
