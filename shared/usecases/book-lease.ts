// Books a lease: idempotency key, due rows, lease, ledger; in this order, so that a crash in between leaves work the sweep finds.
import { createHash } from "node:crypto";
import type { Lease, LeaseRequest, LeaseStatus } from "../domain/lease-record.ts";
import { fail } from "../errors/app-error.ts";
import { type Due, dueLease, dueWrite } from "../store/due.ts";
import { claimKey } from "../store/idempotency.ts";
import { createLease, getLease, newLeaseId } from "../store/leases.ts";
import type { App, Caller } from "./app.ts";
import { bookHolds, NET_AFTER_MS } from "./book-holds.ts";
import { endAfter, type LeaseAsk, type Opening, requestOf } from "./lease-ask.ts";

/** An idempotency key as it is stored: apart for each caller, and for one request only. */
export interface RequestKey {
  readonly name: string;
  readonly requestHash: string;
}

export const requestKey = (caller: Caller, ask: LeaseAsk, key: string): RequestKey => ({
  name: `${caller.principal}/${key}`,
  requestHash: createHash("sha256").update(JSON.stringify(ask)).digest("hex"),
});

/** The due row that has the sweep look at a lease whose opener has died. */
export const netOf = (app: App, { group, leaseId, requestedAt }: LeaseRequest): Due =>
  dueLease(group, leaseId, requestedAt + NET_AFTER_MS, app.settings.shards);

/** Books the lease and arms its wake-up. Throws IDEMPOTENCY_KEY_REUSED. */
export async function bookLease(app: App, opening: Opening, key: RequestKey | null): Promise<Lease> {
  const now = app.clock.now();
  let leaseId = newLeaseId(now, app.random);
  if (key !== null) {
    const claim = await claimKey(app.tables, key.name, { leaseId, requestHash: key.requestHash });
    if (claim.requestHash !== key.requestHash) throw fail("IDEMPOTENCY_KEY_REUSED");
    leaseId = claim.leaseId;
  }
  const request = requestOf(opening, leaseId, now);
  const until = endAfter(now, request.periodMs);
  const status: LeaseStatus = {
    state: "opening",
    until,
    openedAt: null,
    closedAt: null,
    preExisting: false,
    ruleIds: [],
    note: null,
    noteDetail: null,
  };
  const end = dueLease(request.group, leaseId, until, app.settings.shards);
  await app.tables.writeAll([dueWrite(end), dueWrite(netOf(app, request))]);
  const booked = { request, status };
  const created = await createLease(app.tables, booked);
  // The same key at the same time, or a retry of a request that died here: the lease that is there is the one.
  const lease = created === "conflict" ? ((await getLease(app.tables, leaseId)) ?? booked) : booked;
  await Promise.all([bookHolds(app, lease, created === "written"), app.wakeup.arm(end.shard, until)]);
  return lease;
}
