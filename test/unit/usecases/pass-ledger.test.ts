// Between two readings of its group a pass goes on by the ledger as it has read it, but not by one that something has been entered into.
import { expect, test } from "vitest";
import { formatMark } from "../../../shared/domain/mark.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { entryIdOf, ruleKey } from "../../../shared/domain/rule-key.ts";
import { StoreFailure } from "../../../shared/ports/tables.ts";
import { listHistory } from "../../../shared/store/history.ts";
import { listLeases } from "../../../shared/store/leases.ts";
import { listEntries } from "../../../shared/store/ledger.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { type AllocationAsk, allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import type { PassOptions } from "../../../shared/usecases/pass/pass-report.ts";
import { type AppWorld, anAsk, appWorld, GROUP, START } from "./app-world.ts";
import { guardedApp, ruleOf, specOf } from "./guarded-app.ts";

const look = (app: App, policy: AppWorld["policy"], changes: Partial<PassOptions> = {}) =>
  lookAtGroup(app, GROUP, {
    ...{ cause: "test", actor: "test", policy, priority: "end", rows: [], ...changes },
    deadlineAt: app.clock.monotonicMs() + 45_000,
  });

/** The app, with whose first revoke something else happens. */
function withRevoke(app: App, happens: () => unknown): App {
  let isFirst = true;
  const revoke: App["firewall"]["revoke"] = async (...words) => {
    await app.firewall.revoke(...words);
    if (isFirst) await happens();
    isFirst = false;
  };
  return { ...app, firewall: { ...app.firewall, revoke } };
}

const once = { mode: "create", idempotencyKey: null, dryRun: false } as const;

const MARK_MS = 5_000;
const DAY_MS = 86_400_000;

const A_GRANT: AllocationAsk = {
  ...{ group: "web", protocol: "tcp", port: "8080", sources: ["203.0.113.7"], policy: "accept", direction: "ingress" },
  ...{ priority: 1, owner: "ann", application: "", reason: "the shop", ticket: "", allowedSources: [] },
  ...{ openHours: null, sensitiveConfirmed: false },
};

/** A rule with a mark of ours. */
function marked(app: App, port: number, until: number, policy: Rule["policy"] = "accept"): Rule {
  const { installation, markSecret: secret } = app.settings;
  const [{ groupId }, key] = [GROUP, ruleKey({ ...specOf(port), policy })];
  const content = { installation, entryId: entryIdOf(groupId, key), until, reason: "", groupId, key, secret };
  return ruleOf(port, undefined, { policy, description: formatMark(content) });
}

test("what has left the ledger by one reading is not told to the history again by the next", async () => {
  const world = await appWorld();
  const { app, tables, policy } = world;
  await openLease(app, world.caller(), anAsk(), once);
  world.advance(anAsk().periodMs);
  const writeAll: App["tables"]["writeAll"] = (writes) =>
    writes.some(({ table }) => table === "history")
      ? Promise.reject(new StoreFailure("unavailable", "away"))
      : tables.writeAll(writes);
  await expect(look({ ...app, tables: { ...tables, writeAll } }, policy)).rejects.toThrow("away");
  const [closed] = (await listEntries(tables, GROUP)).entries;
  if (closed?.standing.kind !== "none") throw new Error("nothing waits for the history");
  await openLease(app, world.caller(), anAsk({ port: "3306" }), once);
  expect(await listHistory(tables, GROUP, closed.entryId, 10)).toHaveLength(1);
});

test("a lease that was booked again from its mark is ended by the same pass where its end comes meanwhile", async () => {
  const world = await appWorld();
  const { app, policy, tables } = world;
  world.rules.push(marked(app, 8080, START - 1), marked(app, 8081, START + MARK_MS));
  await look(
    withRevoke(app, () => world.advance(MARK_MS)),
    policy,
    { stateKnown: false },
  );
  expect(world.rules).toEqual([]);
  const { leases } = await listLeases(tables, { limit: 10, before: null });
  expect(leases.map(({ status }) => status.state)).toEqual(["closed"]);
});

test("what somebody is granted while a pass compares, and closes something else, is no difference", async () => {
  const { app, world, caller, ports, drift } = await guardedApp("observe", []);
  world.rules.push(marked(app, 8081, START - 1));
  const grant = async () => {
    world.rules.push(ruleOf(8080));
    await allocateRule(app, caller("operator"), A_GRANT, { dryRun: false });
  };
  await look(withRevoke(app, grant), caller("admin").policy, { drift: true });
  expect(ports()).toEqual([8080]);
  expect((await drift()).items).toEqual([]);
});

test("a drop that was lifted while its rule was read and not yet booked again from its mark is not written again", async () => {
  const world = await appWorld();
  const { app, policy, tables, rules } = world;
  rules.push(marked(app, 8080, START + DAY_MS, "drop"));
  const range: App["tables"]["range"] = (words) => {
    // Whoever came while this process was frozen has removed the drop, and its entry.
    if (words.table === "ledger") rules.length = 0;
    return tables.range(words);
  };
  const frozen = { ...app, tables: { ...tables, range } };
  expect((await look(frozen, policy, { stateKnown: false }))?.recovered).toBe(1);
  for (let tries = 0; tries < 3; tries++) {
    await look(app, policy);
    expect(rules).toEqual([]);
    world.advance(app.settings.lateEffectMaxMs);
  }
  expect((await listEntries(tables, GROUP)).entries).toEqual([]);
});
