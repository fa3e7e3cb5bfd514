// What an opening asks of the tables: each row no more often than somebody else may have changed it.
import { expect, test } from "vitest";
import type { Tables } from "../../../shared/ports/tables.ts";
import { listEntries, saveEntry } from "../../../shared/store/ledger.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { type AppWorld, anAsk, appWorld, GROUP } from "./app-world.ts";

const once = { mode: "create", idempotencyKey: null, dryRun: false } as const;

/** A process of the world whose calls to the tables are noted, as `range ledger`. */
function watched(world: AppWorld): { readonly app: App; readonly calls: string[] } {
  const calls: string[] = [];
  const { tables } = world;
  const noted: Tables = {
    ...tables,
    get: (table, key) => {
      calls.push(`get ${table}`);
      return tables.get(table, key);
    },
    range: (query) => {
      calls.push(`range ${query.table}`);
      return tables.range(query);
    },
  };
  return { app: { ...world.app, tables: noted }, calls };
}

test("the ledger is read once for an opening that its pass has to itself", async () => {
  const world = await appWorld();
  const { app, calls } = watched(world);
  const { lease } = await openLease(app, world.caller(), anAsk(), once);
  expect(lease.status.state).toBe("open");
  expect(calls.filter((it) => it === "range ledger")).toHaveLength(1);
});

test("what somebody else enters while a rule is opened is not written over", async () => {
  const world = await appWorld();
  const app: App = {
    ...world.app,
    firewall: {
      ...world.app.firewall,
      authorize: async (...words) => {
        await world.app.firewall.authorize(...words);
        const [entry] = (await listEntries(world.tables, GROUP)).entries;
        if (entry?.holders[0]?.kind !== "lease") throw new Error("the lease is not in the ledger");
        const ended = { cause: "asked", note: null, detail: null } as const;
        if (entry.rev === 1) await saveEntry(world.tables, { ...entry, holders: [{ ...entry.holders[0], ended }] });
      },
    },
  };
  await openLease(app, world.caller(), anAsk(), once);
  await lookAtGroup(world.app, GROUP, {
    ...{ cause: "test", actor: "safeport", policy: world.policy, priority: "end", rows: [] },
    deadlineAt: world.app.clock.monotonicMs() + 45_000,
  });
  expect(world.rules).toEqual([]);
  expect((await listEntries(world.tables, GROUP)).entries).toEqual([]);
});

test("what the calls of an opening need beforehand is asked for with its booking", async () => {
  const world = await appWorld();
  const order: string[] = [];
  const app: App = {
    ...world.app,
    tables: {
      ...world.tables,
      writeAll: (writes) => {
        order.push(`write ${writes[0]?.table}`);
        return world.tables.writeAll(writes);
      },
    },
    firewall: {
      ...world.app.firewall,
      foreseeOpening: (ref, priority) => void order.push(`${ref.groupId} ${priority}`),
    },
  };
  await openLease(app, world.caller(), anAsk(), once);
  expect(order.slice(0, 2)).toEqual([`${GROUP.groupId} open`, "write due"]);
});
