// Principals the policy trusts, such as the role of a Terraform pipeline: believed once the trail itself confirms the event.
import { afterEach, describe, expect, test } from "vitest";
import { addSighting } from "../../shared/store/sightings.ts";
import { type GuardedOptions, GuardedWorld, openDatabase } from "../kit/guarded-world.ts";
import { fromCidr, somePorts } from "../kit/rules.ts";

const policy = {
  trustedPrincipals: [
    { principal: "terraform", treat: "adopt" },
    { principal: "deployer", treat: "ticket" },
  ],
};

let guarded: GuardedWorld;
afterEach(() => guarded.world.stop());

async function start(options: GuardedOptions = {}): Promise<void> {
  guarded = await GuardedWorld.start({ policy, ...options });
  await guarded.world.ticks(1);
}

const fromOffice = { ...openDatabase, ports: somePorts("8443/8443"), peer: fromCidr("198.51.100.0/24") };
const role = (name: string, session = "run-17") => guarded.world.addPrincipal({ kind: "role", name, session });
const states = async () => (await guarded.drift()).map(({ state, verdict }) => `${state} ${verdict.kind}`);

/** The rule of this description. */
async function saying(description: string) {
  const rule = (await guarded.rules()).find((it) => it.description === description);
  if (!rule?.id) throw new Error(`no rule says ${description}`);
  return { ...rule, id: rule.id };
}

/** The trail has had its ten minutes, and everything that waits has been looked at. */
async function later(): Promise<void> {
  await guarded.world.advance(20 * 60_000);
  await guarded.world.ticks(3);
}

describe("a trusted role", () => {
  test("whose changes are adopted: what it opens stands from then on and is granted", async () => {
    await start();
    const { world } = guarded;
    await guarded.authorize(fromOffice, "office", role("terraform"));
    await guarded.settle();
    await later();
    expect(world.openPorts()).toEqual(["8443/8443"]);
    expect(await states()).toEqual(["adopted trusted"]);
    // It is enforced now: somebody else who removes it gets it restored.
    await guarded.revoke((await saying("office")).id);
    await guarded.settle();
    expect(world.openPorts()).toEqual(["8443/8443"]);
  });

  test("whose changes are adopted: what it removes stays away, and what it edits stays edited", async () => {
    await start();
    const { world } = guarded;
    const [http, https] = [await saying("http"), await saying("https")];
    await guarded.revoke(http.id, role("terraform", "run-1"));
    await guarded.modify(https.id, https, "by terraform", role("terraform", "run-2"));
    await guarded.settle();
    await later();
    expect(world.rules().map((rule) => `${rule.portRange} ${rule.description}`)).toEqual(["443/443 by terraform"]);
    expect(await states()).toEqual(["adopted trusted", "adopted trusted"]);
  });

  test("whose changes are adopted: an edited rule stays edited also where the cloud gives it another id", async () => {
    await start({ switches: { modifiedRule: "new-id" } });
    const { world } = guarded;
    const https = await saying("https");
    await guarded.modify(https.id, { ...https, ports: somePorts("8443/8443") }, "moved", role("terraform"));
    await guarded.settle();
    await later();
    const rules = world.rules().map((rule) => `${rule.portRange} ${rule.description}`);
    expect(rules.sort()).toEqual(["80/80 http", "8443/8443 moved"]);
    expect(await states()).toEqual(["adopted trusted"]);
  });

  test("is known whatever its session is called, and another role by a session of that name is not", async () => {
    await start();
    await guarded.authorize(fromOffice, "", role("terraform", "another-run"));
    await guarded.authorize({ ...fromOffice, ports: somePorts("9443/9443") }, "", role("intruder", "terraform"));
    await guarded.settle();
    expect(guarded.world.openPorts()).toEqual(["8443/8443"]);
  });

  test("is not the user who is called like it", async () => {
    await start();
    const { world } = guarded;
    await guarded.authorize(fromOffice, "", world.addPrincipal({ kind: "user", name: "terraform" }));
    await guarded.authorize({ ...fromOffice, ports: somePorts("9443/9443") }, "", role("terraform"));
    await guarded.settle();
    await later();
    expect(world.openPorts()).toEqual(["9443/9443"]);
  });

  test("whose changes are a ticket: reported and left alone", async () => {
    await start();
    await guarded.authorize(fromOffice, "", role("deployer"));
    await guarded.settle();
    await later();
    expect(guarded.world.openPorts()).toEqual(["8443/8443"]);
    expect(await states()).toEqual(["reported trusted"]);
  });

  test("that opens a sensitive port to the world is always a ticket", async () => {
    await start();
    await guarded.authorize(openDatabase, "", role("terraform"));
    await guarded.settle();
    await later();
    expect(guarded.world.openPorts()).toEqual(["3306/3306"]);
    const [item] = await guarded.drift();
    expect(item).toMatchObject({ state: "reported", verdict: { kind: "trusted", treat: "ticket" } });
  });

  test("is not believed before the trail has the event, and is when it comes there late", async () => {
    await start({ trailSwitches: { lookupDelayMs: 600_000 } });
    const { world } = guarded;
    await guarded.authorize(fromOffice, "", role("terraform"));
    await guarded.settle();
    expect(await states()).toEqual(["waiting unknown"]);
    for (let minute = 0; minute < 12; minute++) await world.ticks(1);
    expect(world.openPorts()).toEqual(["8443/8443"]);
    expect(await states()).toEqual(["adopted trusted"]);
  });
});

