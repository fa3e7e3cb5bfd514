// Leases that start later: nothing before, all that speaks against them looked at again, and nothing after their end.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { policySchema } from "../../shared/config/document-schema.ts";
import { policyOf } from "../../shared/config/policy-values.ts";
import type { Lease } from "../../shared/domain/lease-record.ts";
import type { Mode } from "../../shared/domain/mode.ts";
import { noticeOf } from "../../shared/domain/notice.ts";
import { readOutbox } from "../../shared/store/outbox.ts";
import { decideLease } from "../../shared/usecases/approval/decide-lease.ts";
import { endLease } from "../../shared/usecases/lease/end-lease.ts";
import { extendLease } from "../../shared/usecases/lease/extend-lease.ts";
import { openLease } from "../../shared/usecases/lease/open-lease.ts";
import { tell } from "../../shared/usecases/notices/tell.ts";
import { allJobs, type Jobs } from "../../shared/usecases/operation/jobs.ts";
import { setMode } from "../../shared/usecases/policy/set-mode.ts";
import { listRecords } from "../../shared/usecases/records/list-records.ts";
import { issueToken } from "../../shared/usecases/token/issue-token.ts";
import { revokeToken } from "../../shared/usecases/token/revoke-token.ts";
import { rotateToken } from "../../shared/usecases/token/rotate-token.ts";
import { callByOther } from "../kit/other-calls.ts";
import { region, World } from "../kit/world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const APPLY = { dryRun: false };

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.stop());

/** A lease of ann for ten minutes that starts in an hour. */
async function asked(change = {}, aheadMs = HOUR): Promise<Lease> {
  const startAt = Math.ceil((world.clock.now() + aheadMs) / 1000) * 1000;
  return (await world.open({ startAt, ...change })).lease;
}

const now = (lease: Lease): Promise<Lease> => world.lease(lease.request.leaseId);
const startOf = (lease: Lease): number => lease.request.startAt ?? 0;

/** What is to be told waits, to be looked at. */
const untold: Jobs = { ...allJobs, run: async (app, row, run) => row.id === "notify" || allJobs.run(app, row, run) };

async function toStart(lease: Lease): Promise<Lease> {
  await world.advance(startOf(lease) - world.clock.now());
  await world.sweep(world.process(), untold);
  return now(lease);
}

const setPolicy = (document: object): void => {
  world.policy = policyOf(policySchema.parse({ defaultTarget: "web", ...document }), 2, region);
};

const mode = (to: Mode) => {
  const word = { mode: to, reason: "an incident" };
  return world.run(setMode(world.process(), world.caller("eve", ["admin"]), word, { dryRun: false }));
};

const notices = async () => (await readOutbox(world.process().tables, 100)).pending.map((it) => it.notice);

/** What the requester was told of the start. */
async function toldOf(lease: Lease): Promise<readonly (readonly [string | undefined, unknown])[]> {
  const own = (await notices()).filter((it) => JSON.stringify(it).includes(lease.request.leaseId));
  return own.map((it) => [it?.kind, (it?.data as { why?: string })?.why]);
}

test("a lease with a start opens nothing before it, opens by the tick of its start, and ends a period after it", async () => {
  const lease = await asked();
  expect([lease.status.state, lease.approval?.needed]).toEqual(["approved", 0]);
  expect(lease.status.until).toBe(startOf(lease) + 10 * MINUTE);
  await world.ticks(2);
  await world.advance(startOf(lease) - 1 - world.clock.now());
  await world.sweep();
  expect([world.openPorts(), (await now(lease)).status.state]).toEqual([[], "approved"]);
  const open = await toStart(lease);
  expect([world.openPorts(), open.status.state, open.status.until]).toEqual([["22/22"], "open", lease.status.until]);
  expect(await toldOf(lease)).toEqual([["leaseOpened", undefined]]);
  const { records } = await world.run(listRecords(world.process(), { limit: 100, cursor: null }));
  expect(records.find(({ cause }) => cause === `start ${lease.request.leaseId}`)).toMatchObject({
    ...{ actor: "ann", decidedBy: "grants: default, policy 1" },
  });
  await world.pastEnd(open);
  expect([world.openPorts(), (await now(lease)).status.state]).toEqual([[], "closed"]);
  expect((await world.rows("due")).filter((row) => row.includes(lease.request.leaseId))).toEqual([]);
});

