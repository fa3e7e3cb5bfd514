// Two callers, and whether they may be one person.
import { expect, test } from "vitest";
import { defaultPolicy } from "../../../shared/config/policy-schema.ts";
import { secondPersonBar } from "../../../shared/usecases/lease/judge-lease.ts";

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
  expect(secondPersonBar(caller, { persons: [asker], issuers })?.kind ?? null).toBe(kind);
});
