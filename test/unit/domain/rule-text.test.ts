// Rules in the words that people write.
import { expect, test } from "vitest";
import { portsText, protocolText, sourceText } from "../../../shared/domain/rule-text.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

test("a protocol is told by its name, or by what the cloud calls it", () => {
  expect([protocolText(aSpec({ protocol: "udp" })), protocolText(aSpec({ protocol: { other: "50" } }))]).toEqual([
    "udp",
    "50",
  ]);
});

test("ports are told as people write them", () => {
  expect(["22/22", "8000/8010", "-1/-1"].map((text) => portsText(somePorts(text)))).toEqual(["22", "8000-8010", "any"]);
  expect(portsText({ kind: "list", portRangeListId: "prl-1" })).toBe("prl-1");
});

test("a source is a block or an id", () => {
  expect(sourceText(fromCidr("10.0.0.0/8"))).toBe("10.0.0.0/8");
  expect(sourceText({ kind: "group", groupId: "sg-1" })).toBe("sg-1");
  expect(sourceText({ kind: "prefixList", prefixListId: "pl-1" })).toBe("pl-1");
  expect(sourceText({ kind: "opaque", text: "?" })).toBe("?");
});
