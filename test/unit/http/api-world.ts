// The web application over use cases that only note that they were reached.

import { defaultPolicy } from "../../../shared/config/policy-schema.ts";
import { noCounts } from "../../../shared/domain/audit.ts";
import type { EntryId, GroupId, GroupRef, LeaseId, RuleId } from "../../../shared/domain/ids.ts";
import type { Lockdown } from "../../../shared/domain/lockdown.ts";
import type { Role } from "../../../shared/domain/permission.ts";
import type { Policy } from "../../../shared/domain/policy.ts";
import type { Scope } from "../../../shared/domain/scope.ts";
import { fail } from "../../../shared/errors/app-error.ts";
import { httpApp } from "../../../shared/http/http-app.ts";
import type { HttpRequest, HttpResponse } from "../../../shared/http/message.ts";
import { describeApi } from "../../../shared/http/openapi.ts";
import type { UseCases } from "../../../shared/http/route.ts";
import { routes } from "../../../shared/http/routes.ts";
import type { Log } from "../../../shared/ports/log.ts";
import type { App } from "../../../shared/usecases/app.ts";
import type { settleDecision } from "../../../shared/usecases/drift/settle-decision.ts";
import type { LeaseAnswer } from "../../../shared/usecases/lease/open-lease.ts";
import type { settleAllocation } from "../../../shared/usecases/ledger/settle-allocation.ts";
import type { AuditPage } from "../../../shared/usecases/operation/list-audits.ts";
import {
  baselineAnswer,
  driftAnswer,
  driftItem,
  driftPage,
  groupView,
  guardAnswer,
  ledgerAnswer,
  ledgerPage,
  story,
} from "./guarded-answers.ts";
import { recyclingAnswer, recyclingPage, recyclingReport, recyclingStory } from "./recycling-answers.ts";

export const NOW = Date.UTC(2026, 10, 5, 8, 0, 0);

export interface Reached {
  readonly name: keyof UseCases;
  readonly input: readonly unknown[];
}

export interface ApiWorld {
  /** Every use case that was reached, in order. */
  readonly reached: Reached[];
  readonly logged: string[];
  send(request: Partial<HttpRequest>): Promise<HttpResponse>;
}

export interface ApiWorldOptions {
  readonly answer?: LeaseAnswer;
  readonly policy?: Partial<Policy>;
  readonly throws?: unknown;
  /** What a look at a group answers. */
  readonly looked?: unknown;
}

/** A lease of `requester` on 22/tcp of web-1 that is open for an hour. */
export function leaseAnswer(overrides: Partial<LeaseAnswer> = {}): LeaseAnswer {
  return {
    lease: {
      request: {
        leaseId: "ls-1" as LeaseId,
        principal: "requester",
        group: { region: "cn-hangzhou", groupId: "sg-web" as GroupId },
        groupName: "web",
        instanceId: null,
        specs: [],
        entryIds: ["e-1" as EntryId],
        periodMs: 3_600_000,
        startAt: null,
        sessions: "keep",
        reason: "",
        ticket: "",
        requestedAt: NOW,
        follows: null,
        grant: null,
      },
      status: {
        state: "open",
        until: NOW + 3_600_000,
        openedAt: NOW,
        closedAt: null,
        preExisting: false,
        ruleIds: ["sgr-1" as RuleId],
        note: null,
        noteDetail: null,
      },
      approval: null,
      justification: null,
    },
    reach: {
      hosts: [{ instanceId: "i-1", name: "web-1", address: "127.10.0.11" }],
      protocol: "tcp",
      ports: "22",
      sources: ["127.0.0.1/32"],
    },
    settled: true,
    extended: false,
    plan: ["authorize 22/tcp from 127.0.0.1/32"],
    notes: [],
    ...overrides,
  };
}

const record = {
  at: NOW,
  group: { region: "cn-hangzhou", groupId: "sg-web" },
  cause: "open ls-1",
  actor: "requester",
  from: "203.0.113.7/32, token 0123456789abcdef",
  policyVersion: 3,
  decidedBy: "grants: ops",
  lines: ["authorize ingress|tcp|22/22: done"],
  changes: [{ what: "rule sgr-1", before: null, after: { key: "k" } }],
};

