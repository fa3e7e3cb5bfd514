// What a call came to is written down before the pass does anything else, also where the store and the cloud fail together.
import { expect, test } from "vitest";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { StoreFailure, type Tables } from "../../../shared/ports/tables.ts";
import { acquireLock } from "../../../shared/store/lock.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { PassCalls } from "../../../shared/usecases/pass/pass-calls.ts";
import { PassIntents } from "../../../shared/usecases/pass/pass-intents.ts";
import { ruleId } from "../../kit/plan-pictures.ts";
import { appWorld, GROUP } from "./app-world.ts";

test("a lost reply, a lost lock and a store that is away leave no failure that nobody awaits", async () => {
  const { app, advance, policy } = await appWorld();
  const { lockMs, lockMarginMs: marginMs } = app.settings;
  const lock = await acquireLock(app.tables, app.clock, GROUP.groupId, { holder: "a", lockMs, marginMs });
  if (lock === null) throw new Error("the lock is taken");
  let isAway = false;
  let underWay = 0;
  const together: number[] = [];
  const writeAll: Tables["writeAll"] = async (writes) => {
    if (!isAway) return app.tables.writeAll(writes);
    together.push(++underWay);
    await new Promise((resolve) => setImmediate(resolve));
    underWay -= 1;
    throw new StoreFailure("unavailable", "away");
  };
  const revoke = async (): Promise<void> => {
    advance(lockMs);
    isAway = true;
    throw new CloudFailure("unknown", "RevokeSecurityGroup");
  };
  const frozen: App = {
    ...app,
    firewall: { ...app.firewall, revoke },
    tables: { ...app.tables, writeAll },
  };
  const calls = new PassCalls(frozen, new PassIntents(frozen, GROUP, lock, []), {
    ...{ group: GROUP, lock, priority: "end", limits: policy.limits },
    ...{ ruleOf: () => null, rulesOfOurs: () => 1, say: () => undefined },
  });
  const end = { kind: "revoke", entryId: null, ruleId: ruleId("a"), seen: true, cause: "its end" } as const;
  await expect(calls.perform([end])).rejects.toThrow(StoreFailure);
  expect(together).toEqual([1, 1]);
});

test("what an old reading does not show is not gone by a revoke that got no answer", async () => {
  const { app, policy } = await appWorld();
  const { lockMs, lockMarginMs: marginMs } = app.settings;
  const lock = await acquireLock(app.tables, app.clock, GROUP.groupId, { holder: "a", lockMs, marginMs });
  if (lock === null) throw new Error("the lock is taken");
  const revoke = (): Promise<void> => Promise.reject(new CloudFailure("unknown", "RevokeSecurityGroup"));
  const mute: App = { ...app, firewall: { ...app.firewall, revoke } };
  const calls = new PassCalls(mute, new PassIntents(mute, GROUP, lock, []), {
    ...{ group: GROUP, lock, priority: "end", limits: policy.limits },
    ...{ ruleOf: () => null, rulesOfOurs: () => 1, say: () => undefined },
  });
  await calls.perform([{ kind: "revoke", entryId: null, ruleId: ruleId("a"), seen: false, cause: "its end" }]);
  expect(calls.revoked).toEqual(new Set());
});
