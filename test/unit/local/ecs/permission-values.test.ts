// Single values of a permission: what is stored of each text, or the code of its refusal.
import { describe, expect, it } from "vitest";
import type { RpcError } from "../../../../local/protocol/rpc/rpc-error.ts";
import {
  isPortRange,
  readDescription,
  readPolicy,
  readPriority,
  readProtocol,
  readSourcePortRange,
} from "../../../../local/services/ecs/permission-values.ts";

const outcome = (read: () => unknown): unknown => {
  try {
    return read();
  } catch (error) {
    return (error as RpcError).code;
  }
};

describe("values of a permission", () => {
  it.each([
    [undefined, "Accept"],
    ["ACCEPT", "Accept"],
    ["drop", "Drop"],
    ["", "InvalidPolicy.Malformed"],
    ["deny", "InvalidPolicy.Malformed"],
  ])("takes the policy %s for %s", (text, expected) => {
    expect(outcome(() => readPolicy(text))).toBe(expected);
  });

  it.each([
    [undefined, 1],
    ["1", 1],
    ["100", 100],
    ["007", 7],
    ["0", "InvalidPriority.ValueNotSupported"],
    ["101", "InvalidPriority.ValueNotSupported"],
    ["-1", "InvalidPriority.Malformed"],
    ["1.5", "InvalidPriority.Malformed"],
    ["", "InvalidPriority.Malformed"],
  ])("takes the priority %s for %s", (text, expected) => {
    expect(outcome(() => readPriority(text, "Priority"))).toBe(expected);
  });

  it.each([
    ["tcp", "TCP"],
    ["Icmpv6", "ICMPv6"],
    ["all", "ALL"],
    ["gre", "GRE"],
    ["6", "InvalidIpProtocol.ValueNotSupported"],
    ["", "InvalidIpProtocol.ValueNotSupported"],
    ["constructor", "InvalidIpProtocol.ValueNotSupported"],
  ])("takes the protocol %s for %s", (text, expected) => {
    expect(outcome(() => readProtocol(text, "IpProtocol"))).toBe(expected);
  });

  it.each([
    ["1/65535", true],
    ["22/22", true],
    ["200/1", false],
    ["0/1", false],
    ["1/65536", false],
    ["-1/-1", false],
    ["22", false],
    ["22/", false],
    [" 22/22", false],
  ])("takes %s for a range of ports: %s", (text, expected) => {
    expect(isPortRange(text)).toBe(expected);
  });

  it.each([
    ["", ""],
    ["-1/-1", "-1/-1"],
    ["1/2", "1/2"],
    ["2/1", "InvalidSourcePortRange.Malformed"],
  ])("takes the source ports %s for %s", (text, expected) => {
    expect(outcome(() => readSourcePortRange(text))).toBe(expected);
  });

  it.each([
    [undefined, ""],
    ["x".repeat(512), "x".repeat(512)],
    ["", "InvalidSecurityGroupDiscription.Malformed"],
    ["x".repeat(513), "InvalidSecurityGroupDiscription.Malformed"],
  ])("takes a description, and refuses an empty or long one", (text, expected) => {
    expect(outcome(() => readDescription(text, "Description"))).toBe(expected);
  });
});
