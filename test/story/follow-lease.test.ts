// The holder's address has changed: the lease follows, and nobody is let in for longer, wider or without a second person by that.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { policySchema } from "../../shared/config/document-schema.ts";
import { policyOf } from "../../shared/config/policy-values.ts";
import type { Lease } from "../../shared/domain/lease-record.ts";
import { askAgain } from "../../shared/usecases/lease/ask-again.ts";
import { endLease } from "../../shared/usecases/lease/end-lease.ts";
import { extendLease } from "../../shared/usecases/lease/extend-lease.ts";
import { type FollowAsk, followLease } from "../../shared/usecases/lease/follow-lease.ts";
import type { LeaseAnswer } from "../../shared/usecases/lease/lease-answer.ts";
import { openLease } from "../../shared/usecases/lease/open-lease.ts";
import { callByOther } from "../kit/other-calls.ts";
import { takesDestination } from "../kit/switch-under-test.ts";
import { region, World } from "../kit/world.ts";

const MINUTE = 60_000;
const [OLD, NEW] = ["203.0.113.7/32", "198.51.100.9/32"];

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.stop());

const opened = async (change = {}): Promise<Lease> => (await world.open(change)).lease;
const now = (lease: Lease): Promise<Lease> => world.lease(lease.request.leaseId);

const follow = (
  lease: Lease,
  ask: Partial<FollowAsk> = {},
  who = world.caller(),
  dryRun = false,
): Promise<LeaseAnswer> =>
  world.run(followLease(world.process(), who, lease.request.leaseId, { to: NEW, from: null, ...ask }, { dryRun }));

const sources = (port = "22/22"): readonly string[] =>
  world
    .rules()
    .filter((rule) => rule.portRange === port)
    .map((rule) => (rule.source.includes("/") ? rule.source : `${rule.source}/32`))
    .sort();

const setPolicy = (document: object): void => {
  world.policy = policyOf(policySchema.parse({ defaultTarget: "web", ...document }), 2, region);
};

