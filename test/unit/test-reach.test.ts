// What test:switches leaves out: test files that a reading cannot reach, as the last whole run has shown.
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { entryOf, unreached } from "../switches/reach.ts";

const root = join(import.meta.dirname, "../..");
const FILE = "test/story/one.test.ts";

function world() {
  const made = mkdtempSync(join(tmpdir(), "reach-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  const [sources, folder] = [join(made, "sources", "deep"), join(made, "reads")];
  for (const each of [sources, folder]) mkdirSync(each, { recursive: true });
  const source = join(sources, "code.ts");
  const change = (atS: number): void => {
    writeFileSync(source, "");
    utimesSync(source, atS, atS);
  };
  change(1_000);
  const note = (startedAtS: number, ...switches: readonly string[]): void =>
    writeFileSync(join(folder, entryOf(join(root, FILE))), JSON.stringify({ startedAt: startedAtS * 1_000, switches }));
  const left = (name: string) => unreached([FILE], name, folder, [relative(root, join(made, "sources"))]);
  return { change, note, left };
}

test("leaves out a file that did not read the switch", () => {
  const { note, left } = world();
  note(2_000, "ruleOrder");
  expect(left("icmpv6")).toEqual([FILE]);
  expect(left("ruleOrder")).toEqual([]);
});

test("leaves out nothing that nobody knows of, or that was run before the last change", () => {
  const { change, note, left } = world();
  expect(left("icmpv6")).toEqual([]);
  note(2_000);
  expect(left("icmpv6")).toEqual([FILE]);
  change(3_000);
  expect(left("icmpv6")).toEqual([]);
});
