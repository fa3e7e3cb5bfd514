// What a route is: its place, who may call it, what it takes and answers, and what it does.
import type * as z from "zod/mini";
import type { Permission } from "../domain/permission.ts";
import type { Policy } from "../domain/policy.ts";
import type { WriteBook } from "../ports/book.ts";
import type { App, Caller } from "../usecases/app.ts";
import type { decideByLink, openLink } from "../usecases/approval/decide-by-link.ts";
import type { decideLease } from "../usecases/approval/decide-lease.ts";
import type { justifyLease } from "../usecases/approval/justify-lease.ts";
import type { listApprovals } from "../usecases/approval/list-approvals.ts";
import type { decideDrift } from "../usecases/drift/decide-drift.ts";
import type { getDrift, listDrift } from "../usecases/drift/list-drift.ts";
import type { isOwed, settleDecision } from "../usecases/drift/settle-decision.ts";
import type { Sees } from "../usecases/group/check-scope.ts";
import type { getGroup, listGroups } from "../usecases/group/list-groups.ts";
import type { askAgain } from "../usecases/lease/ask-again.ts";
import type { endLease } from "../usecases/lease/end-lease.ts";
import type { extendLease } from "../usecases/lease/extend-lease.ts";
import type { followLease } from "../usecases/lease/follow-lease.ts";
import type { getLease, listLeases } from "../usecases/lease/list-leases.ts";
import type { openLease } from "../usecases/lease/open-lease.ts";
import type { allocateRule } from "../usecases/ledger/allocate-rule.ts";
import type { confirmBaseline, previewBaseline } from "../usecases/ledger/confirm-baseline.ts";
import type { confirmGuard } from "../usecases/ledger/confirm-guard.ts";
import type { getLedgerEntry, listLedger } from "../usecases/ledger/list-ledger.ts";
import type { retireEntry } from "../usecases/ledger/retire-entry.ts";
import type { settleAllocation } from "../usecases/ledger/settle-allocation.ts";
import type { liftLockdown } from "../usecases/lockdown/lift-lockdown.ts";
import type { getLockdown, listLockdowns } from "../usecases/lockdown/list-lockdowns.ts";
import type { previewLockdown, startLockdown } from "../usecases/lockdown/start-lockdown.ts";
import type { health } from "../usecases/operation/health.ts";
import type { askAudit, getAudit, listAudits } from "../usecases/operation/list-audits.ts";
import type { sweep } from "../usecases/operation/sweep.ts";
import type { lookAtGroup } from "../usecases/pass/look-at-group.ts";
import type {
  changePolicy,
  confirmPolicy,
  getPolicyView,
  listPolicyVersions,
  PolicyDocuments,
  withdrawPolicy,
} from "../usecases/policy/change-policy.ts";
import type { getMode, setMode } from "../usecases/policy/set-mode.ts";
import type { exportRecords } from "../usecases/records/export-records.ts";
import type { listRecords } from "../usecases/records/list-records.ts";
import type { approveItem, exemptItem, restoreItem } from "../usecases/recycling/decide-recycling.ts";
import type { getRecycling, listRecycling } from "../usecases/recycling/list-recycling.ts";
import type { recycle } from "../usecases/recycling/recycle.ts";
import type { issueToken } from "../usecases/token/issue-token.ts";
import type { listTokens } from "../usecases/token/list-tokens.ts";
import type { revokeToken } from "../usecases/token/revoke-token.ts";
import type { rotateToken } from "../usecases/token/rotate-token.ts";
import type { HttpRequest, HttpResponse } from "./message.ts";

/** The use cases the API can call. */
export interface UseCases {
  readonly openLease: typeof openLease;
  readonly extendLease: typeof extendLease;
  readonly askAgain: typeof askAgain;
  readonly followLease: typeof followLease;
  readonly endLease: typeof endLease;
  readonly getLease: typeof getLease;
  readonly listLeases: typeof listLeases;
  readonly listTokens: typeof listTokens;
  readonly issueToken: typeof issueToken;
  readonly rotateToken: typeof rotateToken;
  readonly revokeToken: typeof revokeToken;
  readonly listApprovals: typeof listApprovals;
  readonly openLink: typeof openLink;
  readonly decideByLink: typeof decideByLink;
  readonly decideLease: typeof decideLease;
  readonly justifyLease: typeof justifyLease;
  readonly sweep: typeof sweep;
  readonly listGroups: typeof listGroups;
  readonly getGroup: typeof getGroup;
  readonly confirmGuard: typeof confirmGuard;
  readonly previewBaseline: typeof previewBaseline;
  readonly confirmBaseline: typeof confirmBaseline;
  readonly listLedger: typeof listLedger;
  readonly getLedgerEntry: typeof getLedgerEntry;
  readonly allocateRule: typeof allocateRule;
  readonly retireEntry: typeof retireEntry;
  readonly settleAllocation: typeof settleAllocation;
  readonly listDrift: typeof listDrift;
  readonly getDrift: typeof getDrift;
  readonly decideDrift: typeof decideDrift;
  readonly isOwed: typeof isOwed;
  readonly settleDecision: typeof settleDecision;
  readonly lookAtGroup: typeof lookAtGroup;
  readonly listRecycling: typeof listRecycling;
  readonly getRecycling: typeof getRecycling;
  readonly restoreItem: typeof restoreItem;
  readonly exemptItem: typeof exemptItem;
  readonly approveItem: typeof approveItem;
  readonly recycle: typeof recycle;
  readonly listRecords: typeof listRecords;
  readonly exportRecords: typeof exportRecords;
  readonly health: typeof health;
  readonly startLockdown: typeof startLockdown;
  readonly previewLockdown: typeof previewLockdown;
  readonly liftLockdown: typeof liftLockdown;
  readonly getLockdown: typeof getLockdown;
  readonly listLockdowns: typeof listLockdowns;
  readonly getMode: typeof getMode;
  readonly setMode: typeof setMode;
  readonly getPolicyView: typeof getPolicyView;
  readonly listPolicyVersions: typeof listPolicyVersions;
  readonly changePolicy: typeof changePolicy;
  readonly confirmPolicy: typeof confirmPolicy;
  readonly withdrawPolicy: typeof withdrawPolicy;
  readonly listAudits: typeof listAudits;
  readonly getAudit: typeof getAudit;
  readonly askAudit: typeof askAudit;
}

