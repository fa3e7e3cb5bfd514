// Bundles a function into the file of its start and the files that it loads later, by where the sources say `import()`.
//
// esbuild divides a program so as ES modules alone, and into many small files of which a start would read dozens. Here its division is
// linked once more into CommonJS: all that a start reaches becomes `index.js`, and each other file takes from there what it shares with it.
// A module is in one file only, so that what has an identity (an error class, a memory) has one.
//
// What a file gives to others it gives as plain values once all of it has run. For `export` esbuild writes a getter for each name, and one
// more that reads that: with hundreds of names they took longer than to compile the file.
import { readFile } from "node:fs/promises";
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
  await expectConstant(divided.metafile, options.absWorkingDir);
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
      // Our own `module.exports` stands beside imports.
      logOverride: { "commonjs-variable-in-esm": "silent" },
      plugins: [linker(texts, inside, taken)],
      stdin: { contents, resolveDir: DIVIDED, sourcefile: name },
      outfile: join(DIVIDED, name),
    });
  const namesOf = ofOutputs(divided.metafile, ({ exports }) => exports);
  const results = await Promise.all([
    link(INDEX, giving(INDEX, namesOf, taken), atStart, { banner: { js: prelude } }),
    ...later.map((name) => link(name, giving(name, namesOf), new Set([name]))),
  ]);
  return {
    metafile: divided.metafile,
    files: results.map((result, at) => ({ name: [INDEX, ...later][at].slice(2), result: withTaken(result) })),
  };
}

/** A module that gives out what the file `name` does, and beside it what each of `parts` does, under `$00` and so on. */
function giving(name, namesOf, parts = []) {
  const imports = [name, ...parts].map((from, at) => {
    const names = namesOf.get(from).map((it) => `${it} as from${at}_${it}`);
    return `import { ${names.join()} } from ${JSON.stringify(from)};`;
  });
  const values = (from, at) => namesOf.get(from).map((it) => `${it}: from${at}_${it}`);
  const ofParts = parts.map((from, at) => `$${String(at).padStart(2, "0")}: { ${values(from, at + 1).join()} }`);
  const given = ["__esModule: true", ...values(name, 0), ...ofParts];
  return `${imports.join("\n")}\nmodule.exports = { ${given.join()} };`;
}

/** A value that is given out once must not be another one later. */
async function expectConstant({ inputs }, folder) {
  const paths = Object.keys(inputs).filter((path) => /\.[mc]?[jt]s$/.test(path) && !/^[\w-]+:/.test(path));
  for (const path of paths)
    if (/^export let /m.test(await readFile(join(folder, path), "utf8")))
      throw new Error(`${path} exports what it may change`);
}

function withTaken({ outputFiles, ...result }) {
  const linked = outputFiles.map(({ path, text }) => ({
    path,
    contents: Buffer.from(path.endsWith(".map") ? text : text.replace(TAKEN, 'require("./index.js").$$$1')),
  }));
  return { ...result, outputFiles: linked };
}

/** What each file loads as it is loaded, and what it may load later. */
const loadsOf = (metafile) =>
  ofOutputs(metafile, ({ imports }) => {
    const of = (kind) => imports.filter((it) => it.kind === kind && !it.external).map((it) => `./${basename(it.path)}`);
    return { statically: of("import-statement"), later: of("dynamic-import") };
  });

/** Something of each file of the division, by its name. */
const ofOutputs = ({ outputs }, something) =>
  new Map(Object.entries(outputs).map(([path, output]) => [`./${basename(path)}`, something(output)]));

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
