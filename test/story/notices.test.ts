// What people are told of what happens to groups and leases: written with the change, sent by the tick, whatever dies in between.
import { afterEach, describe, expect, test } from "vitest";
import { httpsNotifier } from "../../shared/adapters/notify/notifier.ts";
import type { Notice } from "../../shared/domain/notice.ts";
import { listEntries } from "../../shared/store/ledger.ts";
import { readOutbox } from "../../shared/store/outbox.ts";
import { lookAtGroup } from "../../shared/usecases/pass/look-at-group.ts";
import { GuardedWorld, openDatabase } from "../kit/guarded-world.ts";
import { type Receiver, startReceiver } from "../kit/receivers.ts";
import { type Interposer, World } from "../kit/world.ts";

const SECRET = "a secret of the tests";

let world: World;
let receiver: Receiver | undefined;
afterEach(async () => {
  await receiver?.stop();
  receiver = undefined;
  await world.stop();
});

async function outbox(): Promise<readonly Notice[]> {
  const { pending } = await readOutbox(world.process().tables, 100);
  return pending.flatMap(({ notice }) => notice ?? []);
}

/** One target, at which everybody is told. */
const notifications = {
  targets: { hook: { kind: "webhook", urlFrom: "HOOK", secretFrom: "SIGN", language: "zh" } },
  otherwise: ["hook"],
};

async function startGuarded(guard: "observe" | "enforce"): Promise<GuardedWorld> {
  const guarded = await GuardedWorld.start({ guard, policy: { notifications } });
  world = guarded.world;
  return guarded;
}

/** One tick whose notices go to a real receiver. */
async function tickTelling(): Promise<void> {
  receiver ??= await startReceiver("webhook", SECRET, () => world.clock.now());
  const { url, host } = receiver;
  const secret = (name: string) => (name === "HOOK" ? url : SECRET);
  const notifier = httpsNotifier({ clock: world.clock, installation: "test", privateHosts: [host], secret });
  await world.advance(60_000 - (world.clock.now() % 60_000));
  await world.sweep({ ...world.process(), notifier });
}

const looking = () => ({
  ...({ cause: "test", actor: "test", priority: "drift", policy: world.policy } as const),
  deadlineAt: world.clock.monotonicMs() + 45_000,
});

const toldTypes = (): readonly string[] => world.told.map((it) => it.type);

describe("drift", () => {
  test("that is rolled back is told to the operators, in their language", async () => {
    const guarded = await startGuarded("enforce");
    await guarded.authorize(openDatabase);
    await guarded.settle();
    expect(world.openPorts()).toEqual([]);
    expect((await outbox()).map((it) => it.kind)).toEqual(["driftRolledBack"]);
    await tickTelling();
    expect(receiver?.received.map((it) => it.wrong)).toEqual([null]);
    expect(receiver?.received[0]?.json).toMatchObject({
      type: "safeport.driftRolledBack",
      data: {
        title: "[safeport] 漂移已回滚：新增规则",
        facts: { group: "sg-web", change: "added", actor: expect.stringContaining("other") },
      },
    });
    await tickTelling();
    expect(receiver?.received).toHaveLength(1);
    expect(await outbox()).toEqual([]);
  });

  test("that is only observed is told once, however often it is seen", async () => {
    const guarded = await startGuarded("observe");
    await guarded.authorize(openDatabase);
    const records = await guarded.events();
    for (const record of [...records, ...records]) await guarded.deliver(record);
    await world.ticks(70);
    expect(toldTypes()).toEqual(["driftFound"]);
  });

  test("of a granted rule is told to its owner as well", async () => {
    const guarded = await startGuarded("enforce");
    const https = (await guarded.rules()).find((rule) => rule.description === "https");
    if (!https?.id) throw new Error("there is no rule for https");
    await guarded.revoke(https.id);
    await guarded.settle();
    for (let looks = 0; looks < 5 && (await outbox()).length === 0; looks++) {
      await world.advance(400_000);
      await world.run(lookAtGroup(world.process(), world.web, { ...looking(), rows: [], drift: true }));
    }
    const [notice] = await outbox();
    expect(notice?.kind).toBe("driftRolledBack");
    expect(notice?.to).toContainEqual({ kind: "person", principal: "ops" });
  });

  test("rolled back by a pass that dies anywhere is told all the same", async () => {
    let calls = 1;
    for (let at = 1; at <= calls; at += 6) {
      if (at > 1) await world.stop();
      const guarded = await startGuarded("enforce");
      await guarded.authorize(openDatabase);
      const [record] = await guarded.events();
      let made = 0;
      const dies: Interposer = async (_, act) => {
        made += 1;
        if (made >= at) throw new Error("the process is gone");
        return act();
      };
      await guarded.deliver(record, world.process(dies)).catch(() => undefined);
      await guarded.deliver(record);
      await world.ticks(3);
      expect([at, world.openPorts()]).toEqual([at, []]);
      expect([at, new Set(toldTypes())]).toEqual([at, new Set(["driftRolledBack"])]);
      if (made >= at) calls = at + 6;
    }
  });

  test("in a group whose confirmed ledger was lost: people hear that it is only observed", async () => {
    const guarded = await startGuarded("enforce");
    const { tables } = world.process();
    const { entries } = await world.run(listEntries(tables, world.web));
    const [entry] = entries;
    if (!entry) throw new Error("the ledger is empty");
    await tables.delete("ledger", [entry.group.groupId, entry.entryId], { kind: "none" });
    await guarded.authorize(openDatabase);
    await guarded.settle();
    const kinds = (await outbox()).map((it) => it.kind);
    expect(kinds).toContain("guardFellBack");
    expect(kinds.filter((it) => it === "guardFellBack")).toHaveLength(1);
  });
});

describe("a lease past its end that the cloud refuses to close", () => {
  test("is told of from thirty seconds on, once an hour, until it is closed", async () => {
    world = await World.start({ policy: { notifications } });
    const { lease } = await world.open({ periodMs: 60_000 });
    const refused = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
    world.faults([{ service: "ecs", operation: "RevokeSecurityGroup", fault: refused }]);
    await world.advance(60_000);
    await world.sweep();
    expect(await outbox()).toEqual([]);
    await world.advance(31_000);
    await world.sweep();
    const [notice] = await outbox();
    expect(notice).toMatchObject({
      kind: "leaseOverdue",
      data: { lease: lease.request.leaseId, principal: "ann", why: "the cloud refuses to close it" },
    });
    await world.ticks(3);
    expect(toldTypes()).toEqual(["leaseOverdue"]);
    await world.advance(3_600_000);
    await world.ticks(2);
    expect(toldTypes().filter((it) => it === "leaseOverdue")).toHaveLength(2);
    world.faults([]);
    await world.ticks(2);
    expect(world.openPorts()).toEqual([]);
    expect((await world.lease(lease.request.leaseId)).status.state).toBe("closed");
  });

  test("also where the group cannot even be read", async () => {
    world = await World.start({ policy: { notifications } });
    const { lease } = await world.open({ periodMs: 60_000 });
    const refused = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
    world.faults([{ service: "ecs", operation: "DescribeSecurityGroupAttribute", fault: refused }]);
    await world.advance(91_000);
    await world.sweep().catch(() => undefined);
    expect((await outbox()).map((it) => [it.kind, it.data])).toEqual([
      ["leaseOverdue", expect.objectContaining({ lease: lease.request.leaseId })],
    ]);
  });
});
