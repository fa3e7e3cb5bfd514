// Queries of the embedded log service: who may ask, what is found, and whether it is all.

import { expect } from "vitest";
import { seedUser } from "../../../local/seed.ts";
import { itEmbedded } from "../rpc/target.ts";
import { aCloud, flow, type Signing, START_MS, START_S, slsClient, withFlows } from "./world.ts";

const onEmbedded = itEmbedded("SLS");
const range = { type: "log", from: String(START_S), to: String(START_S + 3_600) };

onEmbedded.each<Signing>(["v1-sha1", "v1-sha256", "v4"])("checks signatures of %s", async (signing) => {
  const { cloud } = await withFlows([flow()]);
  const query = { ...range, query: 'dstport: 22 and not srcaddr: "10.0.0.9"' };
  const good = await slsClient(cloud, { signing })({ path: "/logstores/flow", query });
  expect([good.status, good.body.length]).toEqual([200, 1]);
  const posted = { method: "POST", path: "/logstores/flow/logs", body: { from: START_S, to: START_S + 9 } };
  expect((await slsClient(cloud, { signing })(posted)).status).toBe(200);
  const bad = await slsClient(cloud, { signing, secret: "wrong" })({ path: "/logstores/flow", query });
  expect([bad.status, bad.body]).toMatchObject([401, { errorCode: "SignatureNotMatch" }]);
  const nobody = await slsClient(cloud, { signing, accessKeyId: "nobody" })({ path: "/logstores/flow", query });
  expect([nobody.status, nobody.body.errorCode]).toEqual([401, "InvalidAccessKeyId"]);
});

onEmbedded("refuses a body that is not the signed one, no signature, and an old date", async () => {
  const { cloud, call } = await withFlows([flow()]);
  const body = { from: START_S, to: START_S + 9 };
  const altered = { "content-md5": "D41D8CD98F00B204E9800998ECF8427E" };
  const tampered = await call({ method: "POST", path: "/logstores/flow/logs", body, headers: altered });
  expect(tampered.body.errorCode).toBe("SignatureNotMatch");
  expect((await fetch(`http://${cloud.endpoints.sls}/logstores/flow`)).status).toBe(401);
  const old = await slsClient(cloud, { atMs: START_MS - 20 * 60_000 })({ path: "/logstores/flow", query: range });
  expect([old.status, old.body.errorCode]).toEqual([400, "RequestTimeExpired"]);
});

onEmbedded.each([
  ["*", 4],
  ["", 4],
  ["dstport: 22", 3],
  ["dstport: 22 and action: REJECT", 1],
  ["dstport: 22 action: REJECT", 1],
  ["dstport: 3306 or action: REJECT", 2],
  ["not action: REJECT", 3],
  ["(dstport: 3306 or dstport: 22) and not action: REJECT", 3],
  ['srcaddr: "203.0.113.8"', 1],
  ["srcaddr: 203.*", 4],
  ["bytes >= 500", 3],
  ["bytes < 500", 1],
  ['"eni-id": eni-1', 4],
  ["nothing: *", 0],
  ["REJECT", 1],
])("the search %j finds %i logs", async (query, count) => {
  const { ask } = await withFlows([
    flow(),
    flow({ action: "REJECT" }),
    flow({ srcaddr: "203.0.113.8", bytes: "60" }),
    flow({ dstport: "3306" }),
  ]);
  expect((await ask(query)).body.data).toHaveLength(count);
});

