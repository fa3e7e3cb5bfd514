// Second persons: what needs one waits for one, and nobody is one's own.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Lease } from "../../shared/domain/lease-record.ts";
import type { Role } from "../../shared/domain/permission.ts";
import type { App, Caller } from "../../shared/usecases/app.ts";
import { decideLease, type LeaseWord } from "../../shared/usecases/approval/decide-lease.ts";
import { justifyLease } from "../../shared/usecases/approval/justify-lease.ts";
import { listApprovals } from "../../shared/usecases/approval/list-approvals.ts";
import { endLease } from "../../shared/usecases/lease/end-lease.ts";
import { extendLease } from "../../shared/usecases/lease/extend-lease.ts";
import { type LeaseAnswer, openLease } from "../../shared/usecases/lease/open-lease.ts";
import { health } from "../../shared/usecases/operation/health.ts";
import { listRecords } from "../../shared/usecases/records/list-records.ts";
import { issueToken } from "../../shared/usecases/token/issue-token.ts";
import { revokeToken } from "../../shared/usecases/token/revoke-token.ts";
import { callByOther } from "../kit/other-calls.ts";
import { World } from "../kit/world.ts";

const HOUR = 60 * 60_000;
const DB = { port: "3306" };
const policy = {
  defaultTarget: "web",
  approval: { ports: ["3306", "6379"], count: 1 },
  persons: { ann: ["ann-laptop", "corp/ann"] },
  breakGlass: { roles: ["operator"], periodMax: 900, justifyWithin: 7200 },
  notifications: {
    targets: { hook: { kind: "webhook", urlFrom: "HOOK", secretFrom: "SIGN" } },
    otherwise: ["hook"],
  },
};

let world: World;
beforeEach(async () => {
  world = await World.start({ policy });
});
afterEach(() => world.stop());

const caller = (principal: string, role: Role = "approver"): Caller => world.caller(principal, [role]);

const scopeOf = (group: string) => ({ groups: [group], tags: [], applications: [] });
const everything = { limit: 100, cursor: null, sees: () => true };

const say = (
  lease: Lease,
  who: Caller,
  word: Partial<LeaseWord> = {},
  options: { dryRun: boolean } = { dryRun: false },
): Promise<LeaseAnswer> => {
  const whole = { decision: "approve", reason: "", change: null, via: "api", ...word } as const;
  return world.run(decideLease(world.process(), who, lease.request.leaseId, whole, options));
};

const recordOf = async (cause: string) =>
  (await world.run(listRecords(world.process(), { limit: 100, cursor: null }))).records.find(
    (it) => it.cause === cause,
  );

const asked = async (change = {}, principal = "ann"): Promise<Lease> =>
  (await world.open({ ...DB, ...change }, principal)).lease;

const askedBy = (who: Caller, change = {}): Promise<LeaseAnswer> =>
  world.run(
    openLease(world.process(), who, world.ask({ ...DB, ...change }), {
      mode: "create",
      idempotencyKey: null,
      dryRun: false,
    }),
  );

