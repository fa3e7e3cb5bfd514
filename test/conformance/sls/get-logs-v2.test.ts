// GetLogsV2: logs and their progress in the body. What is found is the business of queries.test.ts.
import { expect, it } from "vitest";
import { itEmbedded } from "../rpc/target.ts";
import { anSls, outcomeOf } from "./target.ts";
import { flow, withFlows } from "./world.ts";

const index = { keys: { port: { type: "long", doc_value: true } } };

it("finds nothing where nothing was written, and counts it", async () => {
  const { make, post, range } = await anSls();
  await make(index);
  const none = await post("/logstores/flow/logs", { ...range(), query: "*" });
  expect(none.body).toMatchObject({ meta: { progress: "Complete", count: 0, hasSQL: false }, data: [] });
  const counted = await post("/logstores/flow/logs", { ...range(), query: "* | select count(*) as n" });
  expect(counted.body).toMatchObject({ meta: { progress: "Complete", hasSQL: true }, data: [{ n: "0" }] });
});

it("refuses a range that is none, a query that is none, and what is not there", async () => {
  const { make, post, range } = await anSls();
  await make(index);
  const ask = (body: object, store = "flow") => post(`/logstores/${store}/logs`, { ...range(), query: "*", ...body });
  expect(outcomeOf(await ask({ from: "x" }))).toBe("400 InvalidTimeRange");
  expect(outcomeOf(await ask({ query: "a: (" }))).toBe("400 InvalidQueryString");
  expect(outcomeOf(await ask({}, "nobody"))).toBe("404 LogStoreNotExist");
});

itEmbedded("SLS")("pages, and is listed among the calls with its query", async () => {
  const { cloud, ask } = await withFlows([flow({ srcport: "1" }), flow({ srcport: "2" }), flow({ srcport: "3" })]);
  expect((await ask("*", { offset: 2 })).body).toMatchObject({
    meta: { progress: "Complete", count: 1, hasSQL: false, processedRows: 3 },
    data: [{ srcport: "3" }],
  });
  expect(cloud.calls.since(0).calls).toMatchObject([
    {
      service: "sls",
      operation: "GetLogsV2",
      params: { logstore: "flow", query: "*" },
      caller: { principal: "admin" },
    },
  ]);
});
