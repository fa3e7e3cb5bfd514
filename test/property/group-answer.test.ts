// What is concluded from the bytes of an answer holds of what the answer says, whatever texts people put into it.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ruleFromWire } from "../../shared/adapters/alibaba/ecs-rule.ts";
import { answerDigest, rulesDigest, surelyLacks } from "../../shared/adapters/alibaba/group-answer.ts";
import type { GroupId, GroupRef } from "../../shared/domain/ids.ts";

const ref: GroupRef = { region: "cn-hangzhou", groupId: "sg-web" as GroupId };

/** Texts with all that could be taken for a part of the answer. */
const text = fc
  .array(
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        "safeport/1 test ",
        "safe",
        "port",
        '"RequestId":"',
        '"NextToken":"',
        "\\",
        '"',
        "\\u0073",
        "办公",
      ),
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.join(""));
const answer = fc.record({
  RequestId: fc.uuid(),
  SecurityGroupId: fc.constantFrom("sg-web", "sg-other"),
  Description: text,
  NextToken: fc.constantFrom("", "a"),
  Permissions: fc.record({
    Permission: fc.array(fc.record({ SecurityGroupRuleId: text, Description: text }), { maxLength: 3 }),
  }),
});

/** JSON as other writers spell it. */
const spellings: readonly ((value: unknown) => string)[] = [
  (value) => JSON.stringify(value),
  (value) => JSON.stringify(value, null, 1),
  (value) => JSON.stringify(value).replaceAll("/", "\\/"),
  (value) => JSON.stringify(value).replace(/[a-z](?=[^"]*"[,}\]])/g, (it) => `\\u00${it.charCodeAt(0).toString(16)}`),
];

test("an answer that surely lacks a word is the only page of the group, and no text in it holds the word", () => {
  fc.assert(
    fc.property(answer, fc.constantFrom(...spellings), (value, spell) => {
      const bytes = Buffer.from(spell(value));
      if (!surelyLacks(bytes, ref, "safeport")) return;
      const read = JSON.parse(bytes.toString()) as typeof value;
      expect(JSON.stringify(Object.values(read.Permissions.Permission))).not.toContain("safeport");
      expect([read.SecurityGroupId, read.NextToken]).toEqual(["sg-web", ""]);
    }),
    { numRuns: 2000 },
  );
});

test("some answers surely lack it", () => {
  const plain = { RequestId: "R", SecurityGroupId: "sg-web", NextToken: "", Permissions: { Permission: [] } };
  expect(surelyLacks(Buffer.from(JSON.stringify(plain)), ref, "safeport")).toBe(true);
});

test("answers of one digest say the same but for the request's own id", () => {
  fc.assert(
    fc.property(answer, answer, fc.uuid(), fc.boolean(), (one, other, id, isSame) => {
      const again = isSame ? { ...one, RequestId: id } : other;
      const digests = [one, again].map((value) => answerDigest(Buffer.from(JSON.stringify(value))));
      const { RequestId: _a, ...left } = one;
      const { RequestId: _b, ...right } = again;
      expect(digests[0] === digests[1]).toBe(JSON.stringify(left) === JSON.stringify(right));
    }),
    { numRuns: 2000 },
  );
});

/** Everything of a rule as text. */
const inFull = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));

test("the digest of rules is the same in any order, and another one for other rules", () => {
  const rule = fc
    .record({
      SecurityGroupRuleId: fc.string(),
      PortRange: fc.constantFrom("22/22", "80/80"),
      SourceCidrIp: fc.constantFrom("0.0.0.0/0", "10.0.0.0/8"),
      Description: text,
    })
    .map((fields) => ruleFromWire(fields));
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 4 }), fc.array(rule, { maxLength: 4 }), (one, other) => {
      expect(rulesDigest([...one].reverse())).toBe(rulesDigest(one));
      const texts = [one, other].map((list) => list.map(inFull).sort().join("\n"));
      expect(rulesDigest(one) === rulesDigest(other)).toBe(texts[0] === texts[1]);
    }),
  );
});