onEmbedded("analyses the logs that the search found, every value as text", async () => {
  const { ask } = await withFlows([
    flow({ "tcp-flags": "2" }),
    flow({ "tcp-flags": "24", srcaddr: "203.0.113.8" }),
    flow({ "tcp-flags": "18", direction: "out" }),
    flow({ dstport: "443" }),
  ]);
  const sql = `direction: in | select "eni-id" as eni, cast(dstport as bigint) as port, count(*) as n,
    sum(cast(bytes as bigint)) as bytes, approx_distinct(srcaddr) as peers,
    bitwise_or_agg(cast("tcp-flags" as bigint)) as flags,
    count_if(bitwise_and(cast("tcp-flags" as bigint), 8) = 8) as pushes, min(__time__) as first
    from log where action = 'ACCEPT' group by "eni-id", dstport order by n desc limit 0,10`;
  const answer = await ask(sql);
  expect(answer.body).toMatchObject({ meta: { progress: "Complete", hasSQL: true, count: 2, processedRows: 3 } });
  expect(answer.body.data).toEqual([
    { eni: "eni-1", port: "22", n: "2", bytes: "1000", peers: "2", flags: "26", pushes: "1", first: String(START_S) },
    {
      eni: "eni-1",
      port: "443",
      n: "1",
      bytes: "500",
      peers: "1",
      flags: "2",
      pushes: "0",
      first: String(START_S + 3),
    },
  ]);
});

onEmbedded("answers a hundred rows of an analysis without a limit, and pages by one", async () => {
  const { ask } = await withFlows(Array.from({ length: 150 }, (_, n) => flow({ srcport: String(n) })));
  expect((await ask("* | select srcport from log")).body.data).toHaveLength(100);
  expect((await ask("* | select srcport order by __time__ limit 140,100")).body.data).toHaveLength(10);
});

onEmbedded.each([
  [{ from: "x" }, "InvalidTimeRange"],
  [{ to: START_S }, "InvalidTimeRange"],
  [{ line: 101 }, "InvalidLine"],
  [{ offset: -1 }, "InvalidOffset"],
  [{ query: "a: (" }, "InvalidQueryString"],
  [{ query: "(a: b" }, "InvalidQueryString"],
  [{ query: "* | drop table log" }, "ParameterInvalid"],
  [{ query: "* | select nothing from log" }, "ParameterInvalid"],
  [{ query: "* | select 1", offset: 5 }, "ParameterInvalid"],
])("refuses a query with %j", async (more, code) => {
  const { ask } = await withFlows([flow()]);
  const answer = await ask("*", more);
  expect([answer.status, answer.body]).toEqual([400, { errorCode: code, errorMessage: expect.any(String) }]);
});

onEmbedded.each([
  ["a search of many parentheses", "(".repeat(20_000), "InvalidQueryString"],
  ["a search of many nots", `${"not ".repeat(20_000)}a: b`, "InvalidQueryString"],
  [
    "an analysis without an end",
    "* | with recursive n(x) as (select 1 union all select x + 1 from n limit 9) select max(x) as m from n",
    "ParameterInvalid",
  ],
])("refuses %s", async (_what, query, code) => {
  const { ask } = await withFlows([flow()]);
  const answer = await ask(query);
  expect([answer.status, answer.body.errorCode]).toEqual([400, code]);
});

onEmbedded("takes thirty conditions in a search, and no more", async () => {
  const { ask } = await withFlows([flow()]);
  const anyOf = (count: number): string => Array.from({ length: count }, (_, n) => `dstport: ${n}`).join(" or ");
  expect((await ask(anyOf(30))).status).toBe(200);
  const answer = await ask(`${anyOf(30)} or dstport: 22`);
  expect([answer.status, answer.body.errorCode]).toEqual([400, "InvalidQueryString"]);
});

onEmbedded("knows a word in quotes from one of the analysis", async () => {
  const { ask } = await withFlows([flow()]);
  expect((await ask("* | select 'recursive' as word from log")).body.data).toEqual([{ word: "recursive" }]);
});

onEmbedded("refuses a signature that is no text of one", async () => {
  const { cloud } = await withFlows([flow()]);
  const { accessKeyId } = seedUser(cloud.account, "admin");
  const headers = { authorization: `LOG ${accessKeyId}:${"\u00ff".repeat(28)}`, "x-log-apiversion": "0.6.0" };
  const answer = await fetch(`http://${cloud.endpoints.sls}/logstores/flow`, { headers });
  expect([answer.status, await answer.json()]).toMatchObject([401, { errorCode: "SignatureNotMatch" }]);
});

