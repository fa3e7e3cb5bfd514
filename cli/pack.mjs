// The package that installs the command: what is built, what s.yaml deploys, and the pages that tell of it. `npm run pack`.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "./build.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const PAGES = [
  ...["README.md", "README.zh-CN.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"],
  ...["s.yaml", "docs"],
];
const COMMAND = "dist/cli/safeport.js";

/** Makes the package in `folder`; resolves with the path of its `.tgz`. */
export async function pack(folder = join(root, "dist")) {
  const stage = join(folder, "package");
  rmSync(stage, { recursive: true, force: true });
  const { metafiles } = await build(join(stage, "dist"));
  // What only a checkout runs, and what tells where it was built.
  for (const name of ["maps", "local", "cli/dev.js"])
    rmSync(join(stage, "dist", name), { recursive: true, force: true });
  for (const name of PAGES) cpSync(join(root, name), join(stage, name), { recursive: true });
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);
  writeFileSync(join(stage, "NOTICES.txt"), notices(metafiles));
  readableByAll(stage);
  mkdirSync(folder, { recursive: true });
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: stage, encoding: "utf8" }),
  );
  return join(folder, packed.filename);
}

/** Whatever the umask and the modes of the checkout are, the same commit is the same package, and one that root installs is everybody's. */
function readableByAll(stage) {
  for (const it of readdirSync(stage, { recursive: true, withFileTypes: true }))
    chmodSync(join(it.parentPath, it.name), it.isDirectory() ? 0o755 : 0o644);
  chmodSync(join(stage, COMMAND), 0o755);
}

/** Everything is in the bundles but the engine of the state of `safeport run`, without which all else works. */
function manifest() {
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { name, version, description, license, engines } = own;
  // The version that was tested, not whichever comes after it.
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  return {
    ...{ name, version, description, license, engines },
    type: "commonjs",
    bin: { safeport: COMMAND },
    optionalDependencies: { libsql: packages["node_modules/libsql"].version },
  };
}

/** Names, versions and licences of the packages whose code is in the bundles. */
function notices(metafiles) {
  const inputs = Object.values(metafiles).flatMap((it) => Object.keys(it.inputs));
  const folders = new Set(
    inputs.flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file) ?? []),
  );
  return [...folders]
    .sort()
    .map((folder) => {
      const path = join(root, folder);
      if (!existsSync(join(path, "package.json"))) return "";
      const { name, version, license } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
      const file = readdirSync(path).find((it) => /^licen[cs]e/i.test(it));
      const text = file === undefined ? "" : readFileSync(join(path, file), "utf8").trim();
      return `${name} ${version} (${license ?? "see below"})\n\n${text}\n`;
    })
    .filter((text) => text !== "")
    .join(`\n${"-".repeat(80)}\n\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const file = await pack(process.argv[2] === undefined ? undefined : resolve(process.argv[2]));
  process.stdout.write(`${file}\n`);
}
