// What people say of an unused rule: restore and exempt from every state, approvals, and what has changed in the group meanwhile.
import { afterEach, describe, expect, it } from "vitest";
import { recyclingIdOf } from "../../../shared/domain/recycling-item.ts";
import { entryIdOf, ruleKey } from "../../../shared/domain/rule-key.ts";
import { getEntry } from "../../../shared/store/ledger.ts";
import { listRecyclingItems } from "../../../shared/store/recycling.ts";
import { approveItem, restoreItem } from "../../../shared/usecases/recycling/decide-recycling.ts";
import { DROP, IDLE, idleSpec, RecyclingWorld, touched } from "../../kit/recycling-world.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

let one: RecyclingWorld;
afterEach(() => one.world.stop());

const STAGES = {
  noticed: () => one.recycle(),
  quarantined: () => one.quarantined(),
  deleted: () => one.deleted(),
} as const;

describe.each(["noticed", "quarantined", "deleted"] as const)("a rule that is %s", (stage) => {
  it("is restored with every field but its id and time", async () => {
    one = await RecyclingWorld.start();
    await STAGES[stage]();
    const dry = await one.restore(one.world.process(), true);
    expect([await one.state(), dry.plan.length > 0]).toEqual([stage, true]);
    const answer = await one.restore();
    expect(answer).toMatchObject({ settled: true, notes: [], item: { state: "restored" } });
    expect(one.rules()).toEqual([IDLE]);
    expect((await one.item())?.history.at(-1)).toMatchObject({ from: stage, to: "restored", by: "olga" });
    expect((await one.restore()).plan, "once more changes nothing").toEqual([]);
    await one.pass(9);
    await one.recycle();
    expect(await one.state(), "and it is left alone for its time").toBe("restored");
  });

  it("is exempt until a day, given back first, and may be queued again after it", async () => {
    one = await RecyclingWorld.start();
    await STAGES[stage]();
    await one.exempt(60);
    expect([await one.state(), one.rules()]).toEqual(["exempt", [IDLE]]);
    expect((await one.item())?.exemption).toMatchObject({ owner: "bob", reason: "quarter end", by: "olga" });
    await one.pass(59);
    await one.recycle();
    expect(await one.state()).toBe("exempt");
    await one.exempt(30);
    await one.pass(29);
    await one.recycle();
    expect(await one.state(), "a renewed exemption counts from then").toBe("exempt");
    await one.pass(2);
    await one.recycle();
    expect(await one.state()).toBe("noticed");
  });
});

it("a rule that is queued and only reported is restored, or exempt, as well", async () => {
  one = await RecyclingWorld.start({ recycling: {} });
  await one.recycle();
  expect(await one.state()).toBe("queued");
  await one.restore();
  expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  await one.pass(11);
  await one.recycle();
  expect(await one.state()).toBe("queued");
  await one.exempt(60);
  await one.pass(11);
  await one.recycle();
  expect([await one.state(), one.rules()]).toEqual(["exempt", [IDLE]]);
});

it("an exemption has an end that is neither past nor too far", async () => {
  one = await RecyclingWorld.start();
  await one.recycle();
  for (const days of [0, -1, 367])
    await expect(one.exempt(days)).rejects.toMatchObject({ code: "RECYCLING_EXEMPTION_END" });
  expect(await one.state()).toBe("noticed");
});