describe("a lease on a port that needs a second person", () => {
  test("waits, opens nothing, and opens for its whole period once another person approves", async () => {
    const answer = await world.open(DB);
    expect([answer.lease.status.state, answer.settled, world.openPorts()]).toEqual(["requested", false, []]);
    expect(answer.notes.join()).toMatch(/one other person has to approve it: the port 3306 needs it/);
    await world.ticks(3);
    expect(world.openPorts()).toEqual([]);
    const approved = await say(answer.lease, caller("bob"), { reason: "seen the ticket" });
    expect(approved.lease.status.state).toBe("open");
    expect(world.openPorts()).toEqual(["3306/3306"]);
    expect(approved.lease.status.until - world.clock.now()).toBeGreaterThan(600_000 - 5000);
    expect((await world.recorded()).join("\n")).toMatch(/bob said approve to [0-9a-f]{16} by api: seen the ticket/);
    await world.pastEnd(approved.lease);
    expect(world.openPorts()).toEqual([]);
  });

  test("is not opened by the person who asked, under any name, with any role, nor by a token that person issued", async () => {
    const lease = await asked({}, "ann-laptop");
    for (const who of [caller("ann-laptop"), caller("ann"), caller("corp/ann", "admin")])
      await expect(say(lease, who)).rejects.toMatchObject({ code: "APPROVAL_OWN" });
    for (const issuers of [["ann"], ["carl", "ann"], ["carl", "dora", "corp/ann", "setup"]])
      await expect(say(lease, { ...caller("bob"), issuers })).rejects.toMatchObject({ code: "APPROVAL_OWN" });
    await expect(say(lease, caller("eve", "operator"))).rejects.toMatchObject({ code: "APPROVER_MISSING" });
    expect(world.openPorts()).toEqual([]);
    expect((await world.lease(lease.request.leaseId)).status.state).toBe("requested");
  });

  test("is not opened by who issued the token it was asked with, by API or in the list, unless the policy lets issuers", async () => {
    const { lease } = await askedBy({ ...caller("ann", "requester"), issuers: ["ben-laptop", "corp/root", "setup"] });
    world.policy = { ...world.policy, persons: { ...world.policy.persons, ben: ["ben-laptop"] } };
    const issuers = [
      caller("ben"),
      caller("ben-laptop", "admin"),
      caller("Root", "admin"),
      caller("corp/root", "admin"),
    ];
    for (const who of issuers) {
      await expect(say(lease, who)).rejects.toMatchObject({ code: "APPROVAL_ISSUER" });
      expect((await world.run(listApprovals(world.process(), who, everything))).leases).toEqual([]);
    }
    expect([world.openPorts(), (await world.lease(lease.request.leaseId)).status.state]).toEqual([[], "requested"]);
    // Of one admin's tokens two are two persons, and what setup issued is nobody's.
    const bob = { ...caller("bob"), issuers: ["corp/root", "setup"] };
    expect((await say(lease, bob, {}, { dryRun: true })).plan).toHaveLength(1);
    world.policy = { ...world.policy, approval: { ...world.policy.approval, issuerMayApprove: true } };
    const own = { ...caller("bob"), issuers: ["ann"] };
    await expect(say(lease, own)).rejects.toMatchObject({ code: "APPROVAL_OWN" });
    expect((await say(lease, caller("root", "admin"))).lease.status.state).toBe("open");
    const first = await askedBy({ ...caller("root", "admin"), issuers: ["setup"] }, { port: "6379" });
    expect((await say(first.lease, bob, {}, { dryRun: true }).catch((error) => error)).code).toBe("APPROVAL_OWN");
    expect((await say(first.lease, { ...caller("carl"), issuers: ["setup"] })).lease.status.state).toBe("open");
  });

  test("is not opened by a token that was issued when it was known what for, by API or in the list", async () => {
    const lease = await asked();
    const late = { ...caller("bob"), tokenSince: lease.request.requestedAt };
    await expect(say(lease, late)).rejects.toMatchObject({ code: "TOKEN_TOO_NEW" });
    expect((await world.run(listApprovals(world.process(), late, everything))).leases).toEqual([]);
    const older = { ...late, tokenSince: lease.request.requestedAt - 1 };
    expect((await say(lease, older)).lease.status.state).toBe("open");
  });

  test("is denied by a token of any age", async () => {
    const lease = await asked();
    const late = { ...caller("bob"), tokenSince: lease.request.requestedAt };
    expect((await say(lease, late, { decision: "deny", reason: "no" })).lease.status.state).toBe("denied");
  });

  test("is not opened by several of whom one's token has been revoked since, until somebody else has spoken", async () => {
    world.policy = { ...world.policy, approval: { ...world.policy.approval, count: 2 } };
    const root = caller("root", "admin");
    const ask = { principal: "bob", roles: ["approver"] as const, scope: null, days: 1, note: "" };
    const { tokenId } = (await world.run(issueToken(world.process(), root, ask, { dryRun: false }))).token;
    const lease = await asked();
    await say(lease, { ...caller("bob"), tokenId });
    await world.run(revokeToken(world.process(), root, tokenId, { dryRun: false }));
    expect((await say(lease, caller("carl"))).lease.status.state).toBe("requested");
    expect(world.openPorts()).toEqual([]);
    expect((await say(lease, caller("dora"))).lease.status.state).toBe("open");
  });

  test("waits for a person again whose word counts for nothing", async () => {
    const root = caller("root", "admin");
    const ask = { principal: "bob", roles: ["approver"] as const, scope: null, days: 1, note: "" };
    world.policy = { ...world.policy, approval: { ...world.policy.approval, count: 2 } };
    const { tokenId } = (await world.run(issueToken(world.process(), root, ask, { dryRun: false }))).token;
    const lease = await asked();
    await say(lease, { ...caller("bob"), tokenId });
    const waiting = async () => (await listApprovals(world.process(), caller("bob"), everything)).leases.length;
    expect(await waiting()).toBe(0);
    await world.run(revokeToken(world.process(), root, tokenId, { dryRun: false }));
    expect(await waiting()).toBe(1);
    await say(lease, caller("bob"));
    expect(await waiting()).toBe(0);
    expect((await say(lease, caller("carl"))).lease.status.state).toBe("open");
  });

  test("is opened by nobody behind whose token the same person stands, where the policy asks for distinct issuers", async () => {
    world.policy = { ...world.policy, approval: { ...world.policy.approval, distinctIssuers: true, count: 2 } };
    const { lease } = await askedBy({ ...caller("ann", "requester"), issuers: ["root", "setup"] });
    const by = (who: string, ...issuers: string[]) => say(lease, { ...caller(who), issuers: [...issuers, "setup"] });
    await expect(by("bob", "root")).rejects.toMatchObject({ code: "ISSUERS_SHARED" });
    await expect(by("bob", "deputy", "root")).rejects.toMatchObject({ code: "ISSUERS_SHARED" });
    // Of two words that one admin's tokens spoke one counts, also once the policy asks for it no more.
    expect((await by("bob", "dora")).lease.status.state).toBe("requested");
    world.policy = { ...world.policy, approval: { ...world.policy.approval, distinctIssuers: false } };
    expect((await by("carl", "dora")).lease.status.state).toBe("requested");
    expect(world.openPorts()).toEqual([]);
    expect((await say(lease, caller("corp/eve"))).lease.status.state).toBe("open");
  });

  test.each([
    ["Zoe", "zoe"],
    ["zoe", "corp/Zoe"],
    ["corp/zoe", "ZOE"],
    ["corp/zoe@example.com", "corp/Zoe@Example.com"],
    ["zo\u00eb", "zoe\u0308"],
  ])("asked for by %s is not opened by %s, who may be the same person", async (asks, decides) => {
    const lease = await asked({}, asks);
    await expect(say(lease, caller(decides, "admin"))).rejects.toMatchObject({ code: "APPROVAL_OWN" });
    const { leases } = await world.run(listApprovals(world.process(), caller(decides), everything));
    expect([leases, world.openPorts()]).toEqual([[], []]);
    expect((await say(lease, caller("partner/zoe-2"))).lease.status.state).toBe("open");
  });

  test("is denied with a reason, and stays denied", async () => {
    const lease = await asked();
    const denied = await say(lease, caller("bob"), { decision: "deny", reason: "use the replica" });
    expect(denied.lease.status).toMatchObject({ state: "denied", note: "denied by bob: use the replica" });
    await expect(say(lease, caller("carl"))).rejects.toMatchObject({ code: "APPROVAL_DECIDED" });
    await world.ticks(3);
    expect(world.openPorts()).toEqual([]);
  });

  test("shows the change, and an approval of another one counts for nothing", async () => {
    const [one, other] = [await asked(), await asked({ sources: ["198.51.100.0/24"] })];
    expect(one.approval?.change).not.toBe(other.approval?.change);
    await expect(say(other, caller("bob"), { change: one.approval?.change ?? "" })).rejects.toMatchObject({
      code: "APPROVAL_CHANGED",
    });
    await say(other, caller("bob"), { change: other.approval?.change ?? "" });
    expect(world.rules().filter((rule) => rule.portRange === "3306/3306")).toHaveLength(1);
  });

  test("is not approved where the policy has come to grant less, but may be denied", async () => {
    const lease = await asked({ port: "6379" });
    const { policy: before } = world;
    for (const narrower of [{ periodMaxMs: 300_000 }, { sourceWidthMax: { v4: 33, v6: 129 } }]) {
      world.policy = { ...before, lease: { ...before.lease, ...narrower } };
      for (const dryRun of [true, false])
        await expect(say(lease, caller("bob"), {}, { dryRun })).rejects.toMatchObject({ code: "GRANT_LIMIT" });
    }
    expect(world.openPorts()).toEqual([]);
    expect((await say(lease, caller("bob"), { decision: "deny" })).lease.status.state).toBe("denied");
  });

  test("is not approved once its token is revoked or the policy keeps its person out, but may be denied", async () => {
    const root = world.caller("root", ["admin"]);
    const ask = { principal: "ann", roles: ["requester"] as const, scope: null, days: 1, note: "" };
    const { tokenId } = (await world.run(issueToken(world.process(), root, ask, { dryRun: false }))).token;
    const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
    const by = { ...caller("ann", "requester"), tokenId };
    const { lease } = await world.run(openLease(world.process(), by, world.ask(DB), options));
    const barred = { code: "REQUESTER_BARRED" };
    world.policy = { ...world.policy, access: { ...world.policy.access, scopes: { ann: scopeOf("db") } } };
    await expect(say(lease, caller("bob"))).rejects.toMatchObject(barred);
    world.policy = { ...world.policy, access: { ...world.policy.access, scopes: { ann: scopeOf("web") } } };
    expect((await say(lease, caller("bob"), {}, { dryRun: true })).plan).toHaveLength(1);
    await world.run(revokeToken(world.process(), root, tokenId, { dryRun: false }));
    await expect(say(lease, caller("bob"))).rejects.toMatchObject(barred);
    expect(world.openPorts()).toEqual([]);
    expect((await say(lease, caller("bob"), { decision: "deny", reason: "who?" })).lease.status.state).toBe("denied");
  });

  test("is not approved once its instance has left the group, as its address may be another's, but may be denied", async () => {
    const lease = await asked({ group: null, instance: "i-app-1" });
    await callByOther(world, "JoinSecurityGroup", { InstanceId: "i-app-1", SecurityGroupId: "sg-web" });
    await callByOther(world, "LeaveSecurityGroup", { InstanceId: "i-app-1", SecurityGroupId: "sg-app" });
    for (const dryRun of [true, false])
      await expect(say(lease, caller("bob"), {}, { dryRun })).rejects.toMatchObject({ code: "LEASE_HOST_MOVED" });
    expect(world.openPorts("sg-app")).not.toContain("3306/3306");
    expect((await say(lease, caller("bob"), { decision: "deny" })).lease.status.state).toBe("denied");
  });

  test("that was changed in the store after it was approved opens nothing", async () => {
    const lease = await asked();
    const { tables } = world.process();
    const row = await tables.get("lease", [lease.request.leaseId]);
    const request = String(row?.columns["request"]).replace("203.0.113.7", "203.0.113.8");
    expect(request).not.toBe(row?.columns["request"]);
    // Between the approver's word and the opening.
    const app = world.process(async (call, act) => {
      const done = await act();
      if (call.name === "update lease")
        await tables.update("lease", [lease.request.leaseId], { request }, { kind: "none" });
      return done;
    });
    const word = { decision: "approve", reason: "", change: null, via: "api" } as const;
    await world
      .run(decideLease(app, caller("bob"), lease.request.leaseId, word, { dryRun: false }))
      .catch(() => undefined);
    await world.ticks(3);
    const rules = world.rules().filter((rule) => rule.portRange === "3306/3306");
    expect(rules.filter((rule) => rule.source.includes("203.0.113.8"))).toEqual([]);
    // And before it.
    const second = await asked({ port: "6379" });
    const stored = await tables.get("lease", [second.request.leaseId]);
    const wider = String(stored?.columns["request"]).replace("203.0.113.7", "203.0.113.9");
    await tables.update("lease", [second.request.leaseId], { request: wider }, { kind: "none" });
    await expect(say(second, caller("bob"))).rejects.toMatchObject({ code: "APPROVAL_BROKEN" });
    expect(world.openPorts()).not.toContain("6379/6379");
  });

  test.each<[string, (tokenId: string) => Promise<unknown>, string, object | null]>([
    ["and nothing else, is opened for its approver", async () => undefined, "open", null],
    [
      "and its policy grants less, is refused and whoever asked is told",
      async () => {
        world.policy = { ...world.policy, lease: { ...world.policy.lease, periodMaxMs: 300_000 } };
      },
      ...(["failed", { note: "GRANT_LIMIT" }] as const),
    ],
    [
      "and its token is revoked, is refused and whoever asked is told",
      (tokenId) => world.run(revokeToken(world.process(), caller("root", "admin"), tokenId, { dryRun: false })),
      ...(["failed", { note: "REQUESTER_BARRED" }] as const),
    ],
  ])("whose approver died right before it opened, %s", async (_name, meanwhile, state, status) => {
    const ask = { principal: "ann", roles: ["requester"] as const, scope: null, days: 1, note: "" };
    const { token } = await world.run(issueToken(world.process(), caller("root", "admin"), ask, { dryRun: false }));
    const { lease } = await askedBy({ ...caller("ann", "requester"), tokenId: token.tokenId });
    const { leaseId } = lease.request;
    let updates = 0;
    const dying = world.process(async (call, act) => {
      if (call.name === "update lease" && ++updates > 1) throw new Error("dies here");
      return act();
    });
    const word = { decision: "approve", reason: "", change: null, via: "api" } as const;
    await world.run(decideLease(dying, caller("bob"), leaseId, word, { dryRun: false })).catch(() => undefined);
    expect([(await world.lease(leaseId)).status.state, world.openPorts()]).toEqual(["approved", []]);
    await meanwhile(token.tokenId);
    await world.advance(60_000);
    await world.ticks(3);
    expect((await world.lease(leaseId)).status).toMatchObject({ state, ...status });
    expect(world.openPorts()).toEqual(state === "open" ? ["3306/3306"] : []);
    const told = JSON.stringify(world.told);
    expect(told.includes("was not opened")).toBe(state === "failed");
  });

  test("lapses when nobody decides, and everybody who may is asked", async () => {
    const lease = await asked();
    expect(lease.status.until).toBe(lease.request.requestedAt + 24 * HOUR);
    await world.advance(12 * HOUR);
    await world.ticks(1);
    expect(JSON.stringify(world.told)).toContain(lease.request.leaseId);
    await world.advance(12 * HOUR);
    await world.ticks(2);
    expect((await world.lease(lease.request.leaseId)).status.state).toBe("lapsed");
    await expect(say(lease, caller("bob"))).rejects.toMatchObject({ code: "APPROVAL_DECIDED" });
    expect(await world.rows("attention")).toEqual([]);
    expect(world.openPorts()).toEqual([]);
  });

  test("is taken back by whoever asked, and is not extended", async () => {
    const lease = await asked();
    const requester = world.caller("ann");
    await expect(
      world.run(extendLease(world.process(), requester, lease.request.leaseId, 900_000, { dryRun: false })),
    ).rejects.toMatchObject({ code: "LEASE_WAITS" });
    for (let time = 0; time < 2; time += 1) {
      const over = await world.run(endLease(world.process(), requester, lease.request.leaseId, { dryRun: false }));
      expect(over.lease.status.state).toBe("cancelled");
    }
    await expect(say(lease, caller("bob"))).rejects.toMatchObject({ code: "APPROVAL_DECIDED" });
    const other = await asked();
    await say(other, caller("bob"));
    await expect(
      world.run(extendLease(world.process(), requester, other.request.leaseId, 900_000, { dryRun: false })),
    ).rejects.toMatchObject({ code: "EXTENSION_NEEDS_APPROVAL" });
  });

  test("that somebody else takes back is told of to whoever asked, whatever dies, and nobody of what they took back themselves", async () => {
    const operator = caller("olga", "operator");
    const takenBack = async (by: Caller, isDying: boolean) => {
      const { leaseId } = (await asked({ startAt: world.clock.now() + HOUR, port: "22" })).request;
      let updates = 0;
      const dying = world.process(async (call, act) => {
        if (updates > 0) throw new Error("dies here");
        if (call.name === "update lease") updates += 1;
        return act();
      });
      const ended = endLease(isDying ? dying : world.process(), by, leaseId, { dryRun: false });
      await world.run(ended.catch((error: unknown) => isDying || Promise.reject(error)));
      await world.ticks(2);
      const record = await recordOf(`decide ${leaseId}`);
      const told = world.told.filter(({ lines }) => lines.join().includes(leaseId));
      return [record?.actor, record?.decidedBy, told.map(({ title }) => title)];
    };
    expect(await takenBack(caller("ann", "requester"), false)).toEqual(["ann", "whoever asked", []]);
    const title = expect.stringContaining("request taken back");
    expect(await takenBack(operator, false)).toEqual(["olga", "roles: operator", [title]]);
    expect(await takenBack(operator, true)).toEqual(["olga", undefined, [title]]);
  });

  test("of which two decide at the same time is decided once", async () => {
    for (let round = 0; round < 6; round++) {
      const lease = await asked({ sources: [`203.0.113.${round + 1}`] });
      const both = await Promise.allSettled([
        say(lease, caller("bob")),
        say(lease, caller("carl"), { decision: "deny", reason: "no" }),
        say(lease, caller("dora")),
      ]);
      const { state } = (await world.lease(lease.request.leaseId)).status;
      const stands = world.rules().some((rule) => rule.source.includes(`203.0.113.${round + 1}`));
      expect(stands).toBe(state === "open");
      expect(["open", "denied"]).toContain(state);
      expect(both.filter((it) => it.status === "fulfilled").length).toBeGreaterThanOrEqual(1);
    }
  });

  test("said again answers where it stands, and is one word", async () => {
    const lease = await asked();
    await say(lease, caller("bob"));
    const again = await say(lease, caller("bob"));
    expect([again.lease.status.state, again.lease.approval?.words.length]).toEqual(["open", 1]);
  });

  test("is previewed: asking, and deciding, change nothing in a dry run", async () => {
    const lease = await asked();
    const before = await world.rows("due");
    const preview = await say(lease, caller("bob"), {}, { dryRun: true });
    expect([preview.plan, world.openPorts()]).toEqual([["approve the request and open the lease"], []]);
    expect(await world.rows("due")).toEqual(before);
  });

  test("is shown to those who may decide, and to nobody else", async () => {
    const lease = await asked();
    const seen = async (who: Caller) =>
      (await world.run(listApprovals(world.process(), who, everything))).leases.map((it) => it.request.leaseId);
    expect(await seen(caller("bob"))).toEqual([lease.request.leaseId]);
    expect(await seen(caller("ann"))).toEqual([]);
    expect(await seen(caller("eve", "requester"))).toEqual([]);
    await say(lease, caller("bob"));
    expect(await seen(caller("bob"))).toEqual([]);
  });

  test("that nobody can read hides no other, and keeps nobody from asking", async () => {
    const [lost, lease] = [await asked({}, "eve"), await asked()];
    const { tables } = world.process();
    await world.run(tables.update("lease", [lost.request.leaseId], { approval: "{}" }, { kind: "present" }));
    const { leases } = await world.run(listApprovals(world.process(), caller("bob"), everything));
    expect(leases.map(({ request }) => request.leaseId)).toEqual([lease.request.leaseId]);
    const again = { mode: "repeat", idempotencyKey: null, dryRun: false } as const;
    const answer = await world.run(openLease(world.process(), caller("ann", "requester"), world.ask(DB), again));
    expect(answer.lease.request.leaseId).toBe(lease.request.leaseId);
    await expect(say(lost, caller("bob"))).rejects.toMatchObject({ code: "STATE_UNREADABLE" });
  });

  test("is on a page of those that wait, newest first, whatever else waits for others", async () => {
    const ids: string[] = [];
    for (const [n, principal] of ["eve", "bob", "ann", "bob", "bob", "eve", "bob"].entries()) {
      ids.unshift((await asked({ sources: [`203.0.113.${n}`] }, principal)).request.leaseId);
      await world.advance(1000);
    }
    const own = new Set([5, 3, 2, 0].map((at) => ids[at]));
    const page = (limit: number, cursor: string | null, sees: (group: string | null) => boolean = () => true) =>
      world.run(listApprovals(world.process(), caller("bob"), { limit, cursor, sees }));
    for (const limit of [1, 2, 3, 100]) {
      const seen: string[] = [];
      for (let cursor: string | null = null, pages = 0; ; pages++) {
        expect(pages).toBeLessThan(5);
        const { leases, next }: Awaited<ReturnType<typeof listApprovals>> = await page(limit, cursor);
        expect(leases.length).toBeLessThanOrEqual(limit);
        seen.push(...leases.map(({ request }) => request.leaseId));
        if (next === null) break;
        cursor = next;
      }
      expect([limit, seen]).toEqual([limit, ids.filter((id) => !own.has(id))]);
    }
    expect(await page(100, null, (group) => group !== "sg-web")).toEqual({ leases: [], next: null });
  });
});