describe("a lease that follows its holder", () => {
  test("opens for the new address, ends for the old one, and at the same instant as before", async () => {
    const lease = await opened();
    await world.advance(3 * MINUTE);
    const moved = await follow(lease);
    expect([moved.lease.status.state, moved.lease.request.follows?.leaseId]).toEqual(["open", lease.request.leaseId]);
    expect([sources(), moved.lease.status.until]).toEqual([[NEW], lease.status.until]);
    expect((await now(lease)).status).toMatchObject({ state: "closed", note: expect.stringMatching(/moved to 198/) });
    await world.pastEnd(moved.lease);
    expect([sources(), (await now(moved.lease)).status.state]).toEqual([[], "closed"]);
    expect(await world.rows("ledger")).toEqual([]);
  });

  test("is never without a rule in between: the new one is read back before the old one goes", async () => {
    const lease = await opened();
    const calls: string[] = [];
    const app = world.process(async (call, act) => {
      const answer = await act();
      if (/Authorize|Revoke|Describe.*Attribute/.test(call.name)) calls.push(`${call.name} ${sources().length}`);
      return answer;
    });
    await world.run(
      followLease(app, world.caller(), lease.request.leaseId, { to: NEW, from: null }, { dryRun: false }),
    );
    const names = calls.map((it) => it.replace(/ecs (\w+)SecurityGroup/, "$1"));
    const [opening, ending] = [names.indexOf("Authorize 2"), names.indexOf("Revoke 1")];
    expect(names.slice(opening + 1, ending)).toContain("DescribeAttribute 2");
  });

  test("asked twice, or once more after its answer was lost, is the same lease", async () => {
    const lease = await opened();
    const one = await follow(lease);
    const other = await follow(lease);
    expect(other.lease.request.leaseId).toBe(one.lease.request.leaseId);
    expect(sources()).toEqual([NEW]);
    const third = await opened({ port: "8000" });
    const two = await Promise.all([follow(third), follow(third)]);
    expect(new Set(two.map((it) => it.lease.request.leaseId)).size).toBe(1);
    await world.ticks(2);
    expect(sources("8000/8000")).toEqual([NEW]);
  });

  test("there and back again", async () => {
    const lease = await opened();
    const there = await follow(lease);
    const back = await follow(there.lease, { to: OLD });
    expect([sources(), back.lease.status.until]).toEqual([[OLD], lease.status.until]);
    const once = await follow(back.lease);
    expect([sources(), once.lease.request.leaseId === there.lease.request.leaseId]).toEqual([[NEW], false]);
  });

  test("is as it was where the address is let in already", async () => {
    const lease = await opened({ sources: ["198.51.100.0/24"] });
    const answer = await follow(lease);
    expect([answer.lease.request.leaseId, answer.notes.join()]).toEqual([
      lease.request.leaseId,
      expect.stringMatching(/let in already/),
    ]);
  });

  test("moves however long its addresses are together", async () => {
    const all = Array.from({ length: 30 }, (_, n) => `2001:db8:1111:2222:3333:4444:5555:${(0x6000 + n).toString(16)}`);
    const lease = await opened({ sources: all });
    const moved = await follow(lease, { from: all[0] ?? "" });
    expect([moved.lease.status.state, (await now(lease)).status.state]).toEqual(["open", "closed"]);
    expect(sources().filter((source) => source === NEW)).toEqual([NEW]);
  });

  test("of several addresses moves the one that is named, and is asked which", async () => {
    const lease = await opened({ sources: [OLD, "203.0.113.8"] });
    await expect(follow(lease)).rejects.toMatchObject({ code: "FOLLOW_AMBIGUOUS" });
    await expect(follow(lease, { from: "203.0.113.9" })).rejects.toMatchObject({ code: "FOLLOW_UNKNOWN" });
    await follow(lease, { from: OLD });
    expect(sources()).toEqual([NEW, "203.0.113.8/32"]);
    await world.pastEnd(lease);
    expect(sources()).toEqual([]);
  });

  test("keeps its total: a chain of moves does not let it live longer", async () => {
    world.policy = { ...world.policy, lease: { ...world.policy.lease, totalMaxMs: 15 * MINUTE } };
    const lease = await opened();
    await world.advance(9 * MINUTE);
    const moved = await follow(lease);
    const longer = await world.run(
      extendLease(world.process(), world.caller(), moved.lease.request.leaseId, 10 * MINUTE, { dryRun: false }),
    );
    const openedAt = lease.status.openedAt ?? 0;
    expect(longer.lease.status.until).toBeLessThanOrEqual(openedAt + 15 * MINUTE);
  });

  test("takes no second place of its person", async () => {
    world.policy = { ...world.policy, lease: { ...world.policy.lease, openMax: 1 } };
    const moved = await follow(await opened());
    expect(sources()).toEqual([NEW]);
    await expect(opened({ port: "8000" })).rejects.toMatchObject({ code: "LEASES_TOO_MANY" });
    await world.run(endLease(world.process(), world.caller(), moved.lease.request.leaseId, { dryRun: false }));
    await opened({ port: "8000" });
  });

  test("as a dry run changes nothing and shows both steps", async () => {
    const lease = await opened();
    const answer = await follow(lease, {}, world.caller(), true);
    expect(answer.plan).toEqual([expect.stringMatching(/^authorize .*198/), expect.stringMatching(/^end ls-/)]);
    expect([sources(), (await world.rows("lease")).length]).toEqual([[OLD], 1]);
  });
});

describe("a lease that somebody ends while it follows", () => {
  test.each([0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9])(
    "is over, and what it moved to as well: at %f of its calls",
    async (part) => {
      const count = async (): Promise<number> => {
        let calls = 0;
        const app = world.process((_call, act) => {
          calls++;
          return act();
        });
        const ask = { to: NEW, from: null };
        await world.run(followLease(app, world.caller(), (await opened()).request.leaseId, ask, { dryRun: false }));
        return calls;
      };
      const calls = await count();
      await world.stop();
      world = await World.start();
      const lease = await opened();
      const { leaseId } = lease.request;
      let turn = 0;
      const app = world.process(async (_call, act) => {
        if (turn++ === Math.floor(calls * part)) {
          const operator = world.caller("op", ["operator"]);
          await endLease(world.process(), operator, leaseId, { dryRun: false });
        }
        return act();
      });
      const ask = { to: NEW, from: null };
      const moved = followLease(app, world.caller(), leaseId, ask, { dryRun: false });
      await world.run(moved).catch(() => undefined);
      await world.ticks(3);
      const { note } = (await now(lease)).status;
      const isMoved = note?.includes("took its place") ?? false;
      expect([(await now(lease)).status.state, sources()]).toEqual(["closed", isMoved ? [NEW] : []]);
    },
  );
});

