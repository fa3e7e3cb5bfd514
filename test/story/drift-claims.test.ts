// A person authorizes the very rule that a lease holds: the cloud says success and adds nothing, and from then on it is theirs too.
import { afterEach, describe, expect, test } from "vitest";
import type { EcsSwitches } from "../../local/services/ecs/switches.ts";
import type { Guard } from "../../shared/domain/guard.ts";
import type { Lease } from "../../shared/domain/lease-record.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import { getGroupRow, saveGroupRow } from "../../shared/store/group-rows.ts";
import { GuardedWorld, openDatabase } from "../kit/guarded-world.ts";
import { switchUnderTest } from "../kit/switch-under-test.ts";

let guarded: GuardedWorld;
afterEach(() => guarded.world.stop());

interface Held {
  readonly lease: Lease;
  readonly spec: RuleSpec;
}

/** A group of that guard with a lease on tcp 22; its own events are delivered. */
async function leased(guard: Guard, switches: Partial<EcsSwitches> = {}): Promise<Held> {
  guarded = await GuardedWorld.start({ guard, switches });
  const { world } = guarded;
  await world.ticks(1);
  const { lease } = await world.open();
  await guarded.settle();
  const [spec] = lease.request.specs;
  if (!spec) throw new Error("the lease has no rule");
  return { lease, spec };
}

/** Where the cloud adds a second rule, it is the person's own. */
const addsSecond = switchUnderTest().authorizeDescriptionDiffers === "second-rule";

/** What people are told of claims. */
async function notices(): Promise<readonly unknown[]> {
  const { tables } = guarded.world.process();
  const { rows } = await tables.range({ table: "outbox", from: [0, 0, ""], to: [9, 0, ""], limit: 100 });
  const bodies = rows.map(({ columns }) => JSON.parse(String(columns["body"])));
  return bodies.filter(({ kind }) => kind === "ruleClaimed").map(({ data }) => data);
}

const told = async () => (await guarded.world.recorded()).join("\n");

/** Past the end of the lease and everything that waits. */
async function pastEnd(lease: Lease): Promise<void> {
  await guarded.world.pastEnd(lease);
  await guarded.settle();
  await guarded.world.ticks(2);
}

describe.each(["none", "observe"] as const)("in a group of guard %s", (guard) => {
  test("the rule outlives the lease as theirs, and somebody can read of it", async () => {
    const { lease, spec } = await leased(guard);
    await guarded.authorize(spec, "for the night shift");
    await guarded.settle();
    expect(await notices()).toMatchObject([{ leases: lease.request.leaseId, kept: true }]);
    await pastEnd(lease);
    expect(guarded.world.openPorts()).toEqual(["22/22"]);
    expect((await guarded.world.lease(lease.request.leaseId)).status.state).toBe("closed");
    expect(await told()).toContain("the rule is theirs now");
    const [rule] = (await guarded.rules()).filter((it) => it.description === "for the night shift");
    expect(rule).toBeDefined();
  });

  test("also when the event comes after the lease has closed the rule: it is opened again for them", async () => {
    const { lease, spec } = await leased(guard);
    await guarded.authorize(spec);
    const records = await guarded.events();
    await pastEnd(lease);
    expect(guarded.world.openPorts()).toEqual(addsSecond ? ["22/22"] : []);
    for (const record of records) await guarded.deliver(record);
    await guarded.world.ticks(2);
    expect(guarded.world.openPorts()).toEqual(["22/22"]);
  });
});

test("the one rule that stays is theirs, where the cloud has added a second one to the lease's", async () => {
  const { lease, spec } = await leased("none", { authorizeDescriptionDiffers: "second-rule" });
  await guarded.authorize(spec, "for the night shift");
  await guarded.settle();
  await pastEnd(lease);
  const stays = (await guarded.rules()).filter((rule) => ruleKey(rule) === ruleKey(spec));
  expect(stays.map(({ description }) => description)).toEqual(["for the night shift"]);
});

