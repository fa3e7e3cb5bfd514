// An instance on a machine that has no room for another process.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "safeport-instance-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Takes every file that the process may open, and has an instance run. Prints the outcome. */
const SCRIPT = `
import { closeSync, openSync } from "node:fs";
import { Instance } from "./local/services/functions/instance.ts";
const taken = [];
try {
  for (;;) taken.push(openSync("/dev/null", "r"));
} catch {}
const options = { harnessPath: "none.js", bundle: "/", environment: {}, freeze: false };
const watchdog = { add: () => undefined, remove: () => undefined };
const instance = new Instance({ ...options, watchdog, onOutput: () => undefined, onExit: () => undefined });
const call = { event: new Uint8Array(), context: { requestId: "r" }, offsetMs: 0, timeoutMs: 5000 };
instance.run(call).then(({ kind, errorType, body }) => {
  for (const file of taken) closeSync(file);
  process.stdout.write([kind, errorType, body.toString()].join(" "));
  process.exit(0);
});
`;

it("fails the invocation, and nothing else", async () => {
  const outfile = join(folder, "entry.cjs");
  await build({
    stdin: { contents: SCRIPT, resolveDir: process.cwd(), loader: "ts" },
    ...{ outfile, bundle: true, platform: "node", format: "cjs", target: "node20" },
  });
  const { stdout } = await promisify(execFile)("sh", ["-c", 'ulimit -n 60; exec "$0" "$1"', process.execPath, outfile]);
  expect(stdout).toMatch(/^failure UnhandledInvocationError .*(could not be started|EMFILE)/);
});