describe("two of many", () => {
  test("have to approve, and one person with two names is one", async () => {
    await world.stop();
    world = await World.start({
      policy: { ...policy, approval: { ports: ["3306"], count: 2 }, persons: { bob: ["bob-2"] } },
    });
    const lease = await asked();
    const once = await say(lease, caller("bob"));
    expect([once.lease.status.state, world.openPorts()]).toEqual(["requested", []]);
    const same = await say(lease, caller("bob-2"));
    expect([same.lease.status.state, world.openPorts()]).toEqual(["requested", []]);
    const twice = await say(lease, caller("carl"));
    expect([twice.lease.status.state, world.openPorts()]).toEqual(["open", ["3306/3306"]]);
  });

  test("have to approve, and one person stays one when the policy comes to tell so, or names the person anew", async () => {
    const approval = { ...world.policy.approval, count: 2 };
    const setPersons = (persons: Readonly<Record<string, readonly string[]>>) => {
      world.policy = { ...world.policy, approval, persons };
    };
    setPersons({});
    const lease = await asked();
    expect((await say(lease, caller("bob"))).lease.status.state).toBe("requested");
    setPersons({ robert: ["bob", "bob-2"] });
    for (const name of ["bob-2", "bob"]) expect((await say(lease, caller(name))).lease.status.state).toBe("requested");
    expect((await world.run(listApprovals(world.process(), caller("bob-2"), everything))).leases).toEqual([]);
    // Whoever asked comes to be one of them.
    setPersons({ robert: ["bob", "bob-2", "ann"] });
    expect((await say(lease, caller("carl"))).lease.status.state).toBe("requested");
    expect((await say(lease, caller("dora"))).lease.status.state).toBe("open");
  });

  test("have to approve what starts later, and are two by the policy of then", async () => {
    world.policy = { ...world.policy, approval: { ...world.policy.approval, count: 2 } };
    const lease = await asked({ startAt: world.clock.now() + HOUR });
    for (const name of ["bob", "bob-2"]) await say(lease, caller(name));
    expect((await world.lease(lease.request.leaseId)).status.state).toBe("approved");
    world.policy = { ...world.policy, persons: { robert: ["bob", "bob-2"] } };
    await world.advance(HOUR);
    await world.ticks(2);
    const { state, note } = (await world.lease(lease.request.leaseId)).status;
    expect([state, note, world.openPorts()]).toEqual(["failed", "START_NEEDS_APPROVAL", []]);
  });

  test.each([
    ["whoever issued it first", 0],
    ["the issued token first", 1],
  ])("are not one person with a token that person issued: %s", async (_order, first) => {
    await world.stop();
    world = await World.start({ policy: { ...policy, approval: { ports: ["3306"], count: 2 } } });
    const puppet = { ...caller("puppet"), issuers: ["deputy", "root"] };
    const lease = await asked();
    const both = [caller("root"), puppet];
    for (const who of first === 0 ? both : both.reverse())
      expect((await say(lease, who)).lease.status.state).toBe("requested");
    expect(world.openPorts()).toEqual([]);
    expect((await say(lease, { ...caller("carl"), issuers: ["setup"] })).lease.status.state).toBe("open");
  });
});

