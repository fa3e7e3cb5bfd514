// The tests of the one file that is being mutated, as main.ts names them. Each run has modules of its own: a mutant of a constant would
// otherwise be read once.
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Unit tests first: most mutants die there, and the first failure ends the run before the thousand draws of a property. */
class UnitFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isProperty = ({ moduleId }: TestSpecification): number => Number(moduleId.includes("/test/property/"));
    return files.toSorted((a, b) => isProperty(a) - isProperty(b));
  }
}

const tests = (process.env["SAFEPORT_MUTATION_TESTS"] ?? "").split(",");
const hasProperties = tests.some((file) => file.startsWith("test/property/"));

// biome-ignore lint/style/noDefaultExport: the test runner takes a default export.
export default defineConfig({
  test: {
    include: tests,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    isolate: true,
    setupFiles: hasProperties ? ["test/mutation/no-shrinking.ts"] : [],
    sequence: { sequencer: UnitFirst },
  },
});
