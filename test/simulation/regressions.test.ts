// Seeds that once failed, or stand for a planted bug that was seen in them, as small as they could be made.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runSeed } from "./run-seed.ts";
import { parsePart } from "./script.ts";

const FOLDER = join("test", "regressions");

interface Regression {
  readonly seed: string;
  readonly part: string;
  readonly showed: string;
}

test.each(readdirSync(FOLDER))("%s", async (file) => {
  const { seed, part, showed } = JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as Regression;
  const { violations } = await runSeed(seed, { part: parsePart(part) });
  expect(violations, showed).toEqual([]);
});