describe("an approval", () => {
  it("is refused for what is no step of the item, and in a group that is reported only", async () => {
    one = await RecyclingWorld.start({ recycling: { groups: ["web"] } });
    await one.recycle();
    await expect(one.approve("delete")).rejects.toMatchObject({ code: "RECYCLING_STATE" });
    await one.restore();
    await expect(one.approve("quarantine")).rejects.toMatchObject({ code: "RECYCLING_STATE" });
    await one.world.stop();
    one = await RecyclingWorld.start({ recycling: {} });
    await one.recycle();
    await expect(one.approve("quarantine")).rejects.toMatchObject({ code: "RECYCLING_STATE" });
  });

  it("given within the notice waits for its end", async () => {
    one = await RecyclingWorld.start({ recycling: { groups: ["web"] } });
    await one.recycle();
    await one.approve("quarantine");
    expect([await one.state(), one.rules()]).toEqual(["noticed", [IDLE]]);
    await one.pass(7);
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["quarantined", [IDLE, DROP]]);
    expect((await one.item())?.history.at(-1)?.by).toBe("ada");
  });

  it("of what was shown is none of what has changed since: nothing is stored, and it is said what to do", async () => {
    one = await RecyclingWorld.start({ recycling: { groups: ["sg-web"] } });
    await one.quarantined();
    const shown = (await one.item())?.rev ?? 0;
    await one.pass(1);
    await one.recycle();
    const before = await one.item();
    expect(before?.rev).toBeGreaterThan(shown);
    for (const dryRun of [true, false])
      await expect(one.approve("quarantine", undefined, { dryRun, rev: shown })).rejects.toMatchObject({
        ...{ code: "RECYCLING_CHANGED", entry: { status: 409 } },
        remedy: expect.stringContaining("GET /v1/recycling/{id}"),
      });
    expect(await one.item()).toEqual(before);
    await one.approve("quarantine", undefined, { rev: before?.rev ?? 0 });
    expect([await one.state(), one.rules()]).toEqual(["quarantined", [IDLE, DROP]]);
  });

  it("by a dry run is none", async () => {
    one = await RecyclingWorld.start({ recycling: { groups: ["web"] } });
    await one.recycle();
    const { plan, notes } = await one.approve("quarantine", one.world.process(), { dryRun: true });
    expect(plan[0]).toContain("drop|10");
    expect(notes.join()).toContain("load balancer");
    expect((await one.item())?.approvals).toEqual([]);
  });
});

describe("the way in that the policy keeps open", () => {
  const OPERATORS = { protocol: "tcp", port: "7890", sources: ["10.1.2.3"] };

  it("is neither quarantined nor deleted, whatever the policy lets follow by itself, but for who answers for it by name", async () => {
    one = await RecyclingWorld.start({ policy: { operatorPath: [OPERATORS] } });
    await one.quarantined();
    expect([await one.state(), one.rules()]).toEqual(["noticed", [IDLE]]);
    const cut = "it would cut the operator path tcp 7890 from 10.1.2.3";
    expect((await one.item())?.waiting).toEqual({ for: "person", why: [cut] });
    for (const step of ["quarantine", "delete"] as const)
      await expect(one.approve(step)).rejects.toMatchObject({ code: "RECYCLING_CUTS_OPERATORS", detail: { why: cut } });
    await expect(
      one.approve("quarantine", one.world.process(), { dryRun: false, waivedBy: "head of it" }),
    ).rejects.toMatchObject({
      code: "RECYCLING_CUTS_OPERATORS",
    });
    const dry = await one.approve("delete", one.world.process(), { dryRun: true, waivedBy: "head of it" });
    expect(dry.plan.join()).toContain(cut);
    await one.approve("delete", one.world.process(), { dryRun: false, waivedBy: "head of it" });
    expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
    expect((await one.item())?.history.at(-1)).toMatchObject({ by: "ada", why: expect.stringContaining("head of it") });
  });

  it("is not cut by two approvals of which each by itself leaves the other rule", async () => {
    const twin = { portRange: "7890/7890", sourceCidrIp: "10.0.0.0/9", priority: 20, description: "old tool too" };
    const idle = { portRange: "7890/7890", sourceCidrIp: "10.0.0.0/8", priority: 10, description: "old tool, ask bob" };
    one = await RecyclingWorld.start({ rules: [idle, twin], policy: { operatorPath: [OPERATORS] } });
    const other = recyclingIdOf(
      one.world.web.groupId,
      entryIdOf(one.world.web.groupId, ruleKey({ ...idleSpec, peer: fromCidr("10.0.0.0/9"), priority: 20 })),
    );
    await one.recycle();
    await one.approve("delete");
    const ask = { dryRun: false, deadlineAt: one.world.clock.monotonicMs() + 8_000 };
    await one.world.run(approveItem(one.world.process(), one.operator("ada"), other, { step: "delete" }, ask));
    await one.pass(8);
    await one.recycle();
    expect(one.rules()).toHaveLength(1);
  });

  it("is not cut by a run that has read the group before a person's word was carried out", async () => {
    const strong = {
      portRange: "7890/7890",
      sourceCidrIp: "10.0.0.0/8",
      priority: 10,
      description: "old tool, ask bob",
    };
    const weak = { portRange: "7890/7890", sourceCidrIp: "10.0.0.0/7", priority: 20, description: "old tool too" };
    const steps = { quarantine: "auto", delete: "auto" };
    const recycling = { groups: ["web"], steps, neverClose: [{ ports: "80-443", reason: "the front" }] };
    one = await RecyclingWorld.start({ rules: [strong, weak], recycling, policy: { operatorPath: [OPERATORS] } });
    await one.recycle();
    await one.pass(8);
    const app = one.world.process();
    const ask = { dryRun: false, deadlineAt: one.world.clock.monotonicMs() + 8_000 };
    let isApproved = false;
    // While the nightly run reads the evidence, the stronger rule is deleted: either of the two is enough for the operators.
    const range: typeof app.tables.range = async (asked) => {
      if (asked.table === "evidence" && String(asked.from[0]).startsWith("eni-") && !isApproved) {
        isApproved = true;
        await approveItem(one.world.process(), one.operator("ada"), one.itemId, { step: "delete" }, ask);
      }
      return app.tables.range(asked);
    };
    await one.recycle({ ...app, tables: { ...app.tables, range } });
    expect([await one.state(), one.rules()]).toEqual(["deleted", ["accept 20 10.0.0.0/7 old tool too"]]);
  });
});

