// What one call to Tablestore makes of a service that refuses, breaks off or is not there.
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type CallFailure, tablestoreCaller } from "../../../shared/adapters/alibaba/tablestore-call.ts";

let server: Server;
let answer: (response: ServerResponse) => void;

beforeAll(async () => {
  server = createServer((request, response) => request.resume().on("end", () => answer(response)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const served = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function failureOf(endpoint: string, accessKeyId = "key"): Promise<CallFailure> {
  const credentials = () => ({ accessKeyId, accessKeySecret: "secret", securityToken: undefined });
  const caller = tablestoreCaller({ endpoint, instance: "instance", credentials, timeoutMs: 60_000 });
  return caller.call("listTable", {}).then(
    () => Promise.reject(new Error("it was answered")),
    (failure: CallFailure) => failure,
  );
}

it.each<[string, number, string, Partial<CallFailure>]>([
  ["a code of the service", 503, "\n\rOTSServerBusy\u0012busy", { kind: "notApplied", code: "OTSServerBusy" }],
  ["a forbidden call without a word", 403, "", { kind: "final", code: "OTSAuthFailed" }],
  ["a page of a proxy", 502, "<html></html>", { kind: "unknown", code: "HTTP 502" }],
  ["headers that are too large", 431, "", { kind: "final", code: "HTTP 431" }],
  ["an answer that is none", 200, "<html></html>", { kind: "unknown", code: "Unreadable" }],
])("takes %s for what it is", async (_what, status, body, expected) => {
  answer = (response) => response.writeHead(status).end(body);
  expect(await failureOf(served())).toMatchObject({ name: "CallFailure", ...expected });
});

it("does not wait for the rest of a reply that was cut", async () => {
  answer = (response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write("half", () => response.destroy());
  };
  expect(await failureOf(served())).toMatchObject({ kind: "unknown", code: "NetworkingError" });
});

it("knows that what was never sent was not applied", async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  expect(await failureOf(`http://127.0.0.1:${port}`)).toMatchObject({ kind: "notApplied", code: "NetworkingError" });
});

it("throws nothing else where keys cannot be sent", async () => {
  expect(await failureOf(served(), "key\n")).toMatchObject({ name: "CallFailure", kind: "unknown" });
});
