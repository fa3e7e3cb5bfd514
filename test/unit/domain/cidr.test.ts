import { describe, expect, it } from "vitest";
import {
  complementOf,
  containsCidr,
  coverage,
  formatBare,
  formatCidr,
  mergeCidrs,
  overlaps,
  parseCidr,
  parseObservedCidr,
  widestPrefix,
} from "../../../shared/domain/cidr.ts";
import { aCidr } from "../../kit/rules.ts";

const strict = (text: string) => {
  const cidr = parseCidr(text);
  return cidr === null ? null : formatCidr(cidr);
};
const observed = (text: string) => {
  const cidr = parseObservedCidr(text);
  return cidr === null ? null : formatCidr(cidr);
};

describe("what a person writes", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7/32"],
    ["203.0.113.7/32", "203.0.113.7/32"],
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["128.0.0.0/1", "128.0.0.0/1"],
    ["255.255.255.255", "255.255.255.255/32"],
    ["::", "::/128"],
    ["::/0", "::/0"],
    ["::1", "::1/128"],
    ["2001:DB8::1", "2001:db8::1/128"],
    ["2408:4321:0180:0000::/64", "2408:4321:180::/64"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8/128"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0/128"],
    ["1:0:0:4:0:0:0:8", "1:0:0:4::8/128"],
    ["1:0:0:4:5:0:0:8", "1::4:5:0:0:8/128"],
    ["1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8/128"],
  ])("%s is read as %s", (text, canonical) => {
    expect(strict(text)).toBe(canonical);
  });

  it.each([
    "256.1.1.1",
    "010.0.0.1",
    "10.0.0.01",
    "0x7f.0.0.1",
    "127.1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.4/33",
    "1.2.3.4/08",
    "1.2.3.4/-1",
    "1.2.3.4/",
    "1.2.3.4/24",
    "0.0.0.0/",
    "10.0.0.0/08",
    "10.0.0.0/+8",
    "10.0.0.0/8.0",
    "10.0.0.0/1e1",
    "10.0.0.0/0x8",
    "10.0.0.0/ 8",
    "10.0.0.0/8 ",
    "10.0.0.0/8x",
    "10.0.0.0/x8",
    "10.0.0.1/8",
    "1.2.3.4/32/32",
    "1.2.3.0/255.255.255.0",
    " 1.2.3.4",
    "1.2.3.4 ",
    "1.2.3.4\n",
    "1. 2.3.4",
    "",
    "/24",
    "localhost",
    "*",
    "any",
    "1.2.3.4,5.6.7.8",
    "1.2.3.4-1.2.3.9",
    "١.2.3.4",
    "::ffff:1.2.3.4",
    "::ffff:102:304",
    "::ffff:0:0/96",
    "::ffff:102:0/112",
    "::1.2.3.4",
    "64:ff9b::1.2.3.4",
    "fe80::1%eth0",
    "fe80::1%25eth0/64",
    "2001:db8::1/64",
    "2001:db8::/129",
    "1::2::3",
    "1:2:3:4:5:6:7:8::9::a",
    "1:2:3:4::5:6:7:8::9",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "12345::",
    ":1::",
    ":::",
    "[::1]",
    "g::",
    `${"0".repeat(100)}::`,
  ])("%j is refused", (text) => {
    expect(parseCidr(text)).toBeNull();
  });
});

describe("what the cloud shows", () => {
  it.each([
    ["10.159.6.18/12", "10.144.0.0/12"],
    ["1.2.3.4", "1.2.3.4/32"],
    [" 1.2.3.4/32 ", "1.2.3.4/32"],
    ["2001:db8::1/64", "2001:db8::/64"],
    ["::ffff:1.2.3.4", "::ffff:102:304/128"],
    ["0:0:0:0:0:ffff:1.2.3.4", "::ffff:102:304/128"],
  ])("%j is read as %s", (text, canonical) => {
    expect(observed(text)).toBe(canonical);
  });

  it.each(["256.1.1.1", "1.2.3.4/33", "", "pl-123", "1.2.3.4::", "::1.2.3.4:5"])("%j is not read", (text) => {
    expect(parseObservedCidr(text)).toBeNull();
  });
});

