import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { EntryId, GroupId } from "../../shared/domain/ids.ts";
import { formatUtc, parseUtc } from "../../shared/domain/instant.ts";
import { formatMark, MARK_MAX_LENGTH, parseMark, verifyMark } from "../../shared/domain/mark.ts";
import { entryIdOf, ruleKey } from "../../shared/domain/rule-key.ts";
import { anySpec } from "../kit/rule-arbitraries.ts";

const anInstant = fc.integer({ min: 0, max: Date.UTC(9999, 0, 1) });
const aReason = fc.oneof(
  fc.string({ unit: "binary", maxLength: 500 }),
  fc.string({ unit: fc.constantFrom(..."修复数据库端口临时开放"), minLength: 500, maxLength: 500 }),
  fc.string({
    unit: fc.constantFrom(" ", "until=", "k=", "00000000", "2030-01-01T00:00:00Z", "safeport/1", "\n", "e-"),
    maxLength: 40,
  }),
);
const aContent = fc
  .record({
    spec: anySpec,
    groupId: fc.stringMatching(/^sg-[a-z0-9]{1,20}$/).map((id) => id as GroupId),
    installation: fc.stringMatching(/^[a-zA-Z0-9_.-]{1,32}$/),
    until: anInstant,
    secret: fc.string({ minLength: 1 }),
    reason: aReason,
  })
  .map(({ spec, ...rest }) => ({ ...rest, key: ruleKey(spec), entryId: entryIdOf(rest.groupId, ruleKey(spec)) }));

it("a mark survives any reason, and holds for its own rule only", () => {
  fc.assert(
    fc.property(aContent, aContent, (content, other) => {
      const text = formatMark(content);
      expect(text.length).toBeLessThanOrEqual(MARK_MAX_LENGTH);
      expect(text).toMatch(/^[\x20-\x7e]+$/);
      expect(text).toBe(text.trim());
      const mark = parseMark(text);
      expect(mark).toMatchObject({
        installation: content.installation,
        entryId: content.entryId,
        until: Math.ceil(content.until / 1000) * 1000,
      });
      if (mark === null) return;
      expect(verifyMark(mark, content)).toBe(true);
      // One chance in four thousand million each: a failure here is not luck.
      if (other.groupId !== content.groupId)
        expect(verifyMark(mark, { ...content, groupId: other.groupId })).toBe(false);
      if (other.key !== content.key) expect(verifyMark(mark, { ...content, key: other.key })).toBe(false);
      if (other.secret !== content.secret) expect(verifyMark(mark, { ...content, secret: other.secret })).toBe(false);
      expect(verifyMark({ ...mark, until: mark.until + 1000 }, content)).toBe(false);
    }),
  );
});

it("a mark is found at the very start only", () => {
  fc.assert(
    fc.property(aContent, fc.string({ minLength: 1 }), (content, before) => {
      expect(parseMark(before + formatMark(content))).toBeNull();
    }),
  );
});

it("no text makes reading a mark fail", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), aReason), (text) => {
      const mark = parseMark(text);
      if (mark !== null) expect(mark.entryId satisfies EntryId).toMatch(/^e-/);
    }),
  );
});

it("an instant is read back to the second", () => {
  fc.assert(
    fc.property(anInstant, (ms) => {
      expect(parseUtc(formatUtc(ms))).toBe(Math.floor(ms / 1000) * 1000);
    }),
  );
});
