// Which tests are meant to see a mutant of a file. Coverage would be too kind: half of the suite runs through the rule key,
// and a mutant that dies in a distant test by accident tells nothing about the tests of the file itself.
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** What leads from a test to a file. */
const SOURCES = ["shared", "local", "test"];
/** A test that takes in one of these runs the program: too slow for a run per mutant. */
const PROGRAM = /^(local\/services|shared\/(adapters\/alibaba|usecases))\//;

/** Stories, crashes and simulations look from too far. */
const isTest = (file: string): boolean => /^test\/(unit|property)\/.*\.test\.ts$/.test(file);

/** What a file takes from others at run time, as paths from the root: imports of types alone let no mutant through. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(root, file), "utf8");
  const found = text.matchAll(/^(?:import|export)\s+(?!type\b)[^;]*?\bfrom\s+"(\.[^"]+)"/gm);
  return [...found].map(([, path = ""]) => join(dirname(file), path));
}

/** File → the files that it imports, of everything that leads from a test to a source. */
export function readImports(): ReadonlyMap<string, readonly string[]> {
  const files = SOURCES.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((path) => join(folder, path)),
  );
  return new Map(files.filter((file) => file.endsWith(".ts")).map((file) => [file, importsOf(file)]));
}

/** All that is reached from a file over the edges, nearest first: one array for each number of steps. */
function ringsOf(file: string, edges: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const seen = new Set([file]);
  const rings: string[][] = [];
  for (let ring = [file]; ring.length > 0; ) {
    ring = [...new Set(ring.flatMap((each) => edges.get(each) ?? []))].filter((each) => !seen.has(each));
    for (const each of ring) seen.add(each);
    rings.push(ring);
  }
  return rings;
}

/**
 * The tests of a file, as paths from the root: those named after it (`<name>.test.ts`, and `<name>-….test.ts` where it imports the file);
 * without one, those that reach it over the fewest imports and do not run the program. Empty when there is none of either.
 */
export function ownTests(file: string, imports = readImports()): readonly string[] {
  const importers = new Map<string, string[]>();
  for (const [importer, imported] of imports)
    for (const each of imported) importers.set(each, [...(importers.get(each) ?? []), importer]);
  const isPure = (test: string): boolean =>
    !ringsOf(test, imports)
      .flat()
      .some((each) => PROGRAM.test(each));

  const nearest = ringsOf(file, importers).map((ring) => ring.filter(isTest));
  const name = basename(file, ".ts");
  const isNamed = (test: string, steps: number): boolean =>
    basename(test) === `${name}.test.ts` || (steps === 0 && basename(test).startsWith(`${name}-`));
  const named = nearest.flatMap((tests, steps) => tests.filter((test) => isNamed(test, steps)));
  const choices = [named, ...nearest.map((tests) => tests.filter(isPure))];
  return choices.find((tests) => tests.length > 0)?.sort() ?? [];
}
