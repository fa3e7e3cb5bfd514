// GetLogstore: what a logstore is.
import { expect, it } from "vitest";
import { anSls, outcomeOf } from "./target.ts";

it("tells of a logstore, and of no other", async () => {
  const { call, make } = await anSls();
  await make();
  const { status, body } = await call({ path: "/logstores/flow" });
  expect([status, body]).toMatchObject([200, { logstoreName: "flow", ttl: 3, shardCount: 1 }]);
  expect(outcomeOf(await call({ path: "/logstores/nobody" }))).toBe("404 LogStoreNotExist");
});