test("an idle tick before the start makes no call but the read of what is due", async () => {
  await asked();
  await world.ticks(2);
  world.callNames.length = 0;
  await world.ticks(1);
  expect(new Set(world.callNames)).toEqual(new Set(["range due"]));
});

test("it is cancelled before its start, and then never opens", async () => {
  const lease = await asked();
  const over = await world.run(endLease(world.process(), world.caller(), lease.request.leaseId, { dryRun: false }));
  expect(over.lease.status.state).toBe("cancelled");
  await toStart(lease);
  await world.ticks(3);
  expect([world.openPorts(), await toldOf(lease)]).toEqual([[], []]);
});

test("it is not extended before its start", async () => {
  const lease = await asked();
  const extension = extendLease(world.process(), world.caller(), lease.request.leaseId, HOUR, { dryRun: false });
  await expect(world.run(extension)).rejects.toMatchObject({ code: "LEASE_WAITS" });
});

test.each([
  ["in the past", -1000],
  ["in half a minute", 30_000],
  ["in eight days", 8 * 24 * HOUR],
])("a start %s is refused, and nothing is booked", async (_when, ahead) => {
  await expect(asked({}, ahead)).rejects.toMatchObject({ code: "START_INVALID" });
  expect(await world.rows("lease")).toEqual([]);
});

test("a start is refused where the policy has leases open at once only, and with breakGlass", async () => {
  await expect(asked({ breakGlass: true })).rejects.toMatchObject({ code: "START_INVALID" });
  world.policy = { ...world.policy, lease: { ...world.policy.lease, startAheadMaxMs: 0 } };
  await expect(asked()).rejects.toMatchObject({ code: "START_INVALID" });
});

test("a dry run books nothing, tells when it would open, and what would speak against it today", async () => {
  const startAt = Math.ceil((world.clock.now() + HOUR) / 1000) * 1000;
  const dry = { mode: "create", idempotencyKey: null, dryRun: true } as const;
  const preview = () => world.run(openLease(world.process(), world.caller(), world.ask({ startAt }), dry));
  const good = await preview();
  expect(good.plan).toEqual([expect.stringMatching(/^open it at 2026-11-20T09:00:\d\dZ until 2026-11-20T09:10/)]);
  expect(good.notes.join()).not.toMatch(/could not be opened/);
  await callByOther(world, "AuthorizeSecurityGroup", {
    SecurityGroupId: "sg-web",
    "Permissions.1.IpProtocol": "TCP",
    "Permissions.1.PortRange": "22/22",
    "Permissions.1.SourceCidrIp": "0.0.0.0/0",
    "Permissions.1.Policy": "drop",
    "Permissions.1.Priority": "1",
  });
  expect((await preview()).notes.join()).toMatch(/As things are now it could not be opened: .*drops/);
  expect(await world.rows("lease")).toEqual([]);
  expect((await world.rows("due")).filter((row) => row.includes("start"))).toEqual([]);
});

