// The same leases on clouds that behave differently where the public documents are silent, and under drops, skew and quotas.
import { afterEach, describe, expect, test } from "vitest";
import { parseGrant } from "../../shared/domain/grant.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { sweep } from "../../shared/usecases/operation/sweep.ts";
import { World, type WorldOptions } from "../kit/world.ts";

let world: World;
afterEach(() => world.stop());

const start = async (options: WorldOptions = {}): Promise<void> => {
  world = await World.start(options);
};

function spec(port: string, change: Partial<RuleSpec> = {}): RuleSpec {
  const grant = parseGrant({ protocol: "tcp", port, sources: ["203.0.113.7"], priority: 100 });
  const [first] = grant.ok ? grant.specs : [];
  if (!first) throw new Error("no spec");
  return { ...first, ...change };
}

async function stranger(rule: RuleSpec): Promise<void> {
  const { firewall } = world.process(undefined, "ak-other");
  const token = `s-${world.rules().length}-${world.clock.now()}`;
  await world.run(firewall.authorize(world.web, [{ spec: rule, description: "theirs" }], token, "open"));
}

describe("a lease for one instance", () => {
  const ask = { group: null, instance: "i-app-1" } as const;

  test("opens that host alone, and closes", async () => {
    await start({ switches: { destCidrIp: "honoured" } });
    const { lease, reach } = await world.open(ask);
    expect(reach.hosts.map((host) => host.name)).toEqual(["app-1"]);
    expect(lease.request.instanceId).toBe("i-app-1");
    const rule = world.ecs
      .groups()
      .find((it) => it.groupId === "sg-app")
      ?.rules.at(-1);
    expect(rule?.destCidrIp).toMatch(/^127\.10\.0\.21/);
    await world.pastEnd(lease);
    expect(world.rules("sg-app").length).toBe(1);
  });

  test("where the cloud leaves the address out: the wider rule is gone at once, and the caller is told", async () => {
    await start({ switches: { destCidrIp: "dropped" } });
    await expect(world.open(ask)).rejects.toMatchObject({ code: "REACH_TOO_WIDE" });
    expect(world.rules("sg-app").length).toBe(1);
    await world.ticks(4);
    expect(world.rules("sg-app").length).toBe(1);
    for (const table of ["ledger", "intent"] as const) expect(await world.rows(table)).toEqual([]);
  });

  test("where the cloud leaves the address out and the process dies before it reads back: the next tick closes it", async () => {
    await start({ switches: { destCidrIp: "dropped" } });
    let dead = false;
    const dying = world.process(async (call, act) => {
      if (dead) throw new Error("dead");
      const answer = await act();
      dead = call.name === "ecs AuthorizeSecurityGroup";
      if (dead) throw new Error("dead");
      return answer;
    });
    const { openLease } = await import("../../shared/usecases/lease/open-lease.ts");
    const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
    await expect(world.run(openLease(dying, world.caller(), world.ask(ask), options))).rejects.toThrow("dead");
    expect(world.rules("sg-app").length).toBe(2);
    await world.ticks(2);
    expect(world.rules("sg-app").length).toBe(1);
    await world.ticks(12);
    expect(world.rules("sg-app").length).toBe(1);
    for (const table of ["ledger", "intent"] as const) expect(await world.rows(table)).toEqual([]);
  });

  test("where the cloud refuses the address: the caller is told and nothing stands", async () => {
    await start({ switches: { destCidrIp: "refused" } });
    await expect(world.open(ask)).rejects.toMatchObject({ code: "RULE_REFUSED" });
    expect(world.rules("sg-app").length).toBe(1);
  });

  test("where the policy says that the cloud does not honour addresses: refused with the names of the other hosts", async () => {
    await start({ policy: { lease: { destCidrIp: "never" } } });
    await expect(world.open(ask)).rejects.toMatchObject({ code: "REACH_TOO_WIDE", detail: { others: "app-2" } });
    // A group with one member needs no address.
    const { lease } = await world.open({ group: null, instance: "i-web-1" });
    expect(lease.status.state).toBe("open");
  });
});

