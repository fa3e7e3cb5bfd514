// Texts of others, told on one line.
import { expect, test } from "vitest";
import { oneLine } from "../../../shared/domain/one-line.ts";

test.each([
  ["a plain text", "deploy 42", "deploy 42"],
  ["space around and within", "  a \t b  ", "a b"],
  ["line breaks of all kinds", "a\r\nb\u2028c\u2029d\u0085e", "a b c d e"],
  ["what hides or turns text around", "a\u200bb\u202ec\u00add\u0000e", "a b c d e"],
  ["what is no character", "a\ud800b\ue000c", "a b c"],
  ["spaces of other scripts", "a\u3000\u00a0b", "a b"],
])("%s", (_what, text, line) => {
  expect(oneLine(text)).toBe(line);
});

test("what is longer than it may be ends in dots, counted by characters", () => {
  expect(oneLine("abcd", 4)).toBe("abcd");
  expect(oneLine("abcde", 4)).toBe("abc…");
  expect(oneLine("🙂🙂🙂", 3)).toBe("🙂🙂🙂");
  expect(oneLine("🙂🙂🙂", 2)).toBe("🙂…");
  expect([...oneLine("x".repeat(201))]).toHaveLength(200);
});
