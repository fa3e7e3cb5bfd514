// HTTP trigger events as the platform sends them.
import { describe, expect, test } from "vitest";
import { AppError } from "../../../shared/errors/app-error.ts";
import { readHttpEvent, toHttpEventResult } from "../../../shared/events/http-event.ts";

const sample = {
  version: "v1",
  rawPath: "/v1/leases/ls-1%3Aend",
  body: '{"a":1}',
  isBase64Encoded: false,
  headers: { "Content-Type": "application/json", Authorization: "Bearer x", "X-Forwarded-For": "198.51.100.1" },
  queryParameters: { dryRun: "true", reason: "a,b" },
  requestContext: {
    accountId: "100000000000",
    requestId: "1-66aa0000-0000-000000000000",
    timeEpoch: "1793520000000",
    http: { method: "post", path: "/v1/leases/ls-1:end", protocol: "HTTP/1.1", sourceIp: "203.0.113.7" },
  },
};
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe("HTTP event", () => {
  test("becomes a request with the raw path, lower-case header names and the connection's address", () => {
    const request = readHttpEvent(Buffer.from(JSON.stringify(sample)), "req-1");
    expect(request).toMatchObject({
      requestId: "req-1",
      method: "POST",
      path: "/v1/leases/ls-1%3Aend",
      headers: { "content-type": "application/json", authorization: "Bearer x", "x-forwarded-for": "198.51.100.1" },
      query: { dryRun: "true", reason: "a,b" },
      sourceIp: "203.0.113.7",
    });
    expect(text(request.body)).toBe('{"a":1}');
  });

  test("decodes a binary body", () => {
    const request = readHttpEvent({ ...sample, body: "eyJhIjoxfQ==", isBase64Encoded: true }, "r");
    expect(text(request.body)).toBe('{"a":1}');
  });

  test("does without body, headers, parameters and raw path", () => {
    const bare = { requestContext: { http: { method: "GET", path: "/v1/health" } } };
    expect(readHttpEvent(bare, "r")).toMatchObject({ path: "/v1/health", headers: {}, query: {}, sourceIp: "" });
    expect(readHttpEvent({ ...bare, headers: null, queryParameters: null, body: null }, "r").body).toHaveLength(0);
  });

  test("keeps a parameter of any name a plain value", () => {
    const event = `{"queryParameters":{"__proto__":"1"},"requestContext":{"http":{"method":"GET","path":"/"}}}`;
    expect(Object.keys(readHttpEvent(event, "r").query)).toEqual(["__proto__"]);
  });

  test.each([
    ["no JSON", Buffer.from("{")],
    ["a list", "[]"],
    ["nothing", undefined],
    ["a timer's tick", { triggerTime: "2026-11-01T08:01:00Z" }],
    ["a method that is no text", { requestContext: { http: { method: 7 } } }],
  ])("refuses %s by name", (_name, event) => {
    const refused = catchError(() => readHttpEvent(event, "r"));
    expect(refused).toBeInstanceOf(AppError);
    expect(refused).toMatchObject({ code: "EVENT_INVALID" });
  });

  test("a response goes back with all four keys", () => {
    const result = toHttpEventResult({ status: 201, headers: { A: "b" }, body: "x" });
    expect(result).toEqual({ statusCode: 201, headers: { A: "b" }, body: "x", isBase64Encoded: false });
  });
});

function catchError(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