describe.each([
  ["reads are five seconds behind", { readAfterWriteMs: 5_000 }],
  ["a missing id is not found", { revokeMissingId: "InvalidSecurityGroupRuleId.NotFound" }],
  ["a batch with a missing id deletes the others", { revokeBatchWithMissingId: "valid-deleted" }],
  ["descriptions make rules differ", { authorizeDescriptionDiffers: "second-rule" }],
  ["a later description replaces the first", { authorizeDescriptionDiffers: "updated" }],
  ["priorities make no difference", { authorizePriorityDiffers: "no-op" }],
  ["addresses are stored with their length", { ipv4Stored: "slash-32-added" }],
  ["a bare address is its /32", { bareVersusSlash32: "same" }],
  ["what modify leaves out is reset", { modifyOmitted: "reset" }],
  ["a batch stops at the first refusal", { authorizeBatch: "prefix" }],
] as const)("where %s", (_what, switches) => {
  test("leases open, are extended, share rules and close", async () => {
    await start({ switches });
    const ann = await world.open({}, "ann");
    const ben = await world.open({ periodMs: 1_200_000 }, "ben");
    const more = await world.open({ port: "8000-8010", sources: ["203.0.113.7", "198.51.100.0/24"] }, "cy");
    for (const { lease } of [ann, ben, more])
      expect((await world.lease(lease.request.leaseId)).status.state).toBe("open");
    expect(world.openPorts().toSorted()).toEqual(["22/22", "8000/8010", "8000/8010"]);
    await world.pastEnd(ann.lease);
    await world.ticks(1);
    expect(world.openPorts()).toEqual(["22/22"]);
    await world.pastEnd(ben.lease);
    await world.ticks(3);
    expect(world.rules().map((rule) => rule.portRange)).toEqual(["80/80", "443/443"]);
    for (const table of ["ledger", "intent"] as const) expect(await world.rows(table)).toEqual([]);
  });
});

test("where priorities make no difference, a lease beside a stranger's rule rides on it", async () => {
  await start({ switches: { authorizePriorityDiffers: "no-op", authorizeDescriptionDiffers: "no-op" } });
  await stranger(spec("22", { priority: 1 }));
  const { lease } = await world.open();
  expect(lease.status).toMatchObject({ state: "open", preExisting: true });
  await world.pastEnd(lease);
  expect(world.openPorts()).toEqual(["22/22"]);
});

describe("a customer's drop", () => {
  test("that is as strong refuses the lease by name, and nothing is written", async () => {
    await start({ switches: { readAfterWriteMs: 0 } });
    await stranger(spec("1-1000", { policy: "drop", priority: 100 }));
    const ruleId = world.rules().at(-1)?.ruleId;
    world.callNames.length = 0;
    await expect(world.open()).rejects.toMatchObject({ code: "LEASE_SHADOWED", detail: { rule: ruleId } });
    expect(world.callNames.filter((name) => /ecs (Authorize|Modify|Revoke)/.test(name))).toEqual([]);
  });

  test("in another group of the host counts as well", async () => {
    const { worldSeed } = await import("../kit/world.ts");
    const drop = {
      portRange: "22/22",
      sourceCidrIp: "0.0.0.0/0",
      policy: "Drop",
      priority: 1,
      ruleId: "sgr-drop",
    } as const;
    await start({
      seed: {
        ...worldSeed,
        groups: [...worldSeed.groups, { groupId: "sg-base", name: "base", rules: [drop] }],
        instances: worldSeed.instances.map((it) => ({ ...it, groupIds: [...it.groupIds, "sg-base"] })),
      },
    });
    await expect(world.open()).rejects.toMatchObject({ code: "LEASE_SHADOWED", detail: { rule: "sgr-drop" } });
  });

  test("that comes while the lease opens: the rule is taken back", async () => {
    await start();
    const app = world.process(async (call, act) => {
      const answer = await act();
      if (call.name === "ecs AuthorizeSecurityGroup") {
        const { firewall } = world.process(undefined, "ak-other");
        const rule = { spec: spec("22", { policy: "drop", priority: 1 }), description: "no" };
        await firewall.authorize(world.web, [rule], "t-drop", "open");
      }
      return answer;
    });
    const { openLease } = await import("../../shared/usecases/lease/open-lease.ts");
    const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
    await expect(world.run(openLease(app, world.caller(), world.ask(), options))).rejects.toMatchObject({
      code: "LEASE_SHADOWED",
    });
    await world.ticks(1);
    expect(world.rules().filter((rule) => rule.description.startsWith("safeport"))).toEqual([]);
  });
});

test("a clock that is off opens nothing, ends go on, and people are told", async () => {
  await start();
  const { lease } = await world.open();
  const skewed = world.process();
  const app = { ...skewed, firewall: { ...skewed.firewall, skewMs: () => 6_000 } };
  const { openLease } = await import("../../shared/usecases/lease/open-lease.ts");
  const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
  await expect(
    world.run(openLease(app, world.caller("ben"), world.ask({ port: "23" }), options)),
  ).rejects.toMatchObject({
    code: "CLOCK_SKEWED",
  });
  await world.advance(lease.status.until - world.clock.now());
  await world.run(
    sweep(app, { policy: world.policy, cause: "tick", deadlineAt: world.clock.monotonicMs() + 45_000, jobs: null }),
  );
  expect(world.openPorts()).toEqual([]);
  const { rows } = await world.run(app.tables.range({ table: "outbox", from: [0, 0, ""], to: [9, 0, ""], limit: 100 }));
  expect(rows.filter(({ columns }) => String(columns["body"]).includes("6 s ahead of the cloud's"))).toHaveLength(1);
});
