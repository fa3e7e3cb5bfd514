// CreateIndex: what an analysis may name, once for a logstore.
import { expect, it } from "vitest";
import { anSls, outcomeOf } from "./target.ts";

const index = { keys: { port: { type: "long", doc_value: true } } };

it("makes the index of a logstore, once", async () => {
  const { call, make, post } = await anSls();
  await make(index);
  expect((await call({ path: "/logstores/flow/index" })).body).toMatchObject(index);
  expect(outcomeOf(await post("/logstores/flow/index", index))).toBe("400 IndexAlreadyExist");
  expect(outcomeOf(await post("/logstores/nobody/index", index))).toBe("404 LogStoreNotExist");
});
