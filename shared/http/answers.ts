// What each call answers when all is well: for the API description, and for tests that hold answers against it. Nothing else loads these.
import * as z from "zod/mini";
import { askedAuditView, auditListView, auditView } from "./answers-audits.ts";
import { driftAnswerView, driftDetailView, driftPageView } from "./answers-drift.ts";
import { cleanupView, leaseAnswerView, leasePageView } from "./answers-leases.ts";
import {
  baselineAnswerView,
  baselineView,
  entryStoryView,
  groupsView,
  groupView,
  guardAnswerView,
  ledgerAnswerView,
  ledgerPageView,
} from "./answers-ledger.ts";
import { lockdownAnswerView, lockdownListView, lockdownView } from "./answers-lockdown.ts";
import { modeAnswerView, modeView } from "./answers-mode.ts";
import { apiDescriptionView, healthView } from "./answers-operation.ts";
import { policyAnswerView, policyVersionsView, policyView, withdrawnView } from "./answers-policy.ts";
import { exportView, recordPageView } from "./answers-records.ts";
import { recyclingAnswerView, recyclingItemView, recyclingPageView, recyclingReportView } from "./answers-recycling.ts";
import { tokenAnswerView, tokenPageView } from "./answers-tokens.ts";

/** A page for people. */
const page = () => z.string().check(z.describe("A page for people."));

type Answers = Readonly<Record<number, z.ZodMiniType>>;

const answers: Readonly<Record<string, () => Answers>> = {
  tempAllow: () => ({ 200: leaseAnswerView(), 202: leaseAnswerView() }),
  cleanup: () => ({ 200: cleanupView() }),
  openLease: () => ({ 200: leaseAnswerView(), 201: leaseAnswerView(), 202: leaseAnswerView() }),
  listLeases: () => ({ 200: leasePageView() }),
  getLease: () => ({ 200: leaseAnswerView() }),
  extendLease: () => ({ 200: leaseAnswerView(), 202: leaseAnswerView() }),
  endLease: () => ({ 200: leaseAnswerView(), 202: leaseAnswerView() }),
  askAgain: () => ({ 200: leaseAnswerView(), 201: leaseAnswerView(), 202: leaseAnswerView() }),
  followLease: () => ({ 200: leaseAnswerView(), 202: leaseAnswerView() }),
  listApprovals: () => ({ 200: leasePageView() }),
  approveLease: () => ({ 200: leaseAnswerView(), 202: leaseAnswerView() }),
  denyLease: () => ({ 200: leaseAnswerView() }),
  justifyLease: () => ({ 200: leaseAnswerView() }),
  openLink: () => ({ 200: page() }),
  decideByLink: () => ({ 200: page() }),
  listTokens: () => ({ 200: tokenPageView() }),
  issueToken: () => ({ 200: tokenAnswerView(), 201: tokenAnswerView() }),
  rotateToken: () => ({ 200: tokenAnswerView() }),
  revokeToken: () => ({ 200: tokenAnswerView() }),
  listGroups: () => ({ 200: groupsView() }),
  getGroup: () => ({ 200: groupView() }),
  confirmGuard: () => ({ 200: guardAnswerView() }),
  previewBaseline: () => ({ 200: baselineView() }),
  confirmBaseline: () => ({ 200: baselineAnswerView() }),
  listLedger: () => ({ 200: ledgerPageView() }),
  allocateRule: () => ({ 200: ledgerAnswerView() }),
  getLedgerEntry: () => ({ 200: entryStoryView() }),
  retireEntry: () => ({ 200: ledgerAnswerView() }),
  listDrift: () => ({ 200: driftPageView() }),
  getDrift: () => ({ 200: driftDetailView() }),
  adoptDrift: () => ({ 200: driftAnswerView() }),
  restoreDrift: () => ({ 200: driftAnswerView() }),
  releaseDrift: () => ({ 200: driftAnswerView() }),
  listRecycling: () => ({ 200: recyclingPageView() }),
  getRecycling: () => ({ 200: recyclingItemView() }),
  restoreRecycling: () => ({ 200: recyclingAnswerView() }),
  exemptRecycling: () => ({ 200: recyclingAnswerView() }),
  approveRecycling: () => ({ 200: recyclingAnswerView() }),
  runRecycling: () => ({ 200: recyclingReportView() }),
  listAudits: () => ({ 200: auditListView() }),
  getAudit: () => ({ 200: auditView() }),
  askAudit: () => ({ 200: askedAuditView(), 202: askedAuditView() }),
  startLockdown: () => ({ 200: lockdownAnswerView(), 202: lockdownAnswerView() }),
  listLockdowns: () => ({ 200: lockdownListView() }),
  getLockdown: () => ({ 200: lockdownView() }),
  liftLockdown: () => ({ 200: lockdownAnswerView(), 202: lockdownAnswerView() }),
  getMode: () => ({ 200: modeView() }),
  setMode: () => ({ 200: modeAnswerView() }),
  getPolicy: () => ({ 200: policyView() }),
  listPolicyVersions: () => ({ 200: policyVersionsView() }),
  changePolicy: () => ({ 200: policyAnswerView(), 202: policyAnswerView() }),
  confirmPolicy: () => ({ 200: policyAnswerView() }),
  withdrawPolicy: () => ({ 200: withdrawnView() }),
  listRecords: () => ({ 200: recordPageView() }),
  exportRecords: () => ({ 200: exportView() }),
  health: () => ({ 200: healthView() }),
  describeApi: () => ({ 200: apiDescriptionView() }),
};

/** Statuses of success of an operation, each with the shape of its answer. Throws for an operation without any. */
export function answersOf(operationId: string): Answers {
  const made = answers[operationId];
  if (made === undefined) throw new Error(`nobody says what ${operationId} answers`);
  return made();
}
