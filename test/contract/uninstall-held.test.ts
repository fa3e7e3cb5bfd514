// Before its state is removed, uninstall looks for what the ledger alone knows to open again.
import { afterAll, beforeAll, expect, it } from "vitest";
import { environmentOf } from "../../cli/dev/deployment.ts";
import { type Account, accountOf } from "../../cli/safeport/account.ts";
import { heldRules } from "../../cli/safeport/held-rules.ts";
import { stateOf } from "../../cli/setup/installation-steps.ts";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { seededRandom } from "../../local/random.ts";
import { seedAccount, seedUser, seedUserNames } from "../../local/seed.ts";
import { parseCidr } from "../../shared/domain/cidr.ts";
import type { GroupId, RuleId } from "../../shared/domain/ids.ts";
import type { SuspendedRule, Suspender } from "../../shared/domain/ledger-entry.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import { saveEntry } from "../../shared/store/ledger.ts";
import { schemas } from "../../shared/store/tables.ts";
import { freshEntry } from "../../shared/usecases/ledger/book-holds.ts";
import { terminalOf, typed } from "../kit/command-line.ts";

const FAR = "cn-beijing";
const seeded = seedAccount(seededRandom("uninstall with rules held back"));
const open = {
  direction: "ingress" as const,
  ipProtocol: "TCP" as const,
  portRange: "9300/9300",
  sourceCidrIp: "203.0.113.7",
  description: "its owner's",
};

let cloud: Cloud;
let env: Readonly<Record<string, string>>;
let account: Account;
beforeAll(async () => {
  const groups = [...seeded.groups, { groupId: "sg-far", name: "far", regionId: FAR, rules: [open] }];
  const wide = { ...seeded, regions: [FAR], groups, instances: [] };
  cloud = await startCloud({ engine: "userspace", range: "127.163.0.0/16", account: wide });
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const secrets = { installation: "held", markSecret: "m".repeat(64), alarmSecret: "a".repeat(48) };
  env = {
    ...environmentOf(cloud, { ...secrets, tokens: {} as never }),
    ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret,
  };
  account = accountOf(terminalOf({ cloud, env }).surroundings);
  await stateOf(account).createTables(schemas);
});
afterAll(() => cloud?.stop());

const type = (line: string) => typed(line, { cloud, env });
const by = (kind: Suspender["kind"], itemId: string): Suspender => ({
  ...{ kind, itemId, principal: "ann", reason: "", until: null },
});
const kept: readonly SuspendedRule[] = [{ ruleId: "sgr-old" as RuleId, description: "its owner's", isClosed: true }];

/** An accept of one address to this port, closed by these; answers its key. */
async function suspend(
  groupId: string,
  port: number,
  about: { readonly by: readonly Suspender[]; readonly kept: readonly SuspendedRule[] | null },
): Promise<string> {
  const cidr = parseCidr("203.0.113.7/32");
  if (cidr === null) throw new RangeError("no address");
  const any = { kind: "any" } as const;
  const spec: RuleSpec = {
    ...{ direction: "ingress", protocol: "tcp", ports: { kind: "range", range: { from: port, to: port } } },
    ...{ peer: { kind: "cidr", cidr }, policy: "accept", priority: 1, sourcePorts: any, dest: null },
  };
  const entry = freshEntry({ region: FAR, groupId: groupId as GroupId }, spec);
  const suspension = { ...about, since: 1, wasAllocated: false, liftedAt: null };
  expect(await saveEntry(stateOf(account), { ...entry, suspension })).not.toBeNull();
  return ruleKey(spec);
}

it("is over although a quarantined rule can be given back to nobody, as its group is gone", async () => {
  const asked: string[] = [];
  const answers: Readonly<Record<string, unknown>> = {
    "GET /v1/policy": { version: 1, policy: {} },
    "GET /v1/lockdown": { lockdowns: [], next: null },
    "GET /v1/recycling": { recycling: [{ id: "rc-1", state: "quarantined" }] },
    "GET /v1/leases": { leases: [], next: null },
  };
  const api: typeof fetch = async (url, { method } = {}) => {
    const call = `${method} ${new URL(String(url)).pathname}`;
    asked.push(call);
    if (!call.endsWith(":restore")) return Response.json(answers[call] ?? {});
    const problem = { code: "RECYCLING_RESTORE_IMPOSSIBLE", message: "its group is gone.", remedy: "" };
    return Response.json(problem, { status: 409 });
  };
  const there = { ...env, SAFEPORT_API: "http://api", SAFEPORT_TOKEN: "t" };
  const closed = await typed("uninstall --close --json", { cloud, env: there, fetch: api });
  expect([closed.code, JSON.parse(closed.out).closed], closed.err).toEqual([0, true]);
  expect(closed.err).toContain("its group is gone");
  expect(asked.filter((call) => call.endsWith(":restore"))).toHaveLength(1);
});

it("names each with the group and whoever has closed it, and nothing that stands, was never closed or has no group any more", async () => {
  expect(await heldRules(account)).toEqual({ rules: [], unreadable: [] });
  const lockdown = await suspend("sg-far", 9301, { by: [by("lockdown", "ld-0123456789ab-1")], kept });
  const recycled = await suspend("sg-far", 9302, { by: [by("recycling", "rc-1")], kept });
  const lifted = await suspend("sg-far", 9303, { by: [], kept });
  await suspend("sg-far", 9300, { by: [by("lockdown", "ld-0123456789ab-1")], kept });
  await suspend("sg-far", 9304, { by: [by("lockdown", "ld-0123456789ab-1")], kept: null });
  await suspend("sg-gone", 9301, { by: [by("lockdown", "ld-0123456789ab-1")], kept });
  const { rules } = await heldRules(account);
  expect([...rules].sort()).toEqual([
    `${lockdown} in sg-far, closed by ld-0123456789ab-1`,
    `${recycled} in sg-far, closed by rc-1`,
    `${lifted} in sg-far, about to be opened again`,
  ]);
});

it("keeps the state, also while it cannot be read, unless somebody gives it up", async () => {
  const held = await type("uninstall --state --json");
  expect(held.code, held.err).toBe(3);
  expect(JSON.parse(held.out)).toMatchObject({ removed: [], rules: [], unreadable: [] });
  expect(JSON.parse(held.out).held).toHaveLength(3);
  const tables = stateOf(account);
  for (const { key } of (await tables.range({ table: "ledger", from: [], to: null, limit: 10 })).rows)
    await tables.delete("ledger", key, { kind: "none" });
  await tables.put("ledger", ["sg-far", "e-1"], { body: "{", rev: 1 }, { kind: "none" });
  const unread = await type("uninstall --state");
  expect(unread.code, unread.err).toBe(3);
  expect(unread.out).toContain("the row sg-far e-1 of the ledger");
  expect(unread.out).toContain("--force gives up");
  for (const verb of ["--plan", "--close"]) expect((await type(`uninstall ${verb} --force`)).code).toBe(2);
  const denied = { kind: "reject", status: 403, code: "OTSNoPermissionAccess" } as const;
  cloud.faults.set([{ service: "ots", operation: "GetRange", skip: 1, fault: denied }]);
  expect((await type("uninstall --state")).code).toBe(1);
  cloud.faults.set([]);
  const gone = await type("uninstall --state --force --json");
  expect([gone.code, JSON.parse(gone.out).removed], gone.err).toEqual([0, expect.arrayContaining(["table ledger"])]);
});
