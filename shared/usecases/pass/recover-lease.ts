// Books a lease again from the mark of its rule, where the tables were lost.
import type { GroupRef, LeaseId } from "../../domain/ids.ts";
import type { LeaseRequest, LeaseStatus } from "../../domain/lease-record.ts";
import { entryIdOf, ruleKey } from "../../domain/rule-key.ts";
import type { KnownRule } from "../../plan/picture.ts";
import { dueLease, dueWrite } from "../../store/due.ts";
import { createLease, newLeaseId } from "../../store/leases.ts";
import { getEntry, saveEntry } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { freshEntry } from "../ledger/book-holds.ts";

/** Books due row, lease and ledger row, in this order. Answers null, and writes nothing, when the ledger knows the rule. */
export async function recoverLease(
  app: App,
  group: GroupRef,
  rule: KnownRule,
  until: number,
  now: number,
): Promise<LeaseId | null> {
  const entryId = entryIdOf(group.groupId, ruleKey(rule));
  if (await getEntry(app.tables, group, entryId)) return null;
  const leaseId = newLeaseId(now, app.random);
  await app.tables.writeAll([dueWrite(dueLease(group, leaseId, until, app.settings.shards))]);
  const principal = "recovered";
  const reason = "recovered from its mark";
  const { direction, protocol, ports, peer, policy, priority, sourcePorts, dest } = rule;
  const spec = { direction, protocol, ports, peer, policy, priority, sourcePorts, dest };
  const request: LeaseRequest = {
    leaseId,
    principal,
    group,
    groupName: group.groupId,
    instanceId: null,
    specs: [spec],
    entryIds: [entryId],
    periodMs: until - now,
    startAt: null,
    sessions: "keep",
    reason,
    ticket: "",
    requestedAt: now,
    follows: null,
    grant: null,
  };
  const status: LeaseStatus = {
    state: "open",
    until,
    openedAt: now,
    closedAt: null,
    preExisting: false,
    ruleIds: [rule.id],
    note: reason,
    noteDetail: null,
  };
  await createLease(app.tables, { request, status, approval: null });
  await saveEntry(app.tables, {
    ...freshEntry(group, spec),
    holders: [
      { kind: "lease", holderId: leaseId, principal, reason, until, openedAt: now, statedUntil: until, ended: null },
    ],
    standing: { kind: "ours", ruleId: rule.id },
  });
  return leaseId;
}
