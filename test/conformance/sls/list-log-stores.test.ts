// ListLogstore: the logstores of a project.
import { expect, it } from "vitest";
import { anSls } from "./target.ts";

it("lists those of the project by name", async () => {
  const { call, make, post } = await anSls();
  await make();
  await post("/logstores", { logstoreName: "other", ttl: 3, shardCount: 1 });
  const { body } = await call({ path: "/logstores" });
  expect(body).toMatchObject({ count: 2, total: 2 });
  expect([...body.logstores].sort()).toEqual(["flow", "other"]);
});
