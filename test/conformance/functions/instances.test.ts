// Instances: one request each, reuse, queueing, release, freezing, and what a handler is given.

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { bundle, START_MS, startWorld } from "./kit.ts";

const SLOW = `let calls = 0;
exports.handler = async () => { calls += 1; await new Promise((r) => setTimeout(r, 150)); return { pid: process.pid, calls }; };`;

it("gives parallel requests an instance each and reuses the one that was used last", async () => {
  const { fc } = await startWorld();
  fc.registry.deploy({ name: "slow", bundle: bundle(SLOW) });
  const call = async () => JSON.parse((await fc.registry.invoke("slow", Buffer.from("{}"))).body.toString());
  const parallel = await Promise.all([call(), call(), call()]);
  expect(new Set(parallel.map((answer) => answer.pid)).size).toBe(3);
  const fourth = await call();
  const fifth = await call();
  expect(parallel.map((answer) => answer.pid)).toContain(fourth.pid);
  expect([fifth.pid, fifth.calls]).toEqual([fourth.pid, 3]);
});

it("queues requests beyond the largest number of instances", async () => {
  const { fc } = await startWorld();
  fc.registry.deploy({ name: "slow", bundle: bundle(SLOW), instancesMax: 2 });
  const calls = Array.from({ length: 6 }, () => fc.registry.invoke("slow", Buffer.from("{}")));
  const answers = (await Promise.all(calls)).map((outcome) => JSON.parse(outcome.body.toString()));
  expect(new Set(answers.map((answer) => answer.pid)).size).toBe(2);
  expect(fc.registry.pids("slow")).toHaveLength(2);
});

it("gives the handler its event, context and environment, after one initializer call", async () => {
  const { fc } = await startWorld();
  const source = `let initialized = 0;
    exports.initialize = async (context) => { initialized += context.requestId ? 1 : 0; };
    exports.handler = async (event, context) => {
      context.logger.info("seen", { n: 1 });
      const { logger, ...rest } = context;
      return { isBuffer: Buffer.isBuffer(event), text: event.toString(), initialized, context: rest, env: process.env };
    };`;
  fc.registry.deploy({ name: "show", bundle: bundle(source), environment: { SETTING: "on" }, timeoutS: 7 });
  await fc.registry.invoke("show", Buffer.from("one"));
  const outcome = await fc.registry.invoke("show", Buffer.from("two"));
  const answer = JSON.parse(outcome.body.toString());
  expect(answer).toMatchObject({ isBuffer: true, text: "two", initialized: 1 });
  expect(answer.context).toMatchObject({
    requestId: outcome.requestId,
    retryCount: 0,
    credentials: { accessKeyId: "STS.role", accessKeySecret: "role-secret", securityToken: "role-token" },
    function: { name: "show", handler: "index.handler", memory: 512, timeout: 7 },
    service: { qualifier: "LATEST" },
    region: "cn-hangzhou",
    accountId: "1000",
  });
  expect(answer.env).toMatchObject({
    SETTING: "on",
    FC_FUNCTION_NAME: "show",
    FC_REGION: "cn-hangzhou",
    ALIBABA_CLOUD_ACCESS_KEY_ID: "STS.role",
    ALIBABA_CLOUD_SECURITY_TOKEN: "role-token",
  });
  // Output comes over a pipe of its own and may be later than the result.
  const logged = (): string[] =>
    fc.registry
      .logs()
      .lines()
      .flatMap(({ requestId, text }) => (requestId === outcome.requestId ? [text] : []));
  await expect.poll(() => logged().join("\n")).toContain(`${outcome.requestId} [info] seen {"n":1}`);
});

it("takes handlers with a callback", async () => {
  const { fc } = await startWorld();
  fc.registry.deploy({
    name: "old",
    bundle: bundle(`exports.handler = (event, context, callback) => callback(null, "called back");`),
  });
  expect((await fc.registry.invoke("old", Buffer.from(""))).body.toString()).toBe("called back");
});

it("shows the bundle the cloud's time and leaves the rest of Date alone", async () => {
  const { fc, advance } = await startWorld();
  const source = `exports.handler = async () => ({ now: Date.now(), made: new Date().getTime(), fixed: new Date(5).getTime(),
    parsed: Date.parse("2026-11-01T00:00:00Z"), text: typeof Date(), same: new Date() instanceof Date });`;
  fc.registry.deploy({ name: "time", bundle: bundle(source) });
  await advance(45 * 86_400_000);
  const seen = JSON.parse((await fc.registry.invoke("time", Buffer.from(""))).body.toString());
  const expected = START_MS + 45 * 86_400_000;
  for (const ms of [seen.now, seen.made]) expect(Math.abs(ms - expected)).toBeLessThan(5_000);
  expect(seen).toMatchObject({ fixed: 5, parsed: Date.UTC(2026, 10, 1), text: "string", same: true });
});

it("fails an invocation whose process dies and serves the next one on a new instance", async () => {
  const { fc } = await startWorld();
  fc.registry.deploy({ name: "slow", bundle: bundle(SLOW) });
  const running = fc.registry.invoke("slow", Buffer.from(""));
  expect(fc.registry.kill("slow")).toBe(1);
  expect((await running).errorType).toBe("UnhandledInvocationError");
  expect((await fc.registry.invoke("slow", Buffer.from(""))).errorType).toBeUndefined();
});

it("releases an instance that has been idle for its time", async () => {
  const { fc } = await startWorld({ idleMs: 100 });
  fc.registry.deploy({ name: "slow", bundle: bundle(SLOW) });
  await fc.registry.invoke("slow", Buffer.from(""));
  expect(fc.registry.pids("slow")).toHaveLength(1);
  await expect.poll(() => fc.registry.pids("slow")).toHaveLength(0);
});

it.runIf(process.platform === "linux")("stops an instance between calls", async () => {
  const { fc } = await startWorld();
  fc.registry.deploy({ name: "slow", bundle: bundle(SLOW) });
  await fc.registry.invoke("slow", Buffer.from(""));
  const [pid] = fc.registry.pids("slow");
  const state = () => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.[0];
  await expect.poll(state).toBe("T");
  expect((await fc.registry.invoke("slow", Buffer.from(""))).errorType).toBeUndefined();
});
