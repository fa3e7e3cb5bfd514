// Builds everything that runs outside the tests: the functions' bundles, the local instance harness, the command line.
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import {
  leaveOut,
  openApiSource,
  plainSchemas,
  plainSheets,
  tablestoreMessages,
  tablestoreSource,
  tablestoreWhole,
  undescribed,
  wakeupSource,
} from "./build/lean-sdks.mjs";
import { bundleRunAtOnce } from "./build/run-at-once.mjs";
import { splitBundle } from "./build/split.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const shared = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  legalComments: "none",
  sourcemap: "external",
  sourcesContent: false,
  write: false,
  logLevel: "warning",
  metafile: true,
};

/** The SDKs that a function loads when it first needs them, each in a file of its own, by what is imported. */
const PARTS = new Map([
  ["./ecs-sdk.ts", "shared/adapters/alibaba/ecs-sdk.ts"],
  ["tablestore", "tablestore"],
  ["@alicloud/fc2", "@alicloud/fc2"],
]);
const partOf = (path) => `./${path.replace(/^.*\//, "").replace(/\.ts$/, "")}.js`;

const besides = {
  name: "besides",
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ kind, path }) =>
      kind === "dynamic-import" && PARTS.has(path) ? { path: partOf(path), external: true } : undefined,
    );
  },
};

/** One file each with all it needs at its start, and nothing it never calls. */
const functionOptions = {
  ...shared,
  minify: true,
  // `import()` of a CommonJS file has Node search its text for exports, which costs more than to compile it: parts are required.
  supported: { "dynamic-import": false },
  // The SDKs are written for sloppy mode; a "use strict" over the whole file would break them.
  tsconfigRaw: { compilerOptions: { strict: false, alwaysStrict: false } },
  plugins: [leaveOut, openApiSource, wakeupSource, tablestoreSource, tablestoreMessages],
};

/** For each schema zod writes a program and has it compiled, which pays after hundreds of values; a function checks few. */
const PRELUDE = "globalThis.__zod_globalConfig={jitless:true};";

const inParts = {
  ...functionOptions,
  plugins: [besides, undescribed, plainSchemas, plainSheets, ...functionOptions.plugins],
};

/** The command for people who have nothing but the package: all but the engine of the state, which is compiled for each kind of machine. */
const commandOptions = {
  ...shared,
  banner: { js: "#!/usr/bin/env node" },
  external: ["libsql", "esbuild"],
  tsconfigRaw: functionOptions.tsconfigRaw,
  plugins: [leaveOut, tablestoreWhole],
};

/**
 * What a policy is checked with, as a name that changes with any of it: a function takes a document that its own build has checked as it is
 * (functions/policy-reading.ts).
 */
async function namedSchema() {
  const entryPoints = [join(root, "shared/config/policy-schema.ts")];
  const { outputFiles } = await esbuild.build({ ...functionOptions, sourcemap: false, entryPoints });
  const name = createHash("sha256").update(outputFiles[0].contents).digest("hex").slice(0, 32);
  return { SAFEPORT_POLICY_SCHEMA: JSON.stringify(name) };
}

/** Bundles one function from `source` into `outfile`, as a deployment has it. Resolves with its size in bytes. */
export async function bundleFunction(source, outfile) {
  const define = await namedSchema();
  const result = await esbuild.build({ ...functionOptions, define, sourcemap: false, entryPoints: [source], outfile });
  const [file] = result.outputFiles;
  await mkdir(dirname(outfile), { recursive: true });
  await writeFile(outfile, file.contents);
  return file.contents.length;
}

/** What to build beside the functions: source, target under `outDir`, options. Only what exists. */
function targets() {
  const commands = [
    ["cli/dev/main.ts", "cli/dev.js", { ...shared, packages: "external" }],
    ["cli/safeport/main.ts", "cli/safeport.js", commandOptions],
  ];
  const harness = "local/services/functions/instance-harness.ts";
  return [
    ...commands,
    [harness, "local/instance-harness.js", shared],
    // The embedded cloud looks for the harness beside the file that it was bundled into.
    [harness, "cli/instance-harness.js", shared],
  ].filter(([source]) => existsSync(join(root, source)));
}

/** Says that a function's files are CommonJS. Node looks for that in all folders above, twice for each file, until it finds one. */
const OWN_PACKAGE = {
  name: "package.json",
  result: {
    outputFiles: [{ path: "package.json", contents: Buffer.from(JSON.stringify({ type: "commonjs" })) }],
    metafile: { inputs: {}, outputs: {} },
  },
};

/** The functions, each in the file of its start and those that it loads later. */
async function buildFunctions(outDir) {
  const names = readdirSync(join(root, "functions"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const options = { ...inParts, define: await namedSchema() };
  const divided = await Promise.all(
    names.map(async ({ name }) => {
      const { files } = await splitBundle(join(root, "functions", name, "index.ts"), options, PRELUDE);
      return [...files, OWN_PACKAGE].map(({ name: file, result }) => {
        const target = `${name}/${file}`;
        return { target, outfile: join(outDir, target), result };
      });
    }),
  );
  return divided.flat();
}

/** The SDKs, each built once and put beside every function that names it. */
async function buildParts(built, outDir) {
  const made = new Map();
  for (const [path, source] of PARTS) {
    const entry = existsSync(join(root, source)) ? join(root, source) : createRequire(import.meta.url).resolve(source);
    const outfile = join(outDir, partOf(path));
    made.set(partOf(path), await bundleRunAtOnce({ ...functionOptions, entryPoints: [entry], outfile }));
  }
  return built.flatMap(({ target, result }) => {
    const named = Object.values(result.metafile.outputs).flatMap(({ imports }) => imports.map((it) => it.path));
    return [...new Set(named)].flatMap((path) => {
      const part = made.get(path);
      if (part === undefined) return [];
      const place = join(dirname(target), path);
      return [{ target: place, outfile: join(outDir, place), result: part }];
    });
  });
}

/** Builds into `outDir`; source maps go to `maps/` there, away from what is deployed. Resolves with the files' sizes. */
export async function build(outDir = join(root, "dist")) {
  const built = await Promise.all(
    targets().map(async ([source, target, options]) => {
      const outfile = join(outDir, target);
      const result = await esbuild.build({ ...options, entryPoints: [source], outfile });
      return { target, outfile, result };
    }),
  );
  built.push(...(await buildFunctions(outDir)));
  built.push(...(await buildParts(built, outDir)));
  await rm(outDir, { recursive: true, force: true });
  const sizes = [];
  for (const { target, outfile, result } of built) {
    for (const file of result.outputFiles) {
      const isMap = file.path.endsWith(".map");
      const path = isMap ? join(outDir, "maps", `${target.replaceAll("/", "-")}.map`) : outfile;
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, file.contents);
      if (!isMap) sizes.push({ file: target, bytes: file.contents.length, gzipped: gzipSync(file.contents).length });
    }
  }
  return { sizes, metafiles: Object.fromEntries(built.map(({ target, result }) => [target, result.metafile])) };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { sizes } = await build();
  for (const { file, bytes, gzipped } of sizes) {
    process.stdout.write(`${file.padEnd(28)} ${kilobytes(bytes)} kB, gzipped ${kilobytes(gzipped)} kB\n`);
  }
}

function kilobytes(bytes) {
  return (bytes / 1000).toFixed(0).padStart(5);
}
