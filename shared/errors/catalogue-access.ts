// Failures of who may do what.
import { type CatalogueEntry, entry } from "./catalogue-entry.ts";

export const accessFailures = {
  OUT_OF_SCOPE: entry(
    403,
    "never",
    "caller",
    () => "What this call is about is not within what the token is for.",
    () => "Name a group within the token's scope, or have an administrator issue a token with another scope.",
  ),
  GRANT_DENIED: entry(
    403,
    "never",
    "caller",
    (d) => `The policy does not grant it: ${d["why"]}.`,
    () => "Ask for what the policy grants, or have an administrator change its `grants`.",
  ),
  GRANT_LIMIT: entry(
    422,
    "never",
    "caller",
    (d) => `The policy does not grant that much: ${d["why"]}.`,
    () => "Ask for less, or have an administrator change the policy.",
  ),
  LEASES_TOO_MANY: entry(
    409,
    "later",
    "caller",
    (d) => `${d["person"]} has ${d["count"]} leases, and the policy allows ${d["max"]} at a time (lease.openMax).`,
    () => "End a lease that is not needed any more, or wait for one to end.",
  ),
  BREAK_GLASS_FORBIDDEN: entry(
    403,
    "never",
    "caller",
    () => "The policy does not let you open this without its second person.",
    () => "Ask without breakGlass and have it approved, or have an administrator change `breakGlass` of the policy.",
  ),
  REASON_MISSING: entry(
    422,
    "never",
    "caller",
    (d) => `Opening without a second person needs a reason of at least ${d["min"]} characters.`,
    () => "Say in `reason` what happened and why it cannot wait.",
  ),
  LEASE_WAITS: entry(
    409,
    "later",
    "caller",
    (d) => `The lease ${d["lease"]} is ${d["state"]}: it is not open yet.`,
    () => "Wait until it is open, or end it and ask anew.",
  ),
  EXTENSION_NEEDS_APPROVAL: entry(
    409,
    "never",
    "caller",
    (d) => `The lease ${d["lease"]} needs a second person, who approved this period and no longer one.`,
    () => "Ask for a new lease with POST /v1/leases and have it approved; both hold the same rule.",
  ),
  APPROVAL_OWN: entry(
    403,
    "never",
    "caller",
    (d) => `${d["person"]} asked for this lease, and nobody decides about what the same person asked for.`,
    () => "Have another person approve it.",
  ),
  APPROVER_MISSING: entry(
    403,
    "never",
    "caller",
    () => "You are neither an approver nor named in the ledger as owner or stand-in of the port.",
    () => "Ask somebody with the role approver, or the port's owner.",
  ),
  APPROVAL_DECIDED: entry(
    409,
    "never",
    "caller",
    (d) => `The lease ${d["lease"]} is ${d["state"]}: there is nothing to decide about it any more.`,
    () => "Read the lease to see who decided.",
  ),
  APPROVAL_CHANGED: entry(
    409,
    "never",
    "caller",
    () => "What is asked for is not what you looked at.",
    () => "Read the lease again, and approve the `approval.change` it shows now.",
  ),
  APPROVAL_BROKEN: entry(
    409,
    "never",
    "us",
    (d) => `The lease ${d["lease"]} is not what was approved: it is not opened.`,
    () => "Ask for a new lease, and have an administrator look at the record of this one.",
  ),
  NOT_TO_JUSTIFY: entry(
    409,
    "never",
    "caller",
    (d) =>
      `The lease ${d["lease"]} has nothing to justify: it was not opened without a second person, or has been justified.`,
    () => "Read the lease to see.",
  ),
} satisfies Record<string, CatalogueEntry>;
