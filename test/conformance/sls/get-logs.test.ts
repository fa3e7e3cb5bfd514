// GetLogs: logs in the body, their progress in headers. What is found is the business of queries.test.ts.
import { expect, it } from "vitest";
import { itEmbedded } from "../rpc/target.ts";
import { anSls, outcomeOf } from "./target.ts";
import { aCloud, flow, type Signing, START_S, withFlows } from "./world.ts";

const index = { keys: { port: { type: "long", doc_value: true } } };

it.each<Signing>(["v1-sha1", "v1-sha256", "v4"])(
  "finds nothing where nothing was written, signed as %s",
  async (signing) => {
    const { call, make, range } = await anSls(signing);
    await make(index);
    const { from, to } = range();
    const query = { type: "log", from: String(from), to: String(to), query: "*" };
    const { status, headers, body } = await call({ path: "/logstores/flow", query });
    expect([status, headers["x-log-progress"], headers["x-log-count"], body]).toEqual([200, "Complete", "0", []]);
  },
);

it("refuses a range that is none, and what is not there", async () => {
  const { call, make, range } = await anSls();
  await make(index);
  const { from, to } = range();
  const ask = (path: string, query: Record<string, string>) =>
    call({ path, query: { type: "log", query: "*", ...query } });
  expect(outcomeOf(await ask("/logstores/flow", { from: "x", to: String(to) }))).toBe("400 InvalidTimeRange");
  const whole = { from: String(from), to: String(to) };
  expect(outcomeOf(await ask("/logstores/nobody", whole))).toBe("404 LogStoreNotExist");
});

itEmbedded("SLS")("answers the logs of a page, newest first when asked, with their progress in headers", async () => {
  const { call } = await withFlows([flow({ srcport: "1" }), flow({ srcport: "2" }), flow({ srcport: "3" })]);
  const range = { type: "log", from: String(START_S), to: String(START_S + 3_600) };
  const first = await call({ path: "/logstores/flow", query: { ...range, line: "2", reverse: "true" } });
  expect(first.headers).toMatchObject({
    "x-log-progress": "Complete",
    "x-log-count": "2",
    "x-log-processed-rows": "3",
    "x-log-requestid": expect.stringMatching(/^\w+$/),
  });
  expect(first.body).toEqual([
    { ...flow({ srcport: "3" }), __time__: String(START_S + 2), __topic__: "flow_log", __source__: "" },
    { ...flow({ srcport: "2" }), __time__: String(START_S + 1), __topic__: "flow_log", __source__: "" },
  ]);
});

itEmbedded("SLS")("answers a path that is not UTF-8, too", async () => {
  const cloud = await aCloud();
  const answer = await fetch(`http://${cloud.endpoints.sls}/logstores/%ff`);
  expect([answer.status, await answer.json()]).toMatchObject([401, { errorCode: "Unauthorized" }]);
});