test("a claim waits where the ledger takes no change, and keeps no lease from its end", async () => {
  const { lease, spec } = await leased("observe");
  const { world } = guarded;
  const { tables } = world.process();
  const row = await getGroupRow(tables, world.web);
  if (!row.baseline) throw new Error("no baseline");
  await saveGroupRow(tables, { ...row, baseline: { ...row.baseline, digest: "another" } });
  await guarded.authorize(spec, "for the night shift");
  await guarded.settle().catch(() => undefined);
  await world.pastEnd(lease);
  await world.ticks(2).catch(() => undefined);
  expect((await world.lease(lease.request.leaseId)).status.state).toBe("closed");
  // As soon as the ledger is confirmed again, it is theirs.
  await guarded.confirm();
  await world.ticks(2);
  expect(world.openPorts()).toEqual(["22/22"]);
});

test("a claim on an entry that cannot be read keeps nothing else of the group from being looked at", async () => {
  const { spec } = await leased("observe");
  const { world } = guarded;
  const { tables } = world.process();
  await guarded.authorize(spec, "for the night shift");
  await guarded.authorize(openDatabase);
  const records = await guarded.events();
  const { rows } = await tables.range({ table: "ledger", from: ["sg-web", ""], to: ["sg-web\u0001"], limit: 100 });
  for (const { key, columns } of rows)
    if (`${columns["body"]}`.includes("22/22") || JSON.stringify(columns).includes('"from":22'))
      await tables.put("ledger", key, { ...columns, body: "torn" }, { kind: "none" });
  for (const record of records) await guarded.deliver(record);
  const found = (await guarded.drift()).map(({ key, state }) => `${key.split("|")[2]} ${state}`);
  expect(found).toContain("3306/3306 reported");
});

describe("in an enforced group", () => {
  test("they are told, and the rule goes with the lease", async () => {
    const { lease, spec } = await leased("enforce");
    await guarded.authorize(spec);
    await guarded.settle();
    expect(new Set(guarded.world.openPorts())).toEqual(new Set(["22/22"]));
    expect(await told()).toContain("ask for it in the ledger");
    expect(await notices()).toMatchObject([{ leases: lease.request.leaseId, kept: false }]);
    await pastEnd(lease);
    expect(guarded.world.openPorts()).toEqual([]);
  });

  test("a role whose changes the policy adopts keeps it", async () => {
    const { lease, spec } = await leased("enforce");
    const { world } = guarded;
    const trustedPrincipals = [{ principal: "role/terraform", treat: "adopt" }] as const;
    world.policy = { ...world.policy, trustedPrincipals };
    await guarded.authorize(
      spec,
      "by terraform",
      world.addPrincipal({ kind: "role", name: "terraform", session: "1" }),
    );
    await guarded.settle();
    await pastEnd(lease);
    expect(world.openPorts()).toEqual(["22/22"]);
    expect((await world.lease(lease.request.leaseId)).status.state).toBe("closed");
  });

  test("a second rule of theirs goes at the lease's end, without an event and before the next full pass", async () => {
    const { lease, spec } = await leased("enforce", { authorizeDescriptionDiffers: "second-rule" });
    await guarded.authorize(spec, "mine");
    await guarded.world.pastEnd(lease);
    expect(guarded.world.openPorts()).toEqual(["22/22"]);
    expect(await guarded.drift()).toMatchObject([{ kind: "added", state: "waiting" }]);
    await guarded.world.ticks(17);
    expect(guarded.world.openPorts()).toEqual([]);
  });

  test("a rule opened again after the lease's end is drift", async () => {
    const { lease, spec } = await leased("enforce");
    await pastEnd(lease);
    await guarded.authorize(spec);
    await guarded.settle();
    expect(guarded.world.openPorts()).toEqual([]);
    expect((await guarded.drift()).map((item) => item.state)).toEqual(["rolledBack"]);
  });
});

