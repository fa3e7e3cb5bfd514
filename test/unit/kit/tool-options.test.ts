// A tool that is asked for what it does not know.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const ask = (...args: readonly string[]) => {
  const tool = ["--import", "tsx", "test/interleavings/main.ts", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, tool, { encoding: "utf8" });
  return [status, stdout.split("\n")[0], stderr.split("\n")[0]];
};

test.each([
  [["--nope"], [2, "", "Unknown option '--nope'"]],
  [
    ["--seeds", "many"],
    [2, "", '--seeds takes a whole number from 1 on, and not "many"'],
  ],
  [
    ["--help", "--nope"],
    [0, expect.stringMatching(/^Usage: npm run interleavings/), ""],
  ],
])("a tool asked for %j says in a line what is wrong, and does nothing", (args, told) => {
  expect(ask(...args)).toEqual(told);
});
