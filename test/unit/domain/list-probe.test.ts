import { expect, test } from "vitest";
import { listProbeWord, regionProbed } from "../../../shared/domain/list-probe.ts";

const word = listProbeWord("1000", "cn-hangzhou", "20261127");

test("a word names region and day, and is read back by its account alone", () => {
  expect(word).toMatch(/^cn-hangzhou:20261127:[0-9a-f]{12}$/);
  expect(regionProbed(word, "1000")).toBe("cn-hangzhou");
  expect(regionProbed(word, "1001")).toBeNull();
});

test("no two accounts, regions and days have one word", () => {
  const words = [
    word,
    listProbeWord("1001", "cn-hangzhou", "20261127"),
    listProbeWord("1000", "cn-beijing", "20261127"),
  ];
  const digests = [...words, listProbeWord("1000", "cn-hangzhou", "20261128")].map((it) => it.slice(-12));
  expect(new Set(digests).size).toBe(4);
});

test.each([
  "",
  word.slice(0, -1),
  `${word}0`,
  ` ${word}`,
  `${word}\n`,
  word.replace("hangzhou", "beijing"),
  word.replace("1127", "1128"),
  word.toUpperCase(),
  listProbeWord("1000", "CN", "20261127"),
  listProbeWord("1000", "", "20261127"),
  listProbeWord("1000", "cn-hangzhou", "2026112"),
  listProbeWord("1000", "r".repeat(41), "20261127"),
])("%j is none", (text) => {
  expect(regionProbed(text, "1000")).toBeNull();
});
