// Who has which scope by the policy.
import { expect, test } from "vitest";
import { scopesOf } from "../../../shared/domain/access-policy.ts";
import type { Scope } from "../../../shared/domain/scope.ts";

const scope = (name: string): Scope => ({ groups: [name], tags: [], applications: [] });
const scoped = (
  scopes: Readonly<Record<string, Scope>>,
  persons: Readonly<Record<string, readonly string[]>> = {},
) => ({
  access: { oidc: [], scopes, requestsPerMinute: 1, failuresMax: 1, tokenDaysMax: 1 },
  persons,
});

test("a principal has the scope of its own name and that of its person, and of nobody else", () => {
  const policy = scoped({ "corp/ann": scope("web"), Ann: scope("db"), bob: scope("batch") }, { Ann: ["corp/ann"] });
  expect(scopesOf(policy, "corp/ann")).toEqual([scope("web"), scope("db")]);
  expect(scopesOf(policy, "bob")).toEqual([scope("batch")]);
  expect(scopesOf(policy, "eve")).toEqual([]);
});

test("one who is a person by the same name has its scope once", () => {
  expect(scopesOf(scoped({ ann: scope("web") }, { ann: ["ann"] }), "ann")).toEqual([scope("web")]);
});

test.each(["toString", "constructor", "__proto__"])("nobody is scoped by being called %s", (name) => {
  expect(scopesOf(scoped({}), name)).toEqual([]);
});
