// Who is one person: the names by which second persons are told apart from whoever asks.
import { describe, expect, it, test } from "vitest";
import { isSameName, PROGRAM_NAMES, personOf, shareIssuer } from "../../../shared/domain/grant-policy.ts";

describe("the person a principal is", () => {
  const policy = { persons: { ann: ["ann-admin", "corp/ann"], bob: ["bob-admin"] } };
  it.each([
    ["corp/ann", "ann"],
    ["ann-admin", "ann"],
    ["bob-admin", "bob"],
    ["ann", "ann"],
    ["eve", "eve"],
  ])("%s is %s", (principal, person) => {
    expect(personOf(policy, principal)).toBe(person);
  });
});

describe("two names", () => {
  it.each([
    ["ann", "ann", true],
    ["ann", "ANN", true],
    ["ａｎｎ", "ann", true],
    ["corp/ann", "ann", true],
    ["Corp/Ann", "corp/ann", true],
    ["a/b/ann", "b/ann", true],
    ["corp/ann", "partner/ann", false],
    ["joann", "ann", false],
    ["ann", "ann/corp", false],
    ["ann", "bob", false],
    ["corp/ann", "corp/", false],
    ["ıan", "ian", false],
  ])("%s and %s may be of one person: %s", (a, b, same) => {
    expect(isSameName(a, b)).toBe(same);
    expect(isSameName(b, a)).toBe(same);
  });
});

describe("chains of issuers", () => {
  it.each<[readonly string[], readonly string[], boolean]>([
    [["ann"], ["bob", "corp/ann"], true],
    [["bob", "ann"], ["ann"], true],
    [["ann"], ["bob"], false],
    [[], ["ann"], false],
    [[], [], false],
  ])("%j and %j lead to one person: %s", (a, b, share) => {
    expect(shareIssuer(a, b)).toBe(share);
    expect(shareIssuer(b, a)).toBe(share);
  });

  test("that both begin at the program lead to nobody", () => {
    expect(PROGRAM_NAMES).toEqual(["safeport", "setup", "recovered", "monitoring", "alarm", "link", "unknown"]);
    for (const name of PROGRAM_NAMES) expect(shareIssuer([name], [name])).toBe(false);
    expect(shareIssuer(["setup", "ann"], ["setup", "ann"])).toBe(true);
  });
});
