// Whose a rule is, and what its end therefore removes: holders, rules that were there before, copied and forged marks, strangers.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseGrant } from "../../shared/domain/grant.ts";
import type { RuleId } from "../../shared/domain/ids.ts";
import { parseMark } from "../../shared/domain/mark.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { endLease } from "../../shared/usecases/lease/end-lease.ts";
import { extendLease } from "../../shared/usecases/lease/extend-lease.ts";
import { type AllocationAsk, allocateRule } from "../../shared/usecases/ledger/allocate-rule.ts";
import { health } from "../../shared/usecases/operation/health.ts";
import { lookAtGroup } from "../../shared/usecases/pass/look-at-group.ts";
import { keepsId } from "../kit/switch-under-test.ts";
import { World } from "../kit/world.ts";

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.stop());

/** The rule of the asks of this file, or another port, source or policy. */
function spec(port = "22", source = "203.0.113.7", change: Partial<RuleSpec> = {}): RuleSpec {
  const grant = parseGrant({ protocol: "tcp", port, sources: [source], priority: 100 });
  const [first] = grant.ok ? grant.specs : [];
  if (!first) throw new Error("no spec");
  return { ...first, ...change };
}

/** Somebody else writes a rule; answers its id. */
async function stranger(rule: RuleSpec, description: string, groupId = "sg-web"): Promise<string> {
  const before = new Set(world.rules(groupId).map((it) => it.ruleId));
  const { firewall } = world.process(undefined, "ak-other");
  const ref = { ...world.web, groupId: groupId as typeof world.web.groupId };
  await world.run(firewall.authorize(ref, [{ spec: rule, description }], `stranger-${world.callNames.length}`, "open"));
  const added = world.rules(groupId).find((it) => !before.has(it.ruleId));
  if (!added) throw new Error("nothing was added");
  return added.ruleId;
}

const ids = (groupId = "sg-web") => world.rules(groupId).map((rule) => rule.ruleId);

describe("holders", () => {
  test("two leases hold one rule: the first end leaves it, the last closes it", async () => {
    const ann = await world.open({}, "ann");
    const ben = await world.open({ periodMs: 1_200_000 }, "ben");
    expect(world.openPorts()).toEqual(["22/22"]);
    const [rule] = world.rules().slice(-1);
    expect(parseMark(rule?.description ?? "")?.until).toBe(ben.lease.status.until);
    await world.pastEnd(ann.lease);
    expect((await world.lease(ann.lease.request.leaseId)).status).toMatchObject({
      state: "closed",
      note: "another lease still holds the rule",
    });
    expect(world.openPorts()).toEqual(["22/22"]);
    await world.pastEnd(ben.lease);
    expect(world.openPorts()).toEqual([]);
    expect((await world.lease(ben.lease.request.leaseId)).status.state).toBe("closed");
  });

  test("an extension moves the end and the mark; ending early closes at once", async () => {
    const { lease } = await world.open();
    const { leaseId } = lease.request;
    await world.advance(300_000);
    const askedAt = world.clock.now();
    const extended = await world.run(
      extendLease(world.process(), world.caller(), leaseId, 1_200_000, { dryRun: false }),
    );
    // The call itself may take time, where reads lag.
    expect(extended.lease.status.until).toBeGreaterThanOrEqual(askedAt + 1_200_000);
    expect(extended.lease.status.until).toBeLessThanOrEqual(world.clock.now() + 1_200_000);
    expect(parseMark(world.rules().at(-1)?.description ?? "")?.until).toBe(extended.lease.status.until);
    await world.pastEnd(lease);
    expect(world.openPorts()).toEqual(["22/22"]);
    const ended = await world.run(endLease(world.process(), world.caller(), leaseId, { dryRun: false }));
    expect(ended.lease.status.state).toBe("closed");
    expect(world.openPorts()).toEqual([]);
  });

  test("an extension does not say settled while somebody else has removed the rule", async () => {
    const { lease } = await world.open();
    const { leaseId, group } = lease.request;
    const { firewall } = world.process(undefined, "ak-other");
    await world.run(firewall.revoke(group, lease.status.ruleIds, "stranger", "end"));
    const extended = await world.run(
      extendLease(world.process(), world.caller(), leaseId, 1_200_000, { dryRun: false }),
    );
    expect(extended.settled).toBe(false);
    expect(extended.lease.status.note).toContain("not shown");
    await world.ticks(3);
    expect((await world.lease(leaseId)).status.state).toBe("closed");
  });

  test("an extension never goes past the total from the first opening", async () => {
    const { lease } = await world.open({ periodMs: 28_800_000 });
    const openBy = world.clock.now();
    for (let hours = 0; hours < 16; hours += 8) {
      await world.advance(7 * 3_600_000);
      await world.sweep();
      await world.run(
        extendLease(world.process(), world.caller(), lease.request.leaseId, 28_800_000, { dryRun: false }),
      );
    }
    const last = (await world.lease(lease.request.leaseId)).status.until;
    await world.advance(last - world.clock.now() - 3_600_000);
    await world.run(extendLease(world.process(), world.caller(), lease.request.leaseId, 28_800_000, { dryRun: false }));
    const { until } = (await world.lease(lease.request.leaseId)).status;
    expect(until).toBeGreaterThanOrEqual(lease.request.requestedAt + 86_400_000);
    expect(until).toBeLessThanOrEqual(openBy + 86_400_000);
    await expect(
      world.run(extendLease(world.process(), world.caller(), lease.request.leaseId, 28_800_000, { dryRun: false })),
    ).rejects.toMatchObject({ code: "LEASE_TOTAL_REACHED" });
  });
});

