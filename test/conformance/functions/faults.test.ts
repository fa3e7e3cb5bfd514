// Ticks and invocations that go wrong.

import { expect, it } from "vitest";
import { type FaultRule, FaultTable, type HeldFault } from "../../../local/faults.ts";
import { bundle, startWorld } from "./kit.ts";

const TELLS = `let n = 0; exports.handler = async (event) => { n += 1; const text = event.toString(); const trigger = text.startsWith("{") ? JSON.parse(text).triggerTime : text; console.log(trigger); return { n, at: Date.now() }; };`;

async function worldWith(...rules: FaultRule[]) {
  const faults = new FaultTable();
  faults.set(rules);
  const world = await startWorld({ faults });
  const deploy = (cron: string) =>
    world.fc.registry.deploy({
      name: "f",
      bundle: bundle(TELLS),
      // One after the other, in the order in which they were given.
      instancesMax: 1,
      triggers: cron === "" ? [] : [{ type: "timer", name: "tick", cron }],
    });
  const texts = (): string[] =>
    world.fc.registry
      .logs()
      .lines()
      .map((line) => line.text);
  const invoke = async () => {
    const { body, errorType } = await world.fc.registry.invoke("f", Buffer.from("call"));
    return { ...(JSON.parse(body.toString("utf8")) as { n?: number; at?: number }), errorType };
  };
  return { ...world, faults, deploy, texts, invoke };
}

it.each([
  [{ kind: "drop-before" } as const, 180_000, ["08:02", "08:03"]],
  [{ kind: "duplicate" } as const, 120_000, ["08:01", "08:01", "08:02"]],
  [{ kind: "delay", ms: 90_000 } as const, 180_000, ["08:02", "08:01", "08:03"]],
  [{ kind: "reorder", ms: 90_000 } as const, 180_000, ["08:02", "08:01", "08:03"]],
])("a tick under %j", async (fault, ms, minutes) => {
  const { deploy, advance, texts } = await worldWith({ service: "timer", operation: "f", times: 1, fault });
  deploy("0 * * * * *");
  await advance(ms);
  await expect.poll(() => texts().map((text) => text.slice(11, 16))).toEqual(minutes);
});

async function submitted(fault: FaultRule["fault"], times = 1) {
  const world = await worldWith({ service: "async", operation: "f", times, fault });
  world.deploy("");
  for (const text of ["one", "two"]) world.fc.registry.submit("f", Buffer.from(text));
  return world;
}

it.each<[FaultRule["fault"], string[], string[]]>([
  [{ kind: "drop-before" }, ["two"], ["two"]],
  [{ kind: "duplicate" }, ["one", "one", "two"], ["one", "one", "two"]],
  [{ kind: "drop-after" }, ["one", "two"], ["one", "one", "two"]],
  [{ kind: "reject", status: 429, code: "ResourceThrottled" }, ["two"], ["one", "two"]],
  [{ kind: "delay", ms: 30_000 }, ["two"], ["one", "two"]],
])("an accepted invocation under %j runs at once as %j, in the end as %j", async (fault, atOnce, inTheEnd) => {
  const { advance, texts, fc } = await submitted(fault);
  await advance(0);
  await expect.poll(() => texts().sort()).toEqual(atOnce);
  await advance(60_000);
  await expect.poll(() => texts().sort()).toEqual(inTheEnd);
  expect(fc.registry.queued).toBe(0);
});

it("an accepted invocation is overtaken by the next", async () => {
  const { advance, texts } = await submitted({ kind: "reorder" });
  await advance(0);
  await expect.poll(texts).toEqual(["two", "one"]);
});

it("a throttled invocation is tried after 0.5, 1, 2 and 4 s, without using up its retries, for five hours", async () => {
  const { advance, texts, fc, faults } = await submitted({ kind: "reject", status: 429, code: "Throttled" }, 8);
  await advance(7_499);
  expect(texts()).toEqual([]);
  await advance(1);
  await expect.poll(() => texts().sort()).toEqual(["one", "two"]);
  faults.set([{ service: "async", fault: { kind: "reject", status: 429, code: "Throttled" } }]);
  fc.registry.submit("f", Buffer.from("never"));
  await advance(4 * 3_600_000);
  expect(fc.registry.queued).toBe(1);
  await advance(3_600_000);
  expect(fc.registry.queued).toBe(0);
  expect(texts()).not.toContain("never");
});

it("an invocation whose instance dies before it has begun has no effect and fails", async () => {
  const { deploy, invoke, texts } = await worldWith({
    service: "function",
    operation: "f",
    times: 1,
    fault: { kind: "crash", when: "before" },
  });
  deploy("");
  expect((await invoke()).errorType).toBe("UnhandledInvocationError");
  expect(await invoke()).toMatchObject({ errorType: undefined, n: 1 });
  await expect.poll(texts).toContain("call");
  expect(texts().filter((text) => text === "call")).toHaveLength(1);
});

it("an invocation whose instance dies after its work fails although it had its effect", async () => {
  const { deploy, invoke, texts } = await worldWith({
    service: "function",
    operation: "f",
    times: 1,
    fault: { kind: "crash" },
  });
  deploy("");
  expect((await invoke()).errorType).toBe("UnhandledInvocationError");
  expect(await invoke()).toMatchObject({ errorType: undefined, n: 1 });
  await expect.poll(() => texts().filter((text) => text === "call")).toHaveLength(2);
});

it("an instance's clock is off", async () => {
  const { deploy, invoke, faults, clock } = await worldWith({
    service: "function",
    fault: { kind: "skew", ms: -600_000 },
  });
  deploy("");
  expect(clock.now() - ((await invoke()).at ?? 0)).toBeGreaterThan(590_000);
  faults.set([]);
  expect(Math.abs(clock.now() - ((await invoke()).at ?? 0))).toBeLessThan(10_000);
});

it("a crash at a call kills the callers and cuts the connection before or after the effect", () => {
  const faults = new FaultTable();
  const killed: string[] = [];
  faults.onCrash(() => killed.push("all"));
  faults.set([
    { service: "ecs", times: 1, fault: { kind: "crash" } },
    { service: "ecs", times: 1, skip: 1, fault: { kind: "crash", when: "before" } },
  ]);
  const take = () => faults.take({ service: "ecs", operation: "x" });
  expect([take(), killed.length]).toEqual([{ kind: "drop-after" }, 1]);
  expect([take(), take(), killed.length]).toEqual([undefined, { kind: "drop-before" }, 2]);
});

it("a call that is to be overtaken waits for the next, which goes ahead", async () => {
  const faults = new FaultTable();
  faults.set([{ service: "ecs", fault: { kind: "reorder", ms: 250 } }]);
  const call = { service: "ecs", operation: "x" } as const;
  const held = faults.take(call);
  expect(held).toMatchObject({ kind: "held", ms: 250 });
  expect(faults.take(call)).toBeUndefined();
  faults.ended(call);
  await (held as HeldFault).overtaken;
  (held as HeldFault).begin();
  expect(faults.take(call)).toMatchObject({ kind: "held" });
});

it("the table refuses a fault that a service cannot play", () => {
  const stale = { kind: "stale-read", ms: 1 } as const;
  expect(() => new FaultTable().set([{ service: "ots", fault: stale }])).toThrow("ots plays no stale-read");
});
