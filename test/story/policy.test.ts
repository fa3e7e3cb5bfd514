// The policy in operation: compared on real groups, a second person where it allows more, every version kept.
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkedPolicyText, policyOfRow } from "../../shared/config/policy-schema.ts";
import { warningsOfText } from "../../shared/config/policy-warnings.ts";
import type { Caller } from "../../shared/usecases/app.ts";
import {
  changePolicy,
  confirmPolicy,
  getPolicyView,
  listPolicyVersions,
  type PolicyAnswer,
  type PolicyDocuments,
  withdrawPolicy,
} from "../../shared/usecases/policy/change-policy.ts";
import { issueToken } from "../../shared/usecases/token/issue-token.ts";
import { revokeToken } from "../../shared/usecases/token/revoke-token.ts";
import { GuardedWorld, openDatabase } from "../kit/guarded-world.ts";
import { region } from "../kit/world.ts";

const HOUR_MS = 3_600_000;
const documents: PolicyDocuments = {
  textOf: checkedPolicyText,
  policyOf: (row) => policyOfRow(row, region),
  warningsOf: warningsOfText,
};
/** What the world below starts with. */
const observed = { groups: { guards: { web: "observe" } } };

let guarded: GuardedWorld;
beforeEach(async () => {
  guarded = await GuardedWorld.start({ guard: "observe" });
  await guarded.world.ticks(1);
});
afterEach(() => guarded.world.stop());

const admin = (name: string): Caller => guarded.world.caller(name, ["admin"]);
const options = (dryRun: boolean) => ({ dryRun, deadlineAt: guarded.world.clock.monotonicMs() + 30_000 });

function ask(
  document: object,
  { by = "ann", dryRun = false, base = null as number | null } = {},
): Promise<PolicyAnswer> {
  const { world } = guarded;
  const wish = { document, reason: "asked for", base };
  return world.run(changePolicy(world.process(), admin(by), documents, wish, options(dryRun)));
}

const confirm = (digest: string | null, by = "carol"): Promise<PolicyAnswer> =>
  guarded.world.run(confirmPolicy(guarded.world.process(), admin(by), documents, digest ?? "", options(false)));

/** Has the world's callers and ticks use what is in force. */
async function obey(): Promise<number> {
  const { world } = guarded;
  const { inForce } = await world.run(getPolicyView(world.process(), null));
  world.policy = documents.policyOf(inForce);
  return inForce.version;
}

test("what is hardly meant is said in the dry run, when it is asked for and when it is confirmed", async () => {
  const document = { ...observed, trustedPrincipals: [{ principal: "terraform", treat: "ticket" }] };
  const warnings = [{ path: "trustedPrincipals[0].principal", remedy: "Write role/terraform or user/terraform." }];
  expect(await ask(document, { dryRun: true })).toMatchObject({ state: "preview", warnings });
  const asked = await ask(document);
  expect(asked).toMatchObject({ state: "pending", warnings });
  expect(await confirm(asked.digest)).toMatchObject({ state: "applied", warnings });
  expect((await ask(observed)).warnings).toEqual([]);
});

test("a dry run tells what would close, with its reach, and changes nothing", async () => {
  const { world } = guarded;
  await guarded.authorize(openDatabase);
  await guarded.settle();
  const answer = await ask({ groups: { guards: { web: "enforce" } } }, { dryRun: true });
  expect(answer).toMatchObject({ state: "preview", widens: false, version: 1 });
  expect(answer.changes).toMatchObject([{ path: "groups.guards.web", before: "observe", after: "enforce" }]);
  expect(answer.preview).toMatchObject({
    guards: [{ groupName: "web", before: "observe", after: "enforce" }],
    begins: [{ groupName: "web", does: "closes", reach: { ports: "3306", hosts: [{ instanceId: "i-web-1" }] } }],
    ceases: [],
    looked: 1,
    groups: 1,
  });
  expect(await obey()).toBe(1);
  expect(world.openPorts()).toEqual(["3306/3306"]);
});

test("what allows no more is in force at once, and the groups it changes are looked at", async () => {
  const { world } = guarded;
  await guarded.authorize(openDatabase);
  await guarded.settle();
  expect(await ask({ groups: { guards: { web: "enforce" } } })).toMatchObject({ state: "applied", version: 2 });
  await obey();
  await world.ticks(1);
  expect(world.openPorts()).toEqual([]);
  const lines = await world.recorded();
  expect(lines).toContain("policy 2 by ann");
  expect(lines).toContain('groups.guards.web: "observe" → "enforce" (narrows)');
});

