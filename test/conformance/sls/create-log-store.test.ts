// CreateLogstore: once by a name, in a project.
import { expect, it } from "vitest";
import { anSls, outcomeOf } from "./target.ts";

it("makes a logstore, and none of the same name", async () => {
  const { call, make, post } = await anSls();
  await make();
  expect(outcomeOf(await call({ path: "/logstores/flow" }))).toBe("200 OK");
  const again = { logstoreName: "flow", ttl: 3, shardCount: 1 };
  expect(outcomeOf(await post("/logstores", again))).toBe("400 LogStoreAlreadyExist");
});

it("refuses it in a project that is not there", async () => {
  const { post } = await anSls();
  const store = { logstoreName: "flow", ttl: 3, shardCount: 1 };
  expect(outcomeOf(await post("/logstores", store))).toBe("404 ProjectNotExist");
});
