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
} satisfies Record<string, CatalogueEntry>;
