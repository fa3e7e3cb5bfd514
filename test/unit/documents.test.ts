// The documents: links lead somewhere, commands named in them exist, and both READMEs show the same commands.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { faultKinds } from "../../local/faults.ts";
import { defaultTrailSwitches } from "../../local/services/actiontrail/switches.ts";
import { operations as cms } from "../../local/services/cms/operations.ts";
import { defaultCmsSwitches } from "../../local/services/cms/switches.ts";
import { operations as ecs } from "../../local/services/ecs/operation-table.ts";
import { defaultSwitches } from "../../local/services/ecs/switches.ts";
import { defaultSlsSwitches } from "../../local/services/sls/switches.ts";
import { operations as vpc } from "../../local/services/vpc/operations.ts";
import { defaultVpcSwitches } from "../../local/services/vpc/switches.ts";
import { schemas } from "../../shared/store/tables.ts";

const root = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

const documents = [
  ...["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"],
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file)),
];

describe.each(documents)("%s", (file) => {
  const text = read(file);

  test("links to files that exist", () => {
    const targets = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, target = ""]) => target);
    const missing = targets.filter((target) => !existsSync(join(root, dirname(file), target)));
    expect(missing).toEqual([]);
  });

  test("names only npm scripts that exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm run ([a-z]+(?:[:-][a-z]+)*)/g)].map(([, script = ""]) => script);
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  });
});

test("both READMEs show the same commands", () => {
  const commands = (file: string) => [...read(file).matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block);
  expect(commands("README.md").length).toBeGreaterThan(3);
  expect(commands("README.zh-CN.md")).toEqual(commands("README.md"));
});

test("the version that is built has its section, with its day, below what is not released", () => {
  const { version } = JSON.parse(read("package.json")) as { version: string };
  const [first, second] = [...read("CHANGELOG.md").matchAll(/^## (.+)$/gm)].map(([, title]) => title);
  expect(first).toBe("Unreleased");
  expect(second).toMatch(new RegExp(`^${version.replaceAll(".", "\\.")} - \\d{4}-\\d{2}-\\d{2}$`));
});

describe("what the pages list", () => {
  test("every table with its key is in its page", () => {
    const rows = schemas.map(({ name, key }) => `| \`${name}\` | ${key.map((part) => part.name).join(", ")} |`);
    const page = read("docs/tables.md");
    expect(rows.filter((row) => !page.includes(row))).toEqual([]);
  });

  test("every operation of the embedded RPC services, every switch and every fault is in its page", () => {
    const page = read("docs/local-cloud.md");
    const switches = { ...defaultSwitches, ...defaultTrailSwitches, ...defaultCmsSwitches, ...defaultSlsSwitches };
    const names = [ecs, cms, vpc].flatMap((operations) => [...operations.keys()]);
    names.push(...Object.keys({ ...switches, ...defaultVpcSwitches }));
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
    const faults = Object.entries(faultKinds).map(
      ([service, kinds]) => `| \`${service}\` | ${kinds.map((kind) => `\`${kind}\``).join(", ")} |`,
    );
    expect(faults.filter((row) => !page.includes(row))).toEqual([]);
  });

  test("every dependency has its line of reason", () => {
    const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Record<
      "dependencies" | "devDependencies",
      Record<string, string>
    >;
    const page = read("docs/decisions/0001-toolchain-and-dependencies.md");
    const names = [...Object.keys(dependencies), ...Object.keys(devDependencies)];
    expect(names.filter((name) => !name.startsWith("@types/") && !page.includes(`\`${name}\``))).toEqual([]);
  });
});
