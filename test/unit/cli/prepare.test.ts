// The first step of `npm start` and `npm test`: which Node it accepts, and that a failing step ends the program.
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const cli = join(import.meta.dirname, "../../../cli");
const { nodeProblem } = (await import(pathToFileURL(join(cli, "prepare.mjs")).href)) as {
  nodeProblem: (version: string) => string | null;
};

describe("the Node that runs us", () => {
  test.each(["20.11.0", "20.20.2", "22.0.0", "24.3.1"])("accepts %s", (version) => {
    expect(nodeProblem(version)).toBeNull();
  });
  test.each(["12.22.9", "18.20.0", "20.10.9"])("refuses %s and says what to do", (version) => {
    expect(nodeProblem(version)).toMatch(/needs Node 20\.11 or newer; this is .*Install Node/);
  });
});

describe("npm start and npm test in a tree of their own", () => {
  let tree = "";
  beforeEach(() => {
    tree = mkdtempSync(join(tmpdir(), "safeport-prepare-"));
    for (const file of ["prepare.mjs", "start.mjs", "test.mjs", "dev/help.mjs"])
      cpSync(join(cli, file), join(tree, "cli", file));
    mkdirSync(join(tree, "dist/cli"), { recursive: true });
    mkdirSync(join(tree, "node_modules/vitest"), { recursive: true });
    writeFileSync(
      join(tree, "npm-cli.js"),
      `require("fs").writeFileSync("installed", process.argv.slice(2).join(" "));`,
    );
    writeFileSync(join(tree, "cli/build.mjs"), `import fs from "node:fs";\nfs.writeFileSync("built", "");\n`);
    writeFileSync(join(tree, "package-lock.json"), "{}");
    writeFileSync(join(tree, "node_modules/.package-lock.json"), "{}");
    writeFileSync(
      join(tree, "dist/cli/dev.js"),
      `if (require.main === module) console.log("dev as", process.argv[1]); process.exit(7);`,
    );
    writeFileSync(
      join(tree, "node_modules/vitest/vitest.mjs"),
      `console.log("vitest", ...process.argv.slice(2)); process.exit(3);`,
    );
  });
  afterEach(() => rmSync(tree, { recursive: true, force: true }));

  const run = (script: string, ...args: string[]) =>
    spawnSync(process.execPath, [join(tree, "cli", script), ...args], {
      encoding: "utf8",
      env: { ...process.env, npm_execpath: join(tree, "npm-cli.js") },
    });
  const age = (file: string, seconds: number) => utimesSync(join(tree, file), seconds, seconds);

  test("start builds, runs the program and ends with its exit code", () => {
    const { status, stdout } = run("start.mjs");
    expect(stdout).toContain(join("dist", "cli", "dev.js"));
    expect(status).toBe(7);
    expect(existsSync(join(tree, "built"))).toBe(true);
  });

  test("test passes its arguments on and ends with the runner's exit code", () => {
    const { status, stdout } = run("test.mjs", "--project", "unit");
    expect(stdout).toContain("vitest run --project unit");
    expect(status).toBe(3);
  });

  test("an install that is as new as the lockfile is left alone", () => {
    age("package-lock.json", 1000);
    age("node_modules/.package-lock.json", 1000);
    run("start.mjs");
    expect(existsSync(join(tree, "installed"))).toBe(false);
  });

  test("an install older than the lockfile is done again, with the npm that started us", () => {
    age("package-lock.json", 2000);
    age("node_modules/.package-lock.json", 1000);
    run("start.mjs");
    expect(existsSync(join(tree, "installed"))).toBe(true);
  });

  test("an install that was cut short is done again", () => {
    rmSync(join(tree, "node_modules/.package-lock.json"));
    run("start.mjs");
    expect(existsSync(join(tree, "installed"))).toBe(true);
  });

  test("a failed build ends the program with the build's exit code and starts nothing", () => {
    writeFileSync(join(tree, "cli/build.mjs"), "process.exit(5);");
    const { status, stdout, stderr } = run("start.mjs");
    expect(status).toBe(5);
    expect(stderr).toContain("building failed");
    expect(stdout).not.toContain("dev as");
  });

  test("a doubled Ctrl-C lets the program finish its own end", async () => {
    writeFileSync(
      join(tree, "dist/cli/dev.js"),
      `process.once("SIGINT", () => setTimeout(() => { console.log("ended"); process.exit(9); }, 200));
       setInterval(() => {}, 1000); console.log("ready");`,
    );
    const child = spawn(process.execPath, [join(tree, "cli/start.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.on("data", (bytes: Buffer) => {
      said += bytes.toString();
      if (said.trim() === "ready") {
        child.kill("SIGINT");
        // The second comes while the first is being dealt with.
        setTimeout(() => child.kill("SIGINT"), 50);
      }
    });
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect({ code, said: said.trim().split("\n") }).toEqual({ code: 9, said: ["ready", "ended"] });
  });
});
