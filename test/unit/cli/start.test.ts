// `npm start` with options: it tells what it reads, and starts nothing on a mistake.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const programs = {
  "npm start": ["cli/start.mjs"],
  "what it runs in the end": ["--import", "tsx", "cli/dev/main.ts"],
};

describe.each(Object.entries(programs))("%s", (_name, program) => {
  const start = (...options: string[]) =>
    spawnSync("node", [...program, ...options], { encoding: "utf8", timeout: 20_000 });

  test("tells every variable that it reads", () => {
    const { status, stdout } = start("--help");
    expect(status).toBe(0);
    const read = readFileSync("cli/dev/options.ts", "utf8").match(/env\["(\w+)"\]/g) ?? [];
    expect(read.length).toBeGreaterThan(3);
    for (const name of read) expect(stdout).toContain(name.slice(5, -2));
  });

  test("refuses an option it does not know", () => {
    const { status, stderr } = start("--prot", "9100");
    expect(status).toBe(2);
    expect(stderr).toContain("knows no option --prot");
  });
});