describe("is refused, and the lease is as it was", () => {
  const asBefore = async (lease: Lease, refusal: Promise<unknown>, code: string) => {
    await expect(refusal).rejects.toMatchObject({ code });
    await world.ticks(2);
    expect([sources(), (await now(lease)).status.state]).toEqual([[OLD], "open"]);
  };

  test.each([
    ["0.0.0.0/0", "SOURCE_TOO_WIDE"],
    ["198.51.0.0/16", "SOURCE_TOO_WIDE"],
    ["here", "SOURCE_INVALID"],
    ["198.51.100.9/24", "SOURCE_INVALID"],
    ["198.51.100.9/32;ls", "SOURCE_INVALID"],
  ])("to %s: %s", async (to, code) => {
    const lease = await opened();
    await asBefore(lease, follow(lease, { to }), code);
  });

  test("where all its sources together became too wide, moved one by one, on an instance too", async () => {
    const [one, other] = ["203.0.113.7/32", "203.0.114.7/32"];
    for (const place of [{}, ...(takesDestination ? [{ group: null, instance: "i-app-1" }] : [])]) {
      const lease = await opened({ ...place, port: "5432", sources: [one, other] });
      const moved = (await follow(lease, { from: one, to: "198.51.100.0/25" })).lease;
      for (const dryRun of [true, false])
        await expect(
          follow(moved, { from: other, to: "198.51.101.0/24" }, world.caller(), dryRun),
        ).rejects.toMatchObject({ code: "SOURCE_TOO_WIDE" });
      await world.ticks(1);
      expect((await now(moved)).status).toEqual(moved.status);
      await world.run(endLease(world.process(), world.caller(), moved.request.leaseId, { dryRun: false }));
    }
  });

  test("where the policy grants the new address nothing, or only with a second person", async () => {
    const lease = await opened();
    setPolicy({ grants: [{ name: "office", sources: ["203.0.113.0/24"] }] });
    await asBefore(lease, follow(lease), "GRANT_DENIED");
    setPolicy({ approval: { ports: ["22"], count: 1 } });
    await asBefore(lease, follow(lease), "FOLLOW_NEEDS_APPROVAL");
  });

  test("to anybody but its holder, an operator too", async () => {
    const lease = await opened();
    await asBefore(lease, follow(lease, {}, world.caller("bob")), "LEASE_NOT_YOURS");
    await asBefore(lease, follow(lease, {}, world.caller("eve", ["operator"])), "LEASE_NOT_YOURS");
  });

  test("where a stronger drop is in the way", async () => {
    const lease = await opened();
    await callByOther(world, "AuthorizeSecurityGroup", {
      SecurityGroupId: "sg-web",
      "Permissions.1.IpProtocol": "TCP",
      "Permissions.1.PortRange": "1/65535",
      "Permissions.1.SourceCidrIp": "198.51.100.0/24",
      "Permissions.1.Policy": "drop",
      "Permissions.1.Priority": "1",
    });
    await expect(follow(lease)).rejects.toMatchObject({ code: "LEASE_SHADOWED" });
    await world.ticks(2);
    expect([sources().includes(OLD), sources().includes(NEW)]).toEqual([true, false]);
  });

  test("of a lease that is over or not open yet", async () => {
    const lease = await opened();
    await world.pastEnd(lease);
    await expect(follow(lease)).rejects.toMatchObject({ code: "LEASE_ENDED" });
    const later = await opened({ startAt: world.clock.now() + 3_600_000 });
    await expect(follow(later)).rejects.toMatchObject({ code: "LEASE_WAITS" });
  });
});

