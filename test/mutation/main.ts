// `npm run mutate -- [files…]`: changes one expression of the source at a time and looks whether the tests of that file notice.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LogLevel, MutantResult, MutantStatus } from "@stryker-mutator/api/core";
import { transformSync } from "esbuild";
import { toolOptions } from "../kit/tool-options.ts";
import { EXPLAINED, type Explained } from "./explained.ts";
import { EXPLAINED_IN_DRIFT } from "./explained-drift.ts";
import { EXPLAINED_IN_PLAN } from "./explained-plan.ts";
import { EXPLAINED_IN_USE } from "./explained-use.ts";
import { ownTests, readImports } from "./own-tests.ts";

const USAGE = `npm run mutate -- [files…] [--list]

Mutates each file (all of shared/domain and shared/plan by default) and runs the unit and property tests of that file against
every mutant. Prints how many were killed, and each survivor with its line and replacement; exit code 1 when there is one that
test/mutation/explained*.ts does not explain, or when one of these explains a mutant that does not survive.

  --list   only say which tests are meant to see which file
  --help   this page`;

const { values, positionals } = toolOptions(USAGE, { list: { type: "boolean", default: false } }, { takesFiles: true });

const FOLDERS = ["shared/domain", "shared/plan"];

/** A mutant and where it stands, as a person and the page of explained ones name it. */
interface Mutant extends Omit<Explained, "reason"> {
  readonly status: MutantStatus;
  readonly lineNumber: number;
}

const oneSpaced = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

function describe(file: string, source: string, { location, replacement, status }: MutantResult): Mutant {
  const lines = source.split(/(?<=\n)/);
  // Lines and columns count from 1.
  const offset = ({ line, column }: MutantResult["location"]["start"]): number =>
    lines.slice(0, line - 1).join("").length + column - 1;
  return {
    file,
    line: (lines[location.start.line - 1] ?? "").trim(),
    original: oneSpaced(source.slice(offset(location.start), offset(location.end))),
    replacement: oneSpaced(replacement ?? ""),
    status,
    lineNumber: location.start.line,
  };
}

async function mutate(file: string, tests: readonly string[]): Promise<readonly Mutant[]> {
  const { Stryker } = await import("@stryker-mutator/core");
  process.env["SAFEPORT_MUTATION_TESTS"] = tests.join(",");
  const results = await new Stryker({
    mutate: [file],
    testRunner: "in-process",
    plugins: [join(import.meta.dirname, "in-process.ts")],
    testRunnerNodeArgs: ["--import", "tsx"],
    coverageAnalysis: "perTest",
    concurrency: 1,
    // A machine that does other work besides: a mutant that is only slow is not dead.
    timeoutMS: 20_000,
    timeoutFactor: 4,
    reporters: [],
    logLevel: "error" as LogLevel,
    tempDirName: ".stryker-tmp",
    ignorePatterns: ["dist", ".safeport", "docs", "coverage"],
    // It would read the configuration of TypeScript through an interface that TypeScript 7 does not have.
    tsconfigFile: "none.json",
    disableTypeChecks: false,
  }).runMutationTest();
  const source = readFileSync(file, "utf8");
  return results.map((result) => describe(file, source, result));
}

const isSame = (one: Omit<Explained, "reason">, other: Omit<Explained, "reason">): boolean =>
  (["file", "line", "original", "replacement"] as const).every((key) => one[key] === other[key]);

/** Prints what became of a file's mutants; the number of survivors and explanations that are not as they should be. */
function report(file: string, mutants: readonly Mutant[], startedAt: number): number {
  const of = (...statuses: readonly MutantStatus[]): readonly Mutant[] =>
    mutants.filter(({ status }) => statuses.includes(status));
  const survivors = of("Survived", "NoCoverage");
  const explained = [...EXPLAINED, ...EXPLAINED_IN_PLAN, ...EXPLAINED_IN_DRIFT, ...EXPLAINED_IN_USE].filter(
    (each) => each.file === file,
  );
  const unexplained = survivors.filter((mutant) => !explained.some((each) => isSame(each, mutant)));
  const obsolete = explained.filter((each) => !survivors.some((mutant) => isSame(each, mutant)));
  const tally = {
    mutants: mutants.length,
    killed: of("Killed").length,
    "timed out": of("Timeout").length,
    survived: survivors.length,
    explained: survivors.length - unexplained.length,
    broken: of("RuntimeError", "CompileError", "Ignored", "Pending").length,
  };
  const figures = Object.entries(tally).map(([what, count]) => `${count} ${what}`);
  console.log(`${file}: ${figures.join(", ")} (${((performance.now() - startedAt) / 1000).toFixed(0)} s)`);
  for (const { lineNumber, original, replacement, status } of unexplained)
    console.log(
      `  ${file}:${lineNumber} ${status === "NoCoverage" ? "no test runs" : "survived"}\n    - ${original}\n    + ${replacement}`,
    );
  for (const { line, original, replacement } of obsolete)
    console.log(`  explained, but no survivor: ${line}\n    - ${original}\n    + ${replacement}`);
  return unexplained.length + obsolete.length;
}

async function main(): Promise<void> {
  const files =
    positionals.length > 0
      ? positionals
      : FOLDERS.flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`));
  const imports = readImports();
  let wrong = 0;
  for (const file of files) {
    const startedAt = performance.now();
    const tests = ownTests(file, imports);
    const isTypesAlone = transformSync(readFileSync(file, "utf8"), { loader: "ts" }).code.trim() === "";
    if (isTypesAlone) console.log(`${file}: types alone`);
    else if (values.list || tests.length === 0)
      console.log(`${file}: ${tests.join(" ") || "no unit or property test of decisions reaches it"}`);
    else wrong += report(file, await mutate(file, tests), startedAt);
    if (!isTypesAlone && tests.length === 0) wrong += 1;
  }
  process.exitCode = wrong === 0 ? 0 : 1;
}

void main();