describe("an event that names a trusted role", () => {
  test("and is in no trail spares nothing", async () => {
    await start();
    const { world } = guarded;
    await guarded.authorize(fromOffice, "", role("terraform"));
    const [model] = await guarded.events();
    const terraform = model?.["userIdentity"];
    await guarded.settle();
    // Somebody opens a port, their own event is held back, and one is made up that names the role.
    await guarded.authorize(openDatabase);
    const [record] = await guarded.events();
    await guarded.deliver({ ...record, eventId: "made-up-1", userIdentity: terraform });
    expect(world.openPorts()).toContain("3306/3306");
    await later();
    expect(world.openPorts()).not.toContain("3306/3306");
    expect((await world.recorded()).join("\n")).toContain("the trail does not confirm");
  });

  test("and that the trail knows otherwise counts for nothing, and is told", async () => {
    await start();
    const { world } = guarded;
    await guarded.authorize(fromOffice, "", role("terraform"));
    const [model] = await guarded.events();
    await guarded.authorize(openDatabase);
    const [record] = await guarded.events();
    await guarded.deliver({ ...record, userIdentity: model?.["userIdentity"] });
    await later();
    expect(world.openPorts()).not.toContain("3306/3306");
    expect((await world.recorded()).join("\n")).toContain("the trail says otherwise");
  });

  test("by its name alone, with the caller that the trail has, spares nothing", async () => {
    await start();
    const { world } = guarded;
    await guarded.authorize(fromOffice);
    const [record] = await guarded.events();
    const caller = record?.["userIdentity"] as Readonly<Record<string, unknown>>;
    await guarded.deliver({ ...record, userIdentity: { ...caller, userName: "terraform" } });
    await later();
    expect(world.openPorts()).toEqual([]);
    expect(await states()).toEqual(["rolledBack drift"]);
  });

  test("is believed although a forged copy of its event came first", async () => {
    await start();
    const { world } = guarded;
    await guarded.authorize(fromOffice, "", role("terraform"));
    const [record] = await guarded.events();
    const parameters = record?.["requestParameters"] as Readonly<Record<string, unknown>>;
    const changed = { ...parameters, "Permissions.1.PortRange": "9443/9443" };
    await guarded.deliver({ ...record, requestParameters: changed, requestParameterJson: JSON.stringify(changed) });
    await guarded.deliver(record);
    await later();
    expect(world.openPorts()).toEqual(["8443/8443"]);
    expect(await states()).toEqual(["adopted trusted"]);
  });

  test("is believed although a copy that names somebody else came first", async () => {
    await start();
    const { world } = guarded;
    await guarded.authorize(fromOffice, "", role("deployer"));
    const [record] = await guarded.events();
    const stranger = { type: "ram-user", principalId: "2000000000000666", accountId: "100000000000", userName: "eve" };
    // Where nothing may be rolled back in this moment, the forged copy must not decide about the next.
    const { policy } = world;
    const always = { zone: "UTC", windows: [{ days: [1, 2, 3, 4, 5, 6, 7], from: "00:00", to: "24:00" }] };
    world.policy = { ...policy, drift: { ...policy.drift, freeze: always } };
    await guarded.deliver({ ...record, userIdentity: stranger });
    await guarded.deliver(record);
    world.policy = policy;
    await later();
    await guarded.compare();
    expect(world.openPorts()).toEqual(["8443/8443"]);
    expect(await states()).toEqual(["reported trusted"]);
  });

  test("leaves the rule alone and reports it where the trail cannot be asked", async () => {
    await start();
    const { world } = guarded;
    await guarded.authorize(fromOffice, "", role("terraform"));
    const records = await guarded.events();
    world.faults([
      {
        service: "actiontrail",
        operation: "LookupEvents",
        fault: { kind: "reject", status: 403, code: "NoPermission" },
      },
    ]);
    for (const record of records) await guarded.deliver(record);
    expect(world.openPorts()).toEqual(["8443/8443"]);
    expect(await states()).toEqual(["reported trusted"]);
  });
});