describe("a request that is repeated", () => {
  const repeat = (change: Partial<Caller> = {}, idempotencyKey: string | null = null) => {
    const options = { mode: "repeat", idempotencyKey, dryRun: false } as const;
    return world.run(openLease(world.process(), { ...world.caller("ann"), ...change }, world.ask(DB), options));
  };

  test("is the request that waits already", async () => {
    const [first, second] = [await repeat(), await repeat()];
    expect(second.lease.request.leaseId).toBe(first.lease.request.leaseId);
  });

  test("with an Idempotency-Key is that request whatever becomes of it: it is put to nobody twice", async () => {
    const first = (await repeat()).lease;
    expect((await repeat({}, "k")).lease.request.leaseId).toBe(first.request.leaseId);
    await say(first, caller("bob"));
    const again = (await repeat({}, "k")).lease;
    expect([again.request.leaseId, again.status.state]).toEqual([first.request.leaseId, "open"]);
  });

  test("is a new one once the time to decide about the first is over, before any sweep has said so", async () => {
    const first = (await repeat()).lease;
    await world.advance((first.approval?.lapsesAt ?? 0) - world.clock.now());
    await expect(say(first, caller("bob"))).rejects.toMatchObject({ code: "APPROVAL_DECIDED" });
    const second = (await repeat()).lease;
    expect(second.request.leaseId).not.toBe(first.request.leaseId);
    expect((await say(second, caller("bob"))).lease.status.state).toBe("open");
  });

  test("is a new one where nobody can approve the first any more, as its token has been revoked", async () => {
    const root = caller("root", "admin");
    const issue = async () => {
      const ask = { principal: "ann", roles: ["requester"] as const, scope: null, days: 1, note: "" };
      return (await world.run(issueToken(world.process(), root, ask, { dryRun: false }))).token.tokenId;
    };
    const [lost, own] = [await issue(), await issue()];
    const first = (await repeat({ tokenId: lost })).lease;
    await world.run(revokeToken(world.process(), root, lost, { dryRun: false }));
    await expect(say(first, caller("bob"))).rejects.toMatchObject({ code: "REQUESTER_BARRED" });
    const second = (await repeat({ tokenId: own })).lease;
    expect(second.request.leaseId).not.toBe(first.request.leaseId);
    expect((await say(second, caller("bob"))).lease.status.state).toBe("open");
  });
});

