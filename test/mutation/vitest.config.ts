// The tests of the one file that is being mutated, as main.ts names them; without isolation a mutant of a constant would be read once.
import { defineConfig } from "vitest/config";

// biome-ignore lint/style/noDefaultExport: the test runner takes a default export.
export default defineConfig({
  test: {
    include: (process.env["SAFEPORT_MUTATION_TESTS"] ?? "").split(","),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    isolate: true,
  },
});
