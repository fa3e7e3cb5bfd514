// The package: installed into a folder of its own, without a network, and run from there.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { projectRoot } from "../kit/deployed-build.ts";

const folder = mkdtempSync(join(tmpdir(), "safeport-package-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("installs the command offline, which runs without any other package", () => {
  const env = { ...process.env, npm_config_cache: join(folder, "cache"), npm_config_update_notifier: "false" };
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, { cwd: folder, env, encoding: "utf8" });
  const file = run(process.execPath, join(projectRoot, "cli", "pack.mjs"), folder).trim();
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
  const { version } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8"));
  expect(safeport("--version").trim()).toBe(version);
  expect(JSON.parse(safeport("policy", "schema"))).toMatchObject({ title: "safeport policy" });
  const installed = join(prefix, "lib", "node_modules", "safeport");
  for (const name of ["s.yaml", "dist/sweep/index.js", "NOTICES.txt", "docs/operations.md"])
    expect(readFileSync(join(installed, name), "utf8").length).toBeGreaterThan(100);
  const text = readFileSync(join(installed, "dist", "cli", "safeport.js"), "utf8");
  expect(text.includes(projectRoot)).toBe(false);
  // Without the engine of its state it says so, and what to do.
  const refused = () => safeport("run", "--home", join(folder, "home"), "--port", "0");
  expect(refused).toThrow(/libsql is not installed/);
}, 120_000);
