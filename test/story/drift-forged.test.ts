// Whoever may invoke the function makes events up: that keeps no hole open, closes nobody's rule, and costs little.
import { afterEach, describe, expect, test } from "vitest";
import { dueDrift, dueWrite } from "../../shared/store/due.ts";
import { addSighting } from "../../shared/store/sightings.ts";
import { inParallel } from "../../shared/usecases/in-parallel.ts";
import { type GuardedOptions, GuardedWorld, openDatabase } from "../kit/guarded-world.ts";
import { fromCidr, somePorts } from "../kit/rules.ts";

let guarded: GuardedWorld;
afterEach(() => guarded.world.stop());

async function start(options: GuardedOptions = {}, unknownWriterWait = 900): Promise<void> {
  const trustedPrincipals = [{ principal: "role/terraform", treat: "adopt" as const }];
  const policy = { trustedPrincipals, drift: { unknownWriterWait } };
  guarded = await GuardedWorld.start({ policy, ...options });
  await guarded.world.ticks(1);
}

type Record = Readonly<{ [name: string]: unknown }>;

const fromOffice = { ...openDatabase, ports: somePorts("8443/8443"), peer: fromCidr("198.51.100.0/24") };
const terraform = () => guarded.world.addPrincipal({ kind: "role", name: "terraform", session: "run-17" });
const states = async () => (await guarded.drift()).map(({ state, verdict }) => `${state} ${verdict.kind}`);
const identity = {
  ...{ type: "assumed-role", principalId: "300000000000000001:run-17", accountId: "100000000000" },
  userName: "terraform:run-17",
};
const other = { ...identity, type: "ram-user", principalId: "20009", userName: "nobody" };
const forgedFrom = (record: Record | undefined, eventId: string, laterMs = 1000): Record => {
  const eventTime = new Date(Date.parse(String(record?.["eventTime"])) + laterMs).toISOString();
  return { ...record, eventId, eventTime, userIdentity: identity };
};

/** Stored as events that nobody had time to look at. */
async function flood(records: readonly Record[]): Promise<void> {
  const { world } = guarded;
  const app = world.process();
  const sightings = records.flatMap((record) => {
    const reading = app.trail.read(record, world.clock.now());
    if (reading.kind !== "call") throw new Error("it is no call");
    return reading.sightings;
  });
  await world.run(inParallel(sightings, (sighting) => addSighting(app.tables, sighting)));
}

describe("a role's event that many made-up ones precede", () => {
  test("is asked about before they are, as a rule waits for it, and the rule stays", async () => {
    await start({}, 180);
    const { world } = guarded;
    await guarded.authorize({ ...fromOffice, ports: somePorts("9443/9443") }, "", terraform());
    const [model] = await guarded.events();
    await guarded.deliver(model);
    await flood(Array.from({ length: 80 }, (_, index) => forgedFrom(model, `made-up-${index}`)));
    await guarded.authorize(fromOffice, "", terraform());
    await guarded.settle();
    await world.ticks(5);
    expect(world.openPorts()).toEqual(expect.arrayContaining(["8443/8443", "9443/9443"]));
    expect(await states()).toEqual(["adopted trusted", "adopted trusted"]);
  });
});

describe("a true event that more made-up ones follow than a look goes by", () => {
  const many = 520;

  test("of a role is found in the trail all the same, and its rule stays", async () => {
    await start({}, 180);
    const { world } = guarded;
    await guarded.authorize(fromOffice, "", terraform());
    const [record] = await guarded.events();
    await flood([record ?? {}]);
    await world.advance(1000);
    await flood(Array.from({ length: many }, (_, index) => forgedFrom(record, `made-up-${index}`)));
    await guarded.compare();
    await world.ticks(5);
    expect(world.openPorts()).toEqual(["8443/8443"]);
    expect(await states()).toEqual(["adopted trusted"]);
  });

  test("of a person who claims what a lease holds is theirs after it", async () => {
    await start({ guard: "observe" });
    const { world } = guarded;
    const { lease } = await world.open({ periodMs: 600_000 });
    await guarded.events();
    const [spec] = lease.request.specs;
    if (!spec) throw new Error("the lease has no rule");
    await guarded.authorize(spec);
    const [record] = await guarded.events();
    await flood([record ?? {}]);
    await world.advance(1000);
    await flood(
      Array.from({ length: many }, (_, index) => ({ ...forgedFrom(record, `made-up-${index}`), userIdentity: other })),
    );
    await guarded.compare();
    await world.ticks(12);
    expect(world.openPorts()).toEqual(["22/22"]);
  });
});

