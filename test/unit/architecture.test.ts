// The architecture as the linter states it: every rule is proven by a planted violation, and by clean files that pass.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

/** A file that breaks one rule, and words of the message that must say so. */
type Planted = readonly [path: string, source: string, message: string];

const uses = (from: string): string => `import { thing } from "${from}";\nexport const used = thing;\n`;

const planted: readonly Planted[] = [
  // Import direction, a line for each arrow that must not exist.
  ["shared/domain/a.ts", uses("../ports/clock.ts"), "domain is pure"],
  ["shared/domain/b.ts", uses("node:fs"), "domain is pure"],
  ["shared/domain/c.ts", uses("zod"), "domain is pure"],
  ["shared/domain/d.ts", `import type { T } from "../plan/plan.ts";\nexport type U = T;\n`, "domain is pure"],
  ["shared/domain/e.ts", `export const load = () => import("node:fs");\n`, "domain is pure"],
  ["shared/errors/a.ts", uses("../usecases/app.ts"), "errors is a table"],
  ["shared/plan/a.ts", uses("../ports/clock.ts"), "plan is a pure decision"],
  ["shared/plan/b.ts", uses("node:crypto"), "plan is a pure decision"],
  ["shared/ports/a.ts", uses("../adapters/system/clock.ts"), "ports are contracts"],
  ["shared/store/a.ts", uses("../adapters/alibaba/tables.ts"), "store turns nouns into rows"],
  ["shared/store/b.ts", uses("tablestore"), "store turns nouns into rows"],
  ["shared/config/a.ts", uses("../adapters/alibaba/tables.ts"), "config reads settings"],
  ["shared/config/b.ts", uses("zod"), "config reads settings"],
  ["shared/usecases/a.ts", uses("../adapters/alibaba/ecs-firewall.ts"), "use cases decide through ports"],
  ["shared/usecases/b.ts", uses("@alicloud/ecs20140526"), "use cases decide through ports"],
  ["shared/usecases/pass/a.ts", uses("../../http/route.ts"), "use cases decide through ports"],
  ["shared/events/a.ts", uses("../usecases/open-lease.ts"), "events parse a trigger"],
  ["shared/http/a.ts", uses("../adapters/alibaba/tables.ts"), "http turns requests"],
  ["shared/http/b.ts", uses("zod"), "http turns requests"],
  ["shared/http/routes/a.ts", uses("../../store/leases.ts"), "http turns requests"],
  ["shared/adapters/alibaba/a.ts", uses("../../usecases/open-lease.ts"), "adapters make ports real"],
  ["shared/adapters/alibaba/b.ts", uses("../../../local/clock.ts"), "shared is the product"],
  ["shared/adapters/alibaba/c.ts", uses("../../../cli/dev/main.ts"), "shared is the product"],
  ["shared/adapters/alibaba/d.ts", uses("../../../console/main.ts"), "shared is the product"],
  ["shared/adapters/alibaba/e.ts", uses("../../../functions/compose.ts"), "shared is the product"],
  ["shared/usecases/c.ts", uses("../../local/clock.ts"), "use cases decide through ports"],
  ["shared/access/a.ts", uses("../usecases/open-lease.ts"), "access turns a token into a caller"],
  ["shared/a-new-folder/a.ts", uses("../../local/clock.ts"), "shared is the product"],
  ["functions/api/a.ts", uses("../../local/cloud.ts"), "functions are what is deployed"],
  ["functions/api/b.ts", uses("../../test/kit/world.ts"), "functions are what is deployed"],
  ["local/services/ecs/a.ts", uses("../../../shared/domain/cidr.ts"), "local is the other side of the wire"],
  ["local/services/ecs/b.ts", uses("../../../shared/ports/tables.ts"), "local is the other side of the wire"],
  ["local/services/functions/a.ts", uses("../../../functions/api/index.ts"), "local loads built handlers"],
  ["cli/dev/a.ts", uses("../../functions/compose.ts"), "The command line talks to the product over HTTP"],
  ["cli/dev/b.ts", uses("../../shared/usecases/app.ts"), "The command line talks to the product over HTTP"],
  ["shared/domain/cycle-a.ts", `import { b } from "./cycle-b.ts";\nexport const a = () => b;\n`, "cycle"],
  ["shared/domain/cycle-b.ts", `import { a } from "./cycle-a.ts";\nexport const b = () => a;\n`, "cycle"],
  [
    "shared/domain/cycle-c.ts",
    `import type { D } from "./cycle-d.ts";\nexport interface C {\n  readonly d: D;\n}\n`,
    "cycle",
  ],
  [
    "shared/domain/cycle-d.ts",
    `import type { C } from "./cycle-c.ts";\nexport interface D {\n  readonly c: C;\n}\n`,
    "cycle",
  ],
  ["shared/domain/barrel.ts", `export * from "./clean.ts";\n`, "barrel"],
  // Time and chance come through ports.
  ["shared/usecases/now.ts", "export const now = Date.now();\n", "take the port Clock"],
  ["shared/usecases/date.ts", "export const now = new Date();\n", "take the port Clock"],
  ["shared/usecases/date-bare.ts", "export const now = new Date;\n", "take the port Clock"],
  ["shared/usecases/passed.ts", "export const clock = Date.now;\n", "take the port Clock"],
  ["functions/api/now.ts", "export const now = Date.now();\n", "take the port Clock"],
  ["local/services/ecs/now.ts", "export const now = Date.now();\n", "take the port Clock"],
  ["shared/plan/random.ts", "export const chance = Math.random();\n", "take the port Random"],
  [
    "shared/domain/uuid.ts",
    `import { randomUUID } from "node:crypto";\nexport const id = randomUUID();\n`,
    "port Random",
  ],
  ["shared/domain/bytes.ts", `import * as c from "node:crypto";\nexport const b = c.randomBytes(8);\n`, "port Random"],
  ["shared/usecases/web.ts", "export const b = crypto.getRandomValues(new Uint8Array(8));\n", "take the port Random"],
  ["local/services/ecs/uuid.ts", "export const id = crypto.randomUUID();\n", "take the port Random"],
  ["shared/usecases/timer.ts", "setTimeout(() => undefined, 5);\n", "the global variable setTimeout"],
  ["shared/adapters/alibaba/timer.ts", "setInterval(() => undefined, 5);\n", "the global variable setInterval"],
  ["functions/api/immediate.ts", "setImmediate(() => undefined);\n", "the global variable setImmediate"],
  ["shared/usecases/performance.ts", "export const at = performance.now();\n", "the global variable performance"],
  // The environment, types and the shape of modules.
  ["functions/api/env.ts", "export const region = process.env.REGION;\n", "process.env"],
  ["shared/config/env.ts", "export const region = process.env.REGION;\n", "process.env"],
  ["local/services/ecs/env.ts", `export const region = process.env["REGION"];\n`, "process.env"],
  ["shared/domain/any.ts", "export const value: any = 1;\n", "any"],
  ["test/unit/any.ts", "export const value: any = 1;\n", "any"],
  ["shared/domain/default.ts", "export default 1;\n", "default export"],
  ["shared/domain/enum.ts", "export enum Side { In, Out }\n", "enum"],
];