describe("a rule that was there before", () => {
  test("carries the lease, and its end removes nothing and says so", async () => {
    const theirs = await stranger(spec(), "ours since 2019");
    const answer = await world.open();
    expect(answer.lease.status).toMatchObject({ state: "open", preExisting: true, ruleIds: [theirs] });
    expect(answer.notes.join()).toContain("its end removes nothing");
    expect(world.openPorts()).toEqual(["22/22"]);
    await world.pastEnd(answer.lease);
    const { status } = await world.lease(answer.lease.request.leaseId);
    expect(status.state).toBe("closed");
    expect(status.note).toContain("left as it is");
    expect(ids()).toContain(theirs);
  });

  test("carries nobody where a late reading still shows what its owner has removed a moment ago", async () => {
    const theirs = await stranger(spec(), "ours since 2019");
    await world.advance(60_000);
    await world.run(world.process(undefined, "ak-other").firewall.revoke(world.web, [theirs as RuleId], "t", "end"));
    const fault = { kind: "stale-read", ms: 1000 } as const;
    world.faults([{ service: "ecs", operation: "DescribeSecurityGroupAttribute", fault }]);
    const { lease } = await world.open({ periodMs: 3_600_000 });
    expect(lease.status).toMatchObject({ state: "open", preExisting: false });
    const standing = world.rules().filter(({ portRange }) => portRange === "22/22");
    expect(standing.map(({ ruleId }) => ruleId)).toEqual(lease.status.ruleIds);
    await world.ticks(3);
    expect((await world.lease(lease.request.leaseId)).status.state).toBe("open");
  });

  test("carries the lease also while the cloud refuses to close another", async () => {
    await stranger(spec(), "ours since 2019");
    const other = await world.open({ port: "8022", periodMs: 60_000 });
    const fault = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
    world.faults([{ service: "ecs", operation: "RevokeSecurityGroup", fault }]);
    await world.pastEnd(other.lease);
    const { lease } = await world.open();
    expect(lease.status).toMatchObject({ state: "open", preExisting: true });
    expect((await world.lease(other.lease.request.leaseId)).status.state).toBe("closing");
  });

  test("is not opened again when its owner removes it: the lease ends", async () => {
    const theirs = await stranger(spec(), "ours since 2019");
    const { lease } = await world.open({ periodMs: 3_600_000 });
    await world.run(world.process(undefined, "ak-other").firewall.revoke(world.web, [theirs as RuleId], "t", "end"));
    // Somebody asks again, so that the group is looked at.
    await world.open({ port: "8022" }, "ben");
    await world.ticks(4);
    expect((await world.lease(lease.request.leaseId)).status.state).toBe("closed");
    expect(world.openPorts()).toEqual(["8022/8022"]);
  });

  test("counts whatever text its owner gave it: a forged mark does not make it ours", async () => {
    const first = await world.open({ periodMs: 60_000 });
    const copied = world.rules().at(-1)?.description ?? "";
    await world.pastEnd(first.lease);
    for (const text of [
      copied.replace(/k=\w{8}/, "k=00000000"),
      copied.replace(/until=\S+/, "until=2020-01-01T00:00:00Z"),
    ]) {
      const theirs = await stranger(spec(), text);
      const { lease } = await world.open({ periodMs: 60_000 });
      expect(lease.status.preExisting).toBe(true);
      await world.pastEnd(lease);
      await world.ticks(70);
      expect(ids()).toContain(theirs);
      await world.run(
        world.process(undefined, "ak-other").firewall.revoke(world.web, [theirs as RuleId], `t-${theirs}`, "end"),
      );
    }
  });
});

