// Two installations in one account: neither takes the other's lists for its own, nor the other's tables or functions, nor leaves its rules
// without a state.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { environmentOf } from "../../cli/dev/deployment.ts";
import { type Account, accountOf } from "../../cli/safeport/account.ts";
import { ownLists, removeLists } from "../../cli/safeport/own-rules.ts";
import { cloudCalls } from "../../cli/setup/cloud-call.ts";
import { stateOf } from "../../cli/setup/installation-steps.ts";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { seededRandom } from "../../local/random.ts";
import { seedAccount, seedTablestoreInstance, seedUser, seedUserNames } from "../../local/seed.ts";
import { listProbeWord } from "../../shared/domain/list-probe.ts";
import { recordKey, signSeal } from "../../shared/domain/record-chain.ts";
import { standbyListName } from "../../shared/domain/standby.ts";
import { claimTables, markInstalled, noteImport } from "../../shared/store/due.ts";
import { readPolicy, writeFirstPolicy } from "../../shared/store/policy.ts";
import { addSeal } from "../../shared/store/seals.ts";
import { deleteStandbySet, saveStandbySet } from "../../shared/store/standby-sets.ts";
import { schemas } from "../../shared/store/tables.ts";
import { terminalOf, typed } from "../kit/command-line.ts";
import { listsProbed } from "../kit/switch-under-test.ts";

const ofFirst = {
  direction: "ingress" as const,
  ipProtocol: "TCP" as const,
  portRange: "9300/9300",
  sourceCidrIp: "203.0.113.7",
  description: "safeport/1 one e-0123456789abcdef until=2026-11-05T09:00:00Z k=01234567 test",
};

const SECOND = "second";
const THIRD = "third";
const LEFT = "left";

let cloud: Cloud;
let accountNamed: (installation: string, changed?: Readonly<Record<string, string>>) => Account;
let type: (line: string, installation: string, extra?: Readonly<Record<string, string>>) => ReturnType<typeof typed>;
beforeAll(async () => {
  const account = seedAccount(seededRandom("two installations"));
  const open = { groupId: "sg-open", name: "open", rules: [ofFirst] };
  cloud = await startCloud({
    engine: "userspace",
    range: "127.157.0.0/16",
    switches: listsProbed,
    tablestoreInstances: [seedTablestoreInstance, SECOND, THIRD, LEFT],
    account: { ...account, groups: [...account.groups, open], instances: [] },
  });
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const envOf = (installation: string) => ({
    ...environmentOf(cloud, {
      ...{ installation, markSecret: "m".repeat(64), alarmSecret: "a".repeat(48), tokens: {} as never },
    }),
    ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret,
    SAFEPORT_LOCKDOWN_LISTS: listProbeWord(cloud.account.accountId, cloud.account.regionId, "20261127"),
  });
  accountNamed = (installation, changed = {}) =>
    accountOf(terminalOf({ cloud, env: { ...envOf(installation), ...changed } }).surroundings);
  type = (line, installation, extra) => typed(line, { cloud, env: { ...envOf(installation), ...extra } });
});
afterAll(() => cloud?.stop());

it("knows its lists from those of an installation whose name begins with its own", async () => {
  const { ask, ecs } = cloudCalls(accountNamed("one"));
  const made = async (installation: string) => {
    const PrefixListName = standbyListName(installation, "0123456789ab", "ba9876543210");
    const answer = await ask(ecs, "CreatePrefixList", { PrefixListName, AddressFamily: "IPv4", MaxEntries: 2 });
    return { region: cloud.account.regionId, listId: String(answer["PrefixListId"]), name: PrefixListName };
  };
  const [one, two] = [await made("one"), await made("one-two")];
  expect(await ownLists(accountNamed("one"))).toEqual([one]);
  expect(await ownLists(accountNamed("one-two"))).toEqual([two]);
});

it("finds and takes away lists that were made before they were switched off, and only its own", async () => {
  const off = { SAFEPORT_LOCKDOWN_LISTS: "" };
  const ids = () => cloud.ecs.lists().map(({ listId }) => listId);
  const [one] = await ownLists(accountNamed("one", off));
  expect(ids()).toContain(one?.listId);
  const before = ids();
  await removeLists(accountNamed("one", off), one ? [one] : []);
  expect(ids()).toEqual(before.filter((it) => it !== one?.listId));
  expect(await ownLists(accountNamed("one", off))).toEqual([]);
});

it("says that lists may not be looked for where there may be some, and not where nothing tells of any", async () => {
  const off = { SAFEPORT_LOCKDOWN_LISTS: "" };
  const account = accountNamed("one", off);
  const tables = stateOf(account);
  await tables.createTables(schemas);
  const fault = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
  cloud.faults.set([{ service: "ecs", operation: "DescribePrefixLists", times: 100, fault }]);
  await expect(ownLists(accountNamed("one"))).rejects.toMatchObject({ cloudCode: "Forbidden.RAM" });
  expect(await ownLists(account)).toEqual([]);
  const set = { name: "0123456789ab", region: "r", lists: [], members: [], holders: [], shown: null, rev: 0 };
  const saved = await saveStandbySet(tables, set);
  await expect(ownLists(account)).rejects.toMatchObject({ cloudCode: "Forbidden.RAM" });
  cloud.faults.set([]);
  if (saved) await deleteStandbySet(tables, saved);
});

