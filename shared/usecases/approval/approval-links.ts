// The link that a message carries for the person who is asked.
import { formatLink } from "../../domain/approval-link.ts";
import { personOf } from "../../domain/grant-policy.ts";
import type { Notice } from "../../domain/notice.ts";
import type { NotifyTarget } from "../../domain/notification-policy.ts";
import type { Policy } from "../../domain/policy.ts";
import type { App } from "../app.ts";

/**
 * The address at which the asked person decides, or null: without a public address; for a notice of another kind or for a role; and at a
 * target where others read, the requester among them, because whoever holds the link decides in the person's name.
 */
export function linkFor(app: App, policy: Policy, notice: Notice, target: NotifyTarget): string | null {
  if (notice.kind !== "approvalAsked") return null;
  const { publicUrl, markSecret: secret } = app.settings;
  if (!publicUrl) return null;
  const [to] = notice.to;
  if (to?.kind !== "person") return null;
  const { lease: leaseId, expiresAt, change } = (notice as Notice<"approvalAsked">).data;
  const { people, groups, roles, otherwise } = policy.notifications;
  const isPersons = ([name]: readonly [string, unknown]): boolean =>
    personOf(policy, name) === personOf(policy, to.principal);
  const reads = Object.entries(people).filter(([, { targets }]) => targets.includes(target.name));
  const isShared =
    reads.some((entry) => !isPersons(entry)) ||
    [...Object.values(groups), ...Object.values(roles), otherwise].some((names) => names.includes(target.name));
  if (isShared || !reads.some(isPersons)) return null;
  return `${publicUrl}/v1/links/${formatLink({ leaseId, person: to.principal, expiresAt }, { change, secret })}`;
}
