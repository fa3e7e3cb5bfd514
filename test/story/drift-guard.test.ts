// How far a group is guarded: a tag cannot lower it, and a ledger that nobody confirmed as it is makes enforce observe.
import { afterEach, describe, expect, test } from "vitest";
import type { Guard } from "../../shared/domain/guard.ts";
import { decideDrift } from "../../shared/usecases/drift/decide-drift.ts";
import { shownDriftId } from "../../shared/usecases/drift/drift-id.ts";
import { getGroup } from "../../shared/usecases/group/list-groups.ts";
import { type GuardedOptions, GuardedWorld, openDatabase } from "../kit/guarded-world.ts";
import { callByOther } from "../kit/other-calls.ts";
import { fromCidr, somePorts } from "../kit/rules.ts";
import { worldSeed } from "../kit/world.ts";

let guarded: GuardedWorld;
afterEach(() => guarded.world.stop());

async function start(options: GuardedOptions = {}): Promise<void> {
  guarded = await GuardedWorld.start(options);
  await guarded.world.ticks(1);
}

const word = { owner: "ops", reason: "asked for", ticket: "T-1", sensitiveConfirmed: false };
const fromOffice = { ...openDatabase, ports: somePorts("8443/8443"), peer: fromCidr("198.51.100.0/24") };
const kinds = async () => (await guarded.drift()).map(({ kind, state }) => `${kind} ${state}`);

/** Somebody sets the tag by which a group asks to be guarded. */
async function tag(value: Guard): Promise<void> {
  const resource = { ResourceType: "securitygroup", "ResourceId.1": "sg-web" };
  await callByOther(guarded.world, "TagResources", {
    ...resource,
    "Tag.1.Key": "safeport:guard",
    "Tag.1.Value": value,
  });
}

/** Something happens in the group, so that it is looked at. */
async function look(port: number): Promise<void> {
  await guarded.authorize({ ...fromOffice, ports: somePorts(`${port}/${port}`) });
  await guarded.settle();
}

test("a rule that is removed by its id right after the baseline was confirmed is restored, and its remover known", async () => {
  guarded = await GuardedWorld.start({ guard: "none" });
  const { world } = guarded;
  world.policy = { ...world.policy, groups: { ...world.policy.groups, guards: { web: "enforce" } } };
  await guarded.confirmed();
  const [rule] = await guarded.rules();
  if (!rule?.id) throw new Error("no rule");
  await guarded.revoke(rule.id);
  await guarded.settle();
  expect(world.rules()).toHaveLength(2);
  expect(await guarded.drift()).toMatchObject([
    { kind: "removed", state: "rolledBack", ruleId: rule.id, attribution: { actor: "other" } },
  ]);
});

test("renaming a group that the policy guards by its name takes no guard away", async () => {
  await start();
  const { world } = guarded;
  await callByOther(world, "ModifySecurityGroupAttribute", { SecurityGroupId: "sg-web", SecurityGroupName: "another" });
  await guarded.settle();
  await look(8443);
  await look(9443);
  expect(world.openPorts()).toEqual([]);
  expect(await kinds()).toEqual(["added rolledBack", "added rolledBack"]);
});

describe("a tag", () => {
  const seed = {
    ...worldSeed,
    groups: worldSeed.groups.map((group) =>
      group.groupId === "sg-web" ? { ...group, tags: { "safeport:guard": "observe" } } : group,
    ),
  };

  /** The tag alone decides. */
  async function startTagged(): Promise<void> {
    guarded = await GuardedWorld.start({ seed, guard: "none" });
    const { world } = guarded;
    world.policy = { ...world.policy, groups: { ...world.policy.groups, guards: {} } };
    await look(4000);
  }

  test("raises a guard to observe", async () => {
    await startTagged();
    expect(guarded.world.openPorts()).toEqual(["4000/4000"]);
    expect(await kinds()).toContain("added reported");
  });

  test("lowers none: that is drift, and the group stays guarded until a person confirms it", async () => {
    await startTagged();
    const { world } = guarded;
    await tag("none");
    await look(4001);
    const items = await guarded.drift();
    const lowered = items.find((item) => item.kind === "guard");
    if (!lowered) throw new Error("the lowered tag is not told");
    expect(lowered.state).toBe("reported");
    expect(items.filter((item) => item.kind === "added" && item.ruleId !== null).length).toBeGreaterThanOrEqual(2);
    const answer = decideDrift(world.process(), guarded.admin, shownDriftId(lowered), "adopt", word, { dryRun: false });
    await world.run(answer);
    const before = (await guarded.drift()).length;
    await look(4002);
    expect(await guarded.drift()).toHaveLength(before);
  });

  test("cannot lower what the policy says", async () => {
    await start();
    await tag("none");
    await guarded.authorize(openDatabase);
    await guarded.settle();
    expect(guarded.world.openPorts()).toEqual([]);
  });

  test("that says enforce makes nobody's rules go", async () => {
    await startTagged();
    await tag("enforce");
    await look(4001);
    expect(guarded.world.openPorts()).toHaveLength(2);
  });
});

