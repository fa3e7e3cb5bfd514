// The tests of the tests: without any one of the things that keep an invariant, a checker sees it broken.
import { expect, test } from "vitest";
import { checkers } from "./checkers/all.ts";
import { mutations } from "./mutations.ts";
import { seekWith } from "./planted.ts";
import { parsePart } from "./script.ts";

const SEEDS_MAX = 150;

test("each checker is needed: some planted bug nobody else may be the first to see", () => {
  const alone = new Set(mutations.flatMap(({ seenBy }) => (seenBy.length === 1 ? seenBy : [])));
  expect(checkers.map(({ name }) => name).filter((name) => !alone.has(name))).toEqual([]);
});

test.each(mutations.map((mutation) => [mutation.name, mutation] as const))("%s: seen", async (_, mutation) => {
  const sight = await seekWith(mutation, { from: mutation.from ?? 1, max: SEEDS_MAX });
  expect(mutation.seenBy, JSON.stringify(sight)).toContain(sight?.checker);
});

test("what is seen is shrunk to the few moves that bring it about", async () => {
  const mutation = mutations.find(({ name }) => name === "every rule of the key is ours");
  const sight = await seekWith(mutation ?? null, { from: 2, max: SEEDS_MAX, shrinkRuns: 40 });
  const { moves, faults } = parsePart(sight?.part ?? "");
  expect(moves?.length, sight?.part ?? "").toBeLessThanOrEqual(2);
  expect(faults, sight?.part ?? "").toEqual([]);
});
