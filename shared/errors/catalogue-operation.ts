// Failures of running an installation: its mode and its policy.
import { type CatalogueEntry, entry } from "./catalogue-entry.ts";

export const operationFailures = {
  MODE_FORBIDS: entry(
    409,
    "later",
    "caller",
    (d) => `safeport is in mode ${d["mode"]}: nothing is opened. What is open ends at its time.`,
    () => "GET /v1/mode tells who set it and why; an administrator sets it back with PUT /v1/mode.",
  ),
} satisfies Record<string, CatalogueEntry>;