const clean: readonly (readonly [path: string, source: string])[] = [
  [
    "shared/domain/clean.ts",
    `import { createHash } from "node:crypto";\nimport type { Rule } from "./rule.ts";\nexport type Kept = Rule;\nexport const hash = createHash;\nexport const year = new Date(5).getUTCFullYear() + Date.parse("2026-01-01");\n`,
  ],
  ["shared/plan/clean.ts", uses("../domain/rule.ts")],
  ["shared/store/clean.ts", uses("../ports/tables.ts")],
  [
    "shared/usecases/pass/clean.ts",
    `${uses("../app.ts")}export type { A } from "../ledger/a.ts";\nexport type { B } from "../../plan/b.ts";\n`,
  ],
  ["shared/usecases/clean.ts", `${uses("../plan/plan.ts")}export type { Clock } from "../ports/clock.ts";\n`],
  ["shared/http/routes/clean.ts", uses("../../usecases/open-lease.ts")],
  [
    "shared/adapters/alibaba/clean.ts",
    `${uses("@alicloud/ecs20140526")}import type { Firewall } from "../../ports/firewall.ts";\nexport type F = Firewall;\n`,
  ],
  [
    "shared/adapters/system/clean.ts",
    "export const now = Date.now() + performance.now();\nsetTimeout(() => undefined, 5);\n",
  ],
  ["functions/compose.ts", "export const region = process.env.REGION;\n"],
  ["local/clock.ts", "export const now = Date.now();\n"],
  ["local/services/ecs/clean.ts", uses("../../../shared/ports/clock.ts")],
  ["local/services/ecs/clean-random.ts", uses("../../../shared/ports/random.ts")],
  ["cli/dev/clean.ts", `${uses("../../local/cloud.ts")}export const home = process.env.HOME;\n`],
  ["bench/clean.ts", "export const now = Date.now();\n"],
  ["test/unit/clean.ts", "export const now = Date.now() + Math.random();\n"],
];

let tree = "";
const said = new Map<string, string>();

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), "safeport-architecture-"));
  cpSync(join(root, "biome.json"), join(tree, "biome.json"));
  cpSync(join(root, "biome-plugins"), join(tree, "biome-plugins"), { recursive: true });
  for (const [path, source] of [...planted, ...clean]) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), source);
  }
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const flags = [
    "lint",
    "--vcs-enabled=false",
    "--reporter=json",
    "--max-diagnostics=none",
    "--diagnostic-level=error",
    ".",
  ];
  const run = spawnSync(process.execPath, [biome, ...flags], { cwd: tree, encoding: "utf8", maxBuffer: 64e6 });
  const report: unknown = JSON.parse(run.stdout.slice(run.stdout.indexOf("{")));
  for (const { path, words } of diagnostics(report)) said.set(path, `${said.get(path) ?? ""}${words}\n`);
});

afterAll(() => rmSync(tree, { recursive: true, force: true }));

/** What the linter's report says, by file: message and advice as one text. */
function diagnostics(report: unknown): { path: string; words: string }[] {
  const list = (report as { diagnostics?: { location?: { path?: unknown } }[] }).diagnostics ?? [];
  return list.map((one) => {
    const path = one.location?.path;
    const name = typeof path === "string" ? path : (path as { file?: string } | undefined)?.file;
    return { path: String(name).replace(/^\.\//, ""), words: JSON.stringify(one) };
  });
}

describe("the linter carries the architecture", () => {
  test.each(planted)("refuses %s", (path, _source, message) => {
    expect(said.get(path) ?? "no diagnostic").toContain(message);
  });

  test.each(clean)("lets %s pass", (path) => {
    expect(said.get(path)).toBeUndefined();
  });
});
