// An SDK's bundle, whose modules V8 compiles as it reads the file: it does what it would do without that, and leads back to its sources.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire, SourceMap } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bundleRunAtOnce } from "../../../cli/build/run-at-once.mjs";

const folder = mkdtempSync(join(tmpdir(), "safeport-run-at-once-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function bundled(sources: Readonly<Record<string, string>>): Promise<{ text: string; map: string; out: string }> {
  for (const [name, text] of Object.entries(sources)) writeFileSync(join(folder, name), text);
  const options = { bundle: true, platform: "node", format: "cjs", target: "node20", write: false } as const;
  const { outputFiles } = await bundleRunAtOnce({
    ...options,
    absWorkingDir: folder,
    entryPoints: [join(folder, "entry.js")],
    outfile: join(folder, "out.js"),
    minify: true,
    sourcemap: "external",
    metafile: true,
  });
  const textOf = (name: string) =>
    new TextDecoder().decode(outputFiles.find(({ path }) => basename(path) === name)?.contents);
  const text = textOf("out.js");
  writeFileSync(join(folder, "out.js"), text);
  return { text, map: textOf("out.js.map"), out: join(folder, "out.js") };
}

test("every module is a function in parentheses, and does what it did", async () => {
  const { text, map, out } = await bundled({
    "entry.js": `const { twice } = require("./twice.js");
exports.four = twice(2);
exports.own = this === exports;`,
    "twice.js": `const one = require("./one.js");
module.exports = { twice: (n) => n * (one + 1) };
if (one !== 1) {
  throw new Error("another one");
}`,
    "one.js": "module.exports = 1;",
  });
  expect(createRequire(import.meta.url)(out)).toEqual({ four: 4, own: true });
  expect(text.match(/\w\(\(function\(/g)).toHaveLength(2);
  expect(text.trim()).not.toContain("\n");
  const thrown = new SourceMap(JSON.parse(map)).findEntry(0, text.lastIndexOf("throw "));
  expect(thrown).toMatchObject({ originalSource: expect.stringMatching(/twice\.js$/), originalLine: 3 });
});

test("where no module is found, the build fails", async () => {
  await expect(bundled({ "entry.js": "export const one = 1;" })).rejects.toThrow("esbuild writes modules");
});
