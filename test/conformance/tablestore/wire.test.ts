// What the HTTP layer accepts and answers: signatures, digests, broken bodies, faults and the record of calls.
import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect } from "vitest";
import { signResponse } from "../../../local/protocol/tablestore/signature.ts";
import type { TablestoreCall, TablestoreFault } from "../../../local/services/tablestore/server.ts";
import { type Account, columns, connect, createPairs, failureOf, ignore, keys, pair, startAccount } from "./account.ts";
import { itEmbedded } from "./it-embedded.ts";
import { type Answer, errorOf, type RawRequest, send as sendTo } from "./raw.ts";

let account: Account;
let calls: TablestoreCall[];
let fault: TablestoreFault | undefined;
beforeEach(async () => {
  calls = [];
  fault = undefined;
  account = await startAccount({
    onCall: (call) => calls.push({ ...call }),
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

itEmbedded("signs every answer, errors included, with all headers that strict clients check", async () => {
  for (const path of ["/ListTable", "/Nothing"]) {
    const { headers, body } = await send({ path });
    expect(headers["x-ots-requestid"]).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(headers["x-ots-date"]).toMatch(/\.\d{3}Z$/);
    expect(headers["x-ots-contenttype"]).toBeTruthy();
    expect(headers["x-ots-contentmd5"]).toBe(createHash("md5").update(body).digest("base64"));
    expect(headers.authorization).toBe(`OTS ak:${signResponse({ path, headers, secret: keys.secret })}`);
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

itEmbedded("accepts dates of any age unless a skew is set", async () => {
  expect((await send({ path: "/ListTable" })).status).toBe(200);
  const strict = await startAccount({ requestSkewMsMax: 900_000 });
  expect(await failureOf(strict.client.listTable({}))).toContain("403 OTSAuthFailed");
  await strict.server.stop();
});