describe("the same again", () => {
  const again = (lease: Lease, who = world.caller(), dryRun = false): Promise<LeaseAnswer> =>
    world.run(askAgain(world.process(), who, lease.request.leaseId, { idempotencyKey: null, dryRun }));

  test("is a new lease in the same words", async () => {
    const words = {
      port: "8000-8010",
      sources: [OLD, "203.0.113.8/32"],
      reason: "deploy",
      ticket: "T-1",
      protocol: "udp",
    };
    const lease = await opened(words);
    await world.pastEnd(lease);
    const { lease: next } = await again(lease);
    expect([next.status.state, next.request.leaseId === lease.request.leaseId]).toEqual(["open", false]);
    const { specs, periodMs, reason, ticket, group } = next.request;
    const { specs: then, ...was } = lease.request;
    expect([specs, periodMs, reason, ticket, group]).toEqual([then, was.periodMs, was.reason, was.ticket, was.group]);
    expect(next.status.until).toBeGreaterThan(lease.status.until);
  });

  test("opens by a rule of its own where a late reading shows still what was closed a moment ago", async () => {
    const lease = await opened();
    await world.advance(MINUTE);
    await world.run(endLease(world.process(), world.caller(), lease.request.leaseId, { dryRun: false }));
    const fault = { kind: "stale-read", ms: 1000 } as const;
    world.faults([{ service: "ecs", operation: "DescribeSecurityGroupAttribute", fault }]);
    const { lease: next } = await again(lease);
    expect([next.status.state, sources()]).toEqual(["open", [OLD]]);
    const standing = world.rules().filter(({ portRange }) => portRange === "22/22");
    expect(next.status.ruleIds).toEqual(standing.map(({ ruleId }) => ruleId));
    await world.ticks(3);
    expect((await now(next)).status.state).toBe("open");
  });

  test("opens by a rule of its own also where a call of the earlier one, whose process died in it, may act still", async () => {
    let isDead = false;
    const dying = world.process(async (call, act) => {
      if (isDead) throw new Error("dead");
      const answer = await act();
      isDead = call.name === "ecs AuthorizeSecurityGroup";
      return answer;
    });
    const [ask, options] = [
      world.ask({ periodMs: MINUTE }),
      { mode: "create", idempotencyKey: null, dryRun: false } as const,
    ];
    await expect(world.run(openLease(dying, world.caller(), ask, options))).rejects.toThrow("dead");
    await world.advance(20_000);
    await world.sweep();
    expect(sources()).toEqual([OLD]);
    await world.advance(40_000);
    await world.sweep();
    expect([sources(), (await world.rows("intent")).length]).toEqual([[], 1]);
    const fault = { kind: "stale-read", ms: 1000 } as const;
    world.faults([{ service: "ecs", operation: "DescribeSecurityGroupAttribute", fault }]);
    const { lease: next } = await world.open();
    expect([next.status.state, sources()]).toEqual(["open", [OLD]]);
    await world.ticks(3);
    expect((await now(next)).status.state).toBe("open");
  });

  test("is told where the cloud does not let its mark be written, and leaves no rule behind", async () => {
    await world.stop();
    // A late reading would not show the rule: its call is made again with the same token, and needs no mark to be written.
    world = await World.start({ switches: { readAfterWriteMs: 0 } });
    const refused = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
    world.faults([
      { service: "ecs", operation: "AuthorizeSecurityGroup", fault: { kind: "drop-after" }, times: 1 },
      { service: "ecs", operation: "ModifySecurityGroupRule", fault: refused },
    ]);
    await expect(world.open()).rejects.toMatchObject({ code: "RULE_REFUSED" });
    await world.ticks(3);
    expect([sources(), await world.rows("ledger")]).toEqual([[], []]);
  });

  test("goes through the policy of today, and waits for a second person where it needs one now", async () => {
    const lease = await opened();
    await world.pastEnd(lease);
    setPolicy({ approval: { ports: ["22"], count: 1 } });
    expect((await again(lease)).lease.status.state).toBe("requested");
    setPolicy({ grants: [{ name: "no", effect: "deny" }] });
    await expect(again(lease)).rejects.toMatchObject({ code: "GRANT_DENIED" });
    expect(sources()).toEqual([]);
  });

  test("is for the lease's own, and an operator asks in the own name", async () => {
    const lease = await opened();
    await expect(again(lease, world.caller("bob"))).rejects.toMatchObject({ code: "LEASE_NOT_YOURS" });
    expect((await again(lease, world.caller("eve", ["operator"]))).lease.request.principal).toBe("eve");
  });

  test.runIf(takesDestination)("on an instance finds where it is by now", async () => {
    const lease = await opened({ group: null, instance: "i-app-1", port: "5432" });
    await world.pastEnd(lease);
    await callByOther(world, "JoinSecurityGroup", { InstanceId: "i-app-1", SecurityGroupId: "sg-web" });
    await callByOther(world, "LeaveSecurityGroup", { InstanceId: "i-app-1", SecurityGroupId: "sg-app" });
    expect((await again(lease)).lease.request.group.groupId).toBe("sg-web");
  });

  test("as a dry run opens nothing", async () => {
    const lease = await opened();
    await world.pastEnd(lease);
    expect((await again(lease, world.caller(), true)).plan.join()).toMatch(/^authorize /);
    expect(sources()).toEqual([]);
  });
});
