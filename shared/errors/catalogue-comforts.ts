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
  START_HOST_MOVED: entry(
    409,
    "never",
    "caller",
    (d) => `By its start the instance ${d["instance"]} is no longer in ${d["group"]}, or has another address.`,
    () => "Ask for a new lease on the instance as it is now.",
  ),
} satisfies Record<string, CatalogueEntry>;
