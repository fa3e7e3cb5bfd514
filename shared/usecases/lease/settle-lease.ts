// Brings a lease to rest: runs passes of its group, or waits for somebody else's, until the answer is known or the time is up.
import { isFinal } from "../../domain/lease.ts";
import type { Lease, LeaseStatus } from "../../domain/lease-record.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import { getLease } from "../../store/leases.ts";
import type { App } from "../app.ts";
import type { PassOptions } from "../pass/pass-report.ts";
import { runPass } from "../pass/run-pass.ts";

const POLL_MS = 40;
const POLL_MAX_MS = 500;

/**
 * Answers the lease and whether it is where it was meant to be (`wanted`), or over. The rows that have the sweep look at the lease should
 * this process die go when the lease is at rest.
 */
export async function settleLease(
  app: App,
  known: Lease,
  { lockRow, ...options }: Omit<PassOptions, "deadlineAt"> & { wanted: (lease: Lease) => boolean },
): Promise<{ lease: Lease; settled: boolean }> {
  const { group, leaseId } = known.request;
  const deadlineAt = app.clock.monotonicMs() + app.settings.answerWithinMs;
  for (let round = 0; ; round++) {
    let atRest = false;
    let status: LeaseStatus | undefined;
    try {
      const report = await runPass(app, group, { ...options, deadlineAt, lockRow: round === 0 ? lockRow : undefined });
      atRest = report !== null && !report.unsettled.has(leaseId);
      status = report?.statuses.get(leaseId);
      // What gave way in other groups goes now, and not only with the row that finds it should this process die.
      for (const other of report?.gaveWay ?? []) {
        const { wanted: _, says: __, members: ___, ...terms } = options;
        await runPass(app, other, { ...terms, rows: [], deadlineAt });
      }
    } catch (error) {
      if (!(error instanceof CloudFailure)) throw error;
      app.log.write("warn", `a pass over ${group.groupId} failed`, {
        operation: error.operation,
        kind: error.kind,
        code: error.cloudCode,
      });
      if (error.kind === "refused" || error.kind === "throttled") atRest = true;
    }
    const lease: Lease | null = status ? { ...known, status } : await getLease(app.tables, leaseId);
    if (!lease) throw new Error(`lease ${leaseId} has no row`);
    const settled = isFinal(lease.status.state) || options.wanted(lease);
    if (settled || atRest || app.clock.monotonicMs() >= deadlineAt) return { lease, settled };
    await app.clock.sleep(Math.min(POLL_MAX_MS, POLL_MS * 1.5 ** round) * (1 + app.random.fraction()));
  }
}
