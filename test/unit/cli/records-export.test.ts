// `safeport records export FILE`: the file is the whole trail, or it is not there.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runCommand } from "../../../cli/safeport/run.ts";
import { TrailWorld } from "../../kit/trail.ts";

const parent = mkdtempSync(join(tmpdir(), "safeport-trail-"));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

/** Exports a trail of two pages in an empty folder; `answers` says how many of them come before the API is away. */
async function exported(answers: number) {
  const world = new TrailWorld();
  const app = world.process();
  for (const line of ["a", "b"]) await world.record(app, line);
  const lines = await world.lines();
  const pages = lines.map((line, index) => ({
    publicKey: "k".repeat(43),
    lines: [line],
    next: index < lines.length - 1 ? "next" : null,
  }));
  const folder = mkdtempSync(join(parent, "to-"));
  const file = join(folder, "trail.jsonl");
  let asked = 0;
  let err = "";
  const surroundings: Parameters<typeof runCommand>[1] = {
    env: { SAFEPORT_API: "http://api", SAFEPORT_TOKEN: "t" },
    clock: app.clock,
    stopped: Promise.resolve(),
    out: () => undefined,
    err: (text) => {
      err += text;
    },
    fetch: async () => {
      if (asked === answers) throw new Error("it is away");
      return Response.json(pages[asked++]);
    },
  };
  const run = () => runCommand(["records", "export", file], surroundings);
  const code = await run();
  const again = () => {
    [asked, answers] = [0, pages.length];
    return run();
  };
  return { code, file, folder, lines, err: () => err, again };
}

test("is there once all of it is, for its owner alone", async () => {
  const { code, file, folder, lines } = await exported(2);
  expect([code, readdirSync(folder)]).toEqual([0, ["trail.jsonl"]]);
  expect(readFileSync(file, "utf8").trimEnd().split("\n")).toHaveLength(1 + lines.length);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("that was cut leaves nothing that could be taken for a shorter trail, and is made by the next", async () => {
  const cut = await exported(1);
  expect([cut.code, readdirSync(cut.folder)]).toEqual([1, []]);
  // What a run has left that was killed.
  writeFileSync(`${cut.file}.part`, "half");
  expect([await cut.again(), readdirSync(cut.folder)]).toEqual([0, ["trail.jsonl"]]);
  expect(readFileSync(cut.file, "utf8")).not.toContain("half");
});

test("takes no other file's place, and says so", async () => {
  const whole = await exported(2);
  expect(await whole.again()).toBe(1);
  expect(whole.err()).toContain("is there already. Name another file, or remove it.");
});
