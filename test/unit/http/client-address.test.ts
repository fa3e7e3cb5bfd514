// Whose address a lease opens for when the caller names none.
import { describe, expect, test } from "vitest";
import { callerBlock } from "../../../shared/http/client-address.ts";

const block = (sourceIp: string, forwarded: string | null, trusted: readonly string[]): string | null =>
  callerBlock(
    {
      requestId: "r",
      method: "GET",
      path: "/",
      headers: forwarded === null ? {} : { "x-forwarded-for": forwarded },
      query: {},
      body: new Uint8Array(),
      sourceIp,
    },
    trusted,
  );

describe("the caller's block", () => {
  test.each([
    ["the connection's address counts", "203.0.113.7", null, [], "203.0.113.7/32"],
    ["an IPv6 address is a block of one", "2001:db8::7", null, [], "2001:db8::7/128"],
    ["IPv4 on an IPv6 socket is IPv4", "::ffff:203.0.113.7", null, [], "203.0.113.7/32"],
    ["X-Forwarded-For of a stranger is not believed", "203.0.113.7", "198.51.100.1", [], "203.0.113.7/32"],
    ["a trusted proxy is believed", "10.0.0.1", "198.51.100.1", ["10.0.0.1"], "198.51.100.1/32"],
    [
      "the right-most untrusted address counts",
      "10.0.0.1",
      "1.1.1.1, 198.51.100.1, 10.0.0.2",
      ["10.0.0.0/8"],
      "198.51.100.1/32",
    ],
    ["a proxy's own request counts as the proxy's", "10.0.0.1", null, ["10.0.0.1"], "10.0.0.1/32"],
    ["what a trusted proxy garbles cannot be told", "10.0.0.1", "198.51.100.1, unknown", ["10.0.0.1"], null],
    ["a block is no address", "10.0.0.1", "198.51.100.0/24", ["10.0.0.1"], null],
    ["no address at all cannot be told", "", null, [], null],
  ])("%s", (_name, sourceIp, forwarded, trusted, expected) => {
    expect(block(sourceIp, forwarded, trusted)).toBe(expected);
  });
});
