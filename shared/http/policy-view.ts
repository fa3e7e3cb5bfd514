// The policy and its changes as the API shows them.
import type * as z from "zod/mini";
import { formatUtc } from "../domain/instant.ts";
import type { PolicyAnswer, PolicyView } from "../usecases/policy/change-policy.ts";
import type { PolicyStep } from "../usecases/policy/preview-policy.ts";
import type { policyAnswerView, policyVersionsView, policyView } from "./answers-policy.ts";

type Row = PolicyView["inForce"];

/** A version with its document. */
export function viewPolicy({ inForce, pending }: PolicyView): z.output<ReturnType<typeof policyView>> {
  return {
    ...viewVersion(inForce),
    policy: documentOf(inForce.text),
    pending: pending && {
      base: pending.base,
      digest: pending.digest,
      by: pending.by,
      at: formatUtc(pending.at),
      until: formatUtc(pending.until),
      reason: pending.reason,
      policy: documentOf(pending.text),
    },
  };
}

/** A version without its document. */
export function viewVersion({
  version,
  by,
  confirmedBy,
  at,
  reason,
}: Row): z.output<ReturnType<typeof policyVersionsView>>["versions"][number] {
  return { version, by, confirmedBy, at: at === null ? null : formatUtc(at), reason };
}

/** A change: what it says, what it does, and what is still to be done. */
export function viewPolicyAnswer(answer: PolicyAnswer, dryRun: boolean): z.output<ReturnType<typeof policyAnswerView>> {
  const { version, state, widens, digest, until, changes, warnings, preview, lists } = answer;
  return {
    ...{ version, state, dryRun, widens, digest },
    until: until === null ? null : formatUtc(until),
    changes: changes.map((change) => ({ ...change })),
    warnings: warnings.map(({ path, what, remedy }) => ({ path, what, remedy })),
    guards: preview.guards.map(({ group, ...guard }) => ({ group: group.groupId, ...guard })),
    begins: preview.begins.map(viewStep),
    ceases: preview.ceases.map(viewStep),
    looked: preview.looked,
    groups: preview.groups,
    unreadable: preview.unreadable.map(({ groupId }) => groupId),
    away: [...preview.away],
    lists: lists && { ...lists, groups: lists.groups.map((it) => ({ ...it })) },
  };
}

const viewStep = ({
  group,
  reach,
  ...step
}: PolicyStep): z.output<ReturnType<typeof policyAnswerView>>["begins"][number] => ({
  group: group.groupId,
  ...step,
  reach: { ...reach, hosts: [...reach.hosts], sources: [...reach.sources] },
});

/** A stored document that is no JSON object is shown as empty: it is not in force either. */
function documentOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
