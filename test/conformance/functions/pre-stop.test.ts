// The hook preStop: before an instance that rests is released or replaced, not when it is killed.

import { expect, it } from "vitest";
import { bundle, startWorld } from "./kit.ts";

const HOOK = `exports.handler = async () => "ran";
exports.preStop = async (context) => { await null; console.log("stopping", context.function.name, context.requestId); };`;

async function rested(source: string, idleMs = 60_000) {
  const { fc } = await startWorld({ idleMs });
  const deploy = () => fc.registry.deploy({ name: "x", bundle: bundle(source) });
  deploy();
  const { requestId } = await fc.registry.invoke("x", Buffer.from("{}"));
  const lines = () =>
    fc.registry
      .logs()
      .lines()
      .map(({ text }) => text);
  return { fc, deploy, lines, requestId };
}

it("runs when an instance is released after its rest", async () => {
  const { fc, lines, requestId } = await rested(HOOK, 100);
  await expect.poll(lines, { timeout: 5_000 }).toEqual([`stopping x ${requestId}`]);
  await expect.poll(() => fc.registry.pids("x"), { timeout: 5_000 }).toEqual([]);
});

it("runs when the function is deployed anew", async () => {
  const { deploy, lines, requestId } = await rested(HOOK);
  deploy();
  await expect.poll(lines, { timeout: 5_000 }).toEqual([`stopping x ${requestId}`]);
});

it("does not run when the instance is killed", async () => {
  const { fc, lines } = await rested(HOOK);
  fc.registry.kill("x");
  await expect.poll(() => fc.registry.pids("x"), { timeout: 5_000 }).toEqual([]);
  expect(lines()).toEqual([]);
});

it.each([
  [
    "a hook that takes a callback",
    `exports.handler = async () => 1; exports.preStop = (context, done) => setTimeout(() => { console.log("done"); done(); }, 20);`,
    "done",
  ],
  [
    "a hook that throws",
    `exports.handler = async () => 1; exports.preStop = async () => { throw new Error("no"); };`,
    "preStop: no",
  ],
])("waits for %s", async (_name, source, text) => {
  const { deploy, lines } = await rested(source);
  deploy();
  await expect.poll(lines, { timeout: 5_000 }).toEqual([text]);
});
