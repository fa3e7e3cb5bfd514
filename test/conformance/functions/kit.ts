// Tiny bundles and a running Function Compute for the tests in this folder.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { CloudClock, nextTurn } from "../../../local/clock.ts";
import { seededRandom } from "../../../local/random.ts";
import { type Functions, type FunctionsOptions, startFunctions } from "../../../local/services/functions/functions.ts";

export const START_MS = Date.UTC(2026, 10, 1, 8, 0, 30);
export const KEY = { accessKeyId: "LTAItest", accessKeySecret: "test-secret", principal: "user/test" };

/** A folder that goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "functions-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A bundle whose index.js is `source`. */
export function bundle(source: string): string {
  const folder = join(temporaryFolder(), "code");
  mkdirSync(folder);
  writeFileSync(join(folder, "index.js"), source);
  return folder;
}

/** Function Compute on virtual time, with `advance` that settles. */
export async function startWorld(
  options: Partial<FunctionsOptions> = {},
  clock = new CloudClock({ startMs: START_MS }),
): Promise<{ fc: Functions; clock: CloudClock; advance: (ms: number) => Promise<void> }> {
  const fc = await startFunctions({
    clock,
    random: seededRandom("functions"),
    region: "cn-hangzhou",
    accountId: "1000",
    role: () => ({ accessKeyId: "STS.role", accessKeySecret: "role-secret", securityToken: "role-token" }),
    findKey: (id) => (id === KEY.accessKeyId ? KEY : undefined),
    ...options,
  });
  onTestFinished(() => fc.close());
  const settle = async (): Promise<void> => {
    await nextTurn();
    while (fc.registry.inFlight > 0) await fc.registry.idle();
    await nextTurn();
  };
  return { fc, clock, advance: (ms) => clock.advance(ms, settle) };
}

/** One HTTP request with exactly these headers. */
export function send(
  port: number,
  call: { method?: string; path: string; headers?: Record<string, string | string[]>; body?: Buffer | string },
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  return new Promise((resolve, reject) => {
    const { method = "GET", path, headers = {}, body } = call;
    const outgoing = request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
