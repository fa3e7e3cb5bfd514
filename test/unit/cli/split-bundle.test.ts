// A function's bundle in parts: loaded when they are needed, with one copy of what they share, and traceable to the sources.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { splitBundle } from "../../../cli/build/split.mjs";

const SOURCES = {
  "index.ts": `import { Failure } from "./failure.ts";
    export const isFailure = (it: unknown) => it instanceof Failure;
    export const early = () => import("./early.ts").then((it) => it.make());
    export const late = () => import("./late.ts").then((it) => it.make());
    export const both = async () => [(await import("./early.ts")).counted(), (await import("./late.ts")).counted()];`,
  "failure.ts": "export class Failure extends Error {}",
  "count.ts": "let times = 0; export const count = () => ++times;",
  "early.ts": `import { count } from "./count.ts"; import { Failure } from "./failure.ts";
    export const counted = count; export const make = () => new Failure("early");`,
  "late.ts": `import { count } from "./count.ts"; import { Failure } from "./failure.ts";
    export const counted = count; export const make = () => { throw new Failure("late"); };`,
};

interface Bundle {
  readonly isFailure: (it: unknown) => boolean;
  readonly early: () => Promise<unknown>;
  readonly late: () => Promise<unknown>;
  readonly both: () => Promise<readonly number[]>;
}

const folder = mkdtempSync(join(tmpdir(), "safeport-split-"));
const require = createRequire(import.meta.url);
const loaded = (): string[] => Object.keys(require.cache).filter((path) => path.startsWith(join(folder, "out-")));
let bundle: Bundle;
let out: string;

/** The sources' bundle, as a project in the folder builds it. */
function splitIn(folder: string) {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(SOURCES)) writeFileSync(join(folder, name), text);
  const options = {
    absWorkingDir: folder,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    minify: true,
    write: false,
  } as const;
  const maps = { sourcemap: "external", supported: { "dynamic-import": false }, metafile: true } as const;
  return splitBundle(join(folder, "index.ts"), { ...options, ...maps }, "globalThis.isPrepared=true;");
}

beforeAll(async () => {
  out = mkdtempSync(join(folder, "out-"));
  const { files } = await splitIn(folder);
  for (const { name, result } of files)
    for (const { path, contents } of result.outputFiles)
      writeFileSync(join(out, path.endsWith(".map") ? `${name}.map` : name), contents);
  bundle = require(join(out, "index.js")) as Bundle;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("only the start is loaded before something else is asked for", async () => {
  expect(loaded()).toEqual([join(out, "index.js")]);
  expect(Reflect.get(globalThis, "isPrepared")).toBe(true);
  await bundle.early();
  expect(loaded().some((path) => path.includes("early"))).toBe(true);
  expect(loaded().some((path) => path.includes("late"))).toBe(false);
});

test("an error of a part is one of the start's, and parts share what they both know", async () => {
  expect(bundle.isFailure(await bundle.early())).toBe(true);
  const thrown: unknown = await bundle.late().catch((error: unknown) => error);
  expect(bundle.isFailure(thrown)).toBe(true);
  expect(await bundle.both()).toEqual([1, 2]);
});

test("every file has a map that names its sources", () => {
  const names = readdirSync(out);
  const scripts = names.filter((name) => name.endsWith(".js"));
  expect(scripts.length).toBeGreaterThan(3);
  expect(names.filter((name) => name.endsWith(".map"))).toHaveLength(scripts.length);
  const sources = scripts.flatMap(
    (name) => (JSON.parse(readFileSync(join(out, `${name}.map`), "utf8")) as { sources: string[] }).sources,
  );
  for (const name of ["failure.ts", "early.ts", "late.ts", "count.ts"])
    expect(sources.some((path) => path.endsWith(name))).toBe(true);
});

test("wherever the project lies, the files and their maps are the same", async () => {
  const built = async (place: string) =>
    (await splitIn(join(folder, place))).files.map(({ name, result }) => [
      name,
      ...result.outputFiles.map(({ contents }) => Buffer.from(contents).toString()),
    ]);
  expect(await built("here")).toEqual(await built("some/where/else"));
});
