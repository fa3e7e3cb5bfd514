// Ports that a lockdown leaves open, as the policy writes them.
import { describe, expect, it } from "vitest";
import { parseCorePort } from "../../../shared/domain/core-port.ts";

describe("a core port", () => {
  it.each([
    ["80", { protocol: "tcp", range: { from: 80, to: 80 } }],
    ["tcp/80", { protocol: "tcp", range: { from: 80, to: 80 } }],
    ["udp/443", { protocol: "udp", range: { from: 443, to: 443 } }],
    ["8000-8010", { protocol: "tcp", range: { from: 8000, to: 8010 } }],
    ["udp/8000-8010", { protocol: "udp", range: { from: 8000, to: 8010 } }],
  ])("is read from %s", (text, port) => {
    expect(parseCorePort(text)).toEqual(port);
  });

  it.each([
    "",
    "tcp",
    "tcp/",
    "icmp/8",
    "UDP/443",
    "udp443",
    "22/22",
    "tcp/22/22",
    "80 ",
    " 80",
    "8010-8000",
    "-1",
    "0",
  ])("is not read from '%s'", (text) => {
    expect(parseCorePort(text)).toBeNull();
  });
});
