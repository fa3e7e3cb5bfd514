// The secrets that a development installation keeps.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keptSecrets } from "../../../cli/dev/secrets.ts";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "safeport-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe("secrets", () => {
  test("are made once and kept, readable for their owner only", () => {
    const first = keptSecrets(join(home, "new"));
    expect(keptSecrets(join(home, "new"))).toEqual(first);
    expect(statSync(join(home, "new", "secrets.json")).mode & 0o777).toBe(0o600);
    expect(first.installation).toMatch(/^[a-z0-9-]{1,12}$/);
    expect(Object.keys(first.tokens).sort()).toEqual(["admin", "approver", "auditor", "operator", "requester"]);
  });

  test("that are broken are not replaced, because new ones could not close old leases", () => {
    keptSecrets(home);
    const file = join(home, "secrets.json");
    writeFileSync(file, "{");
    expect(() => keptSecrets(home)).toThrow("Restore it");
    expect(readFileSync(file, "utf8")).toBe("{");
  });
});
