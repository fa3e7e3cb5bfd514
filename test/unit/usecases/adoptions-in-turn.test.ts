// What a pass adopts, and what a person claims, on a sensitive port while somebody else grants it: in turn, and by the ledger as it is.
import { describe, expect, test } from "vitest";
import type { Policy } from "../../../shared/domain/policy.ts";
import { sensitiveOpenings } from "../../../shared/domain/sensitive-openings.ts";
import type { Sighting } from "../../../shared/domain/sighting.ts";
import { readDue } from "../../../shared/store/due.ts";
import { listEntries } from "../../../shared/store/ledger.ts";
import { acquireLock, type Lock } from "../../../shared/store/lock.ts";
import { listRecords } from "../../../shared/store/records.ts";
import { addSighting, getSighting } from "../../../shared/store/sightings.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { anActor, aSighting, terraform } from "../../kit/drift-pictures.ts";
import { anAsk, GROUP, START } from "./app-world.ts";
import { type GuardedApp, guardedApp, ruleOf, specOf } from "./guarded-app.ts";

const HALVES = ["1.0.0.0/8", "2.0.0.0/8"] as const;

const grantOther = ({ app, caller }: GuardedApp) =>
  allocateRule(
    app,
    caller("operator"),
    {
      ...{ group: "web", protocol: "tcp", port: "22", sources: [HALVES[1]], priority: 1 },
      ...{ policy: "accept", direction: "ingress", owner: "ann", backup: "", application: "", reason: "needed" },
      ...{ ticket: "", allowedSources: [], openHours: null, sensitiveConfirmed: false },
    },
    { dryRun: false },
  );

const trusting = ({ caller }: GuardedApp): Policy => ({
  ...caller("admin").policy,
  trustedPrincipals: [{ principal: "terraform", treat: "adopt" }],
});

/** A pass that compares, by a process of its own. */
const look = (guarded: GuardedApp, app: App = guarded.app) =>
  lookAtGroup(app, GROUP, {
    ...{ cause: "test", actor: "test", policy: trusting(guarded), deadlineAt: app.clock.monotonicMs() + 60_000 },
    ...{ priority: "drift", rows: [], drift: true },
  });

/** The app, and what happens before it asks for the turn. */
function beforeItsTurn(app: App, happens: () => Promise<unknown>): App {
  let isOver = false;
  return {
    ...app,
    tables: {
      ...app.tables,
      get: async (table, key) => {
        if (table === "lock" && key[0] === `grants:${GROUP.groupId}` && !isOver) {
          isOver = true;
          await happens();
        }
        return app.tables.get(table, key);
      },
    },
  };
}

async function takeTurn({ app: { tables, clock } }: GuardedApp): Promise<Lock> {
  const options = { holder: "other", lockMs: 8000, marginMs: 0 };
  return (await acquireLock(tables, clock, `grants:${GROUP.groupId}`, options)) ?? expect.fail("it is taken");
}

const looksAfter = async ({ app }: GuardedApp) =>
  (await readDue(app.tables, 0, START + 86_400_000, 100)).due.filter(
    ({ at, kind }) => kind === "drift" && at > app.clock.now(),
  );
const granted = async ({ app }: GuardedApp) =>
  (await listEntries(app.tables, GROUP)).entries.flatMap(({ allocation, spec }) => (allocation ? [spec] : []));
const isWide = async (guarded: GuardedApp) =>
  sensitiveOpenings(await granted(guarded), [], guarded.caller("admin").policy.lease.sensitivePorts).length > 0;
const told = async ({ app }: GuardedApp) =>
  JSON.stringify((await listRecords(app.tables, { limit: 100, before: null })).records);
const states = async ({ drift }: GuardedApp) =>
  (await drift()).items.map(({ state, verdict }) => [state, verdict.kind]);

