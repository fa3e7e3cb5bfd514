// Paging through leases with filters.
import { describe, expect, test } from "vitest";
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
});
