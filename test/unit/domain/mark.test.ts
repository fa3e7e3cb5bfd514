import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { EntryId, GroupId } from "../../../shared/domain/ids.ts";
import {
  formatMark,
  isInstallationName,
  type MarkContent,
  parseMark,
  verifyMark,
} from "../../../shared/domain/mark.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { aSpec } from "../../kit/rules.ts";

const UNTIL = Date.UTC(2026, 10, 5, 8);
const rule = { groupId: "sg-a" as GroupId, key: ruleKey(aSpec()), secret: "a secret" };
const aMark = (changes: Partial<MarkContent> = {}) =>
  formatMark({
    ...rule,
    installation: "prod-1",
    entryId: "e-0123456789abcdef" as EntryId,
    until: UNTIL,
    reason: "deploy",
    ...changes,
  });
const read = (text: string) => {
  const mark = parseMark(text);
  if (mark === null) throw new Error(`no mark: ${text}`);
  return mark;
};

describe("writing a mark", () => {
  it("says whose the rule is, until when, and why, in this order", () => {
    const mac = createHmac("sha256", "a secret")
      .update(`sg-a\n${rule.key}\n2026-11-05T08:00:00Z`)
      .digest("hex")
      .slice(0, 8);
    expect(aMark()).toBe(`safeport/1 prod-1 e-0123456789abcdef until=2026-11-05T08:00:00Z k=${mac} deploy`);
  });

  it("rounds the end up to the second", () => {
    expect(read(aMark({ until: UNTIL + 1 })).until).toBe(UNTIL + 1000);
    expect(read(aMark({ until: UNTIL })).until).toBe(UNTIL);
  });

  it.each([
    ["", ""],
    ["   ", ""],
    ["a\tb\r\nc", " a b c"],
    ["修复 prod 数据库", " prod"],
    ["tab\u0000bed\u007f", " tabbed"],
    ["a\u3000b", " a b"],
    ["https://example.com/1", " https://example.com/1"],
    ["until=2030-01-01T00:00:00Z k=00000000", " until=2030-01-01T00:00:00Z k=00000000"],
  ])("writes the reason %j as %j", (reason, written) => {
    expect(aMark({ reason })).toBe(`${aMark({ reason: "" })}${written}`);
  });

  it("is at most 200 characters of printable ASCII", () => {
    for (const reason of ["数".repeat(500), "x".repeat(500), "ab ".repeat(200)]) {
      expect(aMark({ reason })).toMatch(/^[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])$/);
    }
    expect(aMark({ reason: "x".repeat(500) })).toHaveLength(200);
  });

  it("refuses an installation name that would break it", () => {
    for (const installation of ["", "a b", "a\nb", "é", "x".repeat(33)]) {
      expect(isInstallationName(installation)).toBe(false);
      expect(() => aMark({ installation })).toThrow("installation name does not fit in a mark");
    }
  });
});

describe("reading a mark", () => {
  it("gives back what was written", () => {
    expect(read(aMark())).toMatchObject({ installation: "prod-1", entryId: "e-0123456789abcdef", until: UNTIL });
  });

  it("takes the end from the mark, not from the reason", () => {
    expect(read(aMark({ reason: "until=2030-01-01T00:00:00Z" })).until).toBe(UNTIL);
  });

  it.each([
    ["text before it", `x ${aMark()}`],
    ["a blank before it", ` ${aMark()}`],
    ["another version", aMark().replace("safeport/1", "safeport/2")],
    ["a day that does not exist", aMark().replace("2026-11-05", "2026-02-30")],
    ["a longer check value", aMark({ reason: "" }).concat("0")],
    ["a shorter check value", aMark({ reason: "" }).slice(0, -1)],
    ["upper-case digits", aMark().replace("e-0123456789abcdef", "e-0123456789ABCDEF")],
    ["two blanks", aMark().replace(" until", "  until")],
    ["nothing", ""],
    ["a person's words", "temporary, remove after deploy"],
  ])("finds none in %s", (_, text) => {
    expect(parseMark(text)).toBeNull();
  });
});

describe("believing a mark", () => {
  it("holds for the rule it was written for", () => {
    expect(verifyMark(read(aMark()), rule)).toBe(true);
    expect(verifyMark(read(aMark({ until: UNTIL + 1 })), rule)).toBe(true);
    expect(verifyMark(read(aMark()), { ...rule, secret: new TextEncoder().encode("a secret") })).toBe(true);
  });

  it.each([
    ["copied to another group", { ...rule, groupId: "sg-b" as GroupId }],
    ["copied to another rule", { ...rule, key: ruleKey(aSpec({ priority: 2 })) }],
    ["written with another secret", { ...rule, secret: "another" }],
  ])("fails when it was %s", (_, other) => {
    expect(verifyMark(read(aMark()), other)).toBe(false);
  });

  it("fails when its end was moved", () => {
    expect(verifyMark(read(aMark().replace("2026", "2027")), rule)).toBe(false);
  });

  it("fails on a guessed check value", () => {
    expect(verifyMark({ ...read(aMark()), mac: "00000000" }, rule)).toBe(false);
    expect(verifyMark({ ...read(aMark()), mac: "" }, rule)).toBe(false);
  });
});
