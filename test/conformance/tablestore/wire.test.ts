// What the HTTP layer accepts and answers: signatures, digests, broken bodies, faults and the record of calls.
import { createConnection } from "node:net";
import { deflateSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { TablestoreCall, TablestoreFault } from "../../../local/services/tablestore/server.ts";
import { type Account, columns, connect, createPairs, failureOf, ignore, keys, pair, startAccount } from "./account.ts";
import {
  answerSignature,
  digestOf,
  message,
  requestSignature,
  requestSignatureV4,
  rowBytes,
  signingKeyV4,
} from "./bytes.ts";
import { itEmbedded } from "./it-embedded.ts";
import { type Answer, callBytes, errorOf, type RawRequest, send as sendTo } from "./raw.ts";

let account: Account;
let calls: TablestoreCall[];
let bugs: unknown[];
let fault: TablestoreFault | undefined;
beforeEach(async () => {
  calls = [];
  bugs = [];
  fault = undefined;
  account = await startAccount({
    onCall: (call) => calls.push({ ...call }),
    onBug: (error) => bugs.push(error),
    intercept: (call) => (call.operation === "PutRow" ? fault : undefined),
  });
});
afterEach(() => account.server.stop());

const send = (options: RawRequest): Promise<Answer> => sendTo(account.server.url, options);

itEmbedded("refuses a wrong secret, an unknown instance and an unknown key", async () => {
  expect(await failureOf(connect(account.server.url, "wrong").listTable({}))).toBe(
    "403 OTSAuthFailed Signature mismatch.",
  );
  expect(await failureOf(connect(account.server.url, keys.secret, "other").listTable({}))).toBe(
    "403 OTSAuthFailed The instance is not found.",
  );
  const unknown = await send({ path: "/ListTable", headers: { "x-ots-accesskeyid": "nobody" } });
  expect(errorOf(unknown)).toContain("403 OTSAuthFailed");
});

itEmbedded("refuses a body whose digest is another", async () => {
  const answer = await send({ path: "/ListTable", headers: { "x-ots-contentmd5": "AAAAAAAAAAAAAAAAAAAAAA==" } });
  expect(errorOf(answer)).toContain("403 OTSAuthFailed");
});

itEmbedded("names the header that is missing and the date it cannot read", async () => {
  const missing = await send({ path: "/ListTable", headers: { "x-ots-date": "" } });
  expect(errorOf(missing)).toBe("400 OTSParameterInvalid Missing header: x-ots-date.");
  const date = await send({ path: "/ListTable", headers: { "x-ots-date": "yesterday" } });
  expect(errorOf(date)).toBe("400 OTSParameterInvalid Invalid date format: yesterday.");
});

itEmbedded("refuses other methods, other operations, broken messages and bodies that are too large", async () => {
  expect(errorOf(await send({ path: "/ListTable", method: "PUT" }))).toContain("405 OTSMethodNotAllowed");
  expect(errorOf(await send({ path: "/Nothing" }))).toBe("400 OTSParameterInvalid Unsupported operation: Nothing.");
  expect(errorOf(await send({ path: "/GetRow", body: Buffer.from([1, 2, 3]) }))).toContain("400 OTSParameterInvalid");
  const large = await send({ path: "/GetRow", body: Buffer.alloc(5 * 1024 * 1024 + 1) });
  expect(errorOf(large)).toContain("413 OTSRequestBodyTooLarge");
});

itEmbedded("owes no answer to a client that dies before it has sent everything, and takes it for no bug", async () => {
  const { hostname, port } = new URL(account.server.url);
  const socket = createConnection({ host: hostname, port: Number(port) });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write("POST /PutRow HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc", () => socket.destroy());
  await closed;
  // Behind it on the same server: by then it has been noticed.
  for (let times = 0; times < 3; times++) await account.client.listTable({});
  expect([bugs, calls.map(({ operation }) => operation)]).toEqual([[], ["ListTable", "ListTable", "ListTable"]]);
});

itEmbedded("signs every answer, errors included, with all headers that strict clients check", async () => {
  for (const path of ["/ListTable", "/Nothing"]) {
    const { headers, body } = await send({ path });
    expect(headers["x-ots-requestid"]).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(headers["x-ots-date"]).toMatch(/\.\d{3}Z$/);
    expect(headers["x-ots-contenttype"]).toBeTruthy();
    expect(headers["x-ots-contentmd5"]).toBe(digestOf(body));
    expect(headers.authorization).toBe(`OTS ak:${answerSignature(path, headers, keys.secret)}`);
  }
});

itEmbedded("refuses a row whose checksum is wrong", async () => {
  const { client } = account;
  await createPairs(client, "t");
  // GetRow of a key with one byte of a checksum changed: table name, key, max_versions 1.
  const key = Buffer.from("7500000001030401000000610506000000030100000078000a000901", "hex");
  const body = Buffer.concat([Buffer.from([0x0a, 1, 0x74, 0x12, key.length]), key, Buffer.from([0x28, 1])]);
  expect(errorOf(await send({ path: "/GetRow", body }))).toContain("400 OTSParameterInvalid");
});

itEmbedded("keeps a record of every call with its table, status and code", async () => {
  const { client, clock } = account;
  await createPairs(client, "t");
  await failureOf(client.getRow({ tableName: "absent", primaryKey: pair("x", 1) }));
  expect(calls).toEqual([
    { service: "ots", operation: "CreateTable", accessKeyId: "ak", status: 200, at: clock.nowMs, table: "t" },
    {
      service: "ots",
      operation: "GetRow",
      accessKeyId: "ak",
      status: 404,
      at: clock.nowMs,
      table: "absent",
      code: "OTSObjectNotExist",
    },
  ]);
});

itEmbedded("fails a call as a fault says: refused, lost before, lost after the effect", async () => {
  const { client } = account;
  await createPairs(client, "t");
  const put = (value: string): Promise<string> =>
    failureOf(
      client.putRow({ tableName: "t", condition: ignore, primaryKey: pair("x", 1), attributeColumns: [{ value }] }),
    );
  const stored = async () => columns((await client.getRow({ tableName: "t", primaryKey: pair("x", 1) })).row);
  fault = { kind: "reject", status: 503, code: "OTSServerBusy", message: "Server is busy." };
  expect(await put("1")).toContain("503 OTSServerBusy Server is busy.");
  fault = { kind: "drop-before" };
  expect(await put("2")).toContain("NetworkingError");
  expect(await stored()).toEqual({});
  fault = { kind: "drop-after" };
  expect(await put("3")).toContain("NetworkingError");
  expect(await stored()).toEqual({ value: "3" });
  expect(calls.filter((call) => call.operation === "PutRow").map((call) => call.status)).toEqual([503, 0, 200]);
});

it("is tested with bytes that are those of the documents", () => {
  const hex = (bytes: Buffer): string => bytes.toString("hex");
  expect(hex(rowBytes({ pk1: "iampk", pk2: 100n }, [{ name: "column1", value: "bad", timestamp: 1001 }]))).toBe(
    "7500000001030403000000706b31050a000000030500000069616d706b0a98030403000000706b3205090000000064000000000000000a" +
      "0502030407000000636f6c756d6e310508000000030300000062616407e9030000000000000a3009df",
  );
  const cells = [
    { name: "a", value: 1n },
    { name: "b", value: 1.5 },
    { name: "c", value: true },
    { name: "d", value: Buffer.from([0, 255]) },
    { name: "e", op: "delete-one", timestamp: 5 },
    { name: "f", op: "delete-all" },
    { name: "g", value: 3n, op: "increment" },
  ] as const;
  expect(hex(rowBytes({ pk: -1n }, cells))).toBe(
    "7500000001030402000000706b050900000000ffffffffffffffff0a88020304010000006105090000000001000000000000000a1e0304" +
      "0100000062050900000001000000000000f83f0acd03040100000063050200000002010a55030401000000640507000000070200000000ff" +
      "0a4c0304010000006506030705000000000000000a390304010000006606010a8c0304010000006705090000000003000000000000000604" +
      "0af60910",
  );
  expect(hex(rowBytes({ pk: Buffer.from("x") }, [], true))).toBe(
    "7500000001030402000000706b05060000000701000000780a3f08093d",
  );
  expect(hex(message({ 1: "OTSConditionCheckFail", 2: "Condition check failed." }))).toBe(
    "0a154f5453436f6e646974696f6e436865636b4661696c1217436f6e646974696f6e20636865636b206661696c65642e",
  );
  const sent = {
    "x-ots-accesskeyid": "ak",
    "x-ots-apiversion": "2015-12-31",
    "x-ots-contentmd5": digestOf(Buffer.alloc(0)),
    "x-ots-date": "2026-01-02T03:04:05.678Z",
    "x-ots-instancename": "inst1",
  };
  expect(requestSignature("/ListTable", sent, "sk")).toBe("li2jNaAdzuiEiPics0m8mpP7dr4=");
  const received = {
    "x-ots-contentmd5": digestOf(Buffer.from("0a0174", "hex")),
    "x-ots-contenttype": "protocol buffer",
    "x-ots-date": "2026-01-02T03:04:05.700Z",
    "x-ots-requestid": "00000000-0000-0000-0000-000000000001",
  };
  expect(answerSignature("/ListTable", received, "sk")).toBe("uHt8yu/3xRAc90lp+tTCiFCN/Ec=");
});

itEmbedded("signs every x-ots header that is sent, of whatever client", async () => {
  const extra = { "x-ots-sdk-traceid": "t-1", "x-ots-ststoken": "token" };
  expect((await send({ path: "/ListTable", headers: extra })).status).toBe(200);
  const headers = { "x-ots-date": "2026-01-02T03:04:05.678Z" };
  const signed = requestSignature(
    "/ListTable",
    {
      ...headers,
      "x-ots-accesskeyid": "ak",
      "x-ots-apiversion": "2015-12-31",
      "x-ots-contentmd5": digestOf(Buffer.alloc(0)),
      "x-ots-instancename": "inst1",
    },
    keys.secret,
  );
  const added = await send({ path: "/ListTable", headers: { ...headers, ...extra, "x-ots-signature": signed } });
  expect(errorOf(added)).toBe("403 OTSAuthFailed Signature mismatch.");
});

it("takes bodies that are compressed, and says when they are not what their headers say", async () => {
  const { client } = account;
  await createPairs(client, "t");
  const plain = message({ 1: "t", 2: rowBytes({ a: "x", b: 1n }), 5: 1 });
  const body = deflateSync(plain);
  const type = { "x-ots-request-compress-type": "deflate" };
  const size = { "x-ots-request-compress-size": String(plain.length) };
  const wants = { "x-ots-response-compress-type": "deflate" };
  const deflated = await send({ path: "/GetRow", body, headers: { ...type, ...size, ...wants } });
  expect([deflated.status, deflated.body]).toEqual([200, (await send({ path: "/GetRow", body: plain })).body]);
  const refused = [
    { ...type, ...size, "x-ots-request-compress-type": "gzip" },
    { ...type, "x-ots-request-compress-size": "1" },
    { ...type },
  ];
  for (const headers of refused) {
    expect(errorOf(await send({ path: "/GetRow", body, headers }))).toContain("400 OTSParameterInvalid");
  }
  const broken = await send({ path: "/GetRow", body: plain, headers: { ...type, ...size } });
  expect(errorOf(broken)).toContain("400 OTSParameterInvalid");
  // A small body that would fill the memory.
  const bomb = deflateSync(Buffer.alloc(64 * 1024 * 1024));
  const headers = { ...type, "x-ots-request-compress-size": String(64 * 1024 * 1024) };
  expect(errorOf(await send({ path: "/GetRow", body: bomb, headers }))).toContain("400 OTSParameterInvalid");
});

itEmbedded("takes and gives signatures of version 4, as newer SDKs of Python, Go and Java make them", async () => {
  const day = { "x-ots-signdate": "20260102", "x-ots-signregion": "cn-hangzhou" };
  const sent = {
    "x-ots-accesskeyid": "ak",
    "x-ots-apiversion": "2015-12-31",
    "x-ots-contentmd5": digestOf(Buffer.alloc(0)),
    "x-ots-date": "2026-01-02T03:04:05.678Z",
    "x-ots-instancename": keys.instance,
    ...day,
  };
  const key = signingKeyV4(keys.secret, "20260102", "cn-hangzhou");
  const signature = requestSignatureV4("/ListTable", sent, key);
  const headers = { ...sent, "x-ots-signature": "" };
  const good = await send({ path: "/ListTable", headers: { ...headers, "x-ots-signaturev4": signature } });
  expect(good.status).toBe(200);
  expect(good.headers["authorization"]).toBe(`OTS ak:${answerSignature("/ListTable", good.headers, key)}`);
  const wrong: [Record<string, string>, string][] = [
    [{ "x-ots-signdate": "20260103" }, "403 OTSAuthFailed Signature mismatch."],
    [{ "x-ots-sdk-traceid": "added" }, "403 OTSAuthFailed Signature mismatch."],
    [{ "x-ots-signregion": "" }, "400 OTSParameterInvalid Missing header: x-ots-signregion."],
  ];
  for (const [change, words] of wrong) {
    const answer = await send({
      path: "/ListTable",
      headers: { ...headers, "x-ots-signaturev4": signature, ...change },
    });
    expect(errorOf(answer)).toBe(words);
  }
});

itEmbedded("names each header that must be there", async () => {
  for (const name of ["apiversion", "accesskeyid", "contentmd5", "instancename", "signature"]) {
    const answer = await send({ path: "/ListTable", headers: { [`x-ots-${name}`]: "" } });
    expect(errorOf(answer)).toBe(`400 OTSParameterInvalid Missing header: x-ots-${name}.`);
  }
});

itEmbedded("looks at method, headers, key, digest, instance, operation and message in this order", async () => {
  const wrong = {
    "x-ots-date": "",
    "x-ots-accesskeyid": "nobody",
    "x-ots-contentmd5": "AAAA",
    "x-ots-instancename": "other",
  };
  const steps: readonly [keyof typeof wrong | "method" | "path" | "body", string, Partial<RawRequest>][] = [
    ["method", "405 OTSMethodNotAllowed", { method: "GET" }],
    ["x-ots-date", "Missing header: x-ots-date.", {}],
    ["x-ots-accesskeyid", "403 OTSAuthFailed The AccessKeyID does not exist.", {}],
    ["x-ots-contentmd5", "403 OTSAuthFailed Mismatch between MD5", {}],
    ["x-ots-instancename", "403 OTSAuthFailed The instance is not found.", {}],
    ["path", "Unsupported operation: Nothing.", { path: "/Nothing" }],
    ["body", "400 OTSParameterInvalid", {}],
  ];
  let left: Record<string, string> = { ...wrong };
  for (const [name, words, more] of steps) {
    const answer = await send({ path: "/GetRow", body: Buffer.from([1, 2, 3]), headers: left, ...more });
    expect(errorOf(answer), name).toContain(words);
    left = Object.fromEntries(Object.entries(left).filter(([header]) => header !== name));
  }
});

itEmbedded("accepts dates of any age unless a skew is set", async () => {
  expect((await send({ path: "/ListTable" })).status).toBe(200);
  const strict = await startAccount({ requestSkewMsMax: 900_000 });
  expect(await failureOf(strict.client.listTable({}))).toContain("403 OTSAuthFailed");
  await strict.server.stop();
});

itEmbedded("forgets everything when it is reset", async () => {
  const other = await startAccount();
  await createPairs(other.client, "gone");
  await other.server.reset();
  expect((await other.client.listTable({})).tableNames ?? []).toEqual([]);
  await other.server.stop();
});

itEmbedded("takes messages with fields that only other clients know", async () => {
  const { client, server } = account;
  await createPairs(client, "t");
  await client.putRow({ tableName: "t", condition: ignore, primaryKey: pair("x", 1), attributeColumns: [{ v: "1" }] });
  const known = { 1: "t", 2: rowBytes({ a: "x", b: 1n }), 5: 1 };
  const unknown = { ...known, 6: true, 10: "token", 99: { 1: "later" } };
  const answers = [await callBytes(server.url, "GetRow", known), await callBytes(server.url, "GetRow", unknown)];
  expect(answers[1]?.bytes(2)).toEqual(answers[0]?.bytes(2));
});
