// Two regions: an event names a group and a region, and only the region that the group lies in counts.
import { afterEach, beforeEach, expect, test } from "vitest";
import { lookAtEvents } from "../../shared/usecases/drift/look-at-event.ts";
import { GuardedWorld, openDatabase } from "../kit/guarded-world.ts";
import { fromCidr, somePorts } from "../kit/rules.ts";
import { region as home, worldSeed } from "../kit/world.ts";

type Json = Readonly<Record<string, unknown>>;

const ABROAD = "cn-shanghai";
const seed = {
  ...worldSeed,
  regions: [ABROAD],
  groups: [...worldSeed.groups, { groupId: "sg-far", name: "far", regionId: ABROAD, rules: [] }],
};

let guarded: GuardedWorld;
beforeEach(async () => {
  guarded = await GuardedWorld.start({ seed, policy: { regions: [home, ABROAD] } });
  await guarded.world.ticks(1);
});
afterEach(() => guarded.world.stop());

/** The record as if its call had been made abroad: a made-up one, as no group lies in two regions. */
let made = 0;
function abroad(record: Json | undefined, changes: Json = {}): Json {
  made += 1;
  const parameters = { ...(record?.["requestParameters"] as Json), RegionId: ABROAD };
  return { ...record, eventId: `abroad-${made}`, acsRegion: ABROAD, requestParameters: parameters, ...changes };
}

/** The program takes events that have come together. */
function together(records: readonly unknown[]) {
  const { world } = guarded;
  const deadlineAt = world.clock.monotonicMs() + 45_000;
  const options = { accountId: "100000000000", policy: world.policy, deadlineAt };
  return world.run(lookAtEvents(world.process(), records, options));
}

/** All that is stored of groups and of what is to be done with them, without what was told. */
async function stored(): Promise<readonly string[]> {
  const { world } = guarded;
  const tables = ["due", "group", "drift", "ledger", "intent", "lock"] as const;
  const rows = await Promise.all(tables.map((table) => world.rows(table)));
  const { rows: sightings } = await world
    .process()
    .tables.range({ table: "sighting", from: [], to: null, limit: 1000 });
  const seen = sightings.filter(({ key }) => key[1] !== "told").map(({ key }) => key.join(" "));
  return [...rows.flat(), ...seen];
}

test("an event of a group that names another region writes nothing of it, and a record once a day", async () => {
  const { world } = guarded;
  await guarded.authorize(openDatabase);
  const [record] = await guarded.events();
  const before = await stored();
  const records = (await world.recorded()).length;
  for (let times = 0; times < 20; times++)
    expect(await guarded.deliver(abroad(record))).toMatchObject({ looked: [], left: [] });
  for (const eventName of ["JoinSecurityGroup", "DeleteSecurityGroup"])
    await guarded.deliver(abroad(record, { eventName }));
  expect(await stored()).toEqual(before);
  const lines = await world.recorded();
  expect(lines).toHaveLength(records + 1);
  expect(lines.filter((line) => line.includes("sg-web") && line.includes(ABROAD))).toHaveLength(1);
  await world.advance(24 * 3_600_000);
  await guarded.deliver(abroad(record, { eventTime: `${new Date(world.clock.now()).toISOString().slice(0, 19)}Z` }));
  expect((await world.recorded()).filter((line) => line.includes("not in cn-shanghai"))).toHaveLength(2);
});

test("before or beside a true event it delays nothing: that one is acted on at once, and by whom it was is known", async () => {
  const { world } = guarded;
  for (const port of [4001, 4002, 4003]) {
    const spec = { ...openDatabase, ports: somePorts(`${port}/${port}`), peer: fromCidr("0.0.0.0/0") };
    await guarded.authorize(spec);
    // Our own call on the rule before has its event too.
    const record = (await guarded.events()).find((it) => it["eventName"] === "AuthorizeSecurityGroup");
    const forged = [abroad(record), abroad(record, { eventId: record?.["eventId"] })];
    if (port === 4001) for (const it of forged) await guarded.deliver(it);
    const batch = [...(port === 4002 ? forged : []), record, ...(port === 4003 ? forged : [])];
    const reports = await together(batch);
    expect(
      reports.flatMap(({ looked }) => looked),
      String(port),
    ).toEqual(["sg-web"]);
    expect(world.openPorts(), String(port)).toEqual([]);
  }
  expect((await guarded.drift()).map(({ state, attribution }) => [state, attribution?.actor])).toEqual(
    [1, 2, 3].map(() => ["rolledBack", "other"]),
  );
});

test("one that cannot be checked keeps no true event of its batch from being acted on, and is delivered again", async () => {
  await guarded.authorize(openDatabase);
  const [record] = await guarded.events();
  const unknown = { SecurityGroupId: "sg-nobody", RegionId: ABROAD };
  const lost = abroad(record, {
    requestParameters: unknown,
    referencedResources: undefined,
    resourceName: "sg-nobody",
  });
  const fault = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
  guarded.world.faults([{ service: "ecs", match: { RegionId: ABROAD }, fault }]);
  await expect(together([lost, record])).rejects.toThrow("Forbidden.RAM");
  expect(guarded.world.openPorts()).toEqual([]);
});