const chained = {
  ...{ sequence: "001793865600000-0000000001", lane: "001793865600000-0000000001", n: 1, after: "", prev: "" },
  ...{ group: "sg-web", body: "{}", signature: "s" },
};

const auditPage: AuditPage = {
  month: "2026-10",
  isPartial: false,
  summary: {
    ...{ run: NOW, computedAt: NOW, groups: 1, failed: 0, findings: 1, policyVersion: 3 },
    totals: { ...noCounts, open: 1, idle: 1 },
  },
  groups: [],
  next: null,
};

const policyRow = { version: 3, text: "{}", by: "ann", confirmedBy: null, at: NOW, reason: "" };
const pending = { base: 3, text: "{}", digest: "d".repeat(64), by: "ann", at: NOW, until: NOW, reason: "" };
const policyAnswer = {
  version: 4,
  state: "applied",
  widens: true,
  digest: "d".repeat(64),
  until: null,
  changes: [{ path: "lease.periodMax", before: 60, after: 120, effect: "widens" }],
  warnings: [],
  lists: null,
  preview: { guards: [], begins: [], ceases: [], looked: 1, groups: 1, unreadable: [], away: [] },
};

const lockdown: Lockdown = {
  lockdownId: "ld-0123456789ab-1",
  scope: { kind: "instance", instanceId: "i-1" },
  core: ["80"],
  principal: "ann",
  reason: "an attack",
  waivedBy: null,
  causes: [{ by: "ann", since: NOW }],
  startedAt: NOW,
  until: NOW + 3_600_000,
  state: "active",
  endedAt: null,
  endedBy: null,
  groups: [
    {
      group: { region: "cn-hangzhou", groupId: "sg-web" as GroupId },
      name: "web",
      way: "drops",
      drops: 4,
      suspends: 0,
      isClosed: true,
      left: [],
      hosts: [
        { eniId: "eni-1", instanceId: "i-1", name: "web-1", address: "10.0.0.1" },
        { eniId: "eni-2", instanceId: "i-2", name: "web-2", address: "10.0.0.2" },
      ],
      cannotStop: ["ICMP"],
    },
  ],
  steps: [{ name: "read back", ms: 900 }],
  rev: 1,
};
const inForce = { mode: "halt", since: NOW, by: "ann", reason: "an incident" };

const token = {
  ...{ tokenId: "0123456789abcdef", principal: "requester", roles: ["requester"], note: "", createdBy: "root", rev: 1 },
  ...{ createdAt: NOW, expiresAt: NOW + 1, usedAt: NOW, revokedAt: null, replacedBy: null },
  scope: { groups: ["web"], tags: [], applications: [] },
};

const groups = [
  ["sg-web", "web", "prod", "shop"],
  ["sg-db", "db", "test", "mail"],
].map(([groupId = "", name = "", env = "", application = ""]) => ({
  ...{ ref: { region: "cn-hangzhou", groupId: groupId as GroupId }, name, vpcId: "vpc-1" },
  ...{ type: "normal", serviceManaged: false, tags: { env, "safeport:application": application } },
}));

/** `web`, `env=prod` or `application:shop` as the scope of a token. */
function scopeOf(text: string): Scope {
  const [kind, application = ""] = text.split(":");
  if (kind === "application") return { groups: [], tags: [], applications: [application] };
  return text.includes("=")
    ? { groups: [], tags: [text], applications: [] }
    : { groups: [text], tags: [], applications: [] };
}

const inventory = {
  listGroups: async () => groups,
  group: async (ref: GroupRef) => groups.find((group) => group.ref.groupId === ref.groupId) ?? null,
};

/**
 * Tokens are the names of roles: `Authorization: Bearer operator`, or `Bearer operator@web` for one of the group `web` alone, as
 * `@env=prod` and `@application:shop` are.
 * `nobody` has no role.
 */
