// Who is frozen before any write of a change to the ledger, while somebody else has looked at the group: it is looked at once more.
import { expect, test } from "vitest";
import type { LeaseId } from "../../../shared/domain/ids.ts";
import { dueDelete, readDue } from "../../../shared/store/due.ts";
import { getGroupRow, saveGroupRow } from "../../../shared/store/group-rows.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { endLease } from "../../../shared/usecases/lease/end-lease.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { NET_AFTER_MS } from "../../../shared/usecases/ledger/book-holds.ts";
import { lowerTagGuard } from "../../../shared/usecases/ledger/confirm-guard.ts";
import { holdAccepts, holdDrops } from "../../../shared/usecases/ledger/hold-drops.ts";
import { releaseAccepts, releaseDrops } from "../../../shared/usecases/ledger/release-drops.ts";
import { resumeRules } from "../../../shared/usecases/ledger/resume-rules.ts";
import { suspendRules } from "../../../shared/usecases/ledger/suspend-rules.ts";
import { holdDrop, renewDrop, reopenRule } from "../../../shared/usecases/recycling/recycling-ledger.ts";
import { anItem, aQuarantine } from "../../kit/recycling.ts";
import { aSpec, somePorts } from "../../kit/rules.ts";
import { type AppWorld, anAsk, appWorld, GROUP, START } from "./app-world.ts";
import { frozenAt } from "./frozen-app.ts";

const DAY_MS = 86_400_000;
const accepts = [22, 80].map((port) => aSpec({ ports: somePorts(`${port}/${port}`) }));
const drops = accepts.map((spec) => ({ ...spec, policy: "drop" as const }));
const until = START + 10 * DAY_MS;
const lockdown = { kind: "lockdown", holderId: "ld-1", principal: "ann", reason: "incident", until } as const;
const suspender = { kind: "lockdown", itemId: "ld-1", principal: "ann", reason: "incident", until } as const;
const item = anItem({ group: GROUP, state: "quarantined", quarantine: aQuarantine() });
const deleted = anItem({
  ...{ group: GROUP, state: "deleted" },
  allocation: {
    ...{ provenance: "adopted", owner: "ann", application: "", reason: "needed", ticket: "", allowedSources: [] },
    ...{ openHours: null, description: "", by: "root", at: START, seenAt: START },
  },
});

interface Change {
  readonly before?: (world: AppWorld) => Promise<unknown>;
  readonly change: (app: App, world: AppWorld, before: unknown) => Promise<unknown>;
}

const changes: Readonly<Record<string, Change>> = {
  "holds drops": { change: (app) => holdDrops(app, GROUP, lockdown, drops) },
  "holds drops that somebody holds already": {
    before: ({ app }) => holdDrops(app, GROUP, { ...lockdown, holderId: "ld-0" }, drops),
    change: (app) => holdDrops(app, GROUP, lockdown, drops),
  },
  "holds accepts": { change: (app) => holdAccepts(app, GROUP, lockdown, accepts) },
  "releases drops": {
    before: ({ app }) => holdDrops(app, GROUP, lockdown, drops),
    change: (app) => releaseDrops(app, GROUP, "ld-1", "over"),
  },
  "releases accepts": {
    before: ({ app }) => holdAccepts(app, GROUP, lockdown, accepts),
    change: (app) => releaseAccepts(app, GROUP, "ld-1", "over"),
  },
  "suspends rules": { change: (app) => suspendRules(app, GROUP, suspender, accepts) },
  "resumes rules": {
    before: ({ app }) => suspendRules(app, GROUP, suspender, accepts),
    change: (app) => resumeRules(app, GROUP, "ld-1"),
  },
  "renews a drop": {
    before: async ({ app, advance }) => {
      await holdDrop(app, item, "ann");
      advance(20 * DAY_MS);
    },
    change: (app) => renewDrop(app, item),
  },
  "reopens a rule": { change: (app, { policy }) => reopenRule(app, item, policy) },
  "reopens a rule that was granted": { change: (app, { policy }) => reopenRule(app, deleted, policy) },
  "lowers a guard": {
    before: async ({ app }) =>
      saveGroupRow(app.tables, { ...(await getGroupRow(app.tables, GROUP)), tagGuard: "observe" }),
    change: (app) => lowerTagGuard(app, GROUP, "none"),
  },
  "ends a lease and dies": {
    before: async ({ app, caller }) => {
      const ask = anAsk({ periodMs: 3_600_000 });
      const { lease } = await openLease(app, caller(), ask, { mode: "create", idempotencyKey: null, dryRun: false });
      return lease.request.leaseId;
    },
    change: (app, { caller }, leaseId) =>
      expect(endLease(dyingBeforeItsPass(app), caller(), leaseId as LeaseId, { dryRun: false })).rejects.toThrow(
        "died",
      ),
  },
};

/** The app, but the process dies when it takes the group's lock. */
function dyingBeforeItsPass(app: App): App {
  const { put } = app.tables;
  const died = () => Promise.reject(new Error("died"));
  return {
    ...app,
    tables: { ...app.tables, put: (table, ...row) => (table === "lock" ? died() : put(table, ...row)) },
  };
}

const dueOf = async (app: App) => (await readDue(app.tables, 0, START + 400 * DAY_MS, 1000)).due;

/** The sweep has done all that was due, after a minute. */
async function othersGoOn({ app, advance }: AppWorld): Promise<void> {
  advance(60_000);
  const over = (await dueOf(app)).filter(({ at }) => at <= app.clock.now());
  await app.tables.writeAll(over.map(dueDelete));
}

test.each(Object.entries(changes))(
  "whoever %s has the group looked at afterwards",
  async (_what, { before, change }) => {
    let isFrozen = true;
    for (let nth = 0; isFrozen; nth++) {
      const world = await appWorld();
      const made = await before?.(world);
      await othersGoOn(world);
      isFrozen = false;
      const freeze = async (): Promise<void> => {
        isFrozen = true;
        await othersGoOn(world);
      };
      await change(frozenAt(world.app, nth, freeze), world, made);
      const now = world.app.clock.now();
      const looks = (await dueOf(world.app)).filter(({ at }) => at > now && at <= now + NET_AFTER_MS);
      expect(
        looks.map(({ groupId }) => groupId),
        `frozen before the write ${nth}`,
      ).toContain(GROUP.groupId);
    }
  },
);
