// Failures of the recycling queue.
import { type CatalogueEntry, entry } from "./catalogue-entry.ts";

export const recyclingFailures = {
  RECYCLING_UNKNOWN: entry(
    404,
    "never",
    "caller",
    (d) => `There is no recycling item ${d["item"]}.`,
    () => "GET /v1/recycling lists the items with their ids.",
  ),
  RECYCLING_STATE: entry(
    409,
    "later",
    "caller",
    (d) => `${d["item"]} is ${d["state"]}: ${d["why"]}.`,
    () => "GET /v1/recycling/{id} tells what the item waits for and which step is next.",
  ),
  RECYCLING_CHANGED: entry(
    409,
    "never",
    "caller",
    (d) => `${d["item"]} has changed since it was shown: rev ${d["rev"]} was approved, and it is at ${d["now"]}.`,
    () => "GET /v1/recycling/{id} shows it as it is now; approve that, with its rev.",
  ),
  RECYCLING_REPORT_ONLY: entry(
    422,
    "never",
    "caller",
    (d) => `Unused rules of ${d["group"]} are reported only: the policy does not name the group.`,
    () => "Add the group's id or name to recycling.groups in the policy, and approve the step again.",
  ),
  RECYCLING_NO_QUARANTINE: entry(
    409,
    "later",
    "caller",
    (d) => `${d["item"]} cannot be quarantined: ${d["why"]}.`,
    () =>
      "Change what stands in the way, or look at the rule and approve its deletion without a quarantine, or exempt it.",
  ),
  RECYCLING_CUTS_OPERATORS: entry(
    409,
    "never",
    "caller",
    (d) => `${d["item"]} is a way in that the policy keeps open: ${d["why"]}.`,
    () =>
      "Let another rule open that path first, or take it out of operatorPath in the policy; a deletion may be approved with waivedBy, the name of who answers for it.",
  ),
  RECYCLING_SHORT_EVIDENCE: entry(
    409,
    "later",
    "caller",
    (d) => `${d["item"]} was queued by an alarm, and its evidence is short: ${d["why"]}.`,
    () =>
      "Wait until the whole window says that it is idle, or approve the step with onShortEvidence: true and answer for it yourself.",
  ),
  RECYCLING_EXEMPTION_END: entry(
    422,
    "never",
    "caller",
    (d) => `An exemption ends between now and ${d["latest"]}; ${d["until"]} does not.`,
    (d) => `Name an end up to ${d["latest"]}, and renew it then, or put the rule into recycling.exempt of the policy.`,
  ),
  RECYCLING_RESTORE_IMPOSSIBLE: entry(
    409,
    "later",
    "caller",
    (d) => `${d["item"]} cannot be restored: ${d["why"]}.`,
    (d) => `GET /v1/recycling/{id} shows the rule in full, to be opened elsewhere (${d["key"]}).`,
  ),
} satisfies Record<string, CatalogueEntry>;
