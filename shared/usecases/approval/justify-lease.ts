// Says afterwards why a lease was opened without the second person it needed.
import type { LeaseId } from "../../domain/ids.ts";
import { fail } from "../../errors/app-error.ts";
import { unjustifiedDelete } from "../../store/attention.ts";
import { writeJustification } from "../../store/leases.ts";
import type { App, Caller } from "../app.ts";
import { leaseFor } from "../lease/extend-lease.ts";
import { type LeaseAnswer, reachOf } from "../lease/lease-answer.ts";
import { recordDecision } from "../records/record-decision.ts";

/** Keeps the justification, once: the first word stays, and of one that comes later the trail alone tells. Throws NOT_TO_JUSTIFY, LEASE_UNKNOWN, LEASE_NOT_YOURS. */
export async function justifyLease(
  app: App,
  caller: Caller,
  leaseId: LeaseId,
  text: string,
  options: { dryRun: boolean },
): Promise<LeaseAnswer> {
  const lease = await leaseFor(app, caller, leaseId);
  const { request, justification } = lease;
  if ((request.grant?.justifyBy ?? null) === null || justification !== null)
    throw fail("NOT_TO_JUSTIFY", { lease: leaseId });
  const members = await app.inventory.members(request.group, "inventory").catch(() => []);
  const answer = { lease, reach: reachOf(request.specs, members), settled: true, extended: false, notes: [] };
  if (options.dryRun) return { ...answer, plan: ["keep the justification"] };
  const said = { by: caller.principal, at: app.clock.now(), text };
  await recordDecision(app, caller, request.group, `justify ${leaseId}`, {
    lines: [`${leaseId} is justified: ${text}`],
    changes: [{ what: `justification of ${leaseId}`, before: null, after: text }],
  });
  if (!(await writeJustification(app.tables, leaseId, said))) {
    const lines = [`what ${caller.principal} said came later than another's justification of ${leaseId}, which stays`];
    await recordDecision(app, caller, request.group, `justify ${leaseId}`, { lines, changes: [] });
    throw fail("NOT_TO_JUSTIFY", { lease: leaseId });
  }
  await app.tables.writeAll([unjustifiedDelete(leaseId)]);
  return { ...answer, lease: { ...lease, justification: said }, plan: [] };
}
