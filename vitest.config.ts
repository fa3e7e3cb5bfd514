import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

interface Kind {
  readonly setupFiles?: string[];
  /** Whether each file has a process of its own; without, the SDKs are loaded once and not by every file. */
  readonly isolate?: boolean;
}

// One project per kind of test, so that each can be run alone.
const project = (name: string, testTimeout: number, { setupFiles = [], isolate = true }: Kind = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: 60_000, setupFiles, isolate },
});

// Those that are tried under other readings of the cloud too (test/switches).
const traced = ["test/switches/trace-reads.ts"];

export default defineConfig({
  test: {
    // Both cores of a small machine: the runner's own choice is one less than there are.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      project("unit", 10_000, { isolate: false }),
      project("property", 60_000),
      project("contract", 30_000, { setupFiles: traced, isolate: false }),
      project("conformance", 60_000, { isolate: false }),
      project("crash", 300_000, { setupFiles: traced }),
      project("story", 300_000, { setupFiles: traced }),
      project("model", 60_000),
      project("fuzz", 60_000),
      project("simulation", 300_000),
    ],
  },
});
