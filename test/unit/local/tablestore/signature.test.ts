// Signatures against values that the official SDK produced.
import { expect, it } from "vitest";
import {
  contentMd5,
  isSameSignature,
  signRequest,
  signResponse,
} from "../../../../local/protocol/tablestore/signature.ts";

const empty = "1B2M2Y8AsgTpgAmY7PhCfg==";

const requestHeaders = {
  host: "127.0.0.1",
  "x-ots-accesskeyid": "ak",
  "x-ots-apiversion": "2015-12-31",
  "x-ots-contentmd5": empty,
  "x-ots-date": "2026-01-02T03:04:05.678Z",
  "x-ots-instancename": "inst1",
};

it("digests an empty body as the SDK does", () => {
  expect(contentMd5(Buffer.alloc(0))).toBe(empty);
});

it("signs a request as the SDK does", () => {
  const signature = signRequest({ path: "/ListTable", headers: requestHeaders, secret: "sk" });
  expect(signature).toBe("li2jNaAdzuiEiPics0m8mpP7dr4=");
});

it("lets every x-ots header take part but the signature itself", () => {
  const base = signRequest({ path: "/ListTable", headers: requestHeaders, secret: "sk" });
  const signed = { ...requestHeaders, "x-ots-signature": "anything" };
  const extended = { ...requestHeaders, "x-ots-ststoken": "token" };
  expect(signRequest({ path: "/ListTable", headers: signed, secret: "sk" })).toBe(base);
  expect(signRequest({ path: "/ListTable", headers: extended, secret: "sk" })).not.toBe(base);
});

it("signs a response as the SDKs that check it expect", () => {
  const headers = {
    "x-ots-contentmd5": contentMd5(Buffer.from("0a0174", "hex")),
    "x-ots-contenttype": "protocol buffer",
    "x-ots-date": "2026-01-02T03:04:05.700Z",
    "x-ots-requestid": "00000000-0000-0000-0000-000000000001",
  };
  expect(signResponse({ path: "/ListTable", headers, secret: "sk" })).toBe("uHt8yu/3xRAc90lp+tTCiFCN/Ec=");
});

it("tells equal signatures from different ones", () => {
  expect(isSameSignature("abc", "abc")).toBe(true);
  expect(isSameSignature("abc", "abd")).toBe(false);
  expect(isSameSignature("abc", "abcd")).toBe(false);
});