describe("what speaks against it at its start is found then, and told", () => {
  const policies = {
    GRANT_DENIED: { grants: [{ name: "no", effect: "deny" }] },
    START_NEEDS_APPROVAL: { approval: { ports: ["22"], count: 1 } },
    GRANT_LIMIT: { grants: [{ name: "short", periodMax: 300 }] },
    "GRANT_LIMIT of all leases' period": { lease: { periodMax: 300 } },
    GROUP_PROTECTED: { groups: { denied: ["sg-web"] } },
  } as const;
  test.each(Object.entries(policies))("%s by a policy that has changed", async (name, document) => {
    const [code] = name.split(" ");
    const lease = await asked();
    setPolicy(document);
    const over = await toStart(lease);
    expect([over.status.state, over.status.note, world.openPorts()]).toEqual(["failed", code, []]);
    expect(await toldOf(lease)).toEqual([["leaseNotOpened", expect.stringMatching(/./)]]);
    await world.ticks(2);
    expect(world.openPorts()).toEqual([]);
  });

  test("its port has become a sensitive one, and its sources together are too wide for that", async () => {
    const lease = await asked({ port: "8000", sources: ["203.0.113.0/25", "198.51.100.0/24"] });
    setPolicy({ lease: { sensitivePorts: [8000] } });
    const over = await toStart(lease);
    expect([over.status.state, over.status.note, world.openPorts()]).toEqual(["failed", "GRANT_LIMIT", []]);
    expect(await toldOf(lease)).toEqual([["leaseNotOpened", expect.stringMatching(/port 8000 is opened to a \/24/)]]);
  });

  test("the policy keeps its person out of the group by now", async () => {
    const [kept, out] = [await asked({ port: "22" }), await asked({ port: "23" }, 2 * HOUR)];
    setPolicy({ access: { scopes: { ann: { groups: ["web"] } } } });
    expect((await toStart(kept)).status.state).toBe("open");
    setPolicy({ access: { scopes: { ann: { groups: ["db"] } } } });
    const over = await toStart(out);
    expect([over.status.state, over.status.note]).toEqual(["failed", "REQUESTER_BARRED"]);
    expect(await toldOf(out)).toEqual([["leaseNotOpened", expect.stringMatching(/leaves the group out/)]]);
  });

  test("the token it was asked with is revoked, and not one that was rotated or has expired", async () => {
    const root = world.caller("root", ["admin"]);
    const ask = { principal: "ann", roles: ["requester"] as const, scope: null, days: 1, note: "" };
    const book = async (port: string, aheadMs: number): Promise<Lease> => {
      const { tokenId } = (await world.run(issueToken(world.process(), root, ask, APPLY))).token;
      const startAt = Math.ceil((world.clock.now() + aheadMs) / 1000) * 1000;
      const options = { mode: "create", idempotencyKey: null, ...APPLY } as const;
      const by = { ...world.caller(), tokenId };
      return (await world.run(openLease(world.process(), by, world.ask({ port, startAt }), options))).lease;
    };
    const [rotated, revoked, expired] = [
      await book("22", HOUR),
      await book("23", 2 * HOUR),
      await book("24", 25 * HOUR),
    ];
    const idOf = ({ request }: Lease): string => request.grant?.tokenId ?? "";
    const holder = { ...world.caller(), tokenId: idOf(rotated) };
    await world.run(rotateToken(world.process(), holder, idOf(rotated), 0, APPLY));
    await world.run(revokeToken(world.process(), root, idOf(revoked), APPLY));
    expect((await toStart(rotated)).status.state).toBe("open");
    const over = await toStart(revoked);
    expect([over.status.state, over.status.note]).toEqual(["failed", "REQUESTER_BARRED"]);
    expect(await toldOf(revoked)).toEqual([["leaseNotOpened", expect.stringMatching(/asked with is revoked/)]]);
    expect((await toStart(expired)).status.state).toBe("open");
  });

  test("the rules of its group are full", async () => {
    const lease = await asked();
    world.policy = { ...world.policy, limits: { ...world.policy.limits, rulesPerInterface: 3, rulesKeptFree: 1 } };
    const over = await toStart(lease);
    expect([over.status.state, over.status.note]).toEqual(["failed", "RULE_QUOTA_REACHED"]);
    expect(await toldOf(lease)).toEqual([["leaseNotOpened", expect.stringMatching(/no room/)]]);
  });

  test("its person has no place left by a limit that came meanwhile", async () => {
    const lease = await asked();
    world.policy = { ...world.policy, lease: { ...world.policy.lease, openMax: 1 } };
    await world.open({ port: "8000", periodMs: 2 * HOUR });
    const over = await toStart(lease);
    expect([over.status.note, world.openPorts()]).toEqual(["LEASES_TOO_MANY", ["8000/8000"]]);
  });
});

