// The check of committed text: planted paths, keys and hosts are found, ordinary text passes.
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const script = join(import.meta.dirname, "../../.ci/committed-text");
let tree = "";

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), "safeport-text-"));
  mkdirSync(join(tree, ".ci"));
  copyFileSync(script, join(tree, ".ci/committed-text"));
  execFileSync("git", ["init", "-q"], { cwd: tree });
});
afterEach(() => rmSync(tree, { recursive: true, force: true }));

function verdict(text: string): { status: number | null; said: string } {
  writeFileSync(join(tree, "file.md"), `${text}\n`);
  execFileSync("git", ["add", "."], { cwd: tree });
  const run = spawnSync("bash", [".ci/committed-text"], { cwd: tree, encoding: "utf8" });
  return { status: run.status, said: run.stdout };
}

test.each([
  ["see /work/elsewhere/cli", "path of one machine"],
  ["see /root/.cache", "path of one machine"],
  [`"/home/ann/safeport"`, "path of one machine"],
  ["id LTAI5tAbCdEfGhIjKlMnOpQr", "access key"],
  ["-----BEGIN RSA PRIVATE KEY-----", "private key"],
  ["https://registry.example.org/zod", "host of a package registry"],
])("refuses %s", (text, what) => {
  const { status, said } = verdict(text);
  expect(status).toBe(1);
  expect(said).toContain(what);
  expect(said).toContain("file.md:1");
});

test.each(["/v1/leases and ./network/root.ts", "the home/ folder", "LTAIshort"])("lets %s pass", (text) => {
  expect(verdict(text)).toEqual({ status: 0, said: "" });
});
