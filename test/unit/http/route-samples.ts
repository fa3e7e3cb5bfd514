// One good request for each route, and the roles that are promised to get an answer to it.
import { ROLES, type Role } from "../../../shared/domain/permission.ts";
import type { HttpRequest } from "../../../shared/http/message.ts";
import { routes } from "../../../shared/http/routes.ts";
import { json } from "./api-world.ts";

/** Who may call what: the promise, written down apart from the routes. */
export const promised: Readonly<Record<string, readonly Role[]>> = {
  tempAllow: ["requester", "operator", "admin"],
  cleanup: ["operator", "admin"],
  openLease: ["requester", "operator", "admin"],
  listLeases: ROLES,
  getLease: ROLES,
  extendLease: ["requester", "operator", "admin"],
  endLease: ["requester", "operator", "admin"],
  askAgain: ["requester", "operator", "admin"],
  followLease: ["requester", "operator", "admin"],
  openLink: ROLES,
  decideByLink: ROLES,
  listTokens: ROLES,
  issueToken: ["admin"],
  rotateToken: ROLES,
  revokeToken: ROLES,
  listApprovals: ROLES,
  approveLease: ["requester", "approver", "operator", "admin"],
  denyLease: ["requester", "approver", "operator", "admin"],
  justifyLease: ["requester", "operator", "admin"],
  listGroups: ROLES,
  getGroup: ROLES,
  confirmGuard: ["admin"],
  previewBaseline: ["approver", "operator", "auditor", "admin"],
  confirmBaseline: ["admin"],
  listLedger: ["approver", "operator", "auditor", "admin"],
  getLedgerEntry: ["approver", "operator", "auditor", "admin"],
  allocateRule: ["operator", "admin"],
  retireEntry: ["operator", "admin"],
  listDrift: ["approver", "operator", "auditor", "admin"],
  getDrift: ["approver", "operator", "auditor", "admin"],
  adoptDrift: ["operator", "admin"],
  restoreDrift: ["operator", "admin"],
  releaseDrift: ["operator", "admin"],
  listRecycling: ["approver", "operator", "auditor", "admin"],
  getRecycling: ["approver", "operator", "auditor", "admin"],
  restoreRecycling: ["operator", "admin"],
  exemptRecycling: ["operator", "admin"],
  approveRecycling: ["approver", "operator", "admin"],
  runRecycling: ["operator", "admin"],
  listRecords: ["approver", "operator", "auditor", "admin"],
  exportRecords: ["auditor", "admin"],
  listAudits: ["approver", "operator", "auditor", "admin"],
  getAudit: ["approver", "operator", "auditor", "admin"],
  askAudit: ["operator", "auditor", "admin"],
  health: ROLES,
  startLockdown: ["operator", "admin"],
  listLockdowns: ["approver", "operator", "auditor", "admin"],
  getLockdown: ["approver", "operator", "auditor", "admin"],
  liftLockdown: ["operator", "admin"],
  getMode: ROLES,
  setMode: ["operator", "admin"],
  getPolicy: ["approver", "operator", "auditor", "admin"],
  listPolicyVersions: ["approver", "operator", "auditor", "admin"],
  changePolicy: ["admin"],
  confirmPolicy: ["admin"],
  withdrawPolicy: ["admin"],
  describeApi: ROLES,
};

const PERIOD = { port: "22", period: "600" };
const BODIES: Readonly<Record<string, unknown>> = {
  openLease: PERIOD,
  extendLease: { period: 600 },
  issueToken: { principal: "ann", roles: ["requester"] },
  denyLease: { reason: "not today" },
  justifyLease: { text: "the shop was down" },
  confirmGuard: { confirm: "none" },
  startLockdown: { groups: ["web"], reason: "an attack" },
  setMode: { mode: "halt", reason: "an incident" },
  changePolicy: { policy: {} },
  exemptRecycling: { owner: "ann", reason: "quarter end", until: "2026-12-31T00:00:00Z" },
  approveRecycling: { step: "quarantine" },
  confirmPolicy: { digest: "d".repeat(64) },
  confirmBaseline: { digest: "d", owner: "ann", reason: "as it was" },
  allocateRule: { group: "web", port: 443, source: "0.0.0.0/0", owner: "ann", reason: "HTTPS" },
};

const IDS: readonly [path: string, id: string][] = [
  ["/v1/drift/", "dr-0123456789abcdef0123.sg-web"],
  ["/v1/recycling/", "rc-0123456789abcdef.sg-web"],
  ["/v1/groups/", "web"],
  ["/v1/leases/", "ls-1"],
  ["/v1/tokens/", "0123456789abcdef"],
  ["/v1/lockdown/", "ld-0123456789ab-1"],
];

export const placeOf = (path: string): string =>
  path
    .replace("{group}", "sg-web")
    .replace("{month}", "2026-10")
    .replace("{entry}", "e-0123456789abcdef")
    .replace("{id}", IDS.find(([start]) => path.startsWith(start))?.[1] ?? "");

/** A request that a caller with the permission gets an answer to; it is about the group `web`. */
export const requestOf = (operationId: string): Partial<HttpRequest> => {
  const route = routes.find((each) => each.operationId === operationId);
  return {
    method: route?.method ?? "",
    path: placeOf(route?.path ?? ""),
    query: operationId === "tempAllow" ? PERIOD : {},
    body: json(BODIES[operationId] ?? {}),
  };
};