onEmbedded("answers a part and says so, as often as it is told to", async () => {
  const { cloud, ask } = await withFlows([flow(), flow(), flow(), flow()]);
  cloud.faults.set([{ service: "sls", operation: "GetLogsV2", times: 1, fault: { kind: "incomplete" } }]);
  const part = (await ask("* | select count(*) as n")).body;
  expect([part.meta.progress, part.data]).toEqual(["Incomplete", [{ n: "2" }]]);
  expect((await ask("* | select count(*) as n")).body).toMatchObject({
    meta: { progress: "Complete" },
    data: [{ n: "4" }],
  });
});

onEmbedded("cuts an analysis off that reads too much", async () => {
  const { cloud, ask } = await withFlows([flow(), flow(), flow()]);
  cloud.slsSwitches.slsScanBytesMax = 400;
  const cut = (await ask("* | select count(*) as n")).body;
  expect([cut.meta.progress, cut.data]).toEqual(["Incomplete", [{ n: "2" }]]);
});

onEmbedded("finds a log three seconds after it was written, and not beyond the retention", async () => {
  const { cloud, ask } = await withFlows([]);
  cloud.sls.put("net", "flow", [{ at: START_MS, fields: flow() }]);
  await cloud.advance(2_999);
  expect((await ask("*")).body.data).toEqual([]);
  await cloud.advance(1);
  expect((await ask("*")).body.data).toHaveLength(1);
  await cloud.advance(8 * 86_400_000);
  expect((await ask("*")).body).toMatchObject({ meta: { progress: "Complete" }, data: [] });
});

onEmbedded("refuses an operation that is not served", async () => {
  const { call } = await withFlows([]);
  expect((await call({ method: "DELETE", path: "/logstores/flow" })).body.errorCode).toBe("NotImplemented");
});

onEmbedded("takes the project from the host, and the only one when the host is an address", async () => {
  const { cloud, call } = await withFlows([flow()]);
  cloud.sls.ensure("audit", "other");
  const host = (project: string) => ({ path: "/", host: `${project}.cn-hangzhou.log.aliyuncs.com` });
  expect((await call(host("net"))).body.projectName).toBe("net");
  expect((await call(host("audit"))).body.projectName).toBe("audit");
  expect((await call(host("none"))).body.errorCode).toBe("ProjectNotExist");
  expect((await call({ path: "/" })).body.errorCode).toBe("ProjectNotExist");
});

onEmbedded("plays the faults of calls", async () => {
  const { cloud, ask } = await withFlows([flow()]);
  cloud.faults.set([
    { service: "sls", times: 1, fault: { kind: "reject", status: 403, code: "ReadQuotaExceed" } },
    { service: "sls", times: 1, fault: { kind: "html-502" } },
    { service: "sls", times: 1, fault: { kind: "drop-before" } },
  ]);
  expect((await ask("*")).body).toMatchObject({ errorCode: "ReadQuotaExceed" });
  expect((await ask("*")).body).toContain("<html>");
  await expect(ask("*")).rejects.toThrow();
  expect((await ask("*")).status).toBe(200);
});

onEmbedded("writes the flow records of the data plane, until a reset", async () => {
  const cloud = await aCloud({ flowWindowMs: 60_000 });
  await cloud.recordFlowLogs("net", "flow", 30);
  await cloud.advance(66_000);
  const call = slsClient(cloud);
  const found = await call({ path: "/logstores/flow", query: range });
  const { accountId, regionId, vpcId } = cloud.account;
  expect(found.body).toHaveLength(cloud.account.instances.length);
  expect(found.body[0]).toMatchObject({
    "account-id": accountId,
    region: regionId,
    "vpc-id": vpcId,
    "log-status": expect.stringMatching(/^(NODATA|SKIPDATA)$/),
    __topic__: "flow_log",
    __time__: String(START_S + 60),
  });
  await cloud.reset();
  cloud.sls.ensure("net", "flow");
  await cloud.advance(120_000);
  const after = { type: "log", from: "0", to: String(Math.floor(cloud.clock.now() / 1_000) + 60) };
  expect((await call({ path: "/logstores/flow", query: after })).body).toEqual([]);
});