/** Whom a request speaks for: a caller without the policy. */
export type Identity = Omit<Caller, "policy">;

/** What a request says of its sender, and what that is held against. */
export interface Presented {
  readonly authorization: string | null;
  readonly address: () => Promise<string>;
  readonly policy: () => Promise<Policy>;
}

/** Those who come without a token, by their block of addresses. `admit` throws ATTEMPTS_TOO_MANY, REQUESTS_TOO_MANY. */
interface Strangers {
  readonly admit: (block: string, access: Policy["access"]) => void;
  /** What one came with is signed by nobody. */
  readonly failed: (block: string, access: Policy["access"]) => void;
}

/** What the web application is made of. */
export interface HttpParts {
  readonly app: App;
  /** All routes that a path may be one of; the same array each time for the same place. */
  readonly routesAt: (path: string) => Promise<readonly Route[]>;
  readonly useCases: UseCases;
  /** Whom a request speaks for; throws TOKEN_MISSING, TOKEN_INVALID, ATTEMPTS_TOO_MANY, REQUESTS_TOO_MANY. */
  readonly identify: (presented: Presented) => Promise<Identity>;
  readonly strangers: Strangers;
  /** The policy in force; throws NOT_READY when there is none. */
  readonly readPolicy: () => Promise<Policy>;
  /** Checks documents, and makes policies of them. */
  readonly documents: () => Promise<PolicyDocuments>;
  readonly writeBook: WriteBook;
  /** The API description of the routes. */
  readonly describeApi: (routes: readonly Route[]) => Promise<Readonly<Record<string, unknown>>>;
}

/** One request that was let in. */
export interface Call {
  readonly parts: HttpParts;
  readonly request: HttpRequest;
  readonly caller: Caller;
  /** Values of the path's `{names}`, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Monotonic instant by which the answer has to be given. */
  readonly deadlineAt: number;
  /** What of a list the caller may see. */
  readonly sees: () => Promise<Sees>;
}

/**
 * What a call is about, so that the caller's scope is held against it before its handler runs: nothing that belongs to a group; the
 * whole account, which is for callers without a scope; a list, of which the handler answers only what `Call.sees` sees; or groups, by
 * id or name. The function is asked only for callers that have a scope.
 */
export type About<Input> =
  | Exclude<AboutKind, "groups">
  | ((call: Call, input: Input) => readonly string[] | Promise<readonly string[]>);

/** `About` as the API description shows it. */
export type AboutKind = "nothing" | "account" | "list" | "groups";

export interface Route {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** As in the API description: `/v1/leases/{id}:end`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly permission: Permission;
  /** Made with the first request to the route. */
  readonly query: () => z.ZodMiniType;
  readonly body: () => z.ZodMiniType;
  readonly idempotent: boolean;
  readonly about: AboutKind;
  readonly handle: (call: Call) => Promise<HttpResponse>;
}

/** Query and body of a call, checked. */
interface Input<Query extends z.ZodMiniType, Body extends z.ZodMiniType> {
  readonly query: z.output<Query>;
  readonly body: z.output<Body>;
}

/** A route whose handler sees query and body as its own schemas give them. */
export interface RouteDefinition<Query extends z.ZodMiniType, Body extends z.ZodMiniType>
  extends Omit<Route, "query" | "body" | "handle" | "about"> {
  readonly query: () => Query;
  readonly body: () => Body;
  /** Where it takes larger ones than others do. */
  readonly bodyBytesMax?: number;
  readonly about: About<Input<Query, Body>>;
  readonly handle: (call: Call, input: Input<Query, Body>) => Promise<HttpResponse>;
}
