// GetIndex: which fields are indexed.
import { expect, it } from "vitest";
import { anSls, outcomeOf } from "./target.ts";

const index = { keys: { port: { type: "long", doc_value: true } } };

it("says that there is none, and then which", async () => {
  const { call, make, post } = await anSls();
  await make();
  expect(outcomeOf(await call({ path: "/logstores/flow/index" }))).toBe("404 IndexConfigNotExist");
  await post("/logstores/flow/index", index);
  expect((await call({ path: "/logstores/flow/index" })).body).toMatchObject(index);
});
