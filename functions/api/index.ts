// The function behind the HTTP trigger: requests in, answers out, never a function error.
import { identifier } from "../../shared/access/identify.ts";
import { readHttpEvent, toHttpEventResult } from "../../shared/events/http-event.ts";
import { type HttpApp, httpApp } from "../../shared/http/http-app.ts";
import { problemResponse } from "../../shared/http/problem.ts";
import type { WriteBook } from "../../shared/ports/book.ts";
import { allocateRule } from "../../shared/usecases/allocate-rule.ts";
import { askAgain } from "../../shared/usecases/ask-again.ts";
import {
  changePolicy,
  confirmPolicy,
  getPolicyView,
  listPolicyVersions,
  withdrawPolicy,
} from "../../shared/usecases/change-policy.ts";
import { confirmBaseline, previewBaseline } from "../../shared/usecases/confirm-baseline.ts";
import { confirmGuard } from "../../shared/usecases/confirm-guard.ts";
import { decideByLink, openLink } from "../../shared/usecases/decide-by-link.ts";
import { decideDrift } from "../../shared/usecases/decide-drift.ts";
import { decideLease } from "../../shared/usecases/decide-lease.ts";
import { approveItem, exemptItem, restoreItem } from "../../shared/usecases/decide-recycling.ts";
import { endLease } from "../../shared/usecases/end-lease.ts";
import { exportRecords } from "../../shared/usecases/export-records.ts";
import { extendLease } from "../../shared/usecases/extend-lease.ts";
import { followLease } from "../../shared/usecases/follow-lease.ts";
import { health } from "../../shared/usecases/health.ts";
import { issueToken } from "../../shared/usecases/issue-token.ts";
import { justifyLease } from "../../shared/usecases/justify-lease.ts";
import { liftLockdown } from "../../shared/usecases/lift-lockdown.ts";
import { listApprovals } from "../../shared/usecases/list-approvals.ts";
import { askAudit, getAudit, listAudits } from "../../shared/usecases/list-audits.ts";
import { getDrift, listDrift } from "../../shared/usecases/list-drift.ts";
import { getGroup, listGroups } from "../../shared/usecases/list-groups.ts";
import { getLease, listLeases } from "../../shared/usecases/list-leases.ts";
import { getLedgerEntry, listLedger } from "../../shared/usecases/list-ledger.ts";
import { getLockdown, listLockdowns } from "../../shared/usecases/list-lockdowns.ts";
import { listRecords } from "../../shared/usecases/list-records.ts";
import { getRecycling, listRecycling } from "../../shared/usecases/list-recycling.ts";
import { listTokens } from "../../shared/usecases/list-tokens.ts";
import { lookAtGroup } from "../../shared/usecases/look-at-group.ts";
import { openLease } from "../../shared/usecases/open-lease.ts";
import { recycle } from "../../shared/usecases/recycle.ts";
import { retireEntry } from "../../shared/usecases/retire-entry.ts";
import { revokeToken } from "../../shared/usecases/revoke-token.ts";
import { rotateToken } from "../../shared/usecases/rotate-token.ts";
import { getMode, setMode } from "../../shared/usecases/set-mode.ts";
import { previewLockdown, startLockdown } from "../../shared/usecases/start-lockdown.ts";
import { sweep } from "../../shared/usecases/sweep.ts";
import type { Composition } from "../compose.ts";
import { entry } from "../entry.ts";

const useCases = {
  ...{
    listApprovals,
    decideLease,
    openLink,
    decideByLink,
    justifyLease,
    issueToken,
    listTokens,
    rotateToken,
    revokeToken,
  },
  ...{ openLease, extendLease, askAgain, followLease, endLease, getLease, listLeases },
  ...{ sweep, listRecords, exportRecords, health },
  ...{ listAudits, getAudit, askAudit },
  ...{ listGroups, getGroup, confirmGuard, previewBaseline, confirmBaseline, lookAtGroup },
  ...{ startLockdown, previewLockdown, liftLockdown, getLockdown, listLockdowns },
  ...{ getMode, setMode, getPolicyView, listPolicyVersions, changePolicy, confirmPolicy, withdrawPolicy },
  ...{ listRecycling, getRecycling, restoreItem, exemptItem, approveItem, recycle },
  ...{ listLedger, getLedgerEntry, allocateRule, retireEntry, listDrift, getDrift, decideDrift },
};
/** Loaded when somebody asks for a spreadsheet: no start has to wait for it. */
const writeBook: WriteBook = async (sheets) => (await import("./book.ts")).writeBook(sheets);

const webs = new WeakMap<Composition["app"], HttpApp>();

/** Work that may end after the answer is made, and has to before the process is frozen. */
const pending = new Set<Promise<unknown>>();

export const handler = entry(
  "api",
  async (event, invocation) => {
    const request = readHttpEvent(event, invocation.requestId);
    const response = await webOf(invocation)(request, invocation.leftMs);
    await Promise.all(pending);
    return toHttpEventResult(response);
  },
  (error, requestId) => toHttpEventResult(problemResponse(error, requestId)),
);

function webOf({ app, readPolicy, documents, oidc }: Composition): HttpApp {
  const known = webs.get(app);
  if (known !== undefined) return known;
  const later = (work: Promise<unknown>): void => {
    const quiet = work
      .catch((cause: unknown) => app.log.write("warn", "the last use of a token was not noted", { cause }))
      .finally(() => pending.delete(quiet));
    pending.add(quiet);
  };
  const identify = identifier({ clock: app.clock, tables: app.tables, oidc, later });
  const web = httpApp({ app, useCases, identify, readPolicy, documents, writeBook });
  webs.set(app, web);
  return web;
}
