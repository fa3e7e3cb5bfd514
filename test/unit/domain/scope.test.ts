import { describe, expect, test } from "vitest";
import { isInScopes, type Scope } from "../../../shared/domain/scope.ts";

const scope = (fields: Partial<Scope>): Scope => ({ groups: [], tags: [], applications: [], ...fields });
const group = { groupId: "sg-1", name: "web", tags: { env: "prod", "safeport:application": "shop" } };

describe("a scope", () => {
  test.each([
    ["a group by id", scope({ groups: ["sg-1"] }), true],
    ["a group by name", scope({ groups: ["web"] }), true],
    ["another group", scope({ groups: ["sg-2"] }), false],
    ["a tag", scope({ tags: ["env=prod"] }), true],
    ["a tag with another value", scope({ tags: ["env=test"] }), false],
    ["a tag's key alone", scope({ tags: ["env"] }), false],
    ["an application", scope({ applications: ["shop"] }), true],
    ["another application", scope({ applications: ["toys"] }), false],
    ["an application that another tag names", scope({ applications: ["prod"] }), false],
    ["nothing", scope({}), false],
    ["one of several", scope({ groups: ["sg-2"], applications: ["shop"] }), true],
  ])("of %s", (_, it, expected) => {
    expect(isInScopes([it], group)).toBe(expected);
  });

  test("is narrowed by every further one, and without any there is no bound", () => {
    expect(isInScopes([], group)).toBe(true);
    expect(isInScopes([scope({ groups: ["web"] }), scope({ tags: ["env=prod"] })], group)).toBe(true);
    expect(isInScopes([scope({ groups: ["web"] }), scope({ tags: ["env=test"] })], group)).toBe(false);
  });

  test("of an empty name or tag does not take in what has none", () => {
    const bare = { groupId: "sg-2", name: "", tags: {} };
    expect(isInScopes([scope({ groups: [""], tags: ["="], applications: [""] })], bare)).toBe(false);
    expect(isInScopes([scope({ applications: ["[object Object]"], tags: ["constructor="] })], bare)).toBe(false);
  });
});
