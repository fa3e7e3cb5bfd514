// The word that says that lists have been probed.
import { expect, test } from "vitest";
import { sha256Hex } from "../../../shared/domain/digest.ts";
import { listProbeWord, regionProbed } from "../../../shared/domain/list-probe.ts";

const wordOf = (accountId = "1000", region = "cn-hangzhou", day = "20261127") => listProbeWord(accountId, region, day);

test("a word names region and day, and is read back by its account alone", () => {
  expect(wordOf()).toMatch(/^cn-hangzhou:20261127:[0-9a-f]{12}$/);
  expect(regionProbed(wordOf(), "1000")).toBe("cn-hangzhou");
  expect(regionProbed(wordOf(), "1001")).toBeNull();
});

test("no two accounts, regions and days have one digest, and it is the same every day", () => {
  const words = [wordOf(), wordOf("1001"), wordOf("1000", "cn-beijing"), wordOf("1000", "cn-hangzhou", "20261128")];
  expect(new Set(words.map((word) => word.slice(-12))).size).toBe(4);
  expect(wordOf()).toBe(
    `cn-hangzhou:20261127:${sha256Hex("safeport prefix lists 1000 cn-hangzhou 20261127").slice(0, 12)}`,
  );
});

test.each<[string, (word: string) => string]>([
  ["nothing", () => ""],
  ["a part of one", (word) => word.slice(0, -1)],
  ["more than one", (word) => `${word}0`],
  ["one behind a blank", (word) => ` ${word}`],
  ["a line", (word) => `${word}\n`],
  ["one for another region", (word) => word.replace("hangzhou", "beijing")],
  ["one for another day", (word) => word.replace("1127", "1128")],
  ["one in capitals", (word) => word.toUpperCase()],
])("none is %s", (_what, changed) => {
  expect(regionProbed(changed(wordOf()), "1000")).toBeNull();
});