describe("no such person", () => {
  test("is the program itself, whose authorize lost its reply and was made again", async () => {
    guarded = await GuardedWorld.start({ guard: "observe" });
    const { world } = guarded;
    await world.ticks(1);
    world.faults([{ service: "ecs", operation: "AuthorizeSecurityGroup", times: 1, fault: { kind: "drop-after" } }]);
    const { lease } = await world.open();
    await world.ticks(2);
    const records = await guarded.events();
    expect(records.some((record) => record["eventName"] === "AuthorizeSecurityGroup")).toBe(true);
    for (const record of [...records, ...records]) await guarded.deliver(record);
    await pastEnd(lease);
    expect(world.openPorts()).toEqual([]);
    expect(await told()).not.toContain("theirs now");
  });

  test("is in a forged event: what the trail does not have keeps nothing open", async () => {
    const { lease, spec } = await leased("observe");
    await guarded.authorize({ ...spec, priority: spec.priority - 1 });
    const [model] = await guarded.events();
    await guarded.deliver({ ...model, eventId: "made-up-1", ...asked(model, spec) });
    await pastEnd(lease);
    await guarded.world.advance(40 * 60_000);
    await guarded.world.ticks(2);
    const isSecond = switchUnderTest().authorizePriorityDiffers !== "no-op";
    expect(guarded.world.rules()).toHaveLength(isSecond ? 3 : 2);
    expect(await told()).not.toContain("theirs now");
    expect(await told()).toContain("the trail does not confirm the event made-up-1");
  });

  test("is in a true event whose words were changed: the trail says otherwise", async () => {
    const { lease, spec } = await leased("observe");
    await guarded.authorize(openDatabase);
    const [model] = await guarded.events();
    await guarded.deliver({ ...model, ...asked(model, spec) });
    await pastEnd(lease);
    expect(guarded.world.openPorts()).toEqual(["3306/3306"]);
    expect(await told()).toContain("the trail says otherwise");
  });

  test("is the program's own call, whose event comes with other words and without its token", async () => {
    guarded = await GuardedWorld.start({ guard: "observe" });
    const { world } = guarded;
    await world.ticks(1);
    const { lease } = await world.open();
    const records = await guarded.events();
    const own = records.find((record) => record["eventName"] === "AuthorizeSecurityGroup");
    const parameters = own?.["requestParameters"] as Readonly<Record<string, unknown>>;
    const { ClientToken: _, ...others } = parameters;
    const changed = { ...others, "Permissions.1.Description": "mine" };
    await guarded.deliver({ ...own, requestParameters: changed, requestParameterJson: JSON.stringify(changed) });
    await pastEnd(lease);
    await world.advance(20 * 60_000);
    await world.ticks(2);
    expect(world.openPorts()).toEqual([]);
    expect(await told()).not.toContain("theirs now");
  });

  test("is in an event of a call that failed", async () => {
    const { lease, spec } = await leased("observe");
    guarded.world.faults([
      {
        ...{ service: "ecs", operation: "AuthorizeSecurityGroup", accessKeyId: "ak-other" },
        fault: { kind: "reject", status: 403, code: "Forbidden.RAM" },
      },
    ]);
    await expect(guarded.authorize(spec)).rejects.toThrow("Forbidden.RAM");
    const records = await guarded.events();
    expect(records).toHaveLength(1);
    for (const record of records) await guarded.deliver(record);
    await pastEnd(lease);
    expect(guarded.world.openPorts()).toEqual([]);
    expect(await told()).toContain("was refused");
  });
});

/** The parameters of a record, with the words of another rule. */
function asked(model: Readonly<Record<string, unknown>> | undefined, spec: RuleSpec): Record<string, unknown> {
  const parameters = model?.["requestParameters"] as Readonly<Record<string, unknown>>;
  const own: Record<string, string> = {
    "Permissions.1.PortRange": "22/22",
    "Permissions.1.SourceCidrIp": "203.0.113.7/32",
    "Permissions.1.Priority": `${spec.priority}`,
  };
  const changed = { ...parameters, ...own };
  return { requestParameters: changed, requestParameterJson: JSON.stringify(changed) };
}

test("a lease ends before the trail is asked about other groups, and after one question at most about its own", async () => {
  guarded = await GuardedWorld.start({ guard: "none", trailSwitches: { lookupDelayMs: 1_800_000 } });
  const { world } = guarded;
  await world.ticks(1);
  const { lease } = await world.open();
  const elsewhere = await world.open({ group: "app", port: "23" });
  const [spec] = lease.request.specs;
  await guarded.authorize(spec as RuleSpec);
  await guarded.settle();
  await world.advance(lease.status.until - world.clock.now() + 60_000);
  world.callNames.length = 0;
  await world.sweep();
  const ended = world.callNames.lastIndexOf("ecs RevokeSecurityGroup");
  const asked = world.callNames.slice(0, ended).filter((name) => name === "trail LookupEvents");
  expect(asked.length).toBeLessThanOrEqual(1);
  // Where other words make a second rule, that one is somebody else's and stays.
  expect(world.rules().filter(({ description }) => description.startsWith("safeport/"))).toEqual([]);
  expect((await world.lease(elsewhere.lease.request.leaseId)).status.state).toBe("closed");
});
