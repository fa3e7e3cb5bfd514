// Failures of leases that start later, move or end otherwise than by themselves.
import { type CatalogueEntry, entry } from "./catalogue-entry.ts";

export const comfortFailures = {
  START_INVALID: entry(
    422,
    "never",
    "caller",
    (d) => `The lease cannot start at ${d["start"]}: ${d["why"]}.`,
    () => "Give a `startAt` that the policy allows, or leave it out to open at once.",
  ),
  START_NEEDS_APPROVAL: entry(
    409,
    "never",
    "caller",
    (d) =>
      `By its start the lease ${d["lease"]} needs ${d["needed"]} other persons, and ${d["persons"]} have approved it.`,
    () => "Ask for a new lease and have it approved.",
  ),
  LEASE_HOST_MOVED: entry(
    409,
    "never",
    "caller",
    (d) => `The instance ${d["instance"]} is no longer in ${d["group"]}, or has another address than the lease is for.`,
    () => "Ask for a new lease on the instance as it is now.",
  ),
  SESSIONS_NOT_CUT: entry(
    422,
    "never",
    "caller",
    (d) => `Sessions cannot be cut at the end of this lease: ${d["why"]}.`,
    () => "Ask without `sessions`, which keeps them; docs/settings.md says how cutting is switched on.",
  ),
  FOLLOW_AMBIGUOUS: entry(
    422,
    "never",
    "caller",
    (d) => `The lease ${d["lease"]} lets in several addresses (${d["sources"]}); which of them has moved is not said.`,
    () => "Name it in `from`.",
  ),
  FOLLOW_UNKNOWN: entry(
    422,
    "never",
    "caller",
    (d) => `The lease ${d["lease"]} does not let in ${d["source"]}, so that it cannot move from there.`,
    () => "Read the lease, and name one of its `sources` in `from`.",
  ),
  FOLLOW_NEEDS_APPROVAL: entry(
    409,
    "never",
    "caller",
    (d) => `The lease ${d["lease"]} needs a second person, who approved its address and no other.`,
    () => "Ask for a new lease from the new address and have it approved.",
  ),
} satisfies Record<string, CatalogueEntry>;
