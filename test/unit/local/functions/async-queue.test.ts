// The asynchronous queue goes on while its file cannot be written, and keeps what is left when it can.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { CloudClock } from "../../../../local/clock.ts";
import { AsyncQueue } from "../../../../local/services/functions/async-queue.ts";

function startQueue() {
  const directory = mkdtempSync(join(tmpdir(), "safeport-queue-"));
  const clock = new CloudClock({ startMs: 0 });
  const ran: string[] = [];
  const told: unknown[] = [];
  const queue = new AsyncQueue({
    ...{ clock, directory, isDeployed: () => true, retriesMax: () => 1, ageMsMax: () => 3_600_000 },
    invoke: async ({ id, attempt }) => {
      ran.push(`${id} ${attempt}`);
      const ended = { requestId: id, body: Buffer.alloc(0) };
      return id === "failing" ? { ...ended, errorType: "HandledInvocationError" } : ended;
    },
    onUnwritable: (error) => void told.push(error),
  });
  onTestFinished(() => {
    queue.close();
    clock.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const submit = (id: string, delayMs = 0) => queue.submit({ id, function: "x", event: Buffer.from("e"), delayMs });
  return { file: join(directory, "async-queue.jsonl"), clock, queue, ran, told, submit };
}

/** Lets the file be none that can be opened or replaced, as a full disk does. */
function fill(file: string): void {
  rmSync(file);
  mkdirSync(file);
}

it("runs, tries again and ends what it has while its file cannot be written", async () => {
  const { file, clock, queue, ran, told, submit } = startQueue();
  fill(file);
  submit("good", 1_000);
  submit("failing", 1_000);
  await clock.advance(60_000);
  expect(ran).toEqual(["good 0", "failing 0", "failing 1"]);
  expect(queue.size).toBe(0);
  expect(told[0]).toMatchObject({ code: "EISDIR" });
  expect(existsSync(`${file}.new`)).toBe(false);
});

it("writes down all that waits as soon as the file can be written", async () => {
  const { file, queue, told, submit } = startQueue();
  fill(file);
  submit("one", 60_000);
  submit("two", 60_000);
  expect(told.length).toBe(2);
  rmdirSync(file);
  submit("three", 60_000);
  const ids = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).put.id);
  expect([ids, told.length, queue.size]).toEqual([["one", "two", "three"], 2, 3]);
});
