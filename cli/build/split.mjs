// Bundles a function into the file of its start and the files that it loads later, by where the sources say `import()`.
//
// esbuild divides a program so as ES modules alone, and into many small files of which a start would read dozens. Here its division is
// linked once more into CommonJS: all that a start reaches becomes `index.js`, and each other file takes from there what it shares with it.
// A module is in one file only, so that what has an identity (an error class, a memory) has one.
import { basename, dirname, join } from "node:path";
import * as esbuild from "esbuild";

/** Where the files of the division lie, in the project's folder, so that their names do not tell where that is; they are never written. */
const DIVIDED = "divided";
const INDEX = "./index.js";

/** What stands for the part of the start at this place until all is linked: as long as what takes its place, because of the maps. */
const takenFrom = (at) => `${INDEX}@@${String(at).padStart(2, "0")}`;
const TAKEN = /require\("\.\/index\.js@@(\d\d+)"\)/g;

/**
 * Bundles `source` with esbuild's options `options`, and puts `prelude` before all of it. Resolves with the files by their names, each
 * with its map, and what they load.
 */
export async function splitBundle(source, options, prelude) {
  const divided = await esbuild.build({
    ...options,
    entryPoints: { index: source },
    format: "esm",
    splitting: true,
    supported: {},
    sourcemap: "inline",
    outdir: DIVIDED,
    chunkNames: "[name]-[hash]",
  });
  const texts = new Map(divided.outputFiles.map(({ path, text }) => [`./${basename(path)}`, text]));
  const loads = loadsOf(divided.metafile);
  const atStart = reached(INDEX, loads);
  const later = [...texts.keys()].filter((name) => !atStart.has(name)).sort();
  const taken = [...new Set(later.flatMap((name) => loads.get(name).statically))]
    .filter((it) => atStart.has(it))
    .sort();
  const link = (name, contents, inside, more = {}) =>
    esbuild.build({
      ...options,
      ...more,
      plugins: [linker(texts, inside, taken)],
      stdin: { contents, resolveDir: DIVIDED, sourcefile: name },
      outfile: join(DIVIDED, name),
    });
  const named = (name) => JSON.stringify(name);
  const start = taken.map((name, at) => `export * as $${String(at).padStart(2, "0")} from ${named(name)};`);
  const results = await Promise.all([
    link(INDEX, [`export * from ${named(INDEX)};`, ...start].join("\n"), atStart, { banner: { js: prelude } }),
    ...later.map((name) => link(name, `export * from ${named(name)};`, new Set([name]))),
  ]);
  return {
    metafile: divided.metafile,
    files: results.map((result, at) => ({ name: [INDEX, ...later][at].slice(2), result: withTaken(result) })),
  };
}

function withTaken({ outputFiles, ...result }) {
  const linked = outputFiles.map(({ path, text }) => ({
    path,
    contents: Buffer.from(path.endsWith(".map") ? text : text.replace(TAKEN, 'require("./index.js").$$$1')),
  }));
  return { ...result, outputFiles: linked };
}

/** What each file loads as it is loaded, and what it may load later. */
function loadsOf({ outputs }) {
  return new Map(
    Object.entries(outputs).map(([path, { imports }]) => {
      const of = (kind) =>
        imports.filter((it) => it.kind === kind && !it.external).map((it) => `./${basename(it.path)}`);
      return [`./${basename(path)}`, { statically: of("import-statement"), later: of("dynamic-import") }];
    }),
  );
}

function reached(name, loads, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const next of loads.get(name)?.statically ?? []) reached(next, loads, seen);
  return seen;
}

/** Takes in the files of `inside`; what is `taken` from the start comes from there, and everything else is loaded when it is needed. */
function linker(texts, inside, taken) {
  return {
    name: "linker",
    setup(build) {
      build.onResolve({ filter: /^\.\/[\w.-]+\.js$/ }, ({ path }) => {
        if (inside.has(path)) return { path, namespace: "divided" };
        // Our modules do nothing when they are loaded: one that is only named need not be.
        const isTaken = taken.includes(path);
        return { path: isTaken ? takenFrom(taken.indexOf(path)) : path, external: true, sideEffects: false };
      });
      build.onLoad({ filter: /./, namespace: "divided" }, ({ path }) => ({
        contents: texts.get(path),
        loader: "js",
        resolveDir: dirname(join(DIVIDED, path)),
      }));
    },
  };
}
