// A deleted rule is given back its permission in turn with grants of a sensitive port, and by the ledger as it is then.
import { afterEach, describe, expect, it } from "vitest";
import type { Allocation } from "../../../shared/domain/allocation.ts";
import { getEntry } from "../../../shared/store/ledger.ts";
import { acquireLock } from "../../../shared/store/lock.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { changeEntry, freshEntry } from "../../../shared/usecases/ledger/book-holds.ts";
import { retireEntry } from "../../../shared/usecases/ledger/retire-entry.ts";
import { reopenRule, suspendRule } from "../../../shared/usecases/recycling/recycling-ledger.ts";
import { anItem } from "../../kit/recycling.ts";
import { idleSpec, RecyclingWorld } from "../../kit/recycling-world.ts";
import { appWorld, GROUP, START } from "./app-world.ts";
import { specOf } from "./guarded-app.ts";

let one: RecyclingWorld | undefined;
afterEach(async () => one?.world.stop());

/** A deleted item that had a permission for port 22. */
function granted(source: string) {
  const spec = specOf(22, source);
  const { entryId, key } = freshEntry(GROUP, spec);
  const allocation: Allocation = {
    ...{ provenance: "adopted", owner: "ann", application: "", reason: "needed", ticket: "", allowedSources: [] },
    ...{ openHours: null, description: "", by: "root", at: START, seenAt: START },
  };
  return anItem({ group: GROUP, entryId, key, kept: { spec, description: "" }, state: "deleted", allocation });
}

describe("a deleted rule on a sensitive port", () => {
  const lease = { sensitivePorts: [7890] };
  /** It was granted, and is deleted. */
  const deleted = async (): Promise<RecyclingWorld> => {
    one = await RecyclingWorld.start({ policy: { groups: { guards: { web: "enforce" } }, lease } });
    await one.confirm();
    await one.pass(11);
    await one.deleted();
    expect(await isBack(one)).toBe(false);
    return one;
  };
  /** With what was deleted it is open to everybody by the product's measure. */
  const grantOther = (recycling: RecyclingWorld) =>
    allocateRule(
      recycling.world.process(),
      recycling.operator(),
      {
        ...{ group: "web", protocol: "tcp", port: "7890", sources: ["11.0.0.0/8"], priority: 10, policy: "accept" },
        ...{ direction: "ingress", owner: "bob", backup: "", application: "", reason: "needed", ticket: "" },
        ...{ allowedSources: [], openHours: null, sensitiveConfirmed: false },
      },
      { dryRun: false },
    );
  const isBack = async ({ world }: RecyclingWorld): Promise<boolean> => {
    const { entryId } = freshEntry(world.web, idleSpec);
    const entry = await world.run(getEntry(world.process().tables, world.web, entryId));
    return entry?.allocation != null;
  };

  it("is not given back beside what makes it everybody's by now, and says so until that is taken back", async () => {
    const own = await deleted();
    const { entries } = await grantOther(own);
    const { item, settled } = await own.restore();
    expect([settled, item.state, await isBack(own)]).toEqual([false, "deleted", false]);
    expect(item.waiting).toEqual({ for: "person", why: [expect.stringMatching(/everybody reach a sensitive port/)] });
    const { world } = own;
    const entryId = entries[0]?.entryId ?? expect.fail("nothing was granted");
    await world.run(retireEntry(world.process(), own.operator(), "web", entryId, { dryRun: false }));
    await world.ticks(3);
    expect([await own.state(), await isBack(own)]).toEqual(["restored", true]);
  });

  it("counts what is granted right before its turn", async () => {
    const own = await deleted();
    const { world } = own;
    const app = world.process();
    let isOver = false;
    const get: App["tables"]["get"] = async (table, key) => {
      if (table === "lock" && String(key[0]).startsWith("grants:") && !isOver) {
        isOver = true;
        await grantOther(own);
      }
      return app.tables.get(table, key);
    };
    expect((await own.restore({ ...app, tables: { ...app.tables, get } })).settled).toBe(false);
    expect([isOver, await isBack(own)]).toEqual([true, false]);
  });

  it("waits for its turn without a word, and is given back then", async () => {
    const own = await deleted();
    const { world } = own;
    const { tables, clock } = world.process();
    const terms = { holder: "other", lockMs: 8000, marginMs: 0 };
    const turn = await world.run(acquireLock(tables, clock, `grants:${world.web.groupId}`, terms));
    const { item, settled } = await own.restore();
    expect([settled, item.waiting, await isBack(own)]).toEqual([false, null, false]);
    await turn?.release();
    await world.ticks(3);
    expect([await own.state(), await isBack(own)]).toEqual(["restored", true]);
  });

  it("is not given back by who was frozen past the turn", async () => {
    const { app, policy, advance } = await appWorld();
    const put: App["tables"]["put"] = async (table, ...row) => {
      if (table === "ledger") advance(20_000);
      return app.tables.put(table, ...row);
    };
    const frozen = reopenRule({ ...app, tables: { ...app.tables, put } }, granted("10.0.0.0/8"), policy);
    await expect(frozen).rejects.toMatchObject({ code: "GROUP_BUSY" });
  });

  it("that was everybody's by itself had somebody's word, and is given back", async () => {
    const { app, policy } = await appWorld();
    const item = granted("0.0.0.0/0");
    await reopenRule(app, item, policy);
    expect((await getEntry(app.tables, GROUP, item.entryId))?.allocation).toMatchObject({ owner: "ann" });
  });
});

it("asked for again while it is being given back, a deleted rule is closed by no step of that: who asks may die at any", async () => {
  const { app, policy } = await appWorld();
  const item = granted("10.0.0.0/8");
  const suspendedBy = async () => (await getEntry(app.tables, GROUP, item.entryId))?.suspension?.by.length;
  await reopenRule(app, item, policy);
  await changeEntry(app, GROUP, item.entryId, (entry) =>
    entry?.suspension ? { ...entry, suspension: { ...entry.suspension, liftedAt: START } } : null,
  );
  const seen: unknown[] = [await suspendedBy()];
  const put: App["tables"]["put"] = async (...given) => {
    const outcome = await app.tables.put(...given);
    if (given[0] === "ledger") seen.push(await suspendedBy());
    return outcome;
  };
  await reopenRule({ ...app, tables: { ...app.tables, put } }, item, policy);
  expect([seen.length > 1, new Set(seen)]).toEqual([true, new Set([0])]);
  // Nor is forgotten that a pass has begun to give it back.
  expect((await getEntry(app.tables, GROUP, item.entryId))?.suspension?.liftedAt).toBe(START);
});

it("granted anew while it was closed, a rule is let go of to whoever granted it, and as they granted it", async () => {
  const { app, policy } = await appWorld();
  const { allocation, ...item } = granted("10.0.0.0/8");
  const bobs = allocation && { ...allocation, owner: "bob", at: START + 1, seenAt: null };
  const closing = anItem({ ...item, allocation, state: "quarantined" });
  await suspendRule(app, closing);
  await changeEntry(app, GROUP, item.entryId, (entry) => entry && { ...entry, allocation: bobs });
  const step = { to: "restored", by: "olga", why: "needed", at: START, isBegun: true } as const;
  await reopenRule(app, { ...closing, step }, policy);
  const entry = await getEntry(app.tables, GROUP, item.entryId);
  expect([entry?.allocation, entry?.suspension]).toEqual([bobs, null]);
});
