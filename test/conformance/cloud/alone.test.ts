// `npm run cloud`: the embedded cloud as a program of its own.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const MAIN = join(import.meta.dirname, "../../../local/main.ts");
const RUN = ["--import", "tsx", MAIN];

async function start(flags: readonly string[]): Promise<{ child: ChildProcess; printed: string }> {
  const home = mkdtempSync(join(tmpdir(), "cloud-alone-"));
  const child = spawn(process.execPath, [...RUN, "--any-port", "--home", home, ...flags], { stdio: "pipe" });
  onTestFinished(async () => {
    if (child.exitCode === null && child.kill("SIGKILL")) await once(child, "close");
    rmSync(home, { recursive: true, force: true });
  });
  let printed = "";
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      if (/^ready$/m.test(printed)) resolve();
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
    child.once("close", () => reject(new Error(`It ended: ${printed}`)));
  });
  return { child, printed };
}

test("it prints its addresses and ready, answers there, and ends at a signal", async () => {
  const { child, printed } = await start(["--network", "127.118", "--engine", "userspace"]);
  const control = /^control +(\S+)$/m.exec(printed)?.[1];
  expect((await fetch(`${control}/clock`)).status).toBe(200);
  expect(printed).toMatch(/^ecs +127\.0\.0\.1:\d+$/m);
  expect(printed).toMatch(/^instance +127\.118\.0\.11 web-1 22,80,443,3306$/m);
  child.kill("SIGTERM");
  expect(await once(child, "close")).toEqual([0, null]);
});

test("a signal while it starts stops it in order, with everything that it has taken", async () => {
  const home = mkdtempSync(join(tmpdir(), "cloud-alone-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const child = spawn(
    process.execPath,
    [...RUN, "--any-port", "--home", home, "--network", "127.118", "--engine", "userspace"],
    { stdio: "ignore" },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  const closed = once(child, "close");
  // The first of its services opens its files long before the last one listens.
  while (!existsSync(join(home, "cloud"))) await new Promise((resolve) => setTimeout(resolve, 1));
  child.kill("SIGTERM");
  expect(await closed).toEqual([0, null]);
});

test("--help names every option, and a wrong one is told", () => {
  const run = (...flags: string[]) => spawnSync(process.execPath, [...RUN, ...flags], { encoding: "utf8" });
  const help = run("--help");
  expect(help.status).toBe(0);
  for (const flag of [
    "port",
    "control-port",
    "ram-port",
    "home",
    "engine",
    "network",
    "table",
    "scan-noise",
    "any-port",
    "local-transactions",
  ])
    expect(help.stdout).toContain(`--${flag} `);
  const wrong = run("--engine", "magic");
  expect([wrong.status, wrong.stderr]).toEqual([1, "--engine magic: use auto, nft, userspace\n"]);
});
