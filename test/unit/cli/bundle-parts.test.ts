// What each function loads when, by the sources in its files: where a bundle is divided is told here as a whole.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { builtProgram } from "../../kit/deployed-build.ts";

/** Beside every function: what it loads with its first call of a kind, and what of it is switched on by configuration. */
const EVERYWHERE = [
  "assistant-hosts",
  "ecs-address-lists",
  "ecs-sdk",
  "fc2",
  "https-post",
  "index",
  "package.json",
  "policy-schema",
  "policy-warnings",
  "signed-token",
  "tablestore",
];

const FILES: Readonly<Record<string, readonly string[]>> = {
  // The routes of leases, all others, the API description, spreadsheets.
  api: [...EVERYWHERE, "book", "lease-part", "openapi", "other-part"],
  // The jobs, and what only they look at and tell.
  sweep: [...EVERYWHERE, "cms-metrics", "jobs", "traffic-sources"],
  alarm: EVERYWHERE,
  audit: EVERYWHERE,
};

/** Nothing of it before something is asked for. */
const NOT_AT_START = [
  ...["/zod/", "/jose/", "/tablestore/lib/", "/@alicloud/", "/@darabonba/", "/write-excel-file/"],
  ...["/shared/http/routes", "/shared/http/inputs", "/shared/http/answers", "/shared/config/policy-schema"],
];

/** Loaded by the part, of what has to be in it and of what must not. */
const PARTS: readonly (readonly [name: string, part: string, has: readonly string[], lacks: readonly string[]])[] = [
  [
    "api",
    "index",
    ["/shared/http/http-app"],
    [...NOT_AT_START, "/notify/notifier", "/shared/usecases/pass/", "/shared/usecases/lease/"],
  ],
  [
    "api",
    "lease-part",
    ["/lease/open-lease", "/lease/end-lease", "/pass/run-pass", "/http/routes-leases", "/zod/v4/mini/"],
    [
      ...["/zod/v4/classic/", "/zod/v4/locales/", "/http/answers", "/http/openapi", "/http/routes-recycling"],
      ...[
        "/usecases/token/",
        "/usecases/recycling/run-",
        "/usecases/policy/change-policy",
        "/usecases/lockdown/start-",
      ],
      ...["/usecases/operation/sweep", "/config/policy-schema", "/tablestore/lib/", "/@alicloud/", "json-schema"],
    ],
  ],
  ["api", "other-part", ["/http/routes-recycling", "/lockdown/start-lockdown"], ["/zod/v4/classic/", "/http/answers"]],
  [
    "api",
    "openapi",
    ["/http/answers", "/zod/v4/core/to-json-schema"],
    ["/zod/v4/classic/", "/shared/usecases/", "/shared/store/"],
  ],
  ...Object.keys(FILES).map(
    (name) => [name, "policy-schema", ["/zod/v4/mini/", "/zod/v4/locales/en"], ["/zod/v4/classic/"]] as const,
  ),
  [
    "sweep",
    "index",
    ["/usecases/operation/sweep", "/pass/run-pass", "/notify/notifier"],
    [...NOT_AT_START, "/recycling/run-recycling"],
  ],
  ["sweep", "jobs", ["/recycling/run-recycling", "/operation/run-audit"], ["/shared/http/routes", "/zod/"]],
  ["sweep", "traffic-sources", ["/flow-log-traffic", "/cms-traffic"], ["/zod/"]],
  ["alarm", "index", ["/lockdown/act-on-alarm"], [...NOT_AT_START, "/cms-metrics", "/flow-log", "/notify/notifier"]],
  [
    "audit",
    "index",
    ["/drift/look-at-event"],
    [...NOT_AT_START, "/cms-metrics", "/flow-log", "/notify/notifier", "/usecases/recycling/run-"],
  ],
];

let dist: string;
const BUILT_WITHIN_MS = 60_000;
beforeAll(async () => {
  dist = join(await builtProgram(), "dist");
}, BUILT_WITHIN_MS);

const nameOf = (file: string): string => basename(file, ".js").replace(/-[0-9A-Z]{8}$/, "");
const filesOf = (name: string): string[] => readdirSync(join(dist, name));

/** Loads a file of a function in a process of its own, after the start; answers the files that came with it, and whether it gives something. */
function load(name: string, file: string): { readonly files: readonly string[]; readonly gives: boolean } {
  const script = `
    const folder = process.argv[1], file = process.argv[2];
    require(folder + "/index.js");
    const before = file === "index.js" ? [] : Object.keys(require.cache);
    const given = require(folder + "/" + file);
    const gives = typeof given === "function" || Object.keys(given).length > 0;
    const files = Object.keys(require.cache).filter((it) => !before.includes(it));
    process.stdout.write(JSON.stringify({ files, gives }));`;
  return JSON.parse(execFileSync(process.execPath, ["-e", script, join(dist, name), file], { encoding: "utf8" }));
}

function sourcesOf(name: string, part: string): string[] {
  const file = filesOf(name).find((it) => nameOf(it) === part);
  if (file === undefined) throw new Error(`${name} has no ${part}`);
  return load(name, file).files.flatMap((path) => {
    const map = readFileSync(join(dist, "maps", `${name}-${basename(path)}.map`), "utf8");
    return (JSON.parse(map) as { readonly sources: readonly string[] }).sources.map((source) => `/${source}`);
  });
}

test.each(Object.keys(FILES))("%s is in these files and no others, beside what some of them share", (name) => {
  const names = filesOf(name)
    .map(nameOf)
    .filter((it) => it !== "chunk");
  expect(names.sort()).toEqual([...(FILES[name] ?? [])].sort());
});

test.each(Object.keys(FILES))(
  "each file of %s loads in a process that has only started, and gives something",
  (name) => {
    for (const file of filesOf(name)) expect(load(name, file).gives, file).toBe(true);
  },
);

test("whatever lies in the folder above, a function's files are read as what they are", () => {
  const above = mkdtempSync(join(tmpdir(), "safeport-above-"));
  try {
    writeFileSync(join(above, "package.json"), '{"type":"module"}');
    cpSync(join(dist, "audit"), join(above, "audit"), { recursive: true });
    const script = 'process.stdout.write(typeof require(process.argv[1] + "/audit/index.js").handler)';
    expect(execFileSync(process.execPath, ["-e", script, above], { encoding: "utf8" })).toBe("function");
  } finally {
    rmSync(above, { recursive: true });
  }
});

describe.each(PARTS)("%s, %s", (name, part, has, lacks) => {
  test("loads what it is for and nothing of the others", () => {
    const sources = sourcesOf(name, part);
    for (const text of has)
      expect(
        sources.filter((it) => it.includes(text)),
        text,
      ).not.toEqual([]);
    for (const text of lacks)
      expect(
        sources.filter((it) => it.includes(text)),
        text,
      ).toEqual([]);
  });
});
