// Tells the holder of a lease that it is about to end.
import type { LeaseId } from "../../domain/ids.ts";
import type { Lease, LeaseRequest } from "../../domain/lease-record.ts";
import { noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import { isHolding } from "../../plan/picture.ts";
import { endNoticeInstants } from "../../plan/plan-end-notices.ts";
import type { Write } from "../../ports/tables.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { getLease } from "../../store/leases.ts";
import { getEntry } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { portsOf } from "../approval/ask-approval.ts";
import { tell } from "../notices/tell.ts";

/** The job that tells; its name is in stored rows. */
const JOB = "ending";

/**
 * One row for each time the holder is to be told of an end: for the `writeAll` of the end's own due row. Each names the end it is of, so
 * that after an extension those of the old end say nothing.
 */
export const endNoticeWrites = (
  { lease }: Policy,
  leaseId: LeaseId,
  life: { readonly from: number; readonly until: number; readonly now: number },
): readonly Write[] =>
  endNoticeInstants(life, lease.endNotices, life.now).map((at) =>
    dueWrite(dueJob(JOB, `${leaseId}/${life.until}/${at}`, at)),
  );

/** One row's turn. May be repeated: the notice is known by lease, end and instant. */
export async function tellEnding(app: App, param: string): Promise<null> {
  const [leaseId = "", until, at] = param.split("/");
  const lease = await getLease(app.tables, leaseId as LeaseId);
  const now = app.clock.now();
  const end = lease === null ? null : await endOf(app, lease, now);
  if (lease === null || end === null || end !== Number(until)) return null;
  const { principal, group } = lease.request;
  await tell(app, [
    noticeOf("leaseEnding", {
      ...{ at: Number(at), group, to: [{ kind: "person", principal }] },
      dedupe: `${leaseId}/${until}/${at}`,
      data: { lease: leaseId, principal, ports: portsOf(lease.request), until: end, leftMs: end - now },
    }),
  ]);
  return null;
}

/** The end of a lease that is open or about to be, by the ledger, which an extension writes first; null for any other. */
async function endOf(app: App, { request, status }: Lease, now: number): Promise<number | null> {
  if (status.state !== "open" && status.state !== "opening") return null;
  const holder = await holderOf(app, request);
  return holder && isHolding(holder, now) ? holder.until : null;
}

async function holderOf(app: App, { group, entryIds, leaseId }: LeaseRequest) {
  const [first] = entryIds;
  const entry = first === undefined ? null : await getEntry(app.tables, group, first);
  return entry?.holders.find((it) => it.holderId === leaseId);
}
