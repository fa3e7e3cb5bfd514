// The kinds of tests that a reading is tried on, without the files that start no embedded ECS in their process.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import all from "../../vitest.config.ts";
import { kinds, triedFiles, unreached } from "./reach.ts";

const root = join(import.meta.dirname, "../..");

/** The reading would reach none of them: no ECS, or a program in a process of its own. */
const unmoved = [
  "test/contract/tables.test.ts",
  "test/story/first-lease-docs.test.ts",
  "test/story/readme-story.test.ts",
  "test/story/drift-docs.test.ts",
  "test/crash/drift-crash.test.ts",
  // Goes through every reading by itself.
  "test/contract/probe.test.ts",
];

/**
 * Time stands in the cloud of a deployed program and runs in the program, and stands in a year of recycling while a day's work is done: what is
 * read a second late would be read never.
 */
const standsIn = ["kit/deployed.ts", "recycling-year/run-year.ts"];
const inStandingTime = triedFiles().filter((file) => {
  const text = readFileSync(join(root, file), "utf8");
  return standsIn.some((it) => text.includes(it));
});
const readsLate = process.env["SAFEPORT_TEST_SWITCH"]?.startsWith("readAfterWriteMs=") ?? false;

/** What the reading cannot reach, as the last whole run of the tests has shown. */
const [switchName = ""] = (process.env["SAFEPORT_TEST_SWITCH"] ?? "").split("=");
const projects = (all.test?.projects ?? []) as TestProjectInlineConfiguration[];

// biome-ignore lint/style/noDefaultExport: the test runner takes a default export.
export default defineConfig({
  test: {
    // Both cores: one file, the crash table, takes half of the time.
    maxWorkers: 2,
    // A switch that no file reads changes nothing.
    passWithNoTests: true,
    projects: projects
      .filter(({ test }) => typeof test?.name === "string" && kinds.includes(test.name))
      .map(({ test }) => ({
        test: {
          ...test,
          exclude: [...unmoved, ...(readsLate ? inStandingTime : []), ...unreached(triedFiles(), switchName)],
          setupFiles: ["test/switches/default-reading.ts"],
        },
      })),
  },
});
