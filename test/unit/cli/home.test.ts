// The folder of `safeport run` is made or taken where it is safeport's alone, and left as it is where it is not.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { HomeRefused, holdHome } from "../../../cli/machine/home.ts";
import { runCommand } from "../../../cli/safeport/run.ts";
import { systemClock } from "../../../shared/adapters/system/clock.ts";

const parent = mkdtempSync(join(tmpdir(), "safeport-home-"));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

function made(name: string, { mode = 0o755, files = [] as readonly string[] } = {}): string {
  const folder = join(parent, name);
  mkdirSync(folder);
  for (const file of files) writeFileSync(join(folder, file), "");
  chmodSync(folder, mode);
  return folder;
}

const seenOf = (folder: string) => [(statSync(folder).mode & 0o7777).toString(8), readdirSync(folder)];

/** What is thrown instead of holding it. */
function refusalOf(folder: string): HomeRefused {
  try {
    holdHome(folder, {}).release();
  } catch (error) {
    if (error instanceof HomeRefused) return error;
    throw error;
  }
  throw new Error("it was taken");
}

test.each([
  ["new", () => join(parent, "new", "deep")],
  ["empty", () => made("empty")],
  ["what a start left that failed", () => made("left", { files: ["lock.db", "lost+found"] })],
])("takes a folder that is %s, for its owner alone", (_name, folderOf) => {
  const folder = folderOf();
  const first = holdHome(folder, {});
  first.release();
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  chmodSync(folder, 0o750);
  const again = holdHome(folder, {});
  again.release();
  expect(again.identity).toEqual(first.identity);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test.each([
  ["files of others", { files: ["report.txt"] }, "foreign", "holds report.txt"],
  ["a state whose identity is gone", { files: ["state"] }, "foreign", "restore identity.json"],
  ["the right to write for everybody", { mode: 0o777 }, "shared", "chmod 700"],
  ["a sticky bit", { mode: 0o1700 }, "shared", "empty or new folder"],
])("leaves a folder as it is that has %s", (name, has, kind, words) => {
  const folder = made(name, has);
  const before = seenOf(folder);
  const refused = refusalOf(folder);
  expect([refused.kind, refused.message]).toEqual([kind, expect.stringContaining(words)]);
  expect(refused.message).toContain(folder);
  expect(seenOf(folder)).toEqual(before);
});

test("changes nothing before the configuration is found good", async () => {
  const folder = made("configured");
  const said: string[] = [];
  for (const home of [folder, join(parent, "never")])
    await runCommand(["run", "--home", home, "--port", "0"], {
      ...{ env: {}, clock: systemClock, stopped: Promise.resolve(), out: () => undefined },
      fetch: () => Promise.reject(new Error("nobody is to be asked")),
      err: (text) => void said.push(text),
    });
  expect(said).toEqual([expect.stringContaining("SAFEPORT_REGION"), expect.stringContaining("SAFEPORT_REGION")]);
  expect(seenOf(folder)).toEqual(["755", []]);
  expect(readdirSync(parent)).not.toContain("never");
});

test("tells another safeport from a lock that cannot be had", () => {
  const folder = join(parent, "locked");
  const home = holdHome(folder, {});
  expect(refusalOf(folder)).toMatchObject({ kind: "held", message: expect.stringContaining("Another safeport") });
  home.release();

  writeFileSync(join(folder, "lock.db"), "no database ".repeat(200));
  const broken = refusalOf(folder);
  expect([broken.kind, broken.message]).toEqual(["unusable", expect.stringContaining("make room on its disk")]);
  rmSync(join(folder, "lock.db"));
  mkdirSync(join(folder, "lock.db"));
  const unopened = refusalOf(folder);
  expect([unopened.kind, unopened.message]).toEqual(["unusable", expect.stringContaining(folder)]);
});

test("an identity that cannot be written is told with the folder, and leaves the lock to the next", () => {
  const folder = made("unwritten");
  mkdirSync(join(folder, "identity.json.new"));
  expect(refusalOf(folder).kind).toBe("unusable");
  rmSync(join(folder, "identity.json.new"), { recursive: true });
  holdHome(folder, {}).release();
  expect(JSON.parse(readFileSync(join(folder, "identity.json"), "utf8"))).toHaveProperty("markSecret");
});

test("a state that cannot be opened is told with the folder and what to do", async () => {
  const folder = join(parent, "unopened");
  holdHome(folder, {}).release();
  mkdirSync(join(folder, "state", "tablestore.db"), { recursive: true });
  let said = "";
  const code = await runCommand(["state", "export", join(parent, "out"), "--home", folder], {
    ...{ env: {}, clock: systemClock, stopped: Promise.resolve(), out: () => undefined, fetch },
    err: (text) => {
      said += text;
    },
  });
  expect([code, said]).toEqual([1, expect.stringContaining(`${folder} cannot be used`)]);
});
