// What `npm run mutate` runs against the mutants of a file, and that the page of explained mutants is about code that is there.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EXPLAINED } from "../mutation/explained.ts";
import { EXPLAINED_IN_DRIFT } from "../mutation/explained-drift.ts";
import { EXPLAINED_IN_PLAN } from "../mutation/explained-plan.ts";
import { ownTests } from "../mutation/own-tests.ts";

const root = join(import.meta.dirname, "../..");

test("a file is judged by the tests named after it, and not by all that run through it", () => {
  expect(ownTests("shared/domain/cidr.ts")).toEqual(["test/property/cidr.test.ts", "test/unit/domain/cidr.test.ts"]);
  expect(ownTests("shared/plan/watch-quarantine.ts")).toContain("test/unit/plan/watch-quarantine-doubts.test.ts");
  expect(ownTests("shared/domain/policy.ts")).not.toContain("test/unit/plan/policy-diff.test.ts");
});

test("without one it is judged by the nearest that import it, through other files too", () => {
  const imports = new Map([
    ["shared/plan/far.ts", ["shared/domain/seen.ts"]],
    ["shared/usecases/run.ts", ["shared/domain/seen.ts"]],
    ["test/unit/usecases/run.test.ts", ["shared/usecases/run.ts"]],
    ["test/unit/plan/far.test.ts", ["shared/plan/far.ts"]],
    ["test/story/near.test.ts", ["shared/domain/seen.ts"]],
    ["shared/usecases/other.ts", ["shared/domain/unseen.ts"]],
    ["test/unit/usecases/far.test.ts", ["shared/usecases/other.ts"]],
  ]);
  expect(ownTests("shared/domain/seen.ts", imports)).toEqual(["test/unit/plan/far.test.ts"]);
  expect(ownTests("shared/domain/unseen.ts", imports)).toEqual([]);
});

test("what is explained stands in its file, once on the page, with a reason", () => {
  const all = [...EXPLAINED, ...EXPLAINED_IN_PLAN, ...EXPLAINED_IN_DRIFT];
  const keys = all.map(({ file, line, original, replacement }) => [file, line, original, replacement].join("\n"));
  expect(new Set(keys).size).toBe(keys.length);
  for (const { file, line, reason } of all) {
    const lines = readFileSync(join(root, file), "utf8").split("\n");
    expect(lines.map((each) => each.trim())).toContain(line);
    expect(reason).not.toBe("");
  }
});