describe("what a pass adopts of a trusted principal", () => {
  /** One half of the world, opened by Terraform. */
  async function opened(): Promise<GuardedApp> {
    const guarded = await guardedApp("observe", [ruleOf(443)]);
    await guarded.confirm();
    guarded.world.advance(60_000);
    const at = guarded.app.clock.now();
    guarded.world.rules.push(ruleOf(22, HALVES[0], { createdAt: at }));
    const call = { actor: terraform, specs: [specOf(22, HALVES[0])], at, receivedAt: at, settled: true };
    await addSighting(guarded.app.tables, aSighting(call));
    return guarded;
  }

  test("is adopted where nobody else grants", async () => {
    const guarded = await opened();
    await look(guarded);
    expect(await states(guarded)).toEqual([["adopted", "trusted"]]);
  });

  test("waits while somebody else has the turn, is looked at again soon, and is adopted then", async () => {
    const guarded = await opened();
    const turn = await takeTurn(guarded);
    await look(guarded);
    expect([await states(guarded), (await granted(guarded)).length]).toEqual([[], 1]);
    expect(await looksAfter(guarded)).toContainEqual(expect.objectContaining({ at: guarded.app.clock.now() + 10_000 }));
    await turn.release();
    await look(guarded);
    expect(await states(guarded)).toEqual([["adopted", "trusted"]]);
  });

  test("is a ticket where the other half was granted since the pass read the ledger", async () => {
    const guarded = await opened();
    await look(
      guarded,
      beforeItsTurn(guarded.app, () => grantOther(guarded)),
    );
    expect(await states(guarded)).toEqual([["reported", "trusted"]]);
    expect(await isWide(guarded)).toBe(false);
  });

  test("is not adopted by who was frozen past the turn", async () => {
    const guarded = await opened();
    const { tables } = guarded.app;
    let isFrozen = false;
    const frozen: App = {
      ...guarded.app,
      tables: {
        ...tables,
        writeAll: async (writes) => {
          if (!isFrozen && writes.some(({ table }) => table === "due")) {
            isFrozen = true;
            guarded.world.advance(20_000);
            await grantOther(guarded);
          }
          return tables.writeAll(writes);
        },
      },
    };
    await look(guarded, frozen);
    expect(isFrozen).toBe(true);
    expect(await isWide(guarded)).toBe(false);
  });
});

describe.each(["none", "observe"] as const)("what a person claims in a group of guard %s", (guard) => {
  const claimed = specOf(22, HALVES[0]);

  /** Somebody has authorized what a lease holds. */
  async function held(): Promise<{ readonly guarded: GuardedApp; readonly sighting: Sighting }> {
    const guarded = await guardedApp(guard, [ruleOf(443)]);
    if (guard !== "none") await guarded.confirm();
    const { world, app } = guarded;
    const caller = guarded.caller("requester");
    const { policy } = caller;
    const wide = { ...caller, policy: { ...policy, lease: { ...policy.lease, sourceWidthMax: { v4: 8, v6: 32 } } } };
    await openLease(app, wide, anAsk({ sources: [HALVES[0]] }), {
      mode: "create",
      idempotencyKey: null,
      dryRun: false,
    });
    world.advance(60_000);
    const at = app.clock.now();
    const priority = world.rules.find((rule) => rule.description.startsWith("safeport"))?.priority ?? claimed.priority;
    const sighting = aSighting({ specs: [{ ...claimed, priority }], at, receivedAt: at, actor: anActor() });
    await addSighting(app.tables, sighting);
    return { guarded, sighting };
  }
  const isSettled = async ({ app }: GuardedApp, sighting: Sighting) =>
    (await getSighting(app.tables, sighting))?.settled;

  test("is theirs where nobody else grants", async () => {
    const { guarded, sighting } = await held();
    await look(guarded);
    expect(await isSettled(guarded, sighting)).toBe(true);
    expect(await told(guarded)).toContain("the rule is theirs now");
  });

  test("asks again while somebody else has the turn", async () => {
    const { guarded, sighting } = await held();
    const turn = await takeTurn(guarded);
    await look(guarded);
    expect(await isSettled(guarded, sighting)).toBe(false);
    expect(await told(guarded)).not.toContain("authorized what");
    expect((await looksAfter(guarded)).some(({ at }) => at <= guarded.app.clock.now() + 5000)).toBe(true);
    await turn.release();
    await look(guarded);
    expect(await told(guarded)).toContain("the rule is theirs now");
  });

  test.each([
    ["before", async (guarded: GuardedApp) => void (await grantOther(guarded)), (guarded: GuardedApp) => guarded.app],
    [
      "right before its turn",
      async () => undefined,
      (guarded: GuardedApp) => beforeItsTurn(guarded.app, () => grantOther(guarded)),
    ],
  ] as const)(
    "is nobody's where the other half was granted %s: it goes with the lease, and is told",
    async (_when, first, process) => {
      const { guarded, sighting } = await held();
      await first(guarded);
      await look(guarded, process(guarded));
      expect(await isSettled(guarded, sighting)).toBe(true);
      expect(await isWide(guarded)).toBe(false);
      expect(await told(guarded)).toContain("everybody could reach a sensitive port by it");
      guarded.world.advance(3_600_000);
      await look(guarded);
      await look(guarded);
      expect(
        guarded.world.rules.some(({ peer }) => JSON.stringify(peer, bigints) === JSON.stringify(claimed.peer, bigints)),
      ).toBe(false);
    },
  );
});

const bigints = (_key: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}` : value);