it("an approval of the deletion covers nobody who comes after it: it is void, and that is said and told", async () => {
  one = await RecyclingWorld.start({ recycling: { groups: ["web"], steps: { quarantine: "auto", delete: "ask" } } });
  await one.quarantined();
  await one.approve("delete");
  for (let days = 0; days < 16; days++) await one.pass(1, [touched("refused", one.today, ["10.9.9.9"])]);
  await one.recycle();
  expect([await one.state(), one.rules()]).toEqual(["quarantined", [IDLE, DROP]]);
  expect((await one.item())?.waiting).toEqual({
    for: "approval",
    why: [
      expect.stringContaining("10.9.9.9, who was never seen before, was refused on"),
      expect.stringMatching(/^the approval by ada of .* no longer counts/),
    ],
  });
  expect((await one.notices()).filter((kind) => kind === "recyclingWaits")).toHaveLength(1);
  // Whoever approves now has seen them; somebody else who comes before the night is not meant by that.
  expect((await one.item())?.quarantine?.strangers).toEqual(["10.9.9.9"]);
  await one.pass(1, [touched("refused", one.today, ["10.7.7.7"])]);
  await one.pass(1, [touched("refused", one.today, ["10.7.7.7"])]);
  const { item } = await one.approve("delete");
  expect([item.state, item.waiting?.why[0]]).toEqual(["quarantined", expect.stringContaining("10.7.7.7")]);
  await one.approve("delete");
  expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
});

it("every field that the cloud keeps of a rule comes back with it, but its id and time", async () => {
  const idle = {
    ...{ ipProtocol: "UDP", portRange: "7800/7890", sourceCidrIp: "10.0.0.0/8", priority: 7 },
    ...{ sourcePortRange: "1000/2000", destCidrIp: "127.10.0.11/32", description: "old tool: ask bob, é" },
  };
  one = await RecyclingWorld.start({ rules: [idle] });
  const { world } = one;
  const stands = () =>
    (world.ecs.groups().find(({ groupId }) => groupId === "sg-web")?.rules ?? [])
      .filter(({ portRange }) => portRange === idle.portRange)
      .map(({ ruleId: _, createTime: __, ...fields }) => fields);
  const before = stands();
  expect(before).toMatchObject([{ sourcePortRange: "1000/2000", destCidrIp: "127.10.0.11/32", priority: 7 }]);
  await one.deleted();
  expect(stands()).toEqual([]);
  const { items } = await world.run(
    listRecyclingItems(world.process().tables, { groupId: world.web.groupId, states: ["deleted"], limit: 10 }),
  );
  const itemId = items.find(({ kept }) => kept.description === idle.description)?.itemId ?? "";
  const terms = { dryRun: false, deadlineAt: world.clock.monotonicMs() + 8_000 };
  await world.run(restoreItem(world.process(), one.operator(), itemId, { reason: "needed" }, terms));
  expect(stands()).toEqual(before);
});

