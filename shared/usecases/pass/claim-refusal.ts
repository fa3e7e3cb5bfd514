// Why a claim makes nothing theirs, and what people are told of one.
import type { GroupRef } from "../../domain/ids.ts";
import { type Addressee, type Notice, noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import { reachOf } from "../../domain/reach.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import type { Sighting } from "../../domain/sighting.ts";
import { effectiveGuard } from "../../plan/effective-guard.ts";
import { nameOf, trustedOf } from "../../plan/judge-drift.ts";
import { getGroupRow } from "../../store/group-rows.ts";
import { listEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { sensitiveBesideGranted } from "../ledger/sensitive-ports.ts";

/** One rule of a call that a lease held or still holds. */
export interface Claim {
  readonly spec: RuleSpec;
  readonly description: string;
  /** None where they have ended since, and the rule is closed for a time. */
  readonly leases: readonly string[];
}

/** Whose call it is, and where. */
export interface ClaimCase {
  readonly app: App;
  readonly policy: Policy;
  readonly group: GroupRef;
  readonly sighting: Sighting;
}

/** Why a claim makes nothing theirs. */
export type ClaimRefusal = "enforced" | "sensitive";

/** The refusal in words. */
export const WHY: Readonly<Record<ClaimRefusal, string>> = {
  enforced: "in an enforced group it is drift and closes with the lease; ask for it in the ledger",
  sensitive:
    "with what is granted, everybody could reach a sensitive port by it: it closes with the lease; an administrator may grant it in the ledger",
};

/**
 * Why a claim does not make the rules theirs; null where it does. What the policy would adopt had it been opened anew is not
 * drift because a lease was there first. What lets everybody reach a sensitive port, all together with what is granted, nobody is given
 * unseen, whatever the guard.
 */
export async function refusalOf(
  { app, policy, group, sighting }: ClaimCase,
  specs: readonly RuleSpec[],
): Promise<ClaimRefusal | null> {
  const open = await sensitiveBesideGranted(app, policy, group, { specs, replaced: null });
  if (open.length > 0) return "sensitive";
  if (trustedOf(sighting.actor, policy)?.treat === "adopt" || !(await isEnforced(app, policy, group))) return null;
  return "enforced";
}

/** What people are told of a claim: once for what becomes of it. */
export function claimNotice(
  { app, group, sighting }: ClaimCase,
  claims: readonly Claim[],
  refusal: ClaimRefusal | null,
): Notice {
  const kept = refusal === null;
  const actor = nameOf(sighting.actor);
  const data = {
    leases: claims.flatMap((claim) => claim.leases).join(", ") || "–",
    rules: claims.map(({ spec }) => reachOf(spec, null, "opens")).join("; "),
    actor: `${actor} (${sighting.address})`,
    kept,
    ...(refusal === "sensitive" && { sensitive: true }),
  };
  const to: Addressee[] = [{ kind: "group" }, { kind: "role", role: "operator" }, { kind: "person", principal: actor }];
  const dedupe = `${group.groupId}/${sighting.eventId}/${kept}`;
  return noticeOf("ruleClaimed", { at: app.clock.now(), group, to, dedupe, data });
}

async function isEnforced(app: App, policy: Policy, group: GroupRef): Promise<boolean> {
  const [facts, row, { entries }] = await Promise.all([
    app.inventory.group(group, "drift"),
    getGroupRow(app.tables, group),
    listEntries(app.tables, group),
  ]);
  return facts !== null && effectiveGuard({ policy, facts, row, entries }).acts === "enforce";
}
