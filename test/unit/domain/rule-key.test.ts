import { describe, expect, it } from "vitest";
import type { GroupId } from "../../../shared/domain/ids.ts";
import type { RuleSpec } from "../../../shared/domain/rule.ts";
import { entryIdOf, identityWithoutPriority, ruleKey } from "../../../shared/domain/rule-key.ts";
import { aCidr, aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

describe("the key of a rule", () => {
  it("is readable text", () => {
    expect(ruleKey(aSpec())).toBe("ingress|tcp|22/22|203.0.113.7/32|accept|1|-1/-1|*");
  });

  it("is the same however the source was written", () => {
    expect(ruleKey(aSpec({ peer: fromCidr("2408:180:0000::1") }))).toBe(
      ruleKey(aSpec({ peer: fromCidr("2408:180::1/128") })),
    );
    expect(ruleKey(aSpec({ peer: fromCidr("203.0.113.7") }))).toBe(ruleKey(aSpec()));
  });

  it("quotes what it does not know, in lower case", () => {
    expect(ruleKey(aSpec({ protocol: { other: "Future" } }))).toBe(
      'ingress|other:"future"|22/22|203.0.113.7/32|accept|1|-1/-1|*',
    );
  });

  it("leaves out who wrote the rule and what its description says", () => {
    expect(ruleKey(aRule({ description: "mine", createdAt: 5, id: null }))).toBe(ruleKey(aSpec()));
  });

  const changes: Partial<RuleSpec>[] = [
    { direction: "egress" },
    { protocol: "udp" },
    { protocol: { other: "tcp" } },
    { ports: somePorts("22/23") },
    { ports: somePorts("-1/-1") },
    { ports: { kind: "list", portRangeListId: "22/22" } },
    { peer: fromCidr("203.0.113.8/32") },
    { peer: { kind: "group", groupId: "203.0.113.7/32" } },
    { peer: { kind: "prefixList", prefixListId: "203.0.113.7/32" } },
    { peer: { kind: "opaque", text: "203.0.113.7/32" } },
    { policy: "drop" },
    { priority: 2 },
    { sourcePorts: somePorts("22/22") },
    { dest: aCidr("10.0.0.5") },
  ];
  it.each(changes)("changes with %o", (change) => {
    expect(ruleKey(aSpec(change))).not.toBe(ruleKey(aSpec()));
  });

  it("cannot be imitated by free text, and never breaks a line", () => {
    const sly = aSpec({ peer: { kind: "opaque", text: 'x"|accept|1|-1/-1|*\n' } });
    expect(ruleKey(sly)).not.toContain("\n");
    expect(ruleKey(sly)).not.toBe(ruleKey(aSpec({ peer: { kind: "opaque", text: "x" } })));
  });
});

it("rules that differ only in priority share the identity without it", () => {
  expect(identityWithoutPriority(aSpec())).toBe("ingress|tcp|22/22|203.0.113.7/32|accept|*|-1/-1|*");
  expect(identityWithoutPriority(aSpec({ priority: 5 }))).toBe(identityWithoutPriority(aSpec()));
  expect(identityWithoutPriority(aSpec({ policy: "drop" }))).not.toBe(identityWithoutPriority(aSpec()));
});

it("an entry's id is fixed by its group and key", () => {
  const key = ruleKey(aSpec());
  const id = entryIdOf("sg-a" as GroupId, key);
  // Written down because marks of earlier versions must keep their meaning.
  expect(id).toBe("e-2a75be0fa6959c5c");
  expect(entryIdOf("sg-b" as GroupId, key)).not.toBe(id);
  expect(entryIdOf("sg-a" as GroupId, ruleKey(aSpec({ priority: 2 })))).not.toBe(id);
});
