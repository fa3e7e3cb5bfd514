// What the calls about leases and second persons are asked with.
import * as z from "zod/mini";
import { cursorOf, flag, input, like, orNull, page, single, told, trimmed, words } from "./inputs.ts";

const reason = () => told(z._default(words(2000), ""), "Why the port is opened; kept in the record.");
const ticket = () => told(z._default(words(200), ""), "Number of the ticket this belongs to.");
const protocol = (max: number) => told(z._default(words(max), "tcp"), "tcp, udp, icmp, gre or all.");
/** Only the form is told here; the bounds are the policy's. */
const periodSeconds = () =>
  told(
    z.union([words(64), z.number()]),
    "Whole seconds, from the policy's lease.periodMin (60) to its lease.periodMax (28800).",
  );

/** Query of `PUT /safeport/temp_allow`. */
export const tempAllowQuery = () =>
  input({
    port: told(orNull(single(32)), "22, or 8000-8010; left out for icmp, gre and all."),
    period: told(single(64), "Whole seconds."),
    protocol: told(z._default(single(16), "tcp"), "tcp, udp, icmp, gre or all."),
    source: told(orNull(words(2000)), "Addresses or CIDRs, separated by commas; the caller's own when left out."),
    group: told(orNull(single(128)), "Group by id or name."),
    instance: told(orNull(single(128)), "Instance by id; the opening is narrowed to its address."),
    region: orNull(single(128)),
    reason: reason(),
    ticket: ticket(),
    dryRun: flag(),
  });

/** Body of `POST /v1/leases`. */
export const leaseBody = () =>
  input({
    port: told(orNull(z.union([words(32), z.number()])), '22, or "8000-8010"; left out for icmp, gre and all.'),
    period: periodSeconds(),
    protocol: protocol(16),
    source: told(
      orNull(z.union([words(2000), z.array(words(64)).check(z.minLength(1), z.maxLength(50))])),
      "Addresses or CIDRs, as a list or separated by commas; the caller's own when left out.",
    ),
    group: told(orNull(words(128)), "Group by id or name."),
    instance: told(orNull(words(128)), "Instance by id."),
    region: orNull(words(128)),
    startAt: told(
      orNull(z.iso.datetime({ offset: true, error: "is not an instant such as 2026-01-31T08:00:00Z" })),
      "When it is to open, at most the policy's lease.startAheadMax ahead; its period counts from there. At once when left out.",
    ),
    reason: reason(),
    ticket: ticket(),
    sessions: told(
      z._default(z.enum(["keep", "cut"]), "keep"),
      "What becomes of TCP sessions that are established at the end: `cut` ends them on the hosts by Cloud Assistant, and is refused where that cannot be.",
    ),
    breakGlass: told(
      z._default(z.boolean(), false),
      "True to open at once without the second person it needs: short, loud, and to be justified afterwards.",
    ),
  });

const change = () =>
  told(
    orNull(like(/^[0-9a-f]{64}$/, "is not 64 hex digits")),
    "`approval.change` of the lease that was looked at; refused when it is another. Null: whatever it is.",
  );

/** Body of `POST /v1/leases/{id}:approve`. */
export const approveBody = () => input({ change: change(), reason: z._default(words(2000), "") });

/** Body of `POST /v1/leases/{id}:deny`. */
export const denyBody = () =>
  input({ change: change(), reason: told(trimmed(1, 2000), "Why not; whoever asked is told.") });

/** Body of `POST /v1/leases/{id}:justify`. */
export const justifyBody = () => input({ text: told(trimmed(10, 2000), "Why it could not wait for a second person.") });

/** Body of `POST /v1/leases/{id}:extend`. */
export const extendBody = () => input({ period: periodSeconds() });

/** Body of `POST /v1/leases/{id}:follow`. */
export const followBody = () =>
  input({
    source: told(
      orNull(single(64)),
      "The new address or CIDR, within what the policy grants; the caller's own when left out.",
    ),
    from: told(orNull(single(64)), "Which of the lease's `sources` gives way; needed where it has several."),
  });

const leaseCursor = () => cursorOf(/^ls-[0-9a-z]{19}$/);

/** Query of `GET /v1/leases`. */
export const leasesQuery = () =>
  input({
    ...page(),
    cursor: leaseCursor(),
    state: z.optional(
      z.enum([
        "requested",
        "approved",
        "opening",
        "open",
        "closing",
        "closed",
        "denied",
        "lapsed",
        "cancelled",
        "failed",
      ]),
    ),
  });

/** Query of `GET /v1/approvals`. */
export const approvalsQuery = () => input({ limit: page().limit, cursor: leaseCursor() });
