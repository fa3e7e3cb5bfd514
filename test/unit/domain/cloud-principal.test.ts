// Whom a policy means: a name says of what it is, and a number is nobody's name.
import { expect, test } from "vitest";
import { cloudPrincipalText, isActor, isCloudPrincipal, isUntyped } from "../../../shared/domain/cloud-principal.ts";
import { anActor, terraform } from "../../kit/drift-pictures.ts";

const root = anActor({ type: "root-account", principalId: "100000000000", name: "terraform" });

test.each([
  ["a user by name", anActor(), "user/bob", true],
  ["a user by number", anActor(), "2000000000000002", true],
  ["another user", anActor(), "user/alice", false],
  ["a user as a role", anActor(), "role/bob", false],
  ["a user by a bare name, which is a role's", anActor(), "bob", false],
  ["a user who is called like a role's number", anActor({ name: "3000000000000003" }), "3000000000000003", false],
  ["a user who is called like the role", anActor({ name: "terraform" }), "role/terraform", false],
  ["a user who is called like the role, by its bare name", anActor({ name: "terraform" }), "terraform", false],
  ["a user who is called like the role and its session", anActor({ name: "terraform:run-7" }), "role/terraform", false],
  ["a user who is called like the typed name", anActor({ name: "role/terraform" }), "role/terraform", false],
  ["a role by name, whatever its session", terraform, "role/terraform", true],
  ["a role by its bare name", terraform, "terraform", true],
  ["a role by number, whatever its session", terraform, "3000000000000003", true],
  ["a role as a user", terraform, "user/terraform", false],
  ["a role by its session", terraform, "role/run-7", false],
  ["a role that the trail does not name", anActor({ type: "assumed-role", name: "", principalId: "" }), "", false],
  ["the account itself by number", root, "100000000000", true],
  ["the account itself by what it is called", root, "user/terraform", false],
  ["somebody of a kind that is not known", anActor({ type: "cloudsso-user" }), "user/bob", false],
])("is known: %s", (_what, actor, text, isSame) => {
  expect(isActor(actor, text)).toBe(isSame);
});

test("is written in one way", () => {
  expect(["terraform", "role/terraform", "user/a.b-c", "17"].map(cloudPrincipalText)).toEqual([
    "role/terraform",
    "role/terraform",
    "user/a.b-c",
    "17",
  ]);
});

test("what begins with a number is a name, and what names nobody stays as it is", () => {
  expect(["17a", "a17", "1".repeat(33), "", "group/ops"].map(cloudPrincipalText)).toEqual([
    "role/17a",
    "role/a17",
    `role/${"1".repeat(33)}`,
    "",
    "group/ops",
  ]);
});

test.each([
  ["terraform", true, true],
  ["17a", true, true],
  ["role/terraform", true, false],
  ["user/bob", true, false],
  ["17", true, false],
  ["", false, false],
  ["group/ops", false, false],
  ["a".repeat(129), false, false],
])("%j names somebody: %s, and does not say of what the name is: %s", (text, isNamed, untyped) => {
  expect([isCloudPrincipal(text), isUntyped(text)]).toEqual([isNamed, untyped]);
});

test.each(["", "role/", "user/a/b", "group/ops", "role/terraform:run-1", "acs:ram::1:role/terraform"])(
  "is not named by %j",
  (text) => {
    expect(isCloudPrincipal(text)).toBe(false);
  },
);