describe("of two who may have made a difference", () => {
  const eve = { type: "ram-user", principalId: "2000000000000666", accountId: "100000000000", userName: "eve" };

  test("a made-up event with a later time does not outrank a role that the trail confirms", async () => {
    await start();
    const { world } = guarded;
    await guarded.authorize(fromOffice, "", role("deployer"));
    const [record] = await guarded.events();
    await guarded.deliver(record);
    await later();
    const time = new Date(Date.parse(String(record?.["eventTime"])) + 1000).toISOString();
    await guarded.deliver({ ...record, eventId: "made-up-2", eventTime: time, userIdentity: eve });
    await later();
    await guarded.compare();
    expect(world.openPorts()).toEqual(["8443/8443"]);
    expect(await states()).toEqual(["reported trusted"]);
    const [item] = await guarded.drift();
    expect(item?.attribution).toMatchObject({ actor: "deployer:run-17", confirmed: true });
  });

  test("a made-up event waits for the trail also where the role's own is not confirmed yet", async () => {
    await start({ trailSwitches: { lookupDelayMs: 300_000 } });
    const { world } = guarded;
    await guarded.authorize(fromOffice, "", role("deployer"));
    const [record] = await guarded.events();
    await guarded.deliver(record);
    await guarded.deliver({ ...record, eventId: "made-up-2", userIdentity: eve });
    expect(await states()).toEqual(["waiting unknown"]);
    for (let minute = 0; minute < 40; minute++) await world.ticks(1);
    await guarded.compare();
    expect(world.openPorts()).toEqual(["8443/8443"]);
    expect(await states()).toEqual(["reported trusted"]);
  });

  test("a stranger who really changed a role's rule is found, once the trail has the stranger's event too", async () => {
    await start();
    const { world } = guarded;
    await guarded.authorize(fromOffice, "", role("deployer"));
    await guarded.settle();
    await later();
    const rule = (await guarded.rules()).find(({ ports }) => ports.kind === "range" && ports.range.from === 8443);
    if (!rule?.id) throw new Error("no such rule");
    await guarded.modify(rule.id, rule, "mine now");
    await guarded.settle();
    await later();
    expect(world.openPorts()).toEqual([]);
    expect((await states()).at(-1)).toBe("rolledBack drift");
  });
});

