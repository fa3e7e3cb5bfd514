// UpdateLogstore: how long it keeps its logs.
import { expect, it } from "vitest";
import { anSls, outcomeOf } from "./target.ts";

it("changes the retention, of a logstore that is there", async () => {
  const { call, make } = await anSls();
  await make();
  const put = (name: string) =>
    call({ method: "PUT", path: `/logstores/${name}`, body: { logstoreName: name, ttl: 7 } });
  expect(outcomeOf(await put("flow"))).toBe("200 OK");
  expect((await call({ path: "/logstores/flow" })).body).toMatchObject({ ttl: 7 });
  expect(outcomeOf(await put("nobody"))).toBe("404 LogStoreNotExist");
});
