// Addresses as the service reads and stores them.
import { describe, expect, it } from "vitest";
import { compressIpv6, parseIpv4, storedIpv4 } from "../../../../local/services/ecs/addresses.ts";

describe("IPv4", () => {
  it.each([
    ["0.0.0.0", [0, 0, 0, 0], undefined],
    ["255.255.255.255/32", [255, 255, 255, 255], 32],
    ["10.159.6.18/12", [10, 159, 6, 18], 12],
    ["0.0.0.0/0", [0, 0, 0, 0], 0],
  ])("reads %s", (text, octets, bits) => {
    expect(parseIpv4(text)).toEqual({ octets, bits });
  });

  it.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "01.2.3.4",
    "1.2.3.4/33",
    "1.2.3.4/",
    "1.2.3.4/08",
    " 1.2.3.4",
    "1.2.3.4/8/8",
  ])("refuses '%s'", (text) => {
    expect(parseIpv4(text)).toBeUndefined();
  });

  it.each([
    ["203.0.113.7", "203.0.113.7", "203.0.113.7/32", "203.0.113.7"],
    ["203.0.113.7/32", "203.0.113.7/32", "203.0.113.7/32", "203.0.113.7/32"],
    ["10.159.6.18/12", "10.159.6.18/12", "10.159.6.18/12", "10.144.0.0/12"],
    ["255.255.255.255/0", "255.255.255.255/0", "255.255.255.255/0", "0.0.0.0/0"],
    ["192.168.255.255/23", "192.168.255.255/23", "192.168.255.255/23", "192.168.254.0/23"],
  ])("stores %s in each form", (text, asSent, added, cleared) => {
    expect(storedIpv4(text, { ipv4Stored: "as-sent" })).toBe(asSent);
    expect(storedIpv4(text, { ipv4Stored: "slash-32-added" })).toBe(added);
    expect(storedIpv4(text, { ipv4Stored: "host-bits-cleared" })).toBe(cleared);
  });
});

describe("IPv6", () => {
  it.each([
    ["2408:180:0000::1", "2408:180::1"],
    ["2408:4321:180:0000::/64", "2408:4321:180::/64"],
    ["2001:DB8::A", "2001:db8::a"],
    ["::/0", "::/0"],
    ["0:0:0:0:0:0:0:1/128", "::1/128"],
    ["::ffff:203.0.113.7", "::ffff:cb00:7107"],
  ])("compresses %s", (text, compressed) => {
    expect(compressIpv6(text)).toBe(compressed);
  });

  it.each(["", "fe80::1%eth0", "::/129", "::/01", "::/8/8", "1.2.3.4", "2001:db8", ":::"])("refuses '%s'", (text) => {
    expect(compressIpv6(text)).toBeUndefined();
  });
});