describe("a group that has changed meanwhile", () => {
  const other = () => one.world.process(undefined, "ak-other");
  const authorize = (spec: Parameters<typeof aSpec>[0], description: string) =>
    one.world.run(
      other().firewall.authorize(
        one.world.web,
        [{ spec: aSpec(spec), description }],
        `t-${description.length}`,
        "open",
      ),
    );

  it("gets the rule back, and it is said which drop takes its traffic", async () => {
    one = await RecyclingWorld.start();
    await one.deleted();
    await authorize(
      { ports: somePorts("7000/8000"), peer: fromCidr("0.0.0.0/0"), policy: "drop", priority: 5 },
      "closed for good",
    );
    const answer = await one.restore();
    expect(one.rules()).toEqual([IDLE]);
    expect(answer.notes).toEqual([expect.stringMatching(/^the drop sgr-\S+ \(priority 5\) takes its traffic$/)]);
  });

  it("gets it back when there is room again, and it is said that there is none", async () => {
    one = await RecyclingWorld.start({ policy: { limits: { rulesPerInterface: 30, rulesKeptFree: 0 } } });
    await one.deleted();
    for (let n = 0; n < 30; n++)
      await authorize({ ports: somePorts(`${3000 + n}/${3000 + n}`), peer: fromCidr("10.0.0.0/8") }, "x".repeat(n + 1));
    const answer = await one.restore(one.world.process(), true);
    expect(answer.notes).toEqual([expect.stringContaining("has 30 rules or more")]);
  });

  it("gets back what was there before also where the policy lets it take no new rule by now, and that is said", async () => {
    one = await RecyclingWorld.start();
    await one.deleted();
    const { world } = one;
    const { policy } = world;
    world.policy = { ...policy, groups: { ...policy.groups, denied: ["web"] } };
    const answer = await one.restore();
    const note = "the group takes no new rule from us (the policy denies it), but this one back";
    expect([answer.notes, answer.settled]).toEqual([[note], true]);
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  });

  it("where somebody opened the same rule again keeps that one, and says so", async () => {
    one = await RecyclingWorld.start();
    await one.deleted();
    const { kept } = (await one.item()) ?? {};
    await authorize(kept?.spec ?? {}, "mine now");
    const answer = await one.restore();
    expect(one.rules()).toEqual(["accept 10 10.0.0.0/8 mine now"]);
    expect(answer.plan).toEqual([expect.stringContaining("stands already")]);
    expect(answer.notes).toEqual([expect.stringContaining('described "mine now"')]);
  });
});

it("in an enforced group the permission goes with the rule, and comes back with it", async () => {
  one = await RecyclingWorld.start({ policy: { groups: { guards: { web: "enforce" } } } });
  const { world } = one;
  await one.confirm();
  await one.pass(11);
  await one.deleted();
  expect([await one.state(), one.rules(), (await one.item())?.owner]).toEqual(["deleted", [], "carol"]);
  await world.ticks(70);
  expect(one.rules(), "no drift brings it back").toEqual([]);
  await one.restore();
  await world.ticks(70);
  expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  const item = await one.item();
  const entry = item && (await world.run(getEntry(world.process().tables, item.group, item.entryId)));
  expect(entry?.allocation).toMatchObject({ owner: "carol", provenance: "baseline" });
  expect(entry?.suspension).toBeNull();
});