describe("a role", () => {
  test("whose event tells no rules is not taken for who wrote a stranger's rule: that one is a ticket", async () => {
    await start();
    const silent = { requestParameters: { SecurityGroupId: "sg-web" }, requestParameterJson: "" };
    await guarded.authorize(fromOffice, "", role("terraform"));
    const [record] = await guarded.events();
    await guarded.authorize({ ...fromOffice, ports: somePorts("9443/9443") });
    await guarded.events();
    const app = guarded.world.process(async ({ name }, act) => {
      const answer = (await act()) as { readonly Events: readonly object[] };
      if (name !== "trail LookupEvents") return answer;
      return { ...answer, Events: answer.Events.map((event) => ({ ...event, ...silent })) };
    });
    await guarded.deliver({ ...record, ...silent }, app);
    await later();
    await guarded.compare();
    expect(await states()).toEqual(["reported trusted", "reported trusted"]);
    expect((await guarded.drift()).map(({ verdict }) => verdict)).toMatchObject([
      { treat: "ticket" },
      { treat: "ticket" },
    ]);
  });

  test("that the policy trusts only after its event was settled is believed from then on", async () => {
    await start({ guard: "observe", policy: { trustedPrincipals: [] } });
    const { world } = guarded;
    await guarded.authorize(fromOffice, "", role("terraform"));
    await guarded.settle();
    expect(await states()).toEqual(["reported drift"]);
    world.policy = { ...world.policy, trustedPrincipals: [{ principal: "terraform", treat: "adopt" }] };
    await guarded.compare();
    expect(await states()).toEqual(["adopted trusted"]);
  });

  test("is left alone also where the trail refuses to be asked for long", async () => {
    await start();
    const { world } = guarded;
    await guarded.authorize(fromOffice, "", role("terraform"));
    const records = await guarded.events();
    const refusal = { kind: "reject", status: 403, code: "NoPermission" } as const;
    world.faults([{ service: "actiontrail", operation: "LookupEvents", fault: refusal }]);
    for (const record of records) await guarded.deliver(record);
    for (let minute = 0; minute < 45; minute++) await world.ticks(1);
    await guarded.compare();
    expect(world.openPorts()).toEqual(["8443/8443"]);
    expect(await states()).toEqual(["reported trusted"]);
    // It is asked again from time to time, and believed once it answers.
    world.faults([]);
    await world.advance(3_600_000);
    await world.ticks(1);
    expect(await states()).toEqual(["adopted trusted"]);
  });

  test("is left alone also where the trail answers nothing but errors for long", async () => {
    await start();
    const { world } = guarded;
    await guarded.authorize(fromOffice, "", role("terraform"));
    const records = await guarded.events();
    const failure = { kind: "reject", status: 503, code: "ServiceUnavailable" } as const;
    world.faults([{ service: "actiontrail", operation: "LookupEvents", fault: failure }]);
    for (const record of records) await guarded.deliver(record);
    expect(await states()).toEqual(["waiting unknown"]);
    for (let minute = 0; minute < 45; minute++) await world.ticks(1);
    expect(world.openPorts()).toEqual(["8443/8443"]);
    expect(await states()).toEqual(["reported trusted"]);
    world.faults([]);
    await world.ticks(2);
    expect(await states()).toEqual(["adopted trusted"]);
  });

  test("whose changes are a ticket keeps what it opened when its event is kept no longer", async () => {
    await start();
    const { world } = guarded;
    await guarded.authorize(fromOffice, "", role("deployer"));
    await guarded.settle();
    await later();
    await world.advance(16 * 24 * 3_600_000);
    await guarded.compare();
    expect(world.openPorts()).toEqual(["8443/8443"]);
    expect(await states()).toEqual(["reported trusted"]);
  });
});

test("however many events are made up, a role's own is asked about, and a look asks about a bounded number", async () => {
  await start({ trailSwitches: { lookupDelayMs: 90_000 } });
  const { world } = guarded;
  await guarded.authorize(fromOffice, "", role("terraform"));
  const [record] = await guarded.events();
  await guarded.deliver(record);
  for (let minute = 0; minute < 5; minute++) {
    const app = world.process();
    for (let index = 0; index < 27; index++) {
      const reading = app.trail.read({ ...record, eventId: `made-up-${minute}-${index}` }, world.clock.now());
      if (reading.kind !== "call") throw new Error("it is no call");
      for (const sighting of reading.sightings) await world.run(addSighting(app.tables, sighting));
    }
    world.callNames.length = 0;
    await world.ticks(1);
    expect(world.callNames.filter((name) => name === "trail LookupEvents").length).toBeLessThanOrEqual(20);
  }
  expect(world.openPorts()).toEqual(["8443/8443"]);
  expect(await states()).toEqual(["adopted trusted"]);
});