test("while the mode forbids it it waits, opens when that is over, and never past its end", async () => {
  const [one, other] = [await asked({}, HOUR), await asked({ port: "8000", periodMs: 120_000 }, HOUR)];
  await mode("close-only");
  await toStart(one);
  await world.ticks(1);
  expect(world.openPorts()).toEqual([]);
  while ((await now(other)).status.state === "approved") await world.ticks(1);
  expect([(await now(other)).status.state, world.clock.now() < startOf(other) + 4 * MINUTE]).toEqual(["lapsed", true]);
  expect(await toldOf(other)).toEqual([["leaseNotOpened", expect.stringMatching(/end/)]]);
  await mode("normal");
  await world.ticks(2);
  expect([world.openPorts(), (await now(one)).status.until]).toEqual([["22/22"], one.status.until]);
});

describe("while no version of the policy can be read", () => {
  beforeEach(() => {
    world.policy = { ...world.policy, isStandIn: true };
  });
  const readable = (): void => {
    world.policy = { ...world.policy, isStandIn: false };
  };

  test("what is to start waits, what is over ends, and what is to be told waits to be told", async () => {
    readable();
    const lease = await asked();
    const open = (await world.open({ port: "8000", periodMs: HOUR + MINUTE })).lease;
    await tell(world.process(), [
      noticeOf("leaseNotOpened", {
        ...{ at: world.clock.now(), group: world.web, dedupe: "x", to: [{ kind: "person", principal: "ann" }] },
        data: { lease: open.request.leaseId, principal: "ann", ports: "22/tcp", startAt: 0, why: "a test" },
      }),
    ]);
    world.policy = { ...world.policy, isStandIn: true };
    await toStart(lease);
    await world.pastEnd(open);
    expect([world.openPorts(), (await now(lease)).status.state]).toEqual([[], "approved"]);
    expect((await notices()).map((it) => it?.kind)).toContain("leaseNotOpened");
    readable();
    await world.ticks(2);
    expect(await notices()).toEqual([]);
    expect([world.openPorts(), (await now(lease)).status.until]).toEqual([["22/22"], lease.status.until]);
  });

  test("what was granted and not opened yet is refused instead of opening some time", async () => {
    const refused = world.open();
    await expect(refused).rejects.toMatchObject({ code: "POLICY_UNREADABLE" });
    readable();
    await world.ticks(2);
    expect(world.openPorts()).toEqual([]);
  });
});

test("a start that nobody was there to make is made late, for what is left; past the end not at all", async () => {
  const [one, other] = [await asked(), await asked({ port: "8000", periodMs: 120_000 })];
  await world.advance(startOf(one) + 4 * MINUTE - world.clock.now());
  await world.sweep();
  expect(world.openPorts()).toEqual(["22/22"]);
  expect([(await now(one)).status.until, (await now(other)).status.state]).toEqual([one.status.until, "lapsed"]);
});