describe("a copied mark", () => {
  test.each([
    ["on another port", "sg-web", () => spec("3306")],
    ["on a wider source", "sg-web", () => spec("22", "203.0.113.0/24")],
    ["on a drop", "sg-web", () => spec("22", "203.0.113.7", { policy: "drop" })],
    ["in another group", "sg-app", () => spec()],
  ])("%s is not ours, is left and is reported", async (_where, groupId, rule) => {
    const { lease } = await world.open();
    const copied = world.rules().at(-1)?.description ?? "";
    const theirs = await stranger(rule(), copied, groupId);
    await world.pastEnd(lease);
    expect(world.rules().some((it) => it.ruleId === lease.status.ruleIds[0])).toBe(false);
    await world.ticks(70);
    expect(ids(groupId)).toContain(theirs);
    expect((await world.recorded()).join("\n")).toContain(`the rule ${theirs} carries a mark that is not its own`);
  });

  test("of the same rule, put back after its end, is closed: the ledger does not know it", async () => {
    const { lease } = await world.open();
    const copied = world.rules().at(-1)?.description ?? "";
    await world.pastEnd(lease);
    await stranger(spec(), copied);
    await world.ticks(61);
    expect(world.openPorts()).toEqual([]);
  });
});

describe("a reason", () => {
  test.each([
    [
      "that contains until=",
      "until=2099-01-01T00:00:00Z k=00000000 safeport/1 test e-0000000000000000 until=2099-01-01T00:00:00Z",
    ],
    ["of 500 Chinese characters", "临时放行端口用于排查故障".repeat(50).slice(0, 500)],
    ["of line breaks and controls", "a\r\nb\u0000c\u2028d\ttail"],
  ])("%s changes nothing of the end", async (_what, reason) => {
    const { lease } = await world.open({ reason });
    expect(lease.status.state).toBe("open");
    const text = world.rules().at(-1)?.description ?? "";
    expect(text.length).toBeLessThanOrEqual(200);
    expect(parseMark(text)?.until).toBe(lease.status.until);
    await world.loseState();
    await world.pastEnd(lease);
    expect(world.openPorts()).toEqual([]);
  });
});

describe("a group that changes under an open lease", () => {
  test("becomes managed: the lease is overdue, shown, tried every minute, and closed when the cloud lets us", async () => {
    const { lease } = await world.open();
    const fault = { kind: "reject", status: 403, code: "InvalidOperation.ResourceManagedByCloudProduct" } as const;
    world.faults([{ service: "ecs", operation: "RevokeSecurityGroup", fault }]);
    await world.pastEnd(lease);
    expect((await world.lease(lease.request.leaseId)).status.state).toBe("closing");
    const shown = await world.run(health(world.process(), world.policy));
    expect(shown).toMatchObject({ status: "overdue", overdueEnds: [{ lease: lease.request.leaseId }] });
    world.callNames.length = 0;
    await world.ticks(3);
    expect(world.callNames.filter((name) => name === "ecs RevokeSecurityGroup").length).toBeGreaterThanOrEqual(3);
    world.faults([]);
    await world.ticks(2);
    expect(world.openPorts()).toEqual([]);
    expect((await world.lease(lease.request.leaseId)).status.state).toBe("closed");
    expect(await world.run(health(world.process(), world.policy))).toMatchObject({ status: "ok" });
  });

  test("becomes denied by policy: nothing new opens, and what is open ends on time", async () => {
    const { lease } = await world.open();
    world.policy = { ...world.policy, groups: { guards: {}, denied: ["web"] } };
    await expect(world.open({ port: "23" })).rejects.toMatchObject({ code: "GROUP_PROTECTED" });
    await world.pastEnd(lease);
    expect(world.openPorts()).toEqual([]);
  });

  test("is deleted: the lease is closed", async () => {
    const { lease } = await world.open();
    const fault = { kind: "reject", status: 404, code: "InvalidSecurityGroupId.NotFound" } as const;
    world.faults([{ service: "ecs", fault }]);
    await world.pastEnd(lease);
    expect((await world.lease(lease.request.leaseId)).status.state).toBe("closed");
  });
});

