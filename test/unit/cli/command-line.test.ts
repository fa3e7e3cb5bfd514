// What every command line has in common: the options that its help names are taken, and what is refused says what to do.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { isHome } from "../../../cli/machine/home.ts";
import type { Surroundings } from "../../../cli/safeport/command.ts";
import { remedyOf } from "../../../cli/safeport/remedy.ts";
import { commands, runCommand } from "../../../cli/safeport/run.ts";
import { exportState } from "../../../cli/state/move-state.ts";
import { systemClock } from "../../../shared/adapters/system/clock.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { StoreFailure } from "../../../shared/ports/tables.ts";
import { TrafficFailure } from "../../../shared/ports/traffic.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

const folder = mkdtempSync(join(tmpdir(), "safeport-line-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command line where there is nothing but `env`. */
async function typed(args: readonly string[], env: Surroundings["env"] = {}) {
  const said = { out: "", err: "" };
  const code = await runCommand(args, {
    ...{ env, clock: systemClock, stopped: Promise.resolve() },
    fetch: () => Promise.reject(new Error("nobody is to be asked")),
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
  });
  return { code, ...said };
}

const UNHEARD_OF = "--unheard-of";

describe.each(commands.map(({ name, help }) => [name, help] as const))("safeport %s", (name, help) => {
  /** Those of its usage, and those that have a line of their own. */
  const named = new Set(
    help
      .split("\n")
      .filter((line) => /^(Usage:| +safeport | +--)/.test(line))
      .flatMap(
        (line) => (line.trim().startsWith("--") ? line.trim().slice(0, 24) : line).match(/--[a-z][a-z-]+/g) ?? [],
      ),
  );

  test.each([...named])("takes %s, which its help names", async (option) => {
    // What is not known is told of in the order in which it is written.
    const { code, err } = await typed([name, option, "1", UNHEARD_OF]);
    expect([code, err]).toEqual([
      2,
      `safeport ${name}: Unknown option '${UNHEARD_OF}'. safeport ${name} --help tells what it takes.\n`,
    ]);
  });
});

test.each([
  "records verify FILE",
  "policy check FILE",
  "state import FILE --home HOME",
  "run --policy FILE --home HOME",
  "setup --plan --policy FILE",
])("%s: a file that is not there is named, with what to do", async (line) => {
  const away = join(folder, "away", "file");
  const home = join(folder, "none");
  const env = {
    ...{ SAFEPORT_REGION: "cn-hangzhou", SAFEPORT_ACCOUNT_ID: "1", SAFEPORT_TABLESTORE_INSTANCE: "safeport" },
    ...{ SAFEPORT_INSTALLATION: "test", SAFEPORT_MARK_SECRET: "m".repeat(32) },
    ...{ ALIBABA_CLOUD_ACCESS_KEY_ID: "a", ALIBABA_CLOUD_ACCESS_KEY_SECRET: "b" },
  };
  const { code, err } = await typed(line.replace("FILE", away).replace("HOME", home).split(" "), env);
  expect([code, err]).toEqual([1, expect.stringMatching(/ENOENT.* Name /)]);
  expect(err).toContain(away);
  expect(existsSync(home)).toBe(false);
});

test.each([
  ["SAFEPORT_INSTALLATION", "Not One!"],
  ["SAFEPORT_MARK_SECRET", "short"],
  ["SAFEPORT_ALARM_SECRETS", "short"],
])("safeport run keeps no %s that cannot be used, so that it can be mended", async (name, value) => {
  const home = join(folder, name);
  const { code, err } = await typed(["run", "--home", home, "--port", "0"], { [name]: value });
  expect([code, err]).toEqual([1, expect.stringContaining(`${name} is not usable`)]);
  expect(isHome(home)).toBe(false);
});

describe("a cloud that fails", () => {
  const refused = (cloudCode: string) => new CloudFailure("refused", "GetRole", { cloudCode });

  test.each([
    [new CloudFailure("unknown", "GetRole"), "Check SAFEPORT_REGION"],
    [new TrafficFailure("unavailable", "nobody answers"), "Check SAFEPORT_REGION"],
    [refused("SignatureDoesNotMatch"), "Correct ALIBABA_CLOUD_ACCESS_KEY_ID"],
    [refused("InvalidAccessKeyId.NotFound"), "Correct ALIBABA_CLOUD_ACCESS_KEY_ID"],
    [refused("InvalidSecurityToken.Expired"), "Correct ALIBABA_CLOUD_ACCESS_KEY_ID"],
    [refused("NoPermission"), "Allow it to these keys."],
    [new CloudFailure("throttled", "GetRole"), "Try again in a minute."],
    [new StoreFailure("unavailable", "Tablestore"), "Check SAFEPORT_TABLESTORE_INSTANCE"],
  ])("%s has a remedy", (failure, remedy) => {
    expect(remedyOf(failure)).toContain(remedy);
  });

  test("is told of with what to do", async () => {
    const env = {
      ...{ SAFEPORT_REGION: "cn-hangzhou", SAFEPORT_ECS_ENDPOINT: "http://127.0.0.1:1" },
      ...{ ALIBABA_CLOUD_ACCESS_KEY_ID: "a", ALIBABA_CLOUD_ACCESS_KEY_SECRET: "b" },
    };
    const { code, err } = await typed(["probe", "--vpc", "vpc-1"], env);
    expect([code, err]).toEqual([1, expect.stringMatching(/ECONNREFUSED\)\. Check SAFEPORT_REGION/)]);
  });
});

describe("safeport state --home", () => {
  test("exports nothing from a folder that is none of safeport run, and makes none", async () => {
    const [home, file] = [join(folder, "typo"), join(folder, "typo.jsonl")];
    const { code, err } = await typed(["state", "export", file, "--home", home]);
    expect([code, err]).toEqual([1, expect.stringContaining("Name its folder with --home")]);
    expect([existsSync(home), existsSync(file)]).toEqual([false, false]);
  });

  test("imports into a new folder only what its variables are of, so that they can be mended", async () => {
    const [home, file] = [join(folder, "new"), join(folder, "state.jsonl")];
    const owner = { installation: "prod", markSecret: "m".repeat(32) };
    const quiet = { now: 0, progress: () => undefined };
    const tables = memoryTables();
    await tables.createTables(schemas);
    await exportState(tables, { file, owner, ...quiet });
    const line = ["state", "import", file, "--home", home, "--json"];
    const secret = { SAFEPORT_MARK_SECRET: owner.markSecret };
    for (const env of [{}, { ...secret, SAFEPORT_INSTALLATION: "other" }]) {
      expect(await typed(line, env)).toMatchObject({
        code: 1,
        err: expect.stringContaining("Set SAFEPORT_INSTALLATION"),
      });
      expect(existsSync(home)).toBe(false);
    }
    const taken = await typed(line, { ...secret, SAFEPORT_INSTALLATION: owner.installation });
    expect([taken.code, taken.err.includes("not what")], taken.err).toEqual([0, false]);
  });
});