describe("without a second person", () => {
  const urgent = { ...DB, breakGlass: true, reason: "the shop is down", periodMs: 600_000 };
  const operator = () => caller("olga", "operator");
  const open = async (change = {}, who = operator()) => {
    const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
    return world.run(openLease(world.process(), who, world.ask({ ...urgent, ...change }), options));
  };

  test("it opens at once, is told loudly, and waits to be justified, which health says until it is", async () => {
    const { lease } = await open();
    expect([lease.status.state, world.openPorts()]).toEqual(["open", ["3306/3306"]]);
    expect((await world.rows("outbox")).length).toBeGreaterThanOrEqual(1);
    const opened = await recordOf(`open ${lease.request.leaseId}`);
    expect(opened).toMatchObject({ actor: "olga", decidedBy: "breakGlass; grants: default, policy 1" });
    expect(opened?.lines.join("\n")).toMatch(/opens without its second person/);
    const told = async () => await health(world.process(), world.policy);
    expect(await told()).toMatchObject({ status: "unjustified", unjustified: [{ lease: lease.request.leaseId }] });
    await world.pastEnd(lease);
    expect(world.openPorts()).toEqual([]);
    expect((await told()).unjustified).toHaveLength(1);
    const why = "orders were failing, rolled back by hand";
    const said = await world.run(
      justifyLease(world.process(), operator(), lease.request.leaseId, why, { dryRun: false }),
    );
    expect(said.lease.justification).toMatchObject({ by: "olga", text: why });
    expect((await told()).unjustified).toEqual([]);
    expect((await told()).status).not.toBe("unjustified");
    await expect(
      world.run(justifyLease(world.process(), operator(), lease.request.leaseId, why, { dryRun: false })),
    ).rejects.toMatchObject({ code: "NOT_TO_JUSTIFY" });
  });

  test("of two who justify it at the same time the first word stays, and the other is told so", async () => {
    const { lease } = await open();
    const { leaseId } = lease.request;
    const justify = (app: App, text: string) => justifyLease(app, operator(), leaseId, text, { dryRun: false });
    // The one has read the lease and written its record when the other's word comes in between.
    const slow = world.process(async (call, act) => {
      if (call.name === "update lease") await justify(world.process(), "the first word");
      return act();
    });
    const late = justify(slow, "the second word");
    await expect(world.run(late)).rejects.toMatchObject({ code: "NOT_TO_JUSTIFY" });
    expect((await world.lease(leaseId)).justification).toMatchObject({ text: "the first word" });
    expect((await world.recorded()).join("\n")).toMatch(/came later than another's justification/);
  });

  test("it says so again at its end, when the time to justify it is over, and every day, until it is", async () => {
    const { lease } = await open();
    const reminders = () => world.told.filter(({ type }) => type === "unjustified");
    const passed = async (ms: number) => {
      await world.advance(ms - 61_000);
      await world.ticks(2);
      return reminders().length;
    };
    await world.ticks(2);
    expect(reminders()).toEqual([]);
    await world.pastEnd(lease);
    expect(reminders()).toHaveLength(1);
    expect(await passed(HOUR)).toBe(1);
    expect(await passed(HOUR)).toBe(2);
    expect(await passed(24 * HOUR)).toBe(3);
    await world.run(justifyLease(world.process(), operator(), lease.request.leaseId, "why it was", { dryRun: false }));
    expect(await passed(48 * HOUR)).toBe(3);
    expect((await world.rows("due")).filter((row) => row.includes("justify"))).toEqual([]);
  });

  test("only those may whom the policy names, shortly, and with a reason", async () => {
    await expect(open({}, caller("ann", "requester"))).rejects.toMatchObject({ code: "BREAK_GLASS_FORBIDDEN" });
    await expect(open({ periodMs: 1_200_000 })).rejects.toMatchObject({ code: "GRANT_LIMIT" });
    await expect(open({ reason: "help" })).rejects.toMatchObject({ code: "REASON_MISSING" });
    expect(world.openPorts()).toEqual([]);
  });

  test("a port that needs none is opened as any other", async () => {
    const { lease } = await open({ port: "9000" });
    expect(lease.request.grant?.justifyBy).toBeNull();
  });
});

describe("how many leases one person may have", () => {
  test("counts every name of the person and what waits, exactly under a rush, and gives back what is over", async () => {
    world.policy = { ...world.policy, lease: { ...world.policy.lease, openMax: 3 } };
    await asked({}, "corp/ann");
    const rush = await Promise.allSettled(
      ["9001", "9002", "9003", "9004"].map((port) => world.open({ port }, "ann-laptop")),
    );
    expect(rush.filter((it) => it.status === "fulfilled")).toHaveLength(2);
    for (const it of rush) if (it.status === "rejected") expect(it.reason).toMatchObject({ code: "LEASES_TOO_MANY" });
    await world.open({ port: "9005" }, "bob");
    await world.advance(700_000);
    await world.ticks(2);
    const { lease } = await world.open({ port: "9006" }, "ann");
    // Of one that nobody can read nobody knows that it is over; it takes one place, and no other.
    const { tables } = world.process();
    await world.run(tables.update("lease", [lease.request.leaseId], { status: "{" }, { kind: "present" }));
    await world.open({ port: "9007" }, "ann");
    await expect(world.open({ port: "9008" }, "ann")).rejects.toMatchObject({ code: "LEASES_TOO_MANY" });
  });
});
