import { defineConfig } from "vitest/config";

// One project per kind of test, so that each can be run alone.
const project = (name: string, testTimeout: number) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: 60_000 },
});

export default defineConfig({
  test: {
    projects: [
      project("unit", 10_000),
      project("property", 60_000),
      project("contract", 30_000),
      project("conformance", 60_000),
      project("crash", 300_000),
      project("story", 300_000),
    ],
  },
});
