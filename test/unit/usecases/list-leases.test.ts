// Paging through leases with filters.
import { describe, expect, test } from "vitest";
import type { App } from "../../../shared/usecases/app.ts";
import { listLeases } from "../../../shared/usecases/lease/list-leases.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { anAsk, appWorld } from "./app-world.ts";

const create = { mode: "create", idempotencyKey: null, dryRun: false } as const;

describe("a page of leases", () => {
  test("is full although most leases between are somebody else's, and the pages together miss none", async () => {
    const world = await appWorld();
    const mine: string[] = [];
    for (let port = 1; port <= 20; port++) {
      const principal = port % 4 === 0 ? "ann" : "bob";
      const answer = await openLease(world.app, world.caller(principal), anAsk({ port: `${9000 + port}` }), create);
      if (principal === "ann") mine.unshift(answer.lease.request.leaseId);
      world.advance(1000);
    }
    const seen: string[][] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof listLeases>> = await listLeases(world.app, {
        limit: 2,
        cursor,
        principal: "ann",
      });
      seen.push(page.leases.map((lease) => lease.request.leaseId));
      cursor = page.next;
    } while (cursor !== null);
    expect(seen.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(seen.flat()).toEqual(mine);
  });

  test("is looked for in a bounded part: it may be empty and go on, and the pages together miss none", async () => {
    const world = await appWorld();
    const mine = (await openLease(world.app, world.caller("ann"), anAsk(), create)).lease.request;
    const [row] = (await world.tables.range({ table: "lease", from: [""], to: null, limit: 1 })).rows;
    const others = JSON.stringify({ ...JSON.parse(String(row?.columns["request"])), principal: "bob" });
    const puts = Array.from({ length: 11_000 }, (_, n) => ({
      ...({ kind: "put", table: "lease", key: [`ls-z${String(n).padStart(18, "0")}`] } as const),
      columns: { ...row?.columns, request: others },
    }));
    await world.tables.writeAll(puts);
    let reads = 0;
    const app: App = {
      ...world.app,
      tables: {
        ...world.app.tables,
        range: async (query) => {
          const page = await world.app.tables.range(query);
          reads += page.rows.length;
          return page;
        },
      },
    };
    const pages: { readonly ids: readonly string[]; readonly reads: number }[] = [];
    let cursor: string | null = null;
    do {
      reads = 0;
      const page: Awaited<ReturnType<typeof listLeases>> = await listLeases(app, {
        limit: 2,
        cursor,
        principal: "ann",
      });
      pages.push({ ids: page.leases.map(({ request }) => request.leaseId), reads });
      cursor = page.next;
    } while (cursor !== null);
    expect(pages).toEqual([
      { ids: [], reads: 5000 },
      { ids: [], reads: 5000 },
      { ids: [mine.leaseId], reads: 1001 },
    ]);
  });
});
