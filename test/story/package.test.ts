// The package: installed into a folder of its own, without a network, and run from there.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { projectRoot } from "../kit/deployed-build.ts";

const folder = mkdtempSync(join(tmpdir(), "safeport-package-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const env = { ...process.env, npm_config_cache: join(folder, "cache"), npm_config_update_notifier: "false" };
const run = (command: string, ...args: string[]) => execFileSync(command, args, { cwd: folder, env, encoding: "utf8" });
const own = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8"));
const functions = readdirSync(join(projectRoot, "functions"), { withFileTypes: true })
  .filter((it) => it.isDirectory())
  .map(({ name }) => name);
let file: string;
beforeAll(() => {
  // By somebody who lets nobody else read what they make.
  file = run(
    "sh",
    "-c",
    `umask 077; "${process.execPath}" "${join(projectRoot, "cli", "pack.mjs")}" "${folder}"`,
  ).trim();
}, 60_000);

it("holds the command, the functions, the pages and what they are under, for everybody to read, and nothing else", () => {
  const stage = join(folder, "package");
  const files = readdirSync(stage, { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile())
    .map((it) => relative(stage, join(it.parentPath, it.name)));
  const roots = new Set(files.map((name) => name.split("/")[0]));
  const pages = [
    "README.md",
    "README.zh-CN.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "LICENSE",
    "NOTICES.txt",
  ];
  expect([...roots].sort()).toEqual([...pages, "dist", "docs", "package.json", "s.yaml"].sort());
  const built = new Set(files.filter((name) => name.startsWith("dist/")).map((name) => dirname(name)));
  expect([...built].sort()).toEqual(["cli", ...functions].map((name) => `dist/${name}`).sort());
  expect(files.filter((name) => /\.(map|ts|log)$/.test(name))).toEqual([]);
  const command = "dist/cli/safeport.js";
  for (const name of files) {
    const mode = statSync(join(stage, name)).mode & 0o777;
    expect([name, mode]).toEqual([name, name === command ? 0o755 : 0o644]);
  }
  const dead = files
    .filter((name) => name.endsWith(".md"))
    .flatMap((page) => {
      const text = readFileSync(join(stage, page), "utf8");
      const targets = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, target = ""]) => target);
      return targets
        .filter((target) => !existsSync(join(stage, dirname(page), target)))
        .map((target) => `${page}: ${target}`);
    });
  expect(dead).toEqual([]);
  const manifest = JSON.parse(readFileSync(join(stage, "package.json"), "utf8"));
  const { name, version, license, engines } = own;
  expect(manifest).toMatchObject({ name, version, license, engines, bin: { safeport: command } });
  expect(Object.keys(manifest)).not.toContain("dependencies");
  // Exactly the engine that was tested.
  expect(manifest.optionalDependencies).toEqual({ libsql: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
});

it("installs the command offline, which runs without any other package, as the functions do that it deploys", () => {
  const prefix = join(folder, "prefix");
  run(
    "npm",
    "install",
    "--global",
    "--prefix",
    prefix,
    "--offline",
    "--omit=optional",
    "--no-audit",
    "--no-fund",
    file,
  );
  const safeport = (...args: string[]) => run(join(prefix, "bin", "safeport"), ...args);
  expect(safeport("--help")).toContain("uninstall");
  expect(safeport("--version").trim()).toBe(own.version);
  expect(JSON.parse(safeport("policy", "schema"))).toMatchObject({ title: "safeport policy" });
  const installed = join(prefix, "lib", "node_modules", "safeport");
  for (const name of ["s.yaml", "dist/sweep/index.js", "NOTICES.txt", "docs/operations.md"])
    expect(readFileSync(join(installed, name), "utf8").length).toBeGreaterThan(100);
  const text = readFileSync(join(installed, "dist", "cli", "safeport.js"), "utf8");
  expect(text.includes(projectRoot)).toBe(false);
  // What s.yaml deploys from there: each function with all that it loads later, by nothing but what the package brings.
  for (const name of functions) {
    const deployed = join(folder, "deployed", name);
    cpSync(join(installed, "dist", name), deployed, { recursive: true });
    const parts = readdirSync(deployed).filter((file) => file !== "index.js");
    expect(parts).toEqual(expect.arrayContaining(["ecs-sdk.js", "fc2.js", "package.json", "tablestore.js"]));
    const load = `const { handler } = require("./index.js");${parts.map((file) => `require("./${file}");`).join("")}
process.stdout.write(typeof handler);process.exit(0)`;
    expect(execFileSync(process.execPath, ["-e", load], { cwd: deployed, env: {}, encoding: "utf8" })).toBe("function");
  }
  // Without the engine of its state it says so, and what to do.
  const refused = () => safeport("run", "--home", join(folder, "home"), "--port", "0");
  expect(refused).toThrow(/libsql is not installed/);
}, 120_000);