describe("strangers", () => {
  // Where a modified rule gets a new id, what a stranger makes of ours is theirs.
  test.runIf(keepsId)("a rule that somebody widens is left until its end and then revoked by its id", async () => {
    const { lease } = await world.open();
    const [ruleId] = lease.status.ruleIds;
    const { firewall } = world.process(undefined, "ak-other");
    const wider = { spec: spec("1/65535".replace("/", "-"), "0.0.0.0/0"), description: "mine now" };
    await world.run(firewall.modify(world.web, ruleId as RuleId, wider, "t", "open"));
    expect(world.openPorts()).toEqual(["1/65535"]);
    await world.ticks(3);
    expect(world.openPorts()).toEqual(["1/65535"]);
    await world.pastEnd(lease);
    expect(world.openPorts()).toEqual([]);
  });

  test("a rule that somebody removes ends its lease and is not opened again", async () => {
    const { lease } = await world.open({ periodMs: 3_600_000 });
    const { firewall } = world.process(undefined, "ak-other");
    await world.run(firewall.revoke(world.web, lease.status.ruleIds, "t", "end"));
    await world.open({ port: "8022", periodMs: 3_600_000 }, "ben");
    await world.ticks(4);
    expect(world.openPorts()).toEqual(["8022/8022"]);
    expect((await world.lease(lease.request.leaseId)).status).toMatchObject({ state: "closed" });
  });
});

describe("lost state", () => {
  test("every lease is closed from its mark, and nothing else is", async () => {
    const first = await world.open({ port: "22" });
    await world.open({ port: "3306", periodMs: 1_200_000 }, "ben");
    const theirs = await stranger(spec("9000"), "mine");
    await world.loseState();
    await world.pastEnd(first.lease);
    expect(world.openPorts()).toEqual(["3306/3306", "9000/9000"]);
    await world.ticks(12);
    expect(world.openPorts()).toEqual(["9000/9000"]);
    expect(ids()).toContain(theirs);
  });

  test("of what is due alone: the leases are made due again", async () => {
    const { lease } = await world.open();
    const { tables } = world.process();
    const rows = await world.rows("due");
    await tables.writeAll(
      rows.map((row) => {
        // An id may have a slash of its own.
        const [shard, at, kind = "", ...id] = row.split("/");
        return { kind: "delete", table: "due", key: [Number(shard), Number(at), kind, id.join("/")] };
      }),
    );
    await world.pastEnd(lease);
    expect(world.openPorts()).toEqual([]);
    expect((await world.lease(lease.request.leaseId)).status.state).toBe("closed");
  });

  test("of a row's text keeps neither its own rule open nor another", async () => {
    const bad = await world.open({ group: "app", port: "23" });
    const near = await world.open({ group: "app", port: "24" }, "ben");
    const good = await world.open({}, "ben");
    const [entryId] = bad.lease.request.entryIds;
    const columns = { body: "no JSON", rev: 9 };
    await world.process().tables.put("ledger", ["sg-app", entryId ?? ""], columns, { kind: "none" });
    await world.advance(good.lease.status.until - world.clock.now());
    await world.sweep().catch(() => undefined);
    expect(world.openPorts()).toEqual([]);
    expect(world.openPorts("sg-app")).toEqual(["8080/8080"]);
    for (const { lease } of [good, near])
      expect((await world.lease(lease.request.leaseId)).status.state).toBe("closed");
    expect((await world.recorded()).join()).toContain(`the ledger row ${entryId} cannot be read`);
  });
});

test("what is granted for good stands, though a late reading shows the lease's rule that has just been closed", async () => {
  const { lease } = await world.open();
  await world.advance(60_000);
  await world.run(endLease(world.process(), world.caller(), lease.request.leaseId, { dryRun: false }));
  const fault = { kind: "stale-read", ms: 1000 } as const;
  world.faults([{ service: "ecs", operation: "DescribeSecurityGroupAttribute", fault }]);
  const grant: AllocationAsk = {
    ...{ group: "web", protocol: "tcp", port: "22", sources: ["203.0.113.7"], priority: 100 },
    ...{ policy: "accept", direction: "ingress", owner: "ops", application: "", reason: "needed", ticket: "" },
    ...{ allowedSources: [], openHours: null, sensitiveConfirmed: false },
  };
  const [app, admin] = [world.process(), world.caller("root", ["admin"])];
  await world.run(allocateRule(app, admin, grant, { dryRun: false }));
  const deadlineAt = world.clock.monotonicMs() + 30_000;
  const terms = {
    cause: "ledger",
    actor: "root",
    policy: world.policy,
    priority: "open",
    rows: [],
    deadlineAt,
  } as const;
  await world.run(lookAtGroup(app, world.web, terms));
  await world.ticks(3);
  expect(world.openPorts()).toEqual(["22/22"]);
});
