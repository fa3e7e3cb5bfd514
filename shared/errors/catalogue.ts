// Every failure a caller can meet: what happened, what to do, whether trying again helps. Codes are permanent once released.
import { accessFailures } from "./catalogue-access.ts";
import { auditFailures } from "./catalogue-audit.ts";
import { comfortFailures } from "./catalogue-comforts.ts";
import { type CatalogueEntry, entry } from "./catalogue-entry.ts";
import { lockdownFailures } from "./catalogue-lockdown.ts";
import { operationFailures } from "./catalogue-operation.ts";
import { recyclingFailures } from "./catalogue-recycling.ts";

export const catalogue = {
  REQUEST_INVALID: entry(
    400,
    "never",
    "caller",
    (d) => `The request is not valid: ${d["why"]}.`,
    (d) => `Correct ${d["field"]} and send it again; /v1/openapi.json shows the accepted shape.`,
  ),
  EVENT_INVALID: entry(
    400,
    "never",
    "caller",
    (d) => `The function was called with an event it does not know: ${d["why"]}.`,
    () => "Send what the function's trigger sends; docs/architecture.md lists the triggers.",
  ),
  BODY_TOO_LARGE: entry(
    413,
    "never",
    "caller",
    (d) => `The body has ${d["bytes"]} bytes; ${d["max"]} are accepted.`,
    () => "Send a smaller body; a lease needs a few hundred bytes.",
  ),
  NOT_FOUND: entry(
    404,
    "never",
    "caller",
    (d) => `There is nothing at ${d["path"]}.`,
    () => "See /v1/openapi.json for the paths this API serves.",
  ),
  METHOD_NOT_ALLOWED: entry(
    405,
    "never",
    "caller",
    (d) => `${d["path"]} does not answer ${d["method"]}.`,
    (d) => `Use ${d["allowed"]}.`,
  ),
  TOKEN_MISSING: entry(
    401,
    "never",
    "caller",
    () => "The request carries no access token.",
    () => "Send the header `Authorization: Bearer <token>`; an administrator issues tokens.",
  ),
  TOKEN_INVALID: entry(
    401,
    "never",
    "caller",
    () => "The access token is unknown or expired.",
    () => "Ask an administrator for a new token.",
  ),
  ROLE_MISSING: entry(
    403,
    "never",
    "caller",
    (d) => `This call needs the role ${d["needed"]}; the token has ${d["roles"]}.`,
    () => "Use a token with that role, or ask somebody who has one.",
  ),
  PORT_INVALID: entry(
    422,
    "never",
    "caller",
    (d) => `"${d["port"]}" is not a port.`,
    () =>
      "Give a port from 1 to 65535, or a range such as 8000-8010, for tcp and udp; leave it out (or -1/-1) for icmp, gre and all.",
  ),
  PROTOCOL_INVALID: entry(
    422,
    "never",
    "caller",
    (d) => `"${d["protocol"]}" is not a protocol safeport grants.`,
    () => "Use tcp, udp, icmp, gre or all.",
  ),
  SOURCE_INVALID: entry(
    422,
    "never",
    "caller",
    (d) => `"${d["source"]}" is not an address range.`,
    () => "Give an IPv4 or IPv6 address or CIDR without host bits, such as 203.0.113.7/32 or 2001:db8::/64.",
  ),
  SOURCE_PROTOCOL_MISMATCH: entry(
    422,
    "never",
    "caller",
    (d) => `${d["protocol"]} cannot be granted to the IPv6 source ${d["source"]}.`,
    () => "Use an IPv4 source with icmp, or tcp, udp, or all with IPv6.",
  ),
  DEST_FAMILY_MISMATCH: entry(
    422,
    "never",
    "caller",
    (d) => `The source ${d["source"]} and the instance's address ${d["address"]} are of different families.`,
    () => "Give a source of the address family the instance has.",
  ),
  SOURCE_TOO_WIDE: entry(
    422,
    "never",
    "caller",
    (d) =>
      `The sources cover a /${d["width"]}; the policy allows /${d["allowed"]} at most where the grant covers the sensitive port ${d["port"]}.`,
    (d) =>
      `Name sources that together are no wider than a /${d["allowed"]}, or have the policy changed (lease.sourceWidthMax).`,
  ),
  PERIOD_INVALID: entry(
    422,
    "never",
    "caller",
    (d) => `"${d["period"]}" is not a period safeport grants.`,
    (d) => `Give whole seconds from ${d["min"]} to ${d["max"]}.`,
  ),
  LEASE_TOTAL_REACHED: entry(
    422,
    "never",
    "caller",
    (d) => `The lease has reached its longest total, ${d["total"]} seconds from its first opening.`,
    () => "Ask for a new lease when this one has ended, or have the policy changed (lease.totalMax).",
  ),
  TARGET_MISSING: entry(
    422,
    "never",
    "caller",
    (d) =>
      `The request names no group and no instance, and the policy has no default target. Choices: ${d["choices"]}.`,
    () => "Add group= or instance=, or set defaultTarget in the policy.",
  ),
  TARGET_CONFLICT: entry(
    422,
    "never",
    "caller",
    () => "The request names both a group and an instance.",
    () => "Name one of them: an instance narrows the opening to its own address.",
  ),
  GROUP_UNKNOWN: entry(
    404,
    "never",
    "caller",
    (d) => `There is no security group ${d["group"]} in ${d["region"]}.`,
    () => "GET /v1/groups lists the groups safeport can see.",
  ),
  GROUP_AMBIGUOUS: entry(
    422,
    "never",
    "caller",
    (d) => `${d["count"]} security groups are named ${d["group"]}.`,
    () => "Name the group by its id, sg-…",
  ),
  INSTANCE_UNKNOWN: entry(
    404,
    "never",
    "caller",
    (d) => `There is no instance ${d["instance"]} in ${d["region"]}.`,
    () => "Check the instance id and the region.",
  ),
  GROUP_PROTECTED: entry(
    403,
    "never",
    "caller",
    (d) => `The group ${d["group"]} takes no rule from safeport: ${d["why"]}.`,
    () => "Choose another group; managed and load-balanced groups and those denied by policy stay untouched.",
  ),
  REACH_TOO_WIDE: entry(
    422,
    "never",
    "caller",
    (d) =>
      `A rule for ${d["instance"]} would also open ${d["others"]}, and this group cannot be narrowed to one address.`,
    () => "Ask for the group as a whole, or move the instance into a group of its own.",
  ),
  LEASE_SHADOWED: entry(
    409,
    "never",
    "caller",
    (d) =>
      `The rule ${d["rule"]} of ${d["group"]} drops this traffic with priority ${d["priority"]}; the lease would open nothing.`,
    () => "Change or remove that rule, or have the policy let leases override drops (lease.priority).",
  ),
  RULE_QUOTA_REACHED: entry(
    409,
    "later",
    "caller",
    (d) => `The group ${d["group"]} has no room for another rule (${d["used"]} of ${d["max"]} usable by leases).`,
    () =>
      "End leases that are no longer needed, or ask for an existing lease's port and source; the last rules of an interface are kept free for restores.",
  ),
  RULE_REFUSED: entry(
    502,
    "never",
    "cloud",
    (d) => `The cloud refused the rule: ${d["cloudCode"]}.`,
    () => "Check the group and safeport's permissions; the lease opened nothing.",
  ),
  LEASE_UNKNOWN: entry(
    404,
    "never",
    "caller",
    (d) => `There is no lease ${d["lease"]}.`,
    () => "GET /v1/leases lists the leases.",
  ),
  LEASE_ENDED: entry(
    409,
    "never",
    "caller",
    (d) => `The lease ${d["lease"]} is ${d["state"]}.`,
    () => "Ask for a new lease.",
  ),
  LEASE_NOT_YOURS: entry(
    403,
    "never",
    "caller",
    (d) => `The lease ${d["lease"]} belongs to somebody else.`,
    () => "Ask its owner, or use a token with the role operator.",
  ),
  ENTRY_UNKNOWN: entry(
    404,
    "never",
    "caller",
    (d) => `The ledger of ${d["group"]} has no entry ${d["entry"]}.`,
    () => "GET /v1/ledger lists the entries.",
  ),
  ENTRY_SOURCE_OUTSIDE: entry(
    422,
    "never",
    "caller",
    (d) => `${d["source"]} is not within the allowed sources ${d["allowed"]}.`,
    () => "Name a source within them, or widen allowedSources.",
  ),
  ENTRY_OWED: entry(
    502,
    "later",
    "cloud",
    (d) => `In the ledger of ${d["group"]} this is granted, and it does not stand: ${d["rules"]}. ${d["why"]}`,
    (d) =>
      `Mend what the cloud refuses it for: it is owed, and every look at the group tries again, as does the same call. DELETE /v1/ledger/${d["group"]}/${d["entry"]} takes a permission back.`,
  ),
  SENSITIVE_UNCONFIRMED: entry(
    409,
    "never",
    "caller",
    (d) => `This lets everybody reach a sensitive port, or may: ${d["rules"]}.`,
    () =>
      "Narrow the source (what is granted already counts with it), or name blocks in place of a list; or have an administrator confirm it: sensitiveConfirmed=true for one rule, its key in `sensitive` for a baseline.",
  ),
  GROUP_BUSY: entry(
    409,
    "later",
    "us",
    (d) => `Somebody else is granting a sensitive port in ${d["group"]}, and did not come to an end.`,
    () => "Try again in half a minute.",
  ),
  BASELINE_CHANGED: entry(
    409,
    "never",
    "caller",
    (d) => `The difference of ${d["group"]} is no longer the one that was looked at.`,
    (d) => `Look at it again (GET /v1/groups/${d["group"]}/baseline) and confirm its new digest.`,
  ),
  BASELINE_DISAGREES: entry(
    409,
    "never",
    "caller",
    (d) =>
      `The ledger of ${d["group"]} is not the one that was confirmed; it is not changed before a person has looked.`,
    (d) =>
      `Look at the difference (GET /v1/groups/${d["group"]}/baseline) and confirm it (POST); until then the group is observed.`,
  ),
  BASELINE_EMPTY: entry(
    409,
    "never",
    "caller",
    (d) => `The group ${d["group"]} shows no rule while its ledger has ${d["entries"]} allocated entries.`,
    () =>
      "Check that the reading is right. If all rules were removed on purpose, retire the entries one by one: DELETE /v1/ledger/{group}/{entry}.",
  ),
  OPERATOR_PATH_CUT: entry(
    409,
    "never",
    "caller",
    (d) => `Outside these open hours the path ${d["path"]} that the policy keeps open would be cut in ${d["group"]}.`,
    () => "Leave the rule without open hours, or grant another one for the path first.",
  ),
  TEMPLATE_UNKNOWN: entry(
    404,
    "never",
    "caller",
    (d) => `The policy has no template ${d["template"]}.`,
    (d) => `Use one of these: ${d["choices"]}.`,
  ),
  DRIFT_UNKNOWN: entry(
    404,
    "never",
    "caller",
    (d) => `There is no drift ${d["drift"]}.`,
    () => "GET /v1/drift lists what differs.",
  ),
  DRIFT_DECIDED: entry(
    409,
    "never",
    "caller",
    (d) => `The drift ${d["drift"]} (${d["kind"]}) is ${d["state"]}: ${d["why"]}.`,
    () => "GET /v1/drift/{id} shows it; PUT and DELETE /v1/ledger change what should stand whatever became of it.",
  ),
  DRIFT_OWED: entry(
    502,
    "later",
    "cloud",
    (d) => `The drift ${d["drift"]} is ${d["state"]} in the ledger, and its rule does not stand: ${d["why"]}`,
    (d) =>
      `Mend what the cloud refuses it for: the rule is owed, and every look at the group tries again, as does the same call. DELETE /v1/ledger/${d["group"]}/${d["entry"]} takes the permission back.`,
  ),
  IDEMPOTENCY_KEY_REUSED: entry(
    422,
    "never",
    "caller",
    () => "This Idempotency-Key was used for a different request.",
    () => "Use a fresh key for each new request.",
  ),
  CLOCK_SKEWED: entry(
    503,
    "later",
    "us",
    (d) => `The local clock is ${d["seconds"]} seconds off the cloud's; nothing is opened until it agrees. Ends go on.`,
    () => "Correct the clock of the machine that runs safeport.",
  ),
  NOT_READY: entry(
    503,
    "later",
    "us",
    (d) => `safeport is not set up: ${d["what"]} is missing.`,
    () => "Run the setup, or wait a minute if it has just been run.",
  ),
  STORE_UNAVAILABLE: entry(
    503,
    "later",
    "cloud",
    () => "The state store does not answer; nothing was changed.",
    () => "Try again in a minute; /v1/health shows when the store is back.",
  ),
  STATE_UNREADABLE: entry(
    500,
    "never",
    "us",
    (d) =>
      d["key"] === undefined
        ? `A row of the table ${d["table"]} cannot be read; the group is left alone.`
        : `The row ${d["key"]} of the table ${d["table"]} cannot be read; the group is left alone.`,
    () => "Report it with the request id; GET /v1/records shows what was done last.",
  ),
  CLOUD_UNAVAILABLE: entry(
    503,
    "later",
    "cloud",
    (d) => `The cloud did not answer ${d["operation"]}; if a rule was opened it is closed at its end.`,
    () => "Try again in a minute, with the same Idempotency-Key.",
  ),
  INTERNAL: entry(
    500,
    "later",
    "us",
    () => "Something went wrong inside safeport; the next pass repairs what was begun.",
    () => "Report it with the request id.",
  ),
  ...operationFailures,
  ...lockdownFailures,
  ...accessFailures,
  ...recyclingFailures,
  ...auditFailures,
  ...comfortFailures,
} satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof catalogue;
