// What the API can do, loaded with the first request that needs it: to build the schemas of all routes takes longer than all else of a start.
import type { HttpParts, UseCases } from "../../shared/http/route.ts";

const leases = async () => (await import("./lease-part.ts")).leasePart;
const others = async () => (await import("./other-part.ts")).otherPart;

/** Every route that the path may be one of, and others. */
export const routesAt: HttpParts["routesAt"] = async (path) => {
  const isOfLeases = /^\/(safeport|v1\/(leases|approvals))\b/.test(path);
  return (await (isOfLeases ? leases() : others())).routes;
};

type Answers<Calls, Name extends keyof Calls> = Calls[Name] extends (...words: never[]) => Promise<unknown>
  ? Name
  : never;

/** Functions that are loaded when one of them is called. */
function late<Calls, Name extends keyof Calls & string>(
  load: () => Promise<Calls>,
  ...names: readonly Answers<Calls, Name>[]
): Pick<Calls, Name> {
  const call =
    (name: Answers<Calls, Name>) =>
    async (...words: never[]): Promise<unknown> =>
      ((await load())[name] as (...words: never[]) => Promise<unknown>)(...words);
  return Object.fromEntries(names.map((name) => [name, call(name)])) as unknown as Pick<Calls, Name>;
}

/** Every use case. */
export const useCases: UseCases = {
  ...late(async () => (await leases()).calls, "openLease", "extendLease", "endLease", "getLease", "listLeases"),
  ...late(
    async () => (await others()).calls,
    "allocateRule",
    "askAgain",
    "changePolicy",
    "confirmPolicy",
    "getPolicyView",
    "listPolicyVersions",
    "withdrawPolicy",
    "confirmBaseline",
    "previewBaseline",
    "confirmGuard",
    "decideByLink",
    "openLink",
    "decideDrift",
    "isOwed",
    "settleDecision",
    "decideLease",
    "approveItem",
    "exemptItem",
    "restoreItem",
    "exportRecords",
    "followLease",
    "health",
    "issueToken",
    "justifyLease",
    "liftLockdown",
    "listApprovals",
    "askAudit",
    "getAudit",
    "listAudits",
    "getDrift",
    "listDrift",
    "getGroup",
    "listGroups",
    "getLedgerEntry",
    "listLedger",
    "getLockdown",
    "listLockdowns",
    "listRecords",
    "getRecycling",
    "listRecycling",
    "listTokens",
    "lookAtGroup",
    "recycle",
    "retireEntry",
    "settleAllocation",
    "revokeToken",
    "rotateToken",
    "getMode",
    "setMode",
    "previewLockdown",
    "startLockdown",
    "sweep",
  ),
};
