// The package: installed into a folder of its own, without a network, and run from there.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { projectRoot } from "../kit/deployed-build.ts";

const folder = mkdtempSync(join(tmpdir(), "safeport-package-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("installs the command offline, which runs without any other package, as the functions do that it deploys", () => {
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
  // What s.yaml deploys from there: each function with all that it loads later, by nothing but what the package brings.
  for (const { name } of readdirSync(join(projectRoot, "functions"), { withFileTypes: true }).filter((it) =>
    it.isDirectory(),
  )) {
    const deployed = join(folder, "deployed", name);
    cpSync(join(installed, "dist", name), deployed, { recursive: true });
    const parts = readdirSync(deployed).filter((file) => file !== "index.js");
    expect(parts).toEqual(expect.arrayContaining(["ecs-sdk.js", "fc2.js", "tablestore.js"]));
    const load = `const { handler } = require("./index.js");${parts.map((file) => `require("./${file}");`).join("")}
process.stdout.write(typeof handler);process.exit(0)`;
    expect(execFileSync(process.execPath, ["-e", load], { cwd: deployed, env: {}, encoding: "utf8" })).toBe("function");
  }
  // Without the engine of its state it says so, and what to do.
  const refused = () => safeport("run", "--home", join(folder, "home"), "--port", "0");
  expect(refused).toThrow(/libsql is not installed/);
}, 120_000);
