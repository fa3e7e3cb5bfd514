import { describe, expect, test } from "vitest";
import { contains, parseAddress, parseCidr, printCidr, printIpv4 } from "../../../../local/dataplane/cidr.ts";

describe("parsing a block", () => {
  test.each([
    ["10.1.2.3", "10.1.2.3"],
    ["10.1.2.3/8", "10.0.0.0/8"],
    ["1.2.3.4/0", "0.0.0.0/0"],
    ["255.255.255.255/32", "255.255.255.255"],
  ])("%s reads as %s", (text, printed) => {
    const cidr = parseCidr(text);
    expect(cidr && printIpv4(cidr)).toBe(printed);
  });

  test.each([
    ["10.1.2.3/8", "10.0.0.0/8"],
    ["fd00:7F0A:0:0:0:0:0:0011", "fd00:7f0a::11"],
    ["2001:db8:1::/33", "2001:db8::/33"],
    ["::/0", "::/0"],
  ])("%s of either family reads as %s", (text, printed) => {
    const cidr = parseCidr(text);
    expect(cidr && printCidr(cidr)).toBe(printed);
  });

  test.each([
    ["::", 0n],
    ["::1", 1n],
    ["1::", 1n << 112n],
    ["::ffff:1.2.3.4", 0xffff01020304n],
    ["1:2:3:4:5:6:7:8", 0x00010002000300040005000600070008n],
    ["2001:DB8::A", (0x20010db8n << 96n) | 10n],
  ])("%s has its value", (text, value) => {
    expect(parseAddress(text)).toEqual({ family: 6, base: value, prefix: 128 });
  });

  test.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "01.2.3.4",
    "1.2.3.4/33",
    "1.2.3.4/",
    "1.2.3.4/08",
    "1.2.3.4/8/8",
    " 1.2.3.4",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "12345::",
    "g::",
    "::1/129",
    "1.2.3.4::",
    "fe80::1%lo",
  ])("%j is refused", (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });
});

test("a block contains what shares its prefix, in its own family", () => {
  const has = (outer: string, inner: string) => {
    const [a, b] = [parseCidr(outer), parseCidr(inner)];
    return a !== undefined && b !== undefined && contains(a, b);
  };
  expect(has("10.0.0.0/8", "10.255.0.0/16")).toBe(true);
  expect(has("10.0.0.0/16", "10.0.0.0/8")).toBe(false);
  expect(has("10.0.0.0/8", "11.0.0.0")).toBe(false);
  expect(has("2001:db8::/32", "2001:db8:ffff::1")).toBe(true);
  expect(has("::/0", "1.2.3.4")).toBe(false);
});
