// What is loaded for every other route, and for the rarer calls about leases.
import { routes } from "../../shared/http/routes.ts";
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
import { exportRecords } from "../../shared/usecases/export-records.ts";
import { followLease } from "../../shared/usecases/follow-lease.ts";
import { health } from "../../shared/usecases/health.ts";
import { issueToken } from "../../shared/usecases/issue-token.ts";
import { justifyLease } from "../../shared/usecases/justify-lease.ts";
import { liftLockdown } from "../../shared/usecases/lift-lockdown.ts";
import { listApprovals } from "../../shared/usecases/list-approvals.ts";
import { askAudit, getAudit, listAudits } from "../../shared/usecases/list-audits.ts";
import { getDrift, listDrift } from "../../shared/usecases/list-drift.ts";
import { getGroup, listGroups } from "../../shared/usecases/list-groups.ts";
import { getLedgerEntry, listLedger } from "../../shared/usecases/list-ledger.ts";
import { getLockdown, listLockdowns } from "../../shared/usecases/list-lockdowns.ts";
import { listRecords } from "../../shared/usecases/list-records.ts";
import { getRecycling, listRecycling } from "../../shared/usecases/list-recycling.ts";
import { listTokens } from "../../shared/usecases/list-tokens.ts";
import { lookAtGroup } from "../../shared/usecases/look-at-group.ts";
import { recycle } from "../../shared/usecases/recycle.ts";
import { retireEntry } from "../../shared/usecases/retire-entry.ts";
import { revokeToken } from "../../shared/usecases/revoke-token.ts";
import { rotateToken } from "../../shared/usecases/rotate-token.ts";
import { getMode, setMode } from "../../shared/usecases/set-mode.ts";
import { previewLockdown, startLockdown } from "../../shared/usecases/start-lockdown.ts";
import { sweep } from "../../shared/usecases/sweep.ts";

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
    revokeToken,
    rotateToken,
    getMode,
    setMode,
    previewLockdown,
    startLockdown,
    sweep,
  },
};
