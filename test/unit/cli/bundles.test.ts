// The functions' bundles: the same bytes wherever they are built, small, and nothing beside what is deployed.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build } from "../../../cli/build.mjs";

/** What a start loads, zipped. */
const START_BYTES_MAX = 0.25 * 1024 * 1024;
/** All that is uploaded. */
const ZIP_BYTES_MAX = 0.3 * 1024 * 1024;
const ZIP_ENTRY_BYTES = 150;
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

async function built(): Promise<ReadonlyMap<string, Buffer>> {
  const folder = mkdtempSync(join(tmpdir(), "safeport-build-"));
  folders.push(folder);
  await build(folder);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((it) => it.isFile());
  return new Map(
    files.map((it) => {
      const path = join(it.parentPath, it.name);
      return [relative(folder, path), readFileSync(path)];
    }),
  );
}

let files: ReadonlyMap<string, Buffer>;
const BUILT_WITHIN_MS = 60_000;
beforeAll(async () => {
  files = await built();
}, BUILT_WITHIN_MS);

test(
  "two builds in two folders are the same bytes",
  async () => {
    const again = await built();
    expect([...again.keys()].sort()).toEqual([...files.keys()].sort());
    expect([...again].filter(([name, bytes]) => !files.get(name)?.equals(bytes)).map(([name]) => name)).toEqual([]);
  },
  BUILT_WITHIN_MS,
);

const functions = readdirSync(join(import.meta.dirname, "../../../functions"), { withFileTypes: true })
  .filter((it) => it.isDirectory())
  .map(({ name }) => name);

test.each(functions)(
  "%s starts from no more than 0.25 MB, is 0.3 MB with all it loads later, and is deployed without maps and without a path of this machine",
  (name) => {
    const own = [...files].filter(([file]) => file.startsWith(`${name}/`));
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter(([file]) => file.endsWith(".map"))).toEqual([]);
    for (const [, bytes] of own) expect(bytes.includes(process.cwd())).toBe(false);
    const zipped = (files: readonly (readonly [string, Buffer])[]): number =>
      files.reduce((sum, [, bytes]) => sum + deflateRawSync(bytes, { level: 9 }).length + ZIP_ENTRY_BYTES, 0);
    expect(zipped(own.filter(([file]) => file === `${name}/index.js`))).toBeLessThanOrEqual(START_BYTES_MAX);
    expect(zipped(own)).toBeLessThanOrEqual(ZIP_BYTES_MAX);
    expect(files.has(`maps/${name}-index.js.map`)).toBe(true);
  },
);

test("only sweep is deployed with what reads the use of ports and publishes metrics, and only it asks for that", () => {
  const asking = (name: string) =>
    [...files].filter(
      ([file, bytes]) => file.startsWith(`${name}/`) && /\.(traffic|metrics)\(\)/.test(bytes.toString()),
    );
  expect(asking("sweep")).not.toEqual([]);
  for (const name of functions.filter((it) => it !== "sweep")) expect(asking(name)).toEqual([]);
});