test("a lease ends in time, however many events the trail has to be asked about", async () => {
  await start();
  const { world } = guarded;
  await guarded.authorize(fromOffice, "", terraform());
  const [model] = await guarded.events();
  const { lease } = await world.open({ periodMs: 60_000 });
  await flood(Array.from({ length: 20 }, (_, index) => forgedFrom(model, `made-up-${index}`)));
  const endAt = lease.status.until;
  await world.run(world.process().tables.writeAll([dueWrite(dueDrift(world.web, endAt, 1))]));
  await world.advance(endAt - world.clock.now());
  await world.sweep();
  expect(world.openPorts()).not.toContain("22/22");
  expect(world.clock.now() - endAt).toBeLessThan(2000);
});

describe("a stranger whom the trail confirms", () => {
  /** Opens the database, and makes up that the role did, a moment later. */
  async function openAndForge(eventId: string): Promise<void> {
    await guarded.authorize(openDatabase);
    const [record] = await guarded.events();
    await guarded.deliver(forgedFrom(record, eventId));
    await guarded.deliver(record);
  }

  test("gains no time by a made-up event of the role", async () => {
    await start();
    await openAndForge("made-up-1");
    expect(guarded.world.openPorts()).toEqual([]);
    expect(await states()).toEqual(["rolledBack drift"]);
    const [item] = await guarded.drift();
    expect(item?.attribution).toMatchObject({ actor: "other", confirmed: true });
  });

  test("gains none by making the rule again either, once its time to wait has gone", async () => {
    await start({ trailSwitches: { lookupDelayMs: 600_000 } });
    const { world } = guarded;
    await openAndForge("made-up-1");
    expect(await states()).toEqual(["waiting unknown"]);
    await world.ticks(16);
    expect(world.openPorts()).toEqual([]);
    await openAndForge("made-up-2");
    await world.ticks(1);
    expect(world.openPorts()).toEqual([]);
    expect(await states()).toEqual(["rolledBack drift", "rolledBack drift"]);
  });
});

describe("while a stranger's own event is not to be had, a made-up one of the role", () => {
  const fault = (status: number, code: string) =>
    guarded.world.faults([
      { service: "actiontrail", operation: "LookupEvents", fault: { kind: "reject", status, code } },
    ]);

  /** The stranger's own event stays away; the made-up one has come. */
  async function forgeAlone(eventId: string): Promise<void> {
    await guarded.authorize(openDatabase);
    const [record] = await guarded.events();
    await guarded.deliver(forgedFrom(record, eventId));
  }

  const minutes = async (count: number): Promise<void> => {
    for (let minute = 0; minute < count; minute++) await guarded.world.ticks(1);
  };

  test("keeps the rule for no longer than a while where the trail is called too often to be asked", async () => {
    await start();
    fault(503, "Throttling.User");
    await forgeAlone("made-up-1");
    await minutes(20);
    expect(await states()).toEqual(["waiting unknown"]);
    await minutes(27);
    expect(guarded.world.openPorts()).toEqual([]);
    expect(await states()).toEqual(["rolledBack drift"]);
  });

  test("does not keep it where the trail falls silent once it has denied the event", async () => {
    await start();
    await forgeAlone("made-up-1");
    await minutes(12);
    fault(503, "ServiceUnavailable");
    await minutes(5);
    expect(guarded.world.openPorts()).toEqual([]);
  });

  test("does not keep it by an id that the trail does not even look up", async () => {
    await start();
    fault(400, "InvalidQueryParameter");
    await forgeAlone("made.up:1");
    await minutes(16);
    expect(guarded.world.openPorts()).toEqual([]);
  });
});
