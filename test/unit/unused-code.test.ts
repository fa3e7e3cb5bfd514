// The search for unused code: a planted unused export and a planted unused file are found, and used code is not accused.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const tree = mkdtempSync(join(tmpdir(), "safeport-unused-"));

afterAll(() => rmSync(tree, { recursive: true, force: true }));

test("the project's knip settings find an export and a file that nobody uses", () => {
  const files = {
    "package.json": `{ "name": "planted", "private": true }`,
    "functions/api/index.ts": `import { used } from "../../shared/domain/planted.ts";\nexport const handler = used;\n`,
    "shared/domain/planted.ts": "export const used = 1;\nexport const forgotten = 2;\n",
    "shared/domain/orphan.ts": "export const nobody = 3;\n",
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  for (const file of ["knip.json", "tsconfig.json"]) copyFileSync(join(root, file), join(tree, file));

  const knip = join(root, "node_modules/knip/bin/knip.js");
  const flags = ["--no-progress", "--no-config-hints", "--include", "files,exports"];
  const run = spawnSync(process.execPath, [knip, ...flags], { cwd: tree, encoding: "utf8" });

  expect(run.status, run.stderr).toBe(1);
  expect(run.stdout).toContain("forgotten");
  expect(run.stdout).toContain("shared/domain/orphan.ts");
  expect(run.stdout).not.toMatch(/\bused\b/);
  expect(run.stdout).not.toContain("handler");
});