describe("where a second person is needed", () => {
  beforeEach(() => setPolicy({ approval: { ports: ["22"], count: 1 } }));
  const approve = (lease: Lease) => {
    const word = { decision: "approve", reason: "", change: null, via: "api" } as const;
    const bob = world.caller("bob", ["approver"]);
    return world.run(decideLease(world.process(), bob, lease.request.leaseId, word, { dryRun: false }));
  };

  test("it is approved before its start, and opens at it", async () => {
    const lease = await asked();
    expect(lease.status.state).toBe("requested");
    expect((await approve(lease)).lease.status).toMatchObject({ state: "approved", until: startOf(lease) + 600_000 });
    await world.ticks(2);
    expect(world.openPorts()).toEqual([]);
    await toStart(lease);
    expect(world.openPorts()).toEqual(["22/22"]);
  });

  test("it does not open by the word of a token that is revoked before its start; one that was rotated counts", async () => {
    const root = world.caller("root", ["admin"]);
    const ask = { principal: "bob", roles: ["approver"] as const, scope: null, days: 1, note: "" };
    const approvedBy = async (port: string, aheadMs: number) => {
      const { tokenId } = (await world.run(issueToken(world.process(), root, ask, APPLY))).token;
      await world.advance(1);
      const lease = await asked({ port }, aheadMs);
      const bob = { ...world.caller("bob", ["approver"]), tokenId };
      const word = { decision: "approve", reason: "", change: null, via: "api" } as const;
      await world.run(decideLease(world.process(), bob, lease.request.leaseId, word, APPLY));
      return { lease, tokenId, bob };
    };
    setPolicy({ approval: { ports: ["22-23"], count: 1 } });
    const [found, kept] = [await approvedBy("22", HOUR), await approvedBy("23", 2 * HOUR)];
    await world.run(revokeToken(world.process(), root, found.tokenId, APPLY));
    await world.run(rotateToken(world.process(), kept.bob, kept.tokenId, 0, APPLY));
    const over = await toStart(found.lease);
    expect([over.status.state, over.status.note, world.openPorts()]).toEqual(["failed", "START_NEEDS_APPROVAL", []]);
    expect((await toStart(kept.lease)).status.state).toBe("open");
  });

  test("it is not taken for the answer to a request for now", async () => {
    const lease = await asked();
    const repeat = { mode: "repeat", idempotencyKey: null, dryRun: false } as const;
    const again = () => world.run(openLease(world.process(), world.caller(), world.ask(), repeat));
    const [first, second] = [await again(), await again()];
    expect(first.lease.request.leaseId).not.toBe(lease.request.leaseId);
    expect(second.lease.request.leaseId).toBe(first.lease.request.leaseId);
  });

  test("approved after its start it opens at once, for what is left; not approved it lapses at its end", async () => {
    const [one, other] = [await asked(), await asked({ sources: ["203.0.113.8"] })];
    await toStart(one);
    await world.advance(4 * MINUTE);
    const { lease } = await approve(one);
    expect([lease.status.state, lease.status.until]).toEqual(["open", startOf(one) + 600_000]);
    await world.ticks(8);
    expect([(await now(other)).status.state, world.openPorts()]).toEqual(["lapsed", []]);
  });

  test("an approver who dies right after the word leaves the opening to the start", async () => {
    const lease = await asked();
    let dead = false;
    const app = world.process(async (call, act) => {
      if (dead) throw new Error("died");
      const answer = await act();
      dead = call.name === "update lease";
      return answer;
    });
    const word = { decision: "approve", reason: "", change: null, via: "api" } as const;
    const bob = world.caller("bob", ["approver"]);
    await world.run(decideLease(app, bob, lease.request.leaseId, word, { dryRun: false })).catch(() => undefined);
    await world.ticks(5);
    expect([world.openPorts(), (await now(lease)).status.state]).toEqual([[], "approved"]);
    await toStart(lease);
    expect(world.openPorts()).toEqual(["22/22"]);
  });
});

test("a lease on an instance that has gone from its group by then is not opened", async () => {
  const lease = await asked({ group: null, instance: "i-app-1", port: "5432" });
  await callByOther(world, "JoinSecurityGroup", { InstanceId: "i-app-1", SecurityGroupId: "sg-web" });
  await callByOther(world, "LeaveSecurityGroup", { InstanceId: "i-app-1", SecurityGroupId: "sg-app" });
  const over = await toStart(lease);
  expect([over.status.state, over.status.note]).toEqual(["failed", "LEASE_HOST_MOVED"]);
});
