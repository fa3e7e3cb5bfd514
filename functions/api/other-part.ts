// What is loaded for every other route, and for the rarer calls about leases.
import { routes } from "../../shared/http/routes.ts";
import { decideByLink, openLink } from "../../shared/usecases/approval/decide-by-link.ts";
import { decideLease } from "../../shared/usecases/approval/decide-lease.ts";
import { justifyLease } from "../../shared/usecases/approval/justify-lease.ts";
import { listApprovals } from "../../shared/usecases/approval/list-approvals.ts";
import { decideDrift } from "../../shared/usecases/drift/decide-drift.ts";
import { getDrift, listDrift } from "../../shared/usecases/drift/list-drift.ts";
import { isOwed, settleDecision } from "../../shared/usecases/drift/settle-decision.ts";
import { getGroup, listGroups } from "../../shared/usecases/group/list-groups.ts";
import { askAgain } from "../../shared/usecases/lease/ask-again.ts";
import { followLease } from "../../shared/usecases/lease/follow-lease.ts";
import { allocateRule } from "../../shared/usecases/ledger/allocate-rule.ts";
import { confirmBaseline, previewBaseline } from "../../shared/usecases/ledger/confirm-baseline.ts";
import { confirmGuard } from "../../shared/usecases/ledger/confirm-guard.ts";
import { getLedgerEntry, listLedger } from "../../shared/usecases/ledger/list-ledger.ts";
import { retireEntry } from "../../shared/usecases/ledger/retire-entry.ts";
import { settleAllocation } from "../../shared/usecases/ledger/settle-allocation.ts";
import { liftLockdown } from "../../shared/usecases/lockdown/lift-lockdown.ts";
import { getLockdown, listLockdowns } from "../../shared/usecases/lockdown/list-lockdowns.ts";
import { previewLockdown, startLockdown } from "../../shared/usecases/lockdown/start-lockdown.ts";
import { health } from "../../shared/usecases/operation/health.ts";
import { askAudit, getAudit, listAudits } from "../../shared/usecases/operation/list-audits.ts";
import { sweep } from "../../shared/usecases/operation/sweep.ts";
import { lookAtGroup } from "../../shared/usecases/pass/look-at-group.ts";
import {
  changePolicy,
  confirmPolicy,
  getPolicyView,
  listPolicyVersions,
  withdrawPolicy,
} from "../../shared/usecases/policy/change-policy.ts";
import { getMode, setMode } from "../../shared/usecases/policy/set-mode.ts";
import { exportRecords } from "../../shared/usecases/records/export-records.ts";
import { listRecords } from "../../shared/usecases/records/list-records.ts";
import { approveItem, exemptItem, restoreItem } from "../../shared/usecases/recycling/decide-recycling.ts";
import { getRecycling, listRecycling } from "../../shared/usecases/recycling/list-recycling.ts";
import { recycle } from "../../shared/usecases/recycling/recycle.ts";
import { issueToken } from "../../shared/usecases/token/issue-token.ts";
import { listTokens } from "../../shared/usecases/token/list-tokens.ts";
import { revokeToken } from "../../shared/usecases/token/revoke-token.ts";
import { rotateToken } from "../../shared/usecases/token/rotate-token.ts";

/** The routes, and what they call. */
export const otherPart = {
  routes,
  calls: {
    allocateRule,
    askAgain,
    changePolicy,
    confirmPolicy,
    getPolicyView,
    listPolicyVersions,
    withdrawPolicy,
    confirmBaseline,
    previewBaseline,
    confirmGuard,
    decideByLink,
    openLink,
    decideDrift,
    isOwed,
    settleDecision,
    decideLease,
    approveItem,
    exemptItem,
    restoreItem,
    exportRecords,
    followLease,
    health,
    issueToken,
    justifyLease,
    liftLockdown,
    listApprovals,
    askAudit,
    getAudit,
    listAudits,
    getDrift,
    listDrift,
    getGroup,
    listGroups,
    getLedgerEntry,
    listLedger,
    getLockdown,
    listLockdowns,
    listRecords,
    getRecycling,
    listRecycling,
    listTokens,
    lookAtGroup,
    recycle,
    retireEntry,
    settleAllocation,
    revokeToken,
    rotateToken,
    getMode,
    setMode,
    previewLockdown,
    startLockdown,
    sweep,
  },
};
