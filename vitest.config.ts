import { defineConfig } from "vitest/config";

// One project per kind of test, so that each can be run alone.
const project = (name: string, testTimeout: number, setupFiles: string[] = []) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: 60_000, setupFiles },
});

// Those that are tried under other readings of the cloud too (test/switches).
const traced = ["test/switches/trace-reads.ts"];

export default defineConfig({
  test: {
    projects: [
      project("unit", 10_000),
      project("property", 60_000),
      project("contract", 30_000, traced),
      project("conformance", 60_000),
      project("crash", 300_000, traced),
      project("story", 300_000, traced),
      project("model", 60_000),
      project("simulation", 300_000),
    ],
  },
});
