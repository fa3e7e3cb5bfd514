// Monthly audits as the API shows them.
import type * as z from "zod/mini";
import type { Audit, AuditedGroup, AuditSummary } from "../domain/audit.ts";
import { formatUtc } from "../domain/instant.ts";
import type { AuditPage } from "../usecases/operation/list-audits.ts";
import type { auditedGroupView, auditListView, auditView } from "./answers-audits.ts";

const summaryOf = ({ computedAt, policyVersion, groups, failed, findings, unreadable = 0, totals }: AuditSummary) => ({
  computedAt: formatUtc(computedAt),
  ...{ policyVersion, groups, failed, findings, unreadable, totals },
});

const groupOf = ({
  group,
  name,
  failed,
  owners,
  ports,
}: AuditedGroup): z.output<ReturnType<typeof auditedGroupView>> => ({
  region: group.region,
  group: group.groupId,
  name,
  failed,
  owners: [...owners],
  ports: ports.map((port) => ({
    ...port,
    lastUsedAt: port.lastUsedAt === null ? null : formatUtc(port.lastUsedAt),
  })),
});

/** A page of an audit. */
export const viewAudit = ({
  month,
  isPartial,
  summary,
  groups,
  next,
}: AuditPage): z.output<ReturnType<typeof auditView>> => ({
  month,
  isPartial,
  ...summaryOf(summary),
  items: groups.map(groupOf),
  next,
});

/** Every month. */
export const viewAudits = ({
  audits,
  unreadable,
}: {
  readonly audits: readonly Audit[];
  readonly unreadable: readonly string[];
}): z.output<ReturnType<typeof auditListView>> => ({
  audits: audits.map(({ month, summary, running }) => ({
    month,
    running: running !== null,
    finished: summary && summaryOf(summary),
  })),
  unreadable: [...unreadable],
});
