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
  POLICY_UNREADABLE: entry(
    503,
    "later",
    "us",
    () => "No version of the policy can be read: nothing is judged or opened; what is open ends at its time.",
    () =>
      "The function's log says what is wrong. Remove the damaged rows `policy` of the table `policy`: the newest that is left is in force. Where none is left, `safeport setup` writes the shipped policy, over which an administrator applies a kept one.",
  ),
  STATE_OF_ANOTHER: entry(
    503,
    "later",
    "us",
    (d) =>
      `The tables are of the installation ${d["other"]}, and this is ${d["own"]}: nothing is read, opened or ended.`,
    () =>
      "Give this installation a Tablestore instance of its own (SAFEPORT_TABLESTORE_INSTANCE), run `safeport setup --apply` and deploy it anew.",
  ),
  STATE_HALF_IMPORTED: entry(
    503,
    "later",
    "us",
    () => "An import was cut: a part of a state is there, and nothing is read, opened or ended by it.",
    () => "Run the same `safeport state import` again: it goes on where it was cut.",
  ),
  POLICY_INVALID: entry(
    422,
    "never",
    "caller",
    (d) => `The policy has ${d["count"]} mistakes: ${d["mistakes"]}.`,
    () => "Correct them; `safeport policy check FILE` names the lines.",
  ),
  POLICY_UNKNOWN: entry(
    404,
    "never",
    "caller",
    (d) => `There is no version ${d["version"]} of the policy.`,
    () => "GET /v1/policy/versions lists them.",
  ),
  POLICY_CHANGED: entry(
    409,
    "never",
    "caller",
    (d) => `The change was made to version ${d["base"]} of the policy; version ${d["version"]} is in force by now.`,
    () => "Read the policy in force, make the change to that, and send it again.",
  ),
  POLICY_NOT_PENDING: entry(
    409,
    "never",
    "caller",
    () => "No change of the policy with this digest waits for a confirmation.",
    () => "GET /v1/policy shows what waits; a change that was not confirmed within a day has to be sent again.",
  ),
  POLICY_OWN: entry(
    403,
    "never",
    "caller",
    (d) => `${d["by"]} asked for this change, and it allows more than before: another person has to confirm it.`,
    () => "Ask another admin to look at it and to confirm it.",
  ),
  POLICY_ISSUER: entry(
    403,
    "never",
    "caller",
    (d) =>
      `${d["person"]} is among those who issued the token with which ${d["by"]} asked for this change, and so could have asked for it.`,
    () => "Ask an admin who did not issue that token to confirm it; two whose tokens a third issued are two persons.",
  ),
} satisfies Record<string, CatalogueEntry>;
