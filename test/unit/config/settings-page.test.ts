// docs/settings.md against what is really read.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSettings, SettingsError } from "../../../shared/config/settings.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/settings.md"), "utf8");

/** The rows of a chapter's table, cell by cell, without code marks. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const chapter = page.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = chapter.split("\n").filter((line) => line.startsWith("| `"));
  return rows.map((row) => row.split("|").map((cell) => cell.trim().replaceAll("`", "")));
}

const enough = {
  SAFEPORT_REGION: "cn-hangzhou",
  SAFEPORT_ACCOUNT_ID: "100000000000",
  SAFEPORT_INSTALLATION: "dev",
  SAFEPORT_MARK_SECRET: "0123456789abcdef0123456789abcdef",
  SAFEPORT_TABLESTORE_INSTANCE: "safeport",
};

function problemsWith(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    readSettings(env);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

test("the page names every setting that is read, and no other", () => {
  const read = new Set<string>();
  readSettings(
    new Proxy<Record<string, string>>(enough, {
      get: (env, name: string) => {
        read.add(name);
        return env[name];
      },
    }),
  );
  const named = ["Required", "Numbers", "Where and how"].flatMap((heading) => rowsOf(heading).map(([, name]) => name));
  expect(named.toSorted()).toEqual([...read].filter((name) => name.startsWith("SAFEPORT_")).toSorted());
});

test("what the page calls required is just what is told as missing", () => {
  const missing = problemsWith({}).map((problem) => problem.split(" ")[0]);
  expect(rowsOf("Required").map(([, name]) => name)).toEqual(missing.toSorted(byPage));
});

const byPage = (a: string | undefined, b: string | undefined): number =>
  page.indexOf(`| \`${a}\``) - page.indexOf(`| \`${b}\``);

test.each(rowsOf("Numbers"))("%s%s: default %s, from %s to %s", (_, name = "", otherwise = "", from = "", to = "") => {
  expect(readSettings({ ...enough, [name]: otherwise })).toEqual(readSettings(enough));
  // A lock shorter than its margin is refused for another reason.
  const wide = { ...enough, SAFEPORT_LOCK_SECONDS: "600", SAFEPORT_LOCK_MARGIN_SECONDS: "1" };
  expect(problemsWith({ ...wide, [name]: from })).toEqual([]);
  expect(problemsWith({ ...wide, [name]: to })).toEqual([]);
  expect(problemsWith({ ...wide, [name]: String(Number(from) - 1) })).toHaveLength(1);
  expect(problemsWith({ ...wide, [name]: String(Number(to) + 1) })).toHaveLength(1);
});

test("the defaults that are spelled out are those of the page", () => {
  const spelled = rowsOf("Where and how").filter(([, name]) => !name?.endsWith("_ENDPOINT"));
  expect(spelled).toHaveLength(9);
  const env = Object.fromEntries(spelled.map(([, name = "", otherwise = ""]) => [name, otherwise]));
  expect(readSettings({ ...enough, ...env })).toEqual(readSettings(enough));
});
