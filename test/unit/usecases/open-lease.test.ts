// Opening: what a dry run says is what the request then does, and a key means one lease.
import { describe, expect, test } from "vitest";
import type { RuleId } from "../../../shared/domain/ids.ts";
import type { Lease } from "../../../shared/domain/lease-record.ts";
import { claimKey, readKey } from "../../../shared/store/idempotency.ts";
import { getEntry } from "../../../shared/store/ledger.ts";
import { requestKey } from "../../../shared/usecases/lease/book-lease.ts";
import { endLease } from "../../../shared/usecases/lease/end-lease.ts";
import { extendLease } from "../../../shared/usecases/lease/extend-lease.ts";
import { type LeaseAsk, openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { aRule } from "../../kit/rules.ts";
import { type AppWorld, anAsk, appWorld, START } from "./app-world.ts";

const MINUTE = 60_000;
const repeat = { mode: "repeat", idempotencyKey: null, dryRun: false } as const;
const create = { mode: "create", idempotencyKey: null, dryRun: false } as const;

/** The end the ledger has for a lease. */
async function bookedEnd(world: AppWorld, { request }: Lease): Promise<number | undefined> {
  const [entryId] = request.entryIds;
  const entry = entryId === undefined ? null : await getEntry(world.tables, request.group, entryId);
  return entry?.holders.find((holder) => holder.holderId === request.leaseId)?.until;
}

/** What the two have in common when the one told the truth about the other. */
async function previewThenDo(world: AppWorld, act: (dryRun: boolean) => ReturnType<typeof openLease>) {
  const [writes, changes] = [world.writes(), world.changes.length];
  const preview = await act(true);
  expect(world.writes()).toBe(writes);
  expect(world.changes.length).toBe(changes);
  const done = await act(false);
  expect(preview.lease.status.until).toBe(await bookedEnd(world, done.lease));
  expect(preview.extended).toBe(done.extended);
  expect(preview.lease.status.preExisting).toBe(done.lease.status.preExisting);
  expect(preview.reach).toEqual(done.reach);
  const asked = world.changes.slice(changes).map((change) => change.split(" ")[0]);
  return { preview, done, asked };
}

describe("a dry run", () => {
  test("of a new lease names the rule and the end it will have", async () => {
    const world = await appWorld();
    world.advance(250);
    const { preview, asked } = await previewThenDo(world, (dryRun) =>
      openLease(world.app, world.caller(), anAsk(), { ...repeat, dryRun }),
    );
    expect(preview.plan).toEqual(["authorize ingress|tcp|22/22|203.0.113.7/32|accept|100|-1/-1|*"]);
    expect(preview.lease.status.until).toBe(START + 601_000);
    expect(asked).toEqual(["authorize"]);
  });

  test("of a lease the caller has says that it extends, and until when", async () => {
    const world = await appWorld();
    const { lease } = await openLease(world.app, world.caller(), anAsk(), repeat);
    world.advance(5 * MINUTE);
    const { preview, done, asked } = await previewThenDo(world, (dryRun) =>
      openLease(world.app, world.caller(), anAsk(), { ...repeat, dryRun }),
    );
    const id = lease.request.leaseId;
    expect([preview.extended, preview.lease.request.leaseId, done.lease.request.leaseId]).toEqual([true, id, id]);
    expect(preview.lease.status.until).toBe(START + 15 * MINUTE);
    expect(preview.plan).toEqual([`extend ${id} until 2026-11-05T08:15:00Z`, "rewrite the mark of sgr-1"]);
    expect(asked).toEqual(["modify"]);
  });

  test("of an extension that moves nothing plans nothing", async () => {
    const world = await appWorld();
    await openLease(world.app, world.caller(), anAsk(), repeat);
    const { preview, asked } = await previewThenDo(world, (dryRun) =>
      openLease(world.app, world.caller(), anAsk({ periodMs: MINUTE }), { ...repeat, dryRun }),
    );
    expect([preview.plan, asked]).toEqual([[], []]);
  });

  test("of an extension refuses what the extension refuses", async () => {
    const world = await appWorld({ totalMaxMs: 10 * MINUTE });
    await openLease(world.app, world.caller(), anAsk(), repeat);
    world.advance(5 * MINUTE);
    for (const dryRun of [true, false]) {
      const asked = openLease(world.app, world.caller(), anAsk(), { ...repeat, dryRun });
      await expect(asked).rejects.toMatchObject({ code: "LEASE_TOTAL_REACHED" });
    }
  });

  test("of extendLease leaves a mark alone that a later holder has written", async () => {
    const world = await appWorld();
    const { lease } = await openLease(world.app, world.caller("ann"), anAsk(), repeat);
    await openLease(world.app, world.caller("bob"), anAsk({ periodMs: 60 * MINUTE }), repeat);
    const { preview, asked } = await previewThenDo(world, (dryRun) =>
      extendLease(world.app, world.caller("ann"), lease.request.leaseId, 30 * MINUTE, { dryRun }),
    );
    expect(preview.plan).toEqual([`extend ${lease.request.leaseId} until 2026-11-05T08:30:00Z`]);
    expect(asked).toEqual([]);
  });

  test("of a rule that another lease opened says that it is shared", async () => {
    const world = await appWorld();
    await openLease(world.app, world.caller("ann"), anAsk(), repeat);
    world.advance(MINUTE);
    const { preview, asked } = await previewThenDo(world, (dryRun) =>
      openLease(world.app, world.caller("bob"), anAsk(), { ...repeat, dryRun }),
    );
    expect(preview.plan).toEqual([
      "hold sgr-1 with another lease: ingress|tcp|22/22|203.0.113.7/32|accept|100|-1/-1|*",
      "rewrite the mark of sgr-1",
    ]);
    expect(asked).toEqual(["modify"]);
  });

  test("of one host from a source that is named twice names one rule, as the lease then has", async () => {
    const world = await appWorld();
    const ask = anAsk({ instance: "i-1", sources: ["203.0.113.7/32", "203.0.113.7"] });
    const { preview, done } = await previewThenDo(world, (dryRun) =>
      openLease(world.app, world.caller(), ask, { ...create, dryRun }),
    );
    expect(preview.plan).toEqual(["authorize ingress|tcp|22/22|203.0.113.7/32|accept|100|-1/-1|192.168.0.11/32"]);
    expect([done.lease.request.specs.length, done.lease.request.entryIds.length]).toEqual([1, 1]);
  });

  test("of a rule that stood before rides on it, also where there is no room for another", async () => {
    const world = await appWorld();
    world.rules = [aRule({ priority: 100 })];
    const full = { ...world.policy, limits: { ...world.policy.limits, rulesPerInterface: 21, rulesKeptFree: 20 } };
    const caller = { ...world.caller(), policy: full };
    const { preview, asked } = await previewThenDo(world, (dryRun) =>
      openLease(world.app, caller, anAsk(), { ...repeat, dryRun }),
    );
    expect(preview.plan).toEqual([
      "ride on the rule that is there: ingress|tcp|22/22|203.0.113.7/32|accept|100|-1/-1|*",
    ]);
    expect([preview.lease.status.preExisting, asked]).toEqual([true, []]);
    const other = openLease(world.app, caller, anAsk({ port: "23" }), { ...repeat, dryRun: true });
    await expect(other).rejects.toMatchObject({ code: "RULE_QUOTA_REACHED" });
  });

  test("of an end leaves the rule that somebody else holds, or that stood before, and revokes the last holder's", async () => {
    const world = await appWorld();
    world.rules = [aRule({ priority: 100, id: "sgr-before" as RuleId })];
    const both = anAsk({ sources: ["203.0.113.7/32", "203.0.113.8/32"] });
    const { lease: ann } = await openLease(world.app, world.caller("ann"), both, create);
    const { lease: bob } = await openLease(world.app, world.caller("bob"), both, create);
    const planned = async (it: Lease, who: string) => {
      const plan = (await endLease(world.app, world.caller(who), it.request.leaseId, { dryRun: true })).plan;
      const before = world.changes.length;
      await endLease(world.app, world.caller(who), it.request.leaseId, { dryRun: false });
      return [plan, world.changes.slice(before)];
    };
    const stays = "leave sgr-before: it stood before the lease";
    expect(await planned(ann, "ann")).toEqual([[stays, "leave sgr-1: somebody else holds it"], []]);
    expect(await planned(bob, "bob")).toEqual([[stays, "revoke sgr-1"], ["revoke sgr-1"]]);
  });

  test("refuses whom the limit of leases refuses", async () => {
    const world = await appWorld({ openMax: 1 });
    await openLease(world.app, world.caller(), anAsk(), create);
    for (const dryRun of [true, false]) {
      for (const startAt of [null, START + 60 * MINUTE]) {
        const second = openLease(world.app, world.caller(), anAsk({ port: "23", startAt }), { ...create, dryRun });
        await expect(second).rejects.toMatchObject({ code: "LEASES_TOO_MANY" });
      }
    }
    expect((await openLease(world.app, world.caller(), anAsk(), { ...repeat, dryRun: true })).extended).toBe(true);
  });

  test("claims no Idempotency-Key", async () => {
    const world = await appWorld();
    const keyed = { ...create, idempotencyKey: "k" };
    await openLease(world.app, world.caller(), anAsk(), { ...keyed, dryRun: true });
    expect(await readKey(world.tables, requestKey(world.caller(), anAsk(), "k").name)).toBeNull();
    const done = await openLease(world.app, world.caller(), anAsk({ port: "23" }), keyed);
    expect(done.lease.status.state).toBe("open");
  });

  test("with a used Idempotency-Key shows the lease it means and plans nothing", async () => {
    const world = await appWorld();
    const keyed = { ...create, idempotencyKey: "k" };
    const { lease } = await openLease(world.app, world.caller(), anAsk(), keyed);
    const preview = await openLease(world.app, world.caller(), anAsk(), { ...keyed, dryRun: true });
    expect([preview.lease.request.leaseId, preview.plan]).toEqual([lease.request.leaseId, []]);
  });
});

describe("a lease", () => {
  const oneRule = (world: AppWorld) => {
    const limits = { ...world.policy.limits, rulesPerInterface: 21, rulesKeptFree: 20 };
    return { ...world.caller(), policy: { ...world.policy, limits } };
  };

  test("takes the last room there is, and is not refused for the room its own rule takes", async () => {
    const world = await appWorld();
    const caller = oneRule(world);
    const { lease } = await openLease(world.app, caller, anAsk(), create);
    expect(lease.status.state).toBe("open");
    const next = openLease(world.app, caller, anAsk({ port: "23" }), create);
    await expect(next).rejects.toMatchObject({ code: "RULE_QUOTA_REACHED" });
    expect(world.rules).toHaveLength(1);
  });

  test("that rode on a rule leaves it and says so when it has ended", async () => {
    const world = await appWorld();
    world.rules = [aRule({ priority: 100 })];
    const { lease } = await openLease(world.app, world.caller(), anAsk(), create);
    const ended = await endLease(world.app, world.caller(), lease.request.leaseId, { dryRun: false });
    expect(ended.lease.status).toMatchObject({ state: "closed", preExisting: true });
    expect(ended.notes).toEqual(["The rule stood before the lease and was left as it is."]);
    expect([world.rules.length, world.changes]).toEqual([1, []]);
  });
});

describe("a request that is repeated", () => {
  const asked = async (world: AppWorld, change: Partial<LeaseAsk> = {}) =>
    (await openLease(world.app, world.caller(), anAsk(change), repeat)).lease.request.leaseId;

  test("extends its own lease beside one of more sources that has the same rule", async () => {
    const world = await appWorld();
    const wide = await asked(world, { sources: ["203.0.113.7/32", "203.0.113.8/32"] });
    const [first, second, third] = [await asked(world), await asked(world), await asked(world)];
    expect([first === wide, second, third]).toEqual([false, first, first]);
  });

  test("extends its own lease beside one that has broken the glass, or that nobody can read", async () => {
    const world = await appWorld();
    const { policy } = world;
    const terms = { persons: ["ann"], roles: [], periodMaxMs: 10 * MINUTE, justifyWithinMs: 60 * MINUTE };
    const ports = [{ from: 22, to: 22 }];
    const urgent = { ...policy, breakGlass: terms, approval: { ...policy.approval, ports } };
    const words = anAsk({ breakGlass: true, reason: "the shop is down" });
    const { lease } = await openLease(world.app, { ...world.caller(), policy: urgent }, words, create);
    const [first, second] = [await asked(world), await asked(world)];
    expect([first === lease.request.leaseId, second]).toEqual([false, first]);
    await world.tables.update("lease", [lease.request.leaseId], { status: "{" }, { kind: "present" });
    expect(await asked(world)).toBe(first);
  });
});

describe("an Idempotency-Key", () => {
  const keyed = { ...create, idempotencyKey: "k" };

  test("used again answers the same lease and changes nothing", async () => {
    const world = await appWorld();
    const first = await openLease(world.app, world.caller(), anAsk(), keyed);
    const [changes, rules] = [world.changes.length, world.rules];
    world.advance(MINUTE);
    const again = await openLease(world.app, world.caller(), anAsk(), keyed);
    expect(again.lease).toEqual(first.lease);
    expect(again.reach).toEqual(first.reach);
    expect([world.changes.length, world.rules]).toEqual([changes, rules]);
  });

  test("of a lease that has ended answers that lease and opens nothing", async () => {
    const world = await appWorld();
    const { lease } = await openLease(world.app, world.caller(), anAsk(), keyed);
    await endLease(world.app, world.caller(), lease.request.leaseId, { dryRun: false });
    const again = await openLease(world.app, world.caller(), anAsk(), keyed);
    expect([again.lease.request.leaseId, again.lease.status.state]).toEqual([lease.request.leaseId, "closed"]);
    expect(world.rules).toEqual([]);
  });

  test("with another request is refused, before anything is opened", async () => {
    const world = await appWorld();
    await openLease(world.app, world.caller(), anAsk(), keyed);
    const other = openLease(world.app, world.caller(), anAsk({ port: "23" }), keyed);
    await expect(other).rejects.toMatchObject({ code: "IDEMPOTENCY_KEY_REUSED" });
    expect(world.rules).toHaveLength(1);
  });

  test("is each caller's own", async () => {
    const world = await appWorld();
    const ann = await openLease(world.app, world.caller("ann"), anAsk(), keyed);
    const bob = await openLease(world.app, world.caller("bob"), anAsk({ port: "23" }), keyed);
    expect(bob.lease.request.leaseId).not.toBe(ann.lease.request.leaseId);
  });

  test("is each caller's own where a name ends as another's key begins", async () => {
    const world = await appWorld();
    const open = (principal: string, idempotencyKey: string) =>
      openLease(world.app, world.caller(principal), anAsk(), { ...create, idempotencyKey });
    const [one, other] = [await open("ci", "deploy/k"), await open("ci/deploy", "k")];
    expect(other.lease.request.leaseId).not.toBe(one.lease.request.leaseId);
    expect(other.lease.request.principal).toBe("ci/deploy");
  });

  test.each([
    ["before the request", null],
    ["during the request", null],
    ["before the request for later", START + 60 * MINUTE],
    ["during the request for later", START + 60 * MINUTE],
  ])("that came to mean another's lease %s opens nothing", async (when, startAt) => {
    const ask = anAsk({ startAt });
    const world = await appWorld();
    const { lease } = await openLease(world.app, world.caller("ann"), anAsk(), create);
    const { name, requestHash } = requestKey(world.caller("bob"), ask, "k");
    const plant = () => claimKey(world.tables, name, { leaseId: lease.request.leaseId, requestHash });
    if (when.startsWith("before")) await plant();
    const put: typeof world.tables.put = async (...input) => {
      if (input[0] === "idempotency") await plant();
      return world.tables.put(...input);
    };
    const app = { ...world.app, tables: { ...world.tables, put } };
    await expect(openLease(app, world.caller("bob"), ask, keyed)).rejects.toMatchObject({
      code: "IDEMPOTENCY_KEY_REUSED",
    });
    expect(world.rules).toHaveLength(1);
  });

  test("of a repeat extends once, however often it is sent", async () => {
    const world = await appWorld();
    await openLease(world.app, world.caller(), anAsk(), repeat);
    world.advance(MINUTE);
    const first = await openLease(world.app, world.caller(), anAsk(), { ...repeat, idempotencyKey: "k" });
    world.advance(MINUTE);
    const again = await openLease(world.app, world.caller(), anAsk(), { ...repeat, idempotencyKey: "k" });
    expect(again.lease.request.leaseId).toBe(first.lease.request.leaseId);
    expect(await bookedEnd(world, again.lease)).toBe(START + 11 * MINUTE);
  });

  test("at the same time twice opens one lease with one end", async () => {
    const world = await appWorld();
    const both = await Promise.all([1, 2].map(() => openLease(world.app, world.caller(), anAsk(), keyed)));
    expect(new Set(both.map((it) => it.lease.request.leaseId)).size).toBe(1);
    expect(new Set(both.map((it) => it.lease.status.until)).size).toBe(1);
    expect(world.rules).toHaveLength(1);
  });
});
