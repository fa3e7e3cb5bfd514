// Records and health as the API shows them: instants as UTC text, durations with their unit in the name.
import type * as z from "zod/mini";
import { formatUtc } from "../domain/instant.ts";
import type { Health } from "../usecases/operation/health.ts";
import type { RecordPage } from "../usecases/records/list-records.ts";
import type { healthView } from "./answers-operation.ts";
import type { recordPageView } from "./answers-records.ts";
import { viewMode } from "./mode-view.ts";

/** A page of the audit trail. */
export function viewRecords({ records, next }: RecordPage): z.output<ReturnType<typeof recordPageView>> {
  const view = records.map(({ sequence, at, group, cause, actor, from, policyVersion, decidedBy, lines, changes }) => ({
    sequence,
    at: formatUtc(at),
    region: group?.region ?? null,
    group: group?.groupId ?? null,
    cause,
    actor,
    from: from ?? null,
    policyVersion,
    decidedBy: decidedBy ?? null,
    lines: [...lines],
    changes: (changes ?? []).map(({ what, before, after }) => ({ what, before: before ?? null, after: after ?? null })),
  }));
  return { records: view, next };
}

/** How the program is. */
export function viewHealth(health: Health): z.output<ReturnType<typeof healthView>> {
  return {
    status: health.status,
    now: formatUtc(health.now),
    oldestDueAt: health.oldestDueAt === null ? null : formatUtc(health.oldestDueAt),
    overdueEnds: health.overdueEnds.map((end) => ({ ...end, dueAt: formatUtc(end.dueAt) })),
    oldestGroupSeenAt: health.oldestGroupSeenAt === null ? null : formatUtc(health.oldestGroupSeenAt),
    groupSeenTargetSeconds: health.groupSeenTargetMs === null ? null : health.groupSeenTargetMs / 1000,
    unjustified: health.unjustified.map((it) => ({ ...it, justifyBy: formatUtc(it.justifyBy) })),
    evidence: health.evidence.map(({ readUntil, ...it }) => ({
      ...it,
      readUntil: readUntil === null ? null : formatUtc(readUntil),
    })),
    trail: {
      checkedAt: health.trail.checkedAt === null ? null : formatUtc(health.trail.checkedAt),
      faults: health.trail.faults.map(({ of, kind, why }) => ({ of, kind, why })),
    },
    clockSkewSeconds: health.clockSkewMs / 1000,
    policyVersion: health.policyVersion,
    mode: viewMode(health.mode),
  };
}