it("does not set itself up on the tables of another, and takes none away while the other's rules stand", async () => {
  const tables = stateOf(accountNamed("one"));
  await tables.createTables(schemas);
  await writeFirstPolicy(tables, "{}");
  await markInstalled(tables, "one", 1);
  for (const line of ["setup --plan", "setup --apply"])
    expect(await type(line, "two"), line).toMatchObject({
      code: 1,
      err: expect.stringContaining("of the installation one"),
    });
  const { findings } = JSON.parse((await type("doctor --json", "two")).out) as {
    readonly findings: readonly { check: string; state: string; found: string }[];
  };
  expect(findings.find(({ check }) => check === "setup")).toMatchObject({
    state: "fail",
    found: expect.stringContaining("of the installation one"),
  });
  const gone = await type("uninstall --state --json", "one");
  expect(gone.code).toBe(3);
  expect(JSON.parse(gone.out)).toMatchObject({
    removed: [],
    rules: expect.arrayContaining([expect.stringMatching(/ in sg-open$/)]),
  });
  expect((await type("setup --plan", "one")).err).not.toContain("of the installation");
}, 30_000);

it("takes the audit trail that an uninstalled one has left for its own only where that was signed with its secret", async () => {
  const there = { SAFEPORT_TABLESTORE_INSTANCE: LEFT };
  const tables = stateOf(accountNamed("new", there));
  await tables.createTables(schemas.filter(({ name }) => name === "record" || name === "seal"));
  const says = { number: 1, at: 1, previous: "", from: "", to: "", records: [] };
  await addSeal(tables, 1, signSeal(says, recordKey("n".repeat(64))));
  for (const line of ["setup --plan", "setup --apply", "uninstall --state --records"])
    expect(await type(line, "new", there), line).toMatchObject({
      code: 1,
      err: expect.stringContaining("the audit trail of an installation that was uninstalled"),
    });
  const told = await type("setup --plan", "new", { ...there, SAFEPORT_MARK_SECRET: "n".repeat(64) });
  expect(told.code, told.err).toBe(3);
}, 30_000);

