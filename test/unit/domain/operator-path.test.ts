import { describe, expect, it } from "vitest";
import { cutPaths, isOperatorPath, type OperatorPath } from "../../../shared/domain/operator-path.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { aCidr, aRule, fromCidr, somePorts } from "../../kit/rules.ts";

const ssh: OperatorPath = { protocol: "tcp", port: "22", sources: ["198.51.100.0/24"] };
const opensSsh = aRule({ peer: fromCidr("198.51.100.0/24") });
const aDrop = (changes: Partial<Rule> = {}) =>
  aRule({ policy: "drop", protocol: "all", ports: somePorts("-1/-1"), peer: fromCidr("0.0.0.0/0"), ...changes });

describe("the operator path", () => {
  it("is cut by taking away the rule that lets it through", () => {
    expect(cutPaths([opensSsh], [], [ssh])).toEqual([ssh]);
  });

  it("is cut by a drop as strong as its rule, and not by a weaker one", () => {
    expect(cutPaths([opensSsh], [opensSsh, aDrop({ priority: 1 })], [ssh])).toEqual([ssh]);
    expect(cutPaths([opensSsh], [opensSsh, aDrop({ priority: 2 })], [ssh])).toEqual([]);
  });

  it("is cut by narrowing its source", () => {
    expect(cutPaths([opensSsh], [aRule({ peer: fromCidr("198.51.100.7") })], [ssh])).toEqual([ssh]);
  });

  it("stands while another rule lets it through", () => {
    const everything = aRule({ protocol: "all", ports: somePorts("-1/-1"), peer: fromCidr("0.0.0.0/0"), priority: 50 });
    expect(cutPaths([opensSsh, everything], [everything], [ssh])).toEqual([]);
  });

  it("that was not open before is not cut", () => {
    expect(cutPaths([], [], [ssh])).toEqual([]);
    expect(cutPaths([opensSsh, aDrop()], [], [ssh])).toEqual([]);
  });

  it("is cut when one of its sources is, and the paths that stand are not named", () => {
    const two = { ...ssh, sources: ["203.0.113.7", "198.51.100.0/24"] };
    const other = { ...ssh, sources: ["203.0.113.7"] };
    const home = aRule({ peer: fromCidr("203.0.113.7") });
    expect(cutPaths([opensSsh, home], [home], [two, other])).toEqual([two]);
    expect(cutPaths([opensSsh], [], [two, other])).toEqual([two]);
  });

  it("of a protocol without ports is judged too", () => {
    const ping: OperatorPath = { protocol: "icmp", port: "", sources: ["198.51.100.7"] };
    const opensPing = aRule({ protocol: "icmp", ports: somePorts("-1/-1"), peer: fromCidr("198.51.100.0/24") });
    expect(cutPaths([opensSsh, opensPing], [opensSsh], [ssh, ping])).toEqual([ping]);
  });

  it("is judged for the interface's own address where rules are narrowed to a host", () => {
    const [own, other] = [aCidr("10.0.0.5"), aCidr("10.0.0.6")];
    const narrowed = aRule({ ...opensSsh, dest: own });
    expect(cutPaths([narrowed], [], [ssh], [own])).toEqual([ssh]);
    expect(cutPaths([narrowed], [], [ssh], [other])).toEqual([]);
    expect(cutPaths([opensSsh], [opensSsh, aDrop({ dest: other })], [ssh], [own])).toEqual([]);
    expect(cutPaths([opensSsh], [opensSsh, aDrop({ dest: own })], [ssh], [aCidr("2001:db8::5"), own])).toEqual([ssh]);
  });

  it("is not judged for an address of the interface that its source cannot go to", () => {
    const own = [aCidr("2001:db8::5"), aCidr("10.0.0.5")];
    expect(cutPaths([opensSsh], [opensSsh, aDrop({ dest: aCidr("10.0.0.6") })], [ssh], own)).toEqual([]);
  });

  it("is not known to have been open behind a drop that nobody can look into and that goes", () => {
    const drop = aDrop({ peer: { kind: "prefixList", prefixListId: "pl-1" } });
    expect(cutPaths([opensSsh, drop], [], [ssh])).toEqual([]);
    expect(cutPaths([opensSsh, drop], [drop], [ssh])).toEqual([ssh]);
  });

  it("over IPv6 is judged where the interface has no IPv6 address", () => {
    const path = { ...ssh, sources: ["2001:db8::/64"] };
    const rule = aRule({ peer: fromCidr("2001:db8::/56") });
    expect(cutPaths([rule], [], [path], [aCidr("10.0.0.5")])).toEqual([path]);
  });

  it("that cannot be read is cut by any change", () => {
    const unreadable = { ...ssh, port: "ssh" };
    expect(cutPaths([opensSsh], [opensSsh], [unreadable, ssh])).toEqual([unreadable]);
  });
});

describe("whether an operator path can be read", () => {
  it.each<[string, Partial<OperatorPath>, boolean]>([
    ["a port", {}, true],
    ["a range of ports", { port: "8000-8010" }, true],
    ["no port of tcp", { port: "" }, false],
    ["ping", { protocol: "icmp", port: "" }, true],
    ["a port of ping", { protocol: "icmp" }, false],
    ["ping over IPv6", { protocol: "icmp", port: "", sources: ["2001:db8::1"] }, false],
    ["no source", { sources: [] }, false],
    ["a block with host bits", { sources: ["198.51.100.7/24"] }, false],
  ])("with %s", (_, changes, read) => {
    expect(isOperatorPath({ ...ssh, ...changes })).toBe(read);
  });
});
