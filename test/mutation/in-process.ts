// Runs the tests of a file against its mutants in one process: they are bundled once, and read anew for each mutant, so that each has
// modules of its own. The runner of vitest starts a thread for every test file and mutant, which takes twenty times as long.
import { createRequire } from "node:module";
import { join } from "node:path";
import { Script } from "node:vm";
import { INSTRUMENTER_CONSTANTS, type MutantCoverage } from "@stryker-mutator/api/core";
import { declareClassPlugin, PluginKind } from "@stryker-mutator/api/plugin";
import {
  type DryRunResult,
  DryRunStatus,
  determineHitLimitReached,
  type MutantRunOptions,
  type MutantRunResult,
  type TestResult,
  type TestRunner,
  TestStatus,
  toMutantRunResult,
} from "@stryker-mutator/api/test-runner";
import { build } from "esbuild";
import type { cases } from "./harness.ts";

/** What the instrumented source reads and writes. */
interface Instrumented {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage?: MutantCoverage;
}

type Cases = typeof cases;
type Load = (require: NodeJS.Require, module: { exports: { cases?: Cases } }) => void;

/** Unit tests first: most mutants die there, and the first failure ends the run before the thousand draws of a property. */
const unitFirst = (a: string, b: string): number =>
  Number(a.startsWith("test/property/")) - Number(b.startsWith("test/property/"));

class InProcess implements TestRunner {
  private readonly require = createRequire(join(process.cwd(), "package.json"));
  private readonly shared: Instrumented = {};
  private load: Load = () => undefined;

  capabilities(): { reloadEnvironment: boolean } {
    return { reloadEnvironment: true };
  }

  async init(): Promise<void> {
    Reflect.set(globalThis, INSTRUMENTER_CONSTANTS.NAMESPACE, this.shared);
    const tests = (process.env["SAFEPORT_MUTATION_TESTS"] ?? "").split(",").toSorted(unitFirst);
    const imports = ["test/mutation/no-shrinking.ts", ...tests].map((file) => `import "./${file}";`);
    const bundle = await build({
      stdin: {
        contents: [...imports, 'export { cases } from "./test/mutation/harness.ts";'].join("\n"),
        resolveDir: process.cwd(),
      },
      absWorkingDir: process.cwd(),
      alias: { vitest: "./test/mutation/harness.ts" },
      bundle: true,
      write: false,
      format: "cjs",
      platform: "node",
      target: "node20",
      packages: "external",
      logLevel: "error",
    });
    const script = new Script(`(function (require, module) { ${bundle.outputFiles[0]?.text ?? ""}\n})`);
    this.load = script.runInThisContext() as Load;
  }

  async dryRun(): Promise<DryRunResult> {
    const tests = await this.runAll();
    const { mutantCoverage } = this.shared;
    return { status: DryRunStatus.Complete, tests, ...(mutantCoverage && { mutantCoverage }) };
  }

  async mutantRun({
    activeMutant,
    mutantActivation,
    hitLimit,
    testFilter,
  }: MutantRunOptions): Promise<MutantRunResult> {
    Object.assign(this.shared, { hitCount: 0, hitLimit, activeMutant: undefined });
    const tests = await this.runAll(activeMutant.id, mutantActivation === "static", testFilter);
    const timedOut = determineHitLimitReached(this.shared.hitCount, hitLimit);
    return toMutantRunResult(timedOut ?? { status: DryRunStatus.Complete, tests });
  }

  /** Runs the tests up to the first that fails. What breaks while they are read fails, too. */
  private async runAll(mutant?: string, isStatic = false, only?: readonly string[]): Promise<TestResult[]> {
    if (isStatic) this.shared.activeMutant = mutant;
    const module: Parameters<Load>[1] = { exports: {} };
    const read = await this.attempt("read", "reading the tests", async () => this.load(this.require, module));
    if (read.status === TestStatus.Failed) return [read];
    this.shared.activeMutant = mutant;
    const results: TestResult[] = [];
    for (const [index, { name, run }] of (module.exports.cases ?? []).entries()) {
      const id = String(index);
      if (only !== undefined && !only.includes(id)) continue;
      if (mutant === undefined) this.shared.currentTestId = id;
      const result = await this.attempt(id, name, run);
      this.shared.currentTestId = undefined;
      results.push(result);
      if (result.status === TestStatus.Failed) break;
    }
    return results;
  }

  private async attempt(id: string, name: string, run: () => Promise<void>): Promise<TestResult> {
    const startedAt = performance.now();
    const failure = await run().then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    const result = { id, name, timeSpentMs: performance.now() - startedAt };
    return failure === null
      ? { ...result, status: TestStatus.Success }
      : { ...result, status: TestStatus.Failed, failureMessage: failure };
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, "in-process", InProcess)];