test("a change that would restore what is gone opens, and so takes a second person", async () => {
  const [http] = await guarded.rules();
  if (!http?.id) throw new Error("the world has no rule");
  await guarded.revoke(http.id);
  await guarded.settle();
  const answer = await ask({ groups: { guards: { web: "enforce" } } });
  expect(answer).toMatchObject({ state: "pending", widens: true, preview: { begins: [{ does: "opens" }] } });
});

test("a guard by id that is less than the one by name takes a second person", async () => {
  const guards = { web: "observe", "sg-web": "none" };
  expect(await ask({ groups: { guards } })).toMatchObject({ state: "pending", widens: true });
  await ask({ groups: { guards: { web: "enforce" } } });
  await obey();
  const answer = await ask({ groups: { guards: { web: "enforce", "sg-web": "observe" } } });
  expect(answer).toMatchObject({ state: "pending", preview: { guards: [{ before: "enforce", after: "observe" }] } });
});

const wider = { ...observed, lease: { periodMax: 12 * 3600 } };

test("what allows more waits for another admin, who confirms exactly that", async () => {
  const { world } = guarded;
  const asked = await ask(wider);
  expect(asked).toMatchObject({ state: "pending", widens: true, version: 1 });
  expect(await obey()).toBe(1);
  await expect(confirm(asked.digest, "ann")).rejects.toMatchObject({ code: "POLICY_OWN" });
  await expect(confirm("0".repeat(64))).rejects.toMatchObject({ code: "POLICY_NOT_PENDING" });
  expect((await world.run(getPolicyView(world.process(), null))).pending?.digest).toBe(asked.digest);
  expect(await confirm(asked.digest)).toMatchObject({ state: "applied", version: 2 });
  expect(await obey()).toBe(2);
  expect(world.policy.lease.periodMaxMs).toBe(12 * HOUR_MS);
  await expect(confirm(asked.digest)).rejects.toMatchObject({ code: "POLICY_NOT_PENDING" });
  const versions = await world.run(listPolicyVersions(world.process()));
  expect(versions).toMatchObject([
    { version: 2, by: "ann", confirmedBy: "carol", reason: "asked for" },
    { version: 1, by: null, confirmedBy: null },
  ]);
  expect(await world.recorded()).toContain("policy 2 by ann, confirmed by carol");
});

test("who issued the token a change was asked with does not confirm it, whatever the policy says of leases", async () => {
  const { world } = guarded;
  const puppet = { ...admin("puppet"), issuers: ["ann", "root", "setup"] };
  const issuerMayApprove = { ...observed, approval: { issuerMayApprove: true } };
  const change = async (by: Caller, document: object): Promise<PolicyAnswer> =>
    world.run(
      changePolicy(world.process(), by, documents, { document, reason: "asked for", base: null }, options(false)),
    );
  // That leases may be approved by issuers allows more itself.
  const asked = await change(puppet, issuerMayApprove);
  expect(asked).toMatchObject({ state: "pending", changes: [{ path: "approval.issuerMayApprove", effect: "widens" }] });
  for (const by of ["ann", "root"])
    await expect(confirm(asked.digest, by)).rejects.toMatchObject({ code: "POLICY_ISSUER" });
  expect(await confirm(asked.digest)).toMatchObject({ state: "applied", version: 2 });
  await obey();
  const next = await change(puppet, { ...issuerMayApprove, lease: { periodMax: 12 * 3600 } });
  await expect(confirm(next.digest, "root")).rejects.toMatchObject({ code: "POLICY_ISSUER" });
  // A person whose token the same admin issued is somebody else.
  const other = { ...admin("dora"), issuers: ["root", "setup"] };
  const word = confirmPolicy(world.process(), other, documents, next.digest ?? "", options(false));
  expect(await world.run(word)).toMatchObject({ state: "applied", version: 3 });
  expect(await change(puppet, { ...observed, lease: { periodMax: 12 * 3600 } })).toMatchObject({ state: "applied" });
});

test("a change is not confirmed by a token of later, nor by one behind which the same person stands where the policy asks for distinct issuers", async () => {
  const { world } = guarded;
  const asked = await ask(wider);
  const word = (by: Caller) => confirmPolicy(world.process(), by, documents, asked.digest ?? "", options(false));
  const late = { ...admin("carol"), tokenSince: world.clock.now() };
  await expect(world.run(word(late))).rejects.toMatchObject({ code: "TOKEN_TOO_NEW" });
  expect(await world.run(word({ ...late, tokenSince: 0 }))).toMatchObject({ state: "applied" });
  await obey();
  const strict = { ...wider, approval: { distinctIssuers: true } };
  const puppet = { ...admin("puppet"), issuers: ["root", "setup"] };
  const wish = (document: object) => ({ document, reason: "", base: null });
  const change = (document: object) =>
    world.run(changePolicy(world.process(), puppet, documents, wish(document), options(false)));
  expect(await change(strict)).toMatchObject({ state: "applied" });
  await obey();
  const back = await change(wider);
  expect(back).toMatchObject({ state: "pending" });
  const say = (by: Caller) =>
    world.run(confirmPolicy(world.process(), by, documents, back.digest ?? "", options(false)));
  await expect(say({ ...admin("carol"), issuers: ["root", "setup"] })).rejects.toMatchObject({
    code: "ISSUERS_SHARED",
  });
  expect(await say({ ...admin("carol"), issuers: ["dora", "setup"] })).toMatchObject({ state: "applied" });
});

