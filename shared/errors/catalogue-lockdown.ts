// Failures of alarms and lockdowns.
import { type CatalogueEntry, entry } from "./catalogue-entry.ts";

export const lockdownFailures = {
  LOCKDOWN_UNKNOWN: entry(
    404,
    "never",
    "caller",
    (d) => `There is no lockdown ${d["lockdown"]}.`,
    () => "GET /v1/lockdown lists them.",
  ),
  LOCKDOWN_EMPTY: entry(
    422,
    "never",
    "caller",
    (d) => `No group is found for a lockdown of ${d["scope"]}.`,
    () => "Check the names; lockdown.groups of the policy names the groups in which a lockdown writes.",
  ),
  LOCKDOWN_WITHOUT_OPERATORS: entry(
    409,
    "never",
    "caller",
    () => "The policy has no operator path: a lockdown would close the way in to everybody.",
    () => "Name it in operatorPath of the policy, or say who answers for its lack: waivedBy.",
  ),
  GROUP_LOCKED_DOWN: entry(
    409,
    "later",
    "caller",
    (d) => `The group ${d["group"]} is locked down by ${d["lockdown"]} until ${d["until"]}: nothing opens there.`,
    () => "Wait for its end, or ask an operator to lift it: POST /v1/lockdown/{id}:lift.",
  ),
  LOCKDOWN_LISTS_UNPROBED: entry(
    409,
    "never",
    "caller",
    (d) => `Prefix lists for lockdowns are off: no probe of them has passed in ${d["regions"]}.`,
    () =>
      "Run safeport probe --only emptyPrefixList in each region, and set SAFEPORT_LOCKDOWN_LISTS to the words it prints; or leave lockdown.prefixLists empty.",
  ),
  LOCKDOWN_LISTS_TOO_WIDE: entry(
    422,
    "never",
    "caller",
    (d) => `Drops on lists would count for ${d["weight"]} rules of an interface, which has room for ${d["max"]}.`,
    () => "Name fewer or wider sources in operatorPath, or raise limits.rulesPerInterface to your quota.",
  ),
  ALARM_REFUSED: entry(
    404,
    "never",
    "caller",
    () => "There is nothing here.",
    () => "Check the address of the webhook.",
  ),
  ALARM_INVALID: entry(
    400,
    "never",
    "caller",
    (d) => `The alarm cannot be read: ${d["why"]}.`,
    () => "Send the form post of CloudMonitor.",
  ),
} satisfies Record<string, CatalogueEntry>;
