// The tests of the tests: without any one of the things that keep an invariant, a checker sees it broken.
import { expect, test } from "vitest";
import { mutations } from "./mutations.ts";
import { seekWith } from "./planted.ts";

const SEEDS_MAX = 150;

test.each(mutations.map((mutation) => [mutation.name, mutation] as const))("%s: seen", async (_, mutation) => {
  const sight = await seekWith(mutation, { from: 1, max: SEEDS_MAX });
  expect(mutation.seenBy, JSON.stringify(sight)).toContain(sight?.checker);
});