describe("tables of another, of which no rule stands", () => {
  const there = { SAFEPORT_TABLESTORE_INSTANCE: THIRD };
  const folder = mkdtempSync(join(tmpdir(), "safeport-tables-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const lines = ["uninstall --state", `state export ${folder}/two`, `state import ${folder}/quiet --force`];
  const expectRefused = async () => {
    for (const line of lines)
      expect(await type(line, "two", there), line).toMatchObject({
        ...{ code: 1, out: "" },
        err: expect.stringContaining("of the installation quiet"),
      });
    expect(existsSync(join(folder, "two"))).toBe(false);
  };

  it("are neither removed, nor written to a file, nor replaced, also where the claim is lost", async () => {
    const tables = stateOf(accountNamed("quiet", there));
    await tables.createTables(schemas);
    expect(await claimTables(tables, "quiet")).toBe(true);
    await markInstalled(tables, "quiet", 1);
    await writeFirstPolicy(tables, "{}");
    expect((await type(`state export ${folder}/quiet`, "quiet", there)).code).toBe(0);
    await expectRefused();
    await tables.delete("due", [0, 0, "installation", ""], { kind: "none" });
    await expectRefused();
    expect(await readPolicy(tables)).not.toBeNull();
  });

  it("hold a part of a state after an import of its own was cut, which nothing takes for the whole", async () => {
    const tables = stateOf(accountNamed("quiet", there));
    await noteImport(tables, "quiet", { sha256: "0", done: 1 });
    for (const line of ["setup --plan", "setup --apply", `state export ${folder}/half`, "uninstall --state"])
      expect(await type(line, "quiet", there), line).toMatchObject({
        ...{ code: 1, out: "" },
        err: expect.stringMatching(
          /An import was cut.*Run the same `safeport state import` again.*STATE_HALF_IMPORTED/,
        ),
      });
    expect((await type("doctor --json", "quiet", there)).out).toContain("Run the same `safeport state import` again");
    await expectRefused();
    await noteImport(tables, "quiet", null);
    expect((await type("setup --plan", "quiet", there)).code).toBe(3);
  });

  it("stay its own while they are removed by halves, and it comes to the end of it", async () => {
    const fault = { kind: "reject", status: 403, code: "OTSNoPermissionAccess" } as const;
    for (const skip of [0, 9, 9]) {
      cloud.faults.set([{ service: "ots", operation: "DeleteTable", skip, times: 1, fault }]);
      expect((await type("uninstall --state --json", "quiet", there)).code).toBe(1);
      cloud.faults.set([]);
      await expectRefused();
    }
    // What an import has left goes by force alone.
    await noteImport(stateOf(accountNamed("quiet", there)), "quiet", { sha256: "0", done: 1 });
    const gone = await type("uninstall --state --force --json", "quiet", there);
    expect([gone.code, JSON.parse(gone.out).removed], gone.err).toEqual([0, expect.arrayContaining(["table due"])]);
    expect((await type("uninstall --state --json", "quiet", there)).code).toBe(0);
  });
});

describe("the functions of another", () => {
  const folder = mkdtempSync(join(tmpdir(), "safeport-functions-"));
  writeFileSync(join(folder, "index.js"), "exports.handler = async () => null;");
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  /** An instance of its own: nothing but the functions is shared. */
  const apart = { SAFEPORT_TABLESTORE_INSTANCE: SECOND };
  const [{ run }] = parse(readFileSync(join(import.meta.dirname, "../../s.yaml"), "utf8")).actions["pre-deploy"];
  const beforeDeploy = String(run).replace("node dist/cli/safeport.js ", "");
  /** As `s deploy` does it: over whatever has the name. */
  const deployAs = (installation: string | null, names: readonly string[] = ["api", "sweep", "audit", "alarm"]) => {
    const environment =
      installation === null ? {} : { SAFEPORT_INSTALLATION: installation, SAFEPORT_MARK_SECRET: "m".repeat(64) };
    cloud.deploy(
      names.map((name) => ({
        name: `safeport-${name}`,
        bundle: folder,
        environment: { ...environment, SAFEPORT_TABLESTORE_INSTANCE: SECOND },
      })),
    );
  };

  it("are not there at first, which keeps nobody from deploying", async () => {
    const told = await type(beforeDeploy, "two", apart);
    expect([told.code, told.out]).toEqual([0, expect.stringContaining("4 of 4 are not deployed")]);
  });

  it.each(["setup --plan", "setup --apply", "doctor --only functions", beforeDeploy])(
    "are not replaced: `%s` says whose they are, and what to do",
    async (line) => {
      deployAs("one");
      const told = await type(line, "two", apart);
      expect(told.code).toBe(1);
      expect(told.out + told.err).toContain("the function safeport-api is of the installation one");
      expect(told.out + told.err).toContain("Set SAFEPORT_FUNCTION_PREFIX to one that nobody has");
      const other = await type(line, "two", { ...apart, SAFEPORT_FUNCTION_PREFIX: "safeport-two-" });
      expect(other.err).not.toContain("of the installation one");
      expect([0, 3], other.err).toContain(other.code);
    },
  );

  it("may be something else than safeport's, and are not replaced either", async () => {
    deployAs(null, ["alarm"]);
    const told = await type(beforeDeploy, "two", apart);
    expect([told.code, told.out]).toEqual([
      1,
      expect.stringContaining("the function safeport-alarm is there and is not safeport's"),
    ]);
  });

  it("are told to whom they were taken from", async () => {
    deployAs("two");
    expect(await type(beforeDeploy, "two", apart)).toMatchObject({ code: 0 });
    expect((await type("doctor --json", "one")).out).toContain(
      "the function safeport-sweep is of the installation two",
    );
  });

  it("do not change what open rules are known by, and show it to nobody", async () => {
    const other = { ...apart, SAFEPORT_MARK_SECRET: "n".repeat(64) };
    const told = await type(beforeDeploy, "two", other);
    expect([told.code, told.out]).toEqual([1, expect.stringContaining("has another SAFEPORT_MARK_SECRET")]);
    expect(told.out + told.err).not.toMatch(/m{64}|n{64}/);
  });

  it("keep the state of theirs from being removed or moved, and no other's", async () => {
    const file = join(folder, "state");
    for (const verb of ["export", "import"])
      expect(await type(`state ${verb} ${file}`, "two", apart), verb).toMatchObject({
        code: 1,
        err: expect.stringContaining("still stand, and would change what is moved"),
      });
    expect((await type(`state export ${file}`, "one")).err).not.toContain("still stand");
    expect(await type("uninstall --state", "two", apart)).toMatchObject({
      code: 1,
      err: expect.stringContaining("safeport-api, safeport-sweep, safeport-audit, safeport-alarm still stand"),
    });
    expect((await type("uninstall --state", "three", apart)).err).not.toContain("still stand");
  });

  it("that cannot be seen are taken for another's", async () => {
    const denied = { kind: "reject", status: 403, code: "AccessDenied" } as const;
    cloud.faults.set([{ service: "fc", operation: "GetFunction", fault: denied }]);
    const told = await type("setup --apply", "two", apart);
    cloud.faults.set([]);
    expect([told.code, told.err]).toEqual([1, expect.stringContaining("Allow fc:GetFunction on functions/safeport-")]);
  });
});