test("a change that was asked for with a token that is revoked since is not confirmed", async () => {
  const { world } = guarded;
  const token = { principal: "ann", roles: ["admin"] as const, scope: null, days: 1, note: "" };
  const root = admin("root");
  const { tokenId } = (await world.run(issueToken(world.process(), root, token, { dryRun: false }))).token;
  const wish = { document: wider, reason: "", base: null };
  const by = { ...admin("ann"), tokenId };
  const asked = await world.run(changePolicy(world.process(), by, documents, wish, options(false)));
  await world.run(revokeToken(world.process(), root, tokenId, { dryRun: false }));
  await expect(confirm(asked.digest)).rejects.toMatchObject({ code: "REQUESTER_BARRED" });
  expect((await world.run(getPolicyView(world.process(), null))).inForce.version).toBe(1);
  expect(await confirm((await ask(wider)).digest)).toMatchObject({ state: "applied", version: 2 });
});

test("a confirmation is void after a day, after another change, and once withdrawn", async () => {
  const { world } = guarded;
  const late = await ask(wider);
  await world.advance(24 * HOUR_MS);
  await expect(confirm(late.digest)).rejects.toMatchObject({ code: "POLICY_NOT_PENDING" });
  const overtaken = await ask(wider);
  await ask({ ...observed, lease: { periodMax: 3600 } });
  await expect(confirm(overtaken.digest)).rejects.toMatchObject({ code: "POLICY_CHANGED" });
  const again = await ask(wider);
  await world.run(withdrawPolicy(world.process(), admin("dave")));
  await expect(confirm(again.digest)).rejects.toMatchObject({ code: "POLICY_NOT_PENDING" });
});

test("a change to another version than the one in force, and a mistake, are refused", async () => {
  await expect(ask(observed, { base: 7 })).rejects.toMatchObject({ code: "POLICY_CHANGED" });
  await expect(ask({ lease: { periodMax: "long" }, colour: 1 })).rejects.toMatchObject({
    code: "POLICY_INVALID",
    detail: { count: 2, mistakes: expect.stringContaining("lease.periodMax") },
  });
  expect(await ask(observed)).toMatchObject({ state: "unchanged", changes: [] });
});

test("of two changes at once one is applied, and the other told", async () => {
  const { world } = guarded;
  const shorter = (periodMax: number) => ({ ...observed, lease: { periodMax } });
  const both = await Promise.allSettled([ask(shorter(3600)), ask(shorter(7200))]);
  expect(both.map((it) => it.status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(await obey()).toBe(2);
  expect(await world.run(listPolicyVersions(world.process()))).toHaveLength(2);
});

test("over a version that cannot be read, any other takes a second person", async () => {
  const { world } = guarded;
  await world.process().tables.put("policy", ["policy", 2], { text: "{" }, { kind: "none" });
  const asked = await ask(observed);
  expect(asked).toMatchObject({ state: "pending", widens: true });
  expect(await confirm(asked.digest)).toMatchObject({ state: "applied", version: 3 });
});

test("a process that dies while a change is applied leaves the old policy or the new one, and the same wish repeated is done", async () => {
  const { world } = guarded;
  for (let stopAt = 0; ; stopAt++) {
    expect(stopAt).toBeLessThan(60);
    const periodMax = 3600 - stopAt;
    const wish = { document: { ...observed, lease: { periodMax } }, reason: "", base: null };
    let calls = 0;
    const dying = world.process(async (call, act) => {
      if (calls++ >= stopAt) throw new Error(`dies at ${call.name}`);
      return act();
    });
    const before = await obey();
    const asked = changePolicy(dying, admin("ann"), documents, wish, options(false));
    const isDone = await world.run(asked).then(
      () => true,
      () => false,
    );
    const after = await obey();
    expect(after - before).toBeLessThanOrEqual(1);
    const again = await ask(wish.document);
    expect(again.state).toBe(after > before ? "unchanged" : "applied");
    if (isDone) return;
  }
});