describe("sets of blocks", () => {
  it("writes a block of one address bare on request", () => {
    expect(formatBare(aCidr("1.2.3.4"))).toBe("1.2.3.4");
    expect(formatBare(aCidr("::1"))).toBe("::1");
    expect(formatBare(aCidr("1.2.3.0/24"))).toBe("1.2.3.0/24");
  });

  it("keeps the families apart", () => {
    expect(containsCidr(aCidr("::/0"), aCidr("1.2.3.4"))).toBe(false);
    expect(overlaps(aCidr("::/0"), aCidr("0.0.0.0/0"))).toBe(false);
    expect(containsCidr(aCidr("::/0"), aCidr("::1"))).toBe(true);
  });

  it("tells containing from overlapping", () => {
    expect(containsCidr(aCidr("10.0.0.0/25"), aCidr("10.0.0.0/24"))).toBe(false);
    expect(overlaps(aCidr("10.0.0.0/25"), aCidr("10.0.0.0/24"))).toBe(true);
    expect(overlaps(aCidr("10.0.0.0/25"), aCidr("10.0.0.128/25"))).toBe(false);
  });

  it.each(["10.0.0.0", "10.0.0.255"])("share the address %s with the block that it ends", (address) => {
    const [one, block] = [aCidr(address), aCidr("10.0.0.0/24")];
    expect([overlaps(one, block), overlaps(block, one), overlaps(one, one)]).toEqual([true, true, true]);
  });

  it.each([
    [[], ["0.0.0.0/0"]],
    [["0.0.0.0/0"], []],
    [["0.0.0.0/1"], ["128.0.0.0/1"]],
    [["128.0.0.0/1", "0.0.0.0/2"], ["64.0.0.0/2"]],
    [
      ["64.0.0.0/2", "::/0"],
      ["0.0.0.0/2", "128.0.0.0/1"],
    ],
  ])("without %j leave %j of IPv4", (blocks, rest) => {
    expect(complementOf(blocks.map(aCidr), 4).map(formatCidr)).toEqual(rest);
  });

  it.each([
    [["0.0.0.0/1", "128.0.0.0/1"], { v4: 0, v6: null }],
    [["10.0.0.0/25", "10.0.0.128/25"], { v4: 24, v6: null }],
    [["10.0.0.0/25", "192.0.2.0/25"], { v4: 24, v6: null }],
    [["10.0.0.0/24", "10.0.1.1"], { v4: 23, v6: null }],
    [["1.2.3.4", "1.2.3.4/32"], { v4: 32, v6: null }],
    [["10.0.0.0/24", "10.0.0.7"], { v4: 24, v6: null }],
    [["::/1", "8000::/1", "1.2.3.4"], { v4: 32, v6: 0 }],
    [[], { v4: null, v6: null }],
  ])("judges %j by its sum", (texts, widths) => {
    expect(widestPrefix(texts.map(aCidr))).toEqual(widths);
  });

  it("counts an address once", () => {
    expect(coverage(["10.0.0.0/24", "10.0.0.0/25", "::1"].map(aCidr))).toEqual({ v4: 256n, v6: 1n });
  });

  it("merges neighbours into the fewest blocks", () => {
    const merged = mergeCidrs(["10.0.1.0/24", "::/1", "10.0.0.0/24", "10.0.2.0/24", "8000::/1"].map(aCidr));
    expect(merged.map(formatCidr)).toEqual(["10.0.0.0/23", "10.0.2.0/24", "::/0"]);
    expect(mergeCidrs(["0.0.0.0/1", "128.0.0.0/1"].map(aCidr)).map(formatCidr)).toEqual(["0.0.0.0/0"]);
  });
});