export function apiWorld(options: ApiWorldOptions = {}): ApiWorld {
  const reached: Reached[] = [];
  const logged: string[] = [];
  const answer = options.answer ?? leaseAnswer();
  const note =
    <Answer>(name: keyof UseCases, value: Answer) =>
    async (_app: App, ...input: readonly unknown[]): Promise<Answer> => {
      reached.push({ name, input });
      if (options.throws !== undefined) throw options.throws;
      return value;
    };
  /** A list of one page: whoever reads on finds nothing more. */
  const paged = <Page>(name: keyof UseCases, first: Page, rest: Page) => {
    const pages = [first];
    return (app: App, ...input: readonly unknown[]): Promise<Page> => note(name, pages.shift() ?? rest)(app, ...input);
  };
  const useCases = {
    openLease: note("openLease", answer),
    extendLease: note("extendLease", answer),
    askAgain: note("askAgain", answer),
    followLease: note("followLease", answer),
    endLease: note("endLease", answer),
    listTokens: note("listTokens", { tokens: [token], next: token.tokenId }),
    issueToken: note("issueToken", { token, text: "spt_…", plan: [] }),
    rotateToken: note("rotateToken", { token, text: "spt_…", plan: [] }),
    revokeToken: note("revokeToken", { token: { ...token, revokedAt: NOW }, text: null, plan: [] }),
    listApprovals: async (app: App, caller: unknown, query: { readonly sees: (groupId: string) => boolean }) => ({
      leases: [(await note("listApprovals", answer)(app, caller, query)).lease].filter(({ request }) =>
        query.sees(request.group.groupId),
      ),
      next: null,
    }),
    openLink: note("openLink", { lease: answer.lease, asked: null }),
    decideByLink: note("decideByLink", answer),
    decideLease: note("decideLease", answer),
    justifyLease: note("justifyLease", answer),
    getLease: note("getLease", answer),
    listLeases: async (app: App, query: { readonly sees?: (groupId: string) => boolean }) => ({
      leases: [(await note("listLeases", answer)(app, query)).lease].filter(({ request }) =>
        query.sees?.(request.group.groupId),
      ),
      next: null,
    }),
    sweep: note("sweep", {
      closed: [{ leaseId: "ls-1", ruleIds: ["sgr-1"] }],
      opened: [],
      looked: [],
      left: 0,
      recovered: 0,
    }),
    listGroups: note("listGroups", {
      groups: [groupView, { ...groupView, groupId: "sg-db", baseline: null }],
      unreadable: ["sg-db"],
    }),
    getGroup: note("getGroup", groupView),
    confirmGuard: note("confirmGuard", guardAnswer),
    previewBaseline: note("previewBaseline", baselineAnswer),
    confirmBaseline: note("confirmBaseline", baselineAnswer),
    listLedger: paged("listLedger", ledgerPage, { entries: [], unreadable: [], next: null }),
    getLedgerEntry: note("getLedgerEntry", story),
    allocateRule: note("allocateRule", ledgerAnswer),
    retireEntry: note("retireEntry", ledgerAnswer),
    listDrift: paged("listDrift", driftPage, { items: [], unreadable: [], next: null }),
    getDrift: note("getDrift", driftItem),
    decideDrift: note("decideDrift", driftAnswer),
    isOwed: note("isOwed", false),
    settleAllocation: async (...[, , { plan, entries }, look]: Parameters<typeof settleAllocation>) => ({
      settled: plan.length === 0 || (await look()) !== null,
      entries,
    }),
    settleDecision: async (...[, , , look]: Parameters<typeof settleDecision>) => (await look()) !== null,
    listRecycling: paged("listRecycling", recyclingPage, { items: [], next: null }),
    getRecycling: note("getRecycling", recyclingStory),
    restoreItem: note("restoreItem", recyclingAnswer),
    exemptItem: note("exemptItem", recyclingAnswer),
    approveItem: note("approveItem", recyclingAnswer),
    recycle: note("recycle", recyclingReport),
    lookAtGroup: note("lookAtGroup", options.looked === undefined ? {} : options.looked),
    listRecords: paged(
      "listRecords",
      {
        records: [
          { ...record, sequence: "001793865600000-0000000002" },
          { ...record, group: null, policyVersion: null, decidedBy: undefined, sequence: "001793865600000-0000000001" },
        ],
        next: "001793865600000-0000000001",
      },
      { records: [], next: null },
    ),
    exportRecords: note("exportRecords", {
      publicKey: "k".repeat(43),
      lines: [
        { kind: "record", ...chained },
        { kind: "seal", number: 1, body: "{}", signature: "s" },
      ],
      next: { sequence: chained.sequence, seal: 1 },
    }),
    health: note("health", {
      status: "overdue",
      now: NOW,
      oldestDueAt: NOW - 61_000,
      overdueEnds: [{ lease: "ls-1", group: "sg-web", dueAt: NOW - 60_000 }],
      oldestGroupSeenAt: NOW - 1_800_000,
      groupSeenTargetMs: 3_600_000,
      trail: { checkedAt: NOW, faults: [] },
      unjustified: [{ lease: "ls-1", group: "sg-web", principal: "ann", justifyBy: NOW }],
      evidence: [{ region: "cn-hangzhou", source: "flowLog", readUntil: NOW, trouble: "down", queriesToday: 4 }],
      clockSkewMs: -1500,
      policyVersion: 3,
      mode: inForce,
    }),
    getPolicyView: note("getPolicyView", { inForce: policyRow, pending }),
    listPolicyVersions: note("listPolicyVersions", [policyRow]),
    changePolicy: note("changePolicy", { ...policyAnswer, state: "pending", until: NOW }),
    confirmPolicy: note("confirmPolicy", policyAnswer),
    withdrawPolicy: note("withdrawPolicy", undefined),
    listAudits: note("listAudits", {
      audits: [{ month: "2026-10", summary: auditPage.summary, running: null }],
      unreadable: ["2026-09"],
    }),
    getAudit: note("getAudit", auditPage),
    askAudit: note("askAudit", true),
    startLockdown: note("startLockdown", lockdown),
    previewLockdown: note("previewLockdown", lockdown),
    liftLockdown: note("liftLockdown", { ...lockdown, state: "lifted", endedAt: NOW, endedBy: "ann" }),
    getLockdown: note("getLockdown", lockdown),
    listLockdowns: note("listLockdowns", { lockdowns: [lockdown], unreadable: [], next: null }),
    getMode: note("getMode", inForce),
    setMode: note("setMode", { inForce, plan: ["mode normal → halt"] }),
  } as unknown as UseCases;
  const log: Log = { write: (level, message, fields) => logged.push(JSON.stringify({ level, message, ...fields })) };
  const clock = { now: () => NOW, monotonicMs: () => 0, sleep: async () => undefined };
  const policy = { ...defaultPolicy("cn-hangzhou"), ...options.policy };
  const app = httpApp({
    routesAt: async () => routes,
    app: { clock, log, inventory, settings: { answerWithinMs: 10_000 } } as unknown as App,
    useCases,
    readPolicy: async () => policy,
    documents: async () => ({ textOf: JSON.stringify, policyOf: () => policy, warningsOf: () => [] }),
    describeApi: async (all) => describeApi(all),
    writeBook: async (sheets) => Buffer.from(JSON.stringify(sheets)),
    strangers: { admit: () => undefined, failed: () => undefined },
    identify: async ({ authorization: header }) => {
      if (header === null) throw fail("TOKEN_MISSING");
      const [name = "", group] = header.replace(/^Bearer /, "").split("@");
      if (name === "wrong") throw fail("TOKEN_INVALID");
      return {
        principal: name,
        roles: name === "nobody" ? [] : [name as Role],
        scopes: group === undefined ? [] : [scopeOf(group)],
      };
    },
  });
  return {
    reached,
    logged,
    send: (request) =>
      app(
        {
          requestId: "req-1",
          method: "GET",
          path: "/",
          headers: { authorization: "Bearer requester" },
          query: {},
          body: new Uint8Array(),
          sourceIp: "127.0.0.1",
          ...request,
        },
        60_000,
      ),
  };
}

/** A JSON body. */
export function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