describe("an enforced group whose ledger is not the one that was confirmed", () => {
  /** A row of the ledger is changed past the program. */
  async function tamper(change: (body: Record<string, unknown>) => string | null): Promise<void> {
    const { world } = guarded;
    const { tables } = world.process();
    const [row] = (await tables.range({ table: "ledger", from: ["sg-web", ""], to: null, limit: 1 })).rows;
    if (!row) throw new Error("the ledger is empty");
    const body = change(JSON.parse(String(row.columns["body"])) as Record<string, unknown>);
    if (body === null) await tables.delete("ledger", row.key, { kind: "none" });
    else await tables.put("ledger", row.key, { ...row.columns, body }, { kind: "none" });
  }

  const edited = (body: Record<string, unknown>): string =>
    JSON.stringify({ ...body, allocation: { ...(body["allocation"] as object), owner: "mallory" } });

  test.each([
    ["a row is gone", () => null],
    ["a row says something else", edited],
    ["a row cannot be read", () => "{"],
  ] as const)("is only observed: %s", async (_what, change) => {
    await start();
    await tamper(change);
    await guarded.authorize(openDatabase);
    await guarded.settle();
    await guarded.world.ticks(20);
    expect(guarded.world.openPorts()).toEqual(["3306/3306"]);
    expect(guarded.world.rules()).toHaveLength(3);
    const states = (await guarded.drift()).map((item) => item.state);
    expect(states).toContain("reported");
    expect(states).not.toContain("rolledBack");
  });

  test("is enforced again once a person has confirmed it anew", async () => {
    await start();
    await tamper(edited);
    await guarded.confirm();
    await guarded.authorize(openDatabase);
    await guarded.settle();
    expect(guarded.world.openPorts()).toEqual([]);
  });
});

describe("a person's word about what was rolled back", () => {
  test.each(["restore", "adopt"] as const)("%s brings a rule back, and it stays", async (verb) => {
    await start();
    const { world } = guarded;
    await guarded.authorize(fromOffice, "the office");
    await guarded.settle();
    expect(world.openPorts()).toEqual([]);
    const [item] = await guarded.drift();
    if (!item) throw new Error("no item");
    await world.advance(30 * 24 * 60 * 60_000);
    await world.run(decideDrift(world.process(), guarded.admin, shownDriftId(item), verb, word, { dryRun: false }));
    await world.ticks(2);
    expect(world.rules().at(-1)).toMatchObject({ portRange: "8443/8443", source: "198.51.100.0/24" });
    expect(world.rules().at(-1)?.description).toBe("the office");
    await guarded.settle();
    await look(4000);
    expect(world.openPorts()).toEqual(["8443/8443"]);
  });

  test("adopt retires a rule that was removed where it is only observed; restore opens it again", async () => {
    await start({ guard: "observe" });
    const { world } = guarded;
    for (const rule of await guarded.rules()) if (rule.id) await guarded.revoke(rule.id);
    await guarded.settle();
    const [http, https] = await guarded.drift();
    if (!http || !https) throw new Error("no items");
    await world.run(decideDrift(world.process(), guarded.admin, shownDriftId(http), "adopt", word, { dryRun: false }));
    await world.run(
      decideDrift(world.process(), guarded.admin, shownDriftId(https), "restore", word, { dryRun: false }),
    );
    await world.ticks(2);
    expect(world.rules().map((rule) => rule.portRange)).toEqual([https.key.includes("443") ? "443/443" : "80/80"]);
    expect((await guarded.drift()).map((item) => item.state).sort()).toEqual(["adopted", "restored"]);
  });

  test("nothing is done on a dry run", async () => {
    await start();
    const { world } = guarded;
    await guarded.authorize(fromOffice);
    await guarded.settle();
    const [item] = await guarded.drift();
    if (!item) throw new Error("no item");
    await world.run(decideDrift(world.process(), guarded.admin, shownDriftId(item), "restore", word, { dryRun: true }));
    await world.ticks(2);
    expect(world.openPorts()).toEqual([]);
    expect(await kinds()).toEqual(["added rolledBack"]);
  });
});

describe("a group that the policy denies by name", () => {
  test("stays denied when it is renamed, for leases and for the ledger", async () => {
    guarded = await GuardedWorld.start({ guard: "none" });
    const { world } = guarded;
    world.policy = { ...world.policy, groups: { ...world.policy.groups, denied: ["web"] } };
    await world.advance(3_700_000);
    await world.ticks(2);
    await callByOther(world, "ModifySecurityGroupAttribute", { SecurityGroupId: "sg-web", SecurityGroupName: "front" });
    // Facts are remembered for ten minutes.
    await world.advance(11 * 60_000);
    for (const group of ["sg-web", "front"])
      await expect(world.open({ group })).rejects.toMatchObject({ code: "GROUP_PROTECTED" });
    const view = await world.run(getGroup(world.process(), world.policy, "front"));
    expect(view.protectedBy).toContain("denies it as web");
    // Until the policy itself lets go of it.
    world.policy = { ...world.policy, groups: { ...world.policy.groups, denied: [] } };
    await world.open({ group: "sg-web" });
    expect(world.openPorts()).toEqual(["22/22"]);
  });
});
