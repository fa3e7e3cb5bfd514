// Invariant 9: whose words open a lease that needs second persons, and for exactly which change.
import { createHash } from "node:crypto";
import { describe, expect, it, test } from "vitest";
import { approversOf, changeOf, isApproved } from "../../../shared/domain/approval.ts";
import type { GroupId, LeaseId } from "../../../shared/domain/ids.ts";
import type { LeaseRequest } from "../../../shared/domain/lease-record.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import type { Approval, ApprovalWord } from "../../../shared/domain/second-person.ts";
import { aSpec, fromCidr } from "../../kit/rules.ts";

const request: LeaseRequest = {
  leaseId: "ls-1" as LeaseId,
  principal: "ann",
  group: { region: "cn-hangzhou", groupId: "sg-web" as GroupId },
  groupName: "web",
  instanceId: "i-1",
  specs: [aSpec(), aSpec({ peer: fromCidr("198.51.100.9") })],
  entryIds: [],
  periodMs: 3_600_000,
  startAt: null,
  sessions: "keep",
  reason: "deploy",
  ticket: "T-1",
  requestedAt: 1_000,
  follows: null,
  grant: null,
};

const word = (person: string, changes: Partial<ApprovalWord> = {}): ApprovalWord => ({
  by: person,
  person,
  decision: "approve",
  reason: "",
  at: 2_000,
  via: "api",
  change: changeOf(request),
  ...changes,
});

const approval = (words: readonly ApprovalWord[], changes: Partial<Approval> = {}): Approval => ({
  needed: 1,
  change: changeOf(request),
  requester: "ann",
  askedOf: [],
  lapsesAt: 9_000,
  words,
  approvedAt: null,
  rev: 1,
  ...changes,
});

describe("the hash of a change", () => {
  it.each<Partial<LeaseRequest>>([
    { leaseId: "ls-2" as LeaseId },
    { principal: "bob" },
    { group: { ...request.group, region: "cn-beijing" } },
    { group: { ...request.group, groupId: "sg-db" as GroupId } },
    { instanceId: null },
    { specs: [aSpec()] },
    { specs: [...request.specs, aSpec({ priority: 2 })] },
    { periodMs: 7_200_000 },
    { reason: "deploy it" },
    { ticket: "" },
    { requestedAt: 1_001 },
    { startAt: 5_000 },
    { sessions: "cut" },
    { startAt: 5_000, sessions: "cut" },
  ])("is another with %o", (change) => {
    expect(changeOf({ ...request, ...change })).not.toBe(changeOf(request));
  });

  test("tells sessions and starts apart from each other", () => {
    const asked = [
      { startAt: 5_000 },
      { sessions: "cut" },
      { startAt: 5_000, sessions: "cut" },
      { startAt: 5_001 },
    ] as const;
    expect(new Set(asked.map((change) => changeOf({ ...request, ...change }))).size).toBe(4);
  });

  test("does not depend on the order of the rules, nor on what follows from them", () => {
    const specs = [...request.specs].reverse();
    expect(changeOf({ ...request, specs, groupName: "renamed" })).toBe(changeOf(request));
  });

  test("of a plain lease is of the form that stored approvals have", () => {
    const { leaseId, principal, group, instanceId, specs, periodMs, reason, ticket, requestedAt } = request;
    const place = [group.region, group.groupId, instanceId];
    const words = [1, leaseId, principal, place, specs.map(ruleKey).sort(), periodMs, reason, ticket, requestedAt];
    expect(changeOf(request)).toBe(createHash("sha256").update(JSON.stringify(words)).digest("hex"));
  });
});

describe("who has approved", () => {
  const count = (words: readonly ApprovalWord[], changes: Partial<Approval> = {}) =>
    approversOf(request, approval(words, changes));

  test("is everybody who did, each once", () => {
    expect(count([])).toBe(0);
    expect(count([word("bob")])).toBe(1);
    expect(count([word("bob"), word("eve")])).toBe(2);
    expect(count([word("bob"), word("eve"), word("bob"), word("Eve")])).toBe(2);
    expect(count([word("bob"), word("corp/bob")])).toBe(1);
  });

  test("is never who asked, by whatever name", () => {
    expect(count([word("ann"), word("ANN"), word("corp/ann")])).toBe(0);
    expect(count([word("ann"), word("bob")])).toBe(1);
  });

  test("is nobody who denied, spoke of another change, or whose token was revoked since", () => {
    expect(count([word("bob", { decision: "deny" })])).toBe(0);
    expect(count([word("bob", { change: changeOf({ ...request, periodMs: 1 }) })])).toBe(0);
    expect(count([word("bob", { isVoid: true })])).toBe(0);
    expect(count([word("bob", { isVoid: false })])).toBe(1);
  });

  test("is one where the token of the one was issued by the other, whoever spoke first", () => {
    const issued = word("robot", { issuers: ["root", "bob"] });
    expect(count([word("bob"), issued])).toBe(1);
    expect(count([issued, word("bob")])).toBe(1);
    expect(count([word("eve"), issued])).toBe(2);
  });

  test("is one where one person's tokens led to both, if the policy says so", () => {
    const words = [word("one", { issuers: ["eve"] }), word("two", { issuers: ["eve"] })];
    expect(count(words)).toBe(2);
    expect(count(words, { distinctIssuers: false })).toBe(2);
    expect(count(words, { distinctIssuers: true })).toBe(1);
    expect(
      count([word("one", { issuers: ["eve"] }), word("two", { issuers: ["dan"] })], { distinctIssuers: true }),
    ).toBe(2);
    expect(count([word("one"), word("two")], { distinctIssuers: true })).toBe(2);
  });
});

describe("a lease is approved", () => {
  test("by as many as it needs", () => {
    const two = [word("bob"), word("eve")];
    expect(isApproved(request, approval(two, { needed: 2 }))).toBe(true);
    expect(isApproved(request, approval(two, { needed: 3 }))).toBe(false);
    expect(isApproved(request, approval([], { needed: 0 }))).toBe(true);
    expect(isApproved(request, approval([], { needed: 1 }))).toBe(false);
  });

  test("by nobody where anybody has denied it, and where nobody was asked", () => {
    expect(isApproved(request, approval([word("bob"), word("eve", { decision: "deny" })]))).toBe(false);
    expect(isApproved(request, null)).toBe(false);
  });

  test("as it was asked for, and in no other form", () => {
    expect(isApproved(request, approval([word("bob")]))).toBe(true);
    expect(isApproved({ ...request, periodMs: request.periodMs + 1 }, approval([word("bob")]))).toBe(false);
  });
});
