// What an opening asks for, and when.
import { expect, test } from "vitest";
import type { App } from "../../../shared/usecases/app.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { anAsk, appWorld, GROUP } from "./app-world.ts";

const once = { mode: "create", idempotencyKey: null, dryRun: false } as const;

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
