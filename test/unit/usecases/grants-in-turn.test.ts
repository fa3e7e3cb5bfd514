// Two blocks that together are the world, granted on one sensitive port at one instant: whoever comes second is asked for an administrator.
import { describe, expect, test } from "vitest";
import type { RuleSpec } from "../../../shared/domain/rule.ts";
import { sensitiveOpenings } from "../../../shared/domain/sensitive-openings.ts";
import { sensitiveOf } from "../../../shared/plan/baseline-diff.ts";
import { acquireLock } from "../../../shared/store/lock.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { decideDrift } from "../../../shared/usecases/drift/decide-drift.ts";
import { shownDriftId } from "../../../shared/usecases/drift/drift-id.ts";
import { type AllocationAsk, allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { confirmBaseline, previewBaseline } from "../../../shared/usecases/ledger/confirm-baseline.ts";
import { listLedger } from "../../../shared/usecases/ledger/list-ledger.ts";
import { GROUP } from "./app-world.ts";
import { type GuardedApp, guardedApp, ruleOf } from "./guarded-app.ts";

const aGrant = (source: string, changes: Partial<AllocationAsk> = {}): AllocationAsk => ({
  ...{ group: "web", protocol: "tcp", port: "22", sources: [source], priority: 1 },
  ...({ policy: "accept", direction: "ingress" } as const),
  ...{ owner: "ann", backup: "", application: "", reason: "needed", ticket: "", allowedSources: [] },
  ...{ openHours: null, sensitiveConfirmed: false },
  ...changes,
});
const grant = (guarded: GuardedApp, source: string, changes: Partial<AllocationAsk> = {}, app: App = guarded.app) =>
  allocateRule(app, guarded.caller("operator"), aGrant(source, changes), { dryRun: false });

/** Granted rules, and whether they open a sensitive port to everybody all together. */
async function granted(
  guarded: GuardedApp,
): Promise<{ readonly specs: readonly RuleSpec[]; readonly isWide: boolean }> {
  const caller = guarded.caller("auditor");
  const { entries } = await listLedger(guarded.app, caller, { limit: 100, cursor: null });
  const specs = entries.flatMap(({ allocation, spec }) => (allocation ? [spec] : []));
  return { specs, isWide: sensitiveOpenings(specs, [], caller.policy.lease.sensitivePorts).length > 0 };
}

const refused = expect.objectContaining({
  status: "rejected",
  reason: expect.objectContaining({ code: "SENSITIVE_UNCONFIRMED" }),
});

describe("two blocks at one instant", () => {
  test.each(["none", "observe", "enforce"] as const)("by two grants: one is given, under guard %s", async (guard) => {
    const guarded = await guardedApp(guard, [ruleOf(443)]);
    if (guard !== "none") await guarded.confirm();
    const answers = await Promise.allSettled([grant(guarded, "1.0.0.0/8"), grant(guarded, "2.0.0.0/8")]);
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(answers).toContainEqual(refused);
    expect(await granted(guarded)).toMatchObject({ isWide: false });
  });

  test("by a grant and by what somebody accepts of drift", async () => {
    const guarded = await guardedApp("observe", [ruleOf(443)]);
    await guarded.confirm();
    guarded.world.rules.push(ruleOf(22, "1.0.0.0/8"));
    await guarded.look();
    const [item] = (await guarded.drift()).items;
    if (!item) expect.fail("nothing drifted");
    const word = { owner: "ann", reason: "needed", ticket: "", sensitiveConfirmed: false };
    const answers = await Promise.allSettled([
      decideDrift(guarded.app, guarded.caller("operator"), shownDriftId(item), "adopt", word, { dryRun: false }),
      grant(guarded, "2.0.0.0/8"),
    ]);
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(answers).toContainEqual(refused);
    expect(await granted(guarded)).toMatchObject({ isWide: false });
  });

  test("by a grant and by a baseline", async () => {
    const guarded = await guardedApp("observe", [ruleOf(22, "1.0.0.0/8")]);
    const admin = guarded.caller("admin");
    const from = { from: "rules", template: "" } as const;
    const { diff } = await previewBaseline(guarded.app, admin, "web", from);
    const sensitive = sensitiveOf(diff).map(({ key }) => key);
    const word = { ...from, digest: diff.digest, owner: "ops", reason: "as it was", sensitive };
    const answers = await Promise.allSettled([
      confirmBaseline(guarded.app, admin, "web", word, { dryRun: false }),
      grant(guarded, "2.0.0.0/8"),
    ]);
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await granted(guarded)).toMatchObject({ isWide: false });
  });

  test("of which one was frozen past its turn: it grants nothing, and later is judged anew", async () => {
    const guarded = await guardedApp("none", []);
    let isFrozen = false;
    const frozen: App = {
      ...guarded.app,
      tables: {
        ...guarded.app.tables,
        // After the check in turn, before anything is written.
        writeAll: async (writes) => {
          if (!isFrozen) {
            isFrozen = true;
            guarded.world.advance(120_000);
            await grant(guarded, "2.0.0.0/8");
          }
          return guarded.app.tables.writeAll(writes);
        },
      },
    };
    await expect(grant(guarded, "1.0.0.0/8", {}, frozen)).rejects.toMatchObject({ code: "GROUP_BUSY" });
    await expect(grant(guarded, "1.0.0.0/8")).rejects.toMatchObject({ code: "SENSITIVE_UNCONFIRMED" });
    expect((await granted(guarded)).specs).toHaveLength(1);
  });
});

const turnTaken = async ({ app: { tables, clock } }: GuardedApp, lockMs: number) =>
  acquireLock(tables, clock, `grants:${GROUP.groupId}`, { holder: "other", lockMs, marginMs: 0 });

test("a turn of somebody who died is over within seconds", async () => {
  const guarded = await guardedApp("none", []);
  await turnTaken(guarded, 8000);
  await grant(guarded, "1.0.0.0/8");
  expect((await granted(guarded)).specs).toHaveLength(1);
});

test("a turn that does not come is told; whoever opens no sensitive port waits for none", async () => {
  const guarded = await guardedApp("none", []);
  await turnTaken(guarded, 60_000);
  await expect(grant(guarded, "1.0.0.0/8")).rejects.toMatchObject({ code: "GROUP_BUSY" });
  const before = guarded.app.clock.now();
  await grant(guarded, "203.0.113.7", { port: "8080" });
  await grant(guarded, "203.0.113.7", { port: "22", policy: "drop" });
  expect([guarded.app.clock.now(), (await granted(guarded)).specs.length]).toEqual([before, 2]);
});
