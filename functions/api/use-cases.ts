// What the API can do, loaded with the first call that needs it: a start needs none of it.
import type { UseCases } from "../../shared/http/route.ts";

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

/** All of them. */
export const useCases: UseCases = {
  ...late(
    async () => (await import("./lease-calls.ts")).leaseCalls,
    "openLease",
    "extendLease",
    "endLease",
    "getLease",
    "listLeases",
  ),
  ...late(
    async () => (await import("./other-calls.ts")).otherCalls,
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
    "revokeToken",
    "rotateToken",
    "getMode",
    "setMode",
    "previewLockdown",
    "startLockdown",
    "sweep",
  ),
};
