// Drift on the built program: the event of somebody else's call reaches the function `audit`, and the port is closed again.
import { afterEach, expect, test } from "vitest";
import { adoptSeed } from "../../cli/dev/adopt-seed.ts";
import { act } from "../../cli/dev/somebody.ts";
import { seedUser, seedUserNames } from "../../local/seed.ts";
import { type Deployed, deploy } from "../kit/deployed.ts";

const SECOND = 1000;
let deployed: Deployed;

afterEach(async () => deployed.stop());

/** Somebody else opens 3306 to everybody. */
async function openDatabase(group: string): Promise<void> {
  const { cloud } = deployed;
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.foreign);
  const who = { accessKeyId, accessKeySecret, ecs: cloud.endpoints.ecs, region: cloud.account.regionId };
  await act({ ...who, groupId: deployed.groupId(group), clock: cloud.clock }, "open", {
    port: 3306,
    source: "0.0.0.0/0",
  });
}

const ports = (group: string): readonly string[] => deployed.rules(group).map((rule) => rule.portRange);

test("a rule that nobody granted is closed after its event, told with its author, and can be put back", async () => {
  deployed = await deploy();
  await adoptSeed(deployed.cloud.endpoints.api, deployed.tokens.admin);
  await openDatabase("web");
  expect(ports("web")).toContain("3306/3306");
  await deployed.advance(10 * SECOND);
  expect(ports("web")).not.toContain("3306/3306");

  const { body } = await deployed.api("GET", "/v1/drift");
  const [item] = body.drift;
  expect(item).toMatchObject({ kind: "added", state: "rolledBack", attribution: { actor: "foreign" } });
  const { body: trail } = await deployed.api("GET", "/v1/records");
  expect(JSON.stringify(trail)).toContain("nobody granted it; foreign wrote it");

  const word = { owner: "dba", reason: "the migration needs it", sensitiveConfirmed: true };
  const answer = await deployed.api("POST", `/v1/drift/${item.id}:restore`, {
    token: deployed.tokens.admin,
    body: word,
  });
  expect(answer).toMatchObject({ status: 200 });
  expect(ports("web")).toContain("3306/3306");
  await deployed.advance(120 * SECOND);
  expect(ports("web")).toContain("3306/3306");
}, 60_000);

test("what is no event is refused with a record", async () => {
  deployed = await deploy();
  for (const nonsense of ["no JSON", [], { detail: 1 }, { data: { eventId: "e".repeat(300_000) } }])
    await fetch(`${deployed.cloud.endpoints.control}/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ function: "audit", event: nonsense }),
    });
  const { body } = await deployed.api("GET", "/v1/records");
  const lines = body.records.flatMap((record: { lines: string[] }) => record.lines) as string[];
  expect(lines.filter((line) => line.startsWith("an event is refused:"))).toHaveLength(3);
}, 60_000);

test("the same in an observed group is told and left alone", async () => {
  deployed = await deploy();
  await adoptSeed(deployed.cloud.endpoints.api, deployed.tokens.admin);
  await openDatabase("legacy");
  await deployed.advance(10 * SECOND);
  expect(ports("legacy")).toContain("3306/3306");
  const { body } = await deployed.api("GET", `/v1/drift?group=${deployed.groupId("legacy")}`);
  const states = body.drift.map((item: { key: string; state: string }) => [item.key.split("|")[2], item.state]);
  expect(states).toContainEqual(["3306/3306", "reported"]);
}, 60_000);
