// A lease that is granted on a port in quarantine: somebody answers for the port again, and the quarantine goes.
import { afterEach, describe, expect, it } from "vitest";
import type { EntryId } from "../../../shared/domain/ids.ts";
import { entryIdOf, ruleKey } from "../../../shared/domain/rule-key.ts";
import { getEntry } from "../../../shared/store/ledger.ts";
import { listRecords } from "../../../shared/store/records.ts";
import { getRecyclingItem } from "../../../shared/store/recycling.ts";
import { type LeaseAsk, openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { type AllocationAsk, allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { changeEntry } from "../../../shared/usecases/ledger/book-holds.ts";
import { holdDrops } from "../../../shared/usecases/ledger/hold-drops.ts";
import { DROP, IDLE, idleSpec, RecyclingWorld } from "../../kit/recycling-world.ts";
import { worldSeed } from "../../kit/world.ts";

let one: RecyclingWorld;
afterEach(() => one.world.stop());

const drop = { ...idleSpec, policy: "drop" as const };
const create = { mode: "create", idempotencyKey: null, dryRun: false } as const;

const quarantined = async (options: Parameters<typeof RecyclingWorld.start>[0] = {}): Promise<void> => {
  one = await RecyclingWorld.start(options);
  await one.quarantined();
  expect(await one.state()).toBe("quarantined");
};
const leaseOn = (change: Partial<LeaseAsk> = {}) =>
  one.world.open({ port: "7890", sources: ["10.1.2.3"], ...change }, "ann");

describe("a lease on a port in quarantine", () => {
  it("opens at once, and the item is back with a record and a word to the owner", async () => {
    await quarantined();
    const { lease, settled } = await leaseOn();
    expect([lease.status.state, settled]).toEqual(["open", true]);
    expect(one.rules()).toEqual([IDLE, expect.stringMatching(/^accept \d+ 10\.1\.2\.3\/32 \(ours\)$/)]);
    await one.watch();
    const item = await one.item();
    const why = `the lease ${lease.request.leaseId} was granted on its port`;
    expect([item?.state, item?.step, item?.quarantine]).toEqual(["restored", null, null]);
    expect(item?.history.at(-1)).toMatchObject({ from: "quarantined", to: "restored", by: "ann", why });
    expect((await one.notices()).at(-1)).toBe("recyclingRestored");
    const { records } = await listRecords(one.world.process().tables, { limit: 50, before: null });
    expect(records.filter(({ lines }) => lines.some((line) => line.endsWith(why)))).toHaveLength(1);
    await one.world.pastEnd(lease);
    expect(one.rules()).toEqual([IDLE]);
  });

  it("of the very rule that is quarantined rides on it, and its end removes nothing", async () => {
    await quarantined({ policy: { lease: { priority: 10 } } });
    const { lease } = await leaseOn({ sources: ["10.0.0.0/8"] });
    expect(lease.status).toMatchObject({ state: "open", preExisting: true });
    await one.world.pastEnd(lease);
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  });

  it("opens its own rule alone where somebody else has removed the one that is quarantined, until a person wants that back", async () => {
    await quarantined();
    await one.removeBeside("accept");
    const { lease } = await leaseOn();
    await one.watch();
    expect([await one.state(), one.rules()]).toEqual([
      "deleted",
      [expect.stringMatching(/^accept \d+ 10\.1\.2\.3\/32 \(ours\)$/)],
    ]);
    await one.world.pastEnd(lease);
    expect(one.rules()).toEqual([]);
    await one.restore();
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  });

  it("has the rule back that was just deleted, where whoever did that died before its item said so", async () => {
    await quarantined();
    await one.pass(16);
    const { group, entryId } = await one.queued();
    const { tables } = one.world.process();
    let isDead = false;
    const dying = one.world.process(async (_, act) => {
      if (isDead) throw new Error("died");
      const answer = await act();
      isDead = !one.rules().includes(IDLE) && !(await getEntry(tables, group, entryId))?.suspension;
      return answer;
    });
    await one.recycle(dying).catch(() => undefined);
    expect([await one.state(), one.rules()]).toEqual(["quarantined", [DROP]]);
    const { lease } = await leaseOn();
    await one.world.ticks(2);
    const mine = expect.stringMatching(/^accept \d+ 10\.1\.2\.3\/32 \(ours\)$/);
    expect([lease.status.state, await one.state(), one.rules()]).toEqual(["open", "restored", [IDLE, mine]]);
  });

  it("leaves the quarantine while it waits for a second person, and lifts it at once where somebody breaks the glass", async () => {
    const approval = { ports: ["7890"], count: 1 };
    const breakGlass = { roles: ["operator"], periodMax: 900, justifyWithin: 7200 };
    await quarantined({ policy: { approval, breakGlass } });
    const { world } = one;
    const asked = await leaseOn();
    expect([asked.lease.status.state, await one.state()]).toEqual(["requested", "quarantined"]);
    const ask = world.ask({ port: "7890", sources: ["10.1.2.3"], breakGlass: true, reason: "the shop is down" });
    const urgent = await world.run(openLease(world.process(), world.caller("olga", ["operator"]), ask, create));
    await one.watch();
    expect([urgent.lease.status.state, await one.state(), one.rules().includes(DROP)]).toEqual([
      "open",
      "restored",
      false,
    ]);
    expect((await one.item())?.history.at(-1)?.by).toBe("olga");
  });

  it("is none where a rule is allocated for good: that is told to be opened when the quarantine is over, and is", async () => {
    await quarantined();
    const { world } = one;
    const ask: AllocationAsk = {
      ...{ group: "web", protocol: "tcp", port: "7890", sources: ["10.1.2.3"], policy: "accept", direction: "ingress" },
      ...{ priority: 10, owner: "shop", backup: "", application: "", reason: "a partner's way in", ticket: "" },
      ...{ allowedSources: [], openHours: null, sensitiveConfirmed: false },
    };
    const allocate = (dryRun: boolean) =>
      world.run(allocateRule(world.process(), world.caller("root", ["admin"]), ask, { dryRun }));
    const notes = [
      expect.stringMatching(/^The drop sgr-\w+ \(priority 10\) takes its traffic: it is opened when that is gone/),
    ];
    expect((await allocate(true)).notes).toEqual(notes);
    expect((await allocate(false)).notes).toEqual(notes);
    await world.ticks(2);
    expect(one.rules()).toEqual([IDLE, DROP]);
    await one.restore();
    await world.ticks(2);
    expect(one.rules()).toEqual(["accept 10 10.1.2.3/32 safeport ledger: a partner's way in", IDLE].sort());
    expect((await allocate(true)).notes).toEqual([]);
  });

  it("is told of by a dry run, which changes nothing", async () => {
    await quarantined({ policy: { lease: { priority: 50 } } });
    const { world } = one;
    const ask = world.ask({ port: "7890", sources: ["10.1.2.3"] });
    const answer = await world.run(openLease(world.process(), world.caller(), ask, { ...create, dryRun: true }));
    expect(answer.plan).toContain(`lift the quarantine ${one.itemId}`);
    expect([await one.state(), one.rules()]).toEqual(["quarantined", [IDLE, DROP]]);
  });

  it("through a drop of another group of the host lifts that one as well", async () => {
    await quarantined({
      seed: {
        ...worldSeed,
        instances: worldSeed.instances.map((it) =>
          it.instanceId === "i-web-1" ? { ...it, groupIds: ["sg-web", "sg-app"] } : it,
        ),
      },
      policy: { lease: { priority: 50 } },
    });
    const { lease, settled } = await leaseOn({ group: "app" });
    expect([lease.status.state, settled, one.rules()]).toEqual(["open", true, [IDLE]]);
    await one.world.ticks(2);
    expect(await one.state()).toBe("restored");
  });

  it("waits where the cloud does not let the drop go, and is not said to be open", async () => {
    await quarantined({ policy: { lease: { priority: 50 } } });
    const fault = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
    one.world.faults([{ service: "ecs", operation: "RevokeSecurityGroup", fault }]);
    const { lease, settled } = await leaseOn();
    expect([lease.status.state, settled]).toEqual(["opening", false]);
    one.world.faults([]);
    await one.world.ticks(2);
    expect([(await one.world.lease(lease.request.leaseId)).status.state, await one.state()]).toEqual([
      "open",
      "restored",
    ]);
  });

  it("that opens when a quarantine is decided keeps that from being written", async () => {
    one = await RecyclingWorld.start({ policy: { lease: { priority: 50 } } });
    const { world } = one;
    await one.recycle();
    await one.pass(8);
    const states: string[] = [];
    const app = world.process(async (call, act) => {
      const answer = await act();
      if (call.name === "put recycling" && states.length === 0) {
        states.push("asked");
        const ask = world.ask({ port: "7890", sources: ["10.1.2.3"], periodMs: 3_600_000 });
        states.push((await openLease(world.process(), world.caller(), ask, create)).lease.status.state);
      }
      return answer;
    });
    await one.recycle(app);
    await world.ticks(2);
    expect([states[1], await one.state(), (await one.item())?.step]).toEqual(["open", "noticed", null]);
    expect(one.rules()).toEqual([IDLE, expect.stringMatching(/^accept 50 10\.1\.2\.3\/32 \(ours\)$/)]);
  });

  it("that is granted while the drop is on its way keeps it away", async () => {
    one = await RecyclingWorld.start({ policy: { lease: { priority: 50 } } });
    const { world } = one;
    await one.recycle();
    await one.pass(8);
    let isLeased = false;
    const app = world.process(async (call, act) => {
      const isWriting = call.name === "ecs AuthorizeSecurityGroup" && !isLeased;
      const item = isWriting ? await getRecyclingItem(world.process().tables, one.itemId) : null;
      if (item?.step?.to === "quarantined") {
        isLeased = true;
        const answer = await openLease(
          world.process(),
          world.caller(),
          world.ask({ port: "7890", sources: ["10.1.2.3"] }),
          create,
        );
        expect(answer.lease.status.state).toBe("opening");
      }
      return act();
    });
    await one.recycle(app);
    await world.ticks(3);

    expect([await one.state(), one.rules()]).toEqual([
      "restored",
      [IDLE, expect.stringMatching(/^accept 50 10\.1\.2\.3\/32 \(ours\)$/)],
    ]);
  });
});

it("a lockdown that holds the same drop keeps it: the lease is refused and the quarantine stays", async () => {
  await quarantined({ policy: { lease: { priority: 50 } } });
  const { world } = one;
  const ask = { kind: "lockdown", holderId: "ld-1", principal: "ann", reason: "incident" } as const;
  await world.run(holdDrops(world.process(), world.web, { ...ask, until: world.clock.now() + 3_600_000 }, [drop]));
  await world.ticks(2);
  await expect(leaseOn()).rejects.toMatchObject({ code: "LEASE_SHADOWED" });
  expect([await one.state(), one.rules()]).toEqual(["quarantined", [IDLE, DROP]]);
});

it("a drop whose item nobody can find goes all the same", async () => {
  await quarantined({ policy: { lease: { priority: 50 } } });
  const { world } = one;
  const entryId = entryIdOf(world.web.groupId, ruleKey(drop)) as EntryId;
  await world.run(
    changeEntry(world.process(), world.web, entryId, (entry) => {
      if (!entry) return null;
      const holders = entry.holders.map((it) => (it.kind === "lease" ? it : { ...it, holderId: "rc-lost.sg-web" }));
      return { ...entry, holders };
    }),
  );
  const { lease } = await leaseOn();
  expect([lease.status.state, one.rules().includes(DROP)]).toEqual(["open", false]);
});
