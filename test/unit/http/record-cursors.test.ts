// Pages of the audit trail where somebody has put a record of any place into the table: none behind it is hidden.
import { expect, test } from "vitest";
import type { Call } from "../../../shared/http/route.ts";
import { recordRoutes } from "../../../shared/http/routes-records.ts";
import { exportRecords } from "../../../shared/usecases/records/export-records.ts";
import { listRecords } from "../../../shared/usecases/records/list-records.ts";
import { TrailWorld } from "../../kit/trail.ts";

/** Every page of one record of a route, by the cursor of the one before. */
async function pages(world: TrailWorld, operationId: string): Promise<readonly (readonly { sequence?: string }[])[]> {
  const route = recordRoutes.find((it) => it.operationId === operationId);
  const found: (readonly { sequence?: string }[])[] = [];
  for (let cursor: string | null = null; ; ) {
    const query: Record<string, string> = { limit: "1", ...(cursor === null ? {} : { cursor }) };
    const answer = await route?.handle({
      parts: { app: world.process(), useCases: { listRecords, exportRecords } },
      caller: { scopes: [] },
      request: { query, body: new Uint8Array(), headers: {} },
      sees: async () => () => true,
    } as unknown as Call);
    const body = JSON.parse(String(answer?.body));
    found.push(body.records ?? body.lines);
    cursor = body.next;
    if (cursor === null || found.length > 20) return found;
  }
}

test.each(["listRecords", "exportRecords"])("%s goes on behind it", async (operationId) => {
  const world = new TrailWorld();
  for (const line of ["a", "b"]) await world.record(world.process(), line);
  for (const sequence of ["0~1", "x", "端口"]) await world.forge("record", ["main", sequence], { body: "{}" });
  const sequences = (await pages(world, operationId)).flat().map(({ sequence }) => sequence);
  const all = (await world.rows("record")).map(({ key }) => key[1]).filter((it) => String(it) < "~");
  expect(all).toHaveLength(4);
  expect([...sequences].sort()).toEqual([...all].sort());
});
