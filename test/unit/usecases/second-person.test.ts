// Two callers, and whether they may be one person.
import { expect, test } from "vitest";
import { defaultPolicy } from "../../../shared/config/policy-schema.ts";
import { identityOf, readToken } from "../../../shared/store/tokens.ts";
import { secondPersonBar } from "../../../shared/usecases/lease/judge-lease.ts";
import { issueToken } from "../../../shared/usecases/token/issue-token.ts";
import { rotateToken } from "../../../shared/usecases/token/rotate-token.ts";
import { appWorld } from "./app-world.ts";

const policy = { ...defaultPolicy("cn-hangzhou"), persons: { ann: ["ann-laptop"] } };

test.each<[string, string, string[], string, string[], "own" | "issuer" | null]>([
  ["the same person", "ann", [], "ann-laptop", [], "own"],
  ["whose token the asker issued", "ann", [], "bob", ["carl", "corp/ann"], "own"],
  ["who issued the asker's token", "bob", ["ann-laptop"], "ann", [], "issuer"],
  ["who issued a token further up the chain", "bob", ["carl", "corp/Root", "setup"], "root", ["setup"], "issuer"],
  ["whose token the same admin issued", "bob", ["root", "setup"], "ann", ["root", "setup"], null],
  ["whose first token is of the same setup", "root", ["setup"], "ann", ["setup"], null],
  ["whose name only looks alike", "bob", ["partner/ann"], "corp/ann", [], null],
])("%s", (_who, asker, issuers, principal, own, kind) => {
  const caller = { principal, issuers: own, roles: ["admin"], scopes: [], policy } as const;
  expect(secondPersonBar(caller, { persons: [asker], issuers, at: 0 })?.kind ?? null).toBe(kind);
});

test.each<[string, string[], string[], "shared" | null]>([
  ["whose token the same admin issued", ["root", "setup"], ["corp/Root", "setup"], "shared"],
  ["whose admin's token the other's admin issued", ["root", "setup"], ["deputy", "root", "setup"], "shared"],
  ["whose tokens two admins of setup issued", ["root", "setup"], ["dora", "setup"], null],
  ["who comes by an identity provider", ["root", "setup"], [], null],
])("where the policy asks for distinct issuers: %s", (_who, issuers, own, kind) => {
  const strict = { ...policy, approval: { ...policy.approval, distinctIssuers: true } };
  const caller = { principal: "bob", issuers: own, roles: ["admin"], scopes: [], policy: strict } as const;
  expect(secondPersonBar(caller, { persons: ["ann"], issuers, at: 0 })?.kind ?? null).toBe(kind);
});

test("a token that was issued or made anew by an admin since counts for nothing; one that its holder rotated goes on", async () => {
  const world = await appWorld();
  const root = world.caller("root", "admin");
  const ask = { principal: "bob", roles: ["approver"] as const, scope: null, days: 7, note: "" };
  const apply = { dryRun: false };
  const issue = async () => (await issueToken(world.app, root, ask, apply)).token.tokenId;
  const [own, others] = [await issue(), await issue()];
  world.advance(1000);
  const at = world.app.clock.now();
  const atOnce = await issue();
  world.advance(1000);
  const holder = { ...world.caller("bob"), tokenId: own };
  const once = (await rotateToken(world.app, holder, own, 0, apply)).token.tokenId;
  const twice = (await rotateToken(world.app, { ...holder, tokenId: once }, once, 0, apply)).token.tokenId;
  const byAdmin = (await rotateToken(world.app, root, others, 0, apply)).token.tokenId;
  const tokenOf = async (tokenId: string) => {
    const token = await readToken(world.tables, tokenId);
    if (token === null) throw new Error("it was issued");
    return token;
  };
  const barOf = async (tokenId: string) =>
    secondPersonBar({ ...identityOf(await tokenOf(tokenId)), policy }, { persons: ["ann"], at })?.kind ?? null;
  expect(await Promise.all([own, others, once, twice].map(barOf))).toEqual([null, null, null, null]);
  const bySetup = { ...identityOf({ ...(await tokenOf(atOnce)), createdBy: "setup", issuers: ["setup"] }), policy };
  expect(secondPersonBar(bySetup, { persons: ["ann"], at })).toBeNull();
  expect(await Promise.all([atOnce, byAdmin, await issue()].map(barOf))).toEqual(["late", "late", "late"]);
});
