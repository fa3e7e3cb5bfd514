// What the calls about the ledger, groups and their baselines are asked with.
import * as z from "zod/mini";
import { isTimeOfDay, isZone } from "../domain/open-hours.ts";
import { STANDING_PRIORITY } from "../usecases/ledger/confirm-baseline.ts";
import { cursorOf, input, like, namedGroup, orNull, page, someWords, told, words } from "./inputs.ts";

const owner = () => told(someWords(200), "Who answers for it.");
const reason = () => told(someWords(2000), "Why; kept in the ledger and the record.");

/** Weekly windows in a time zone. */
const openHours = () =>
  input({
    zone: words(64).check(z.refine(isZone, "is not an IANA time zone such as Asia/Shanghai")),
    windows: z
      .array(
        input({
          days: told(
            z.array(z.int().check(z.gte(1), z.lte(7))).check(z.minLength(1), z.maxLength(7)),
            "Days it begins on; 1 is Monday, 7 is Sunday.",
          ),
          from: words(5).check(z.refine((it) => isTimeOfDay(it) && it !== "24:00", "is not a time such as 22:00")),
          to: words(5).check(z.refine(isTimeOfDay, "is not a time such as 06:00 or 24:00")),
        }),
      )
      .check(z.minLength(1), z.maxLength(50)),
  });

/** Body of `PUT /v1/ledger`. */
export const allocationBody = () =>
  input({
    group: told(someWords(128), "Group by id or name."),
    protocol: told(z._default(words(16), "tcp"), "tcp, udp, icmp, gre or all."),
    port: told(orNull(z.union([words(32), z.number()])), '22, or "8000-8010"; left out for icmp, gre and all.'),
    source: told(
      z.union([words(2000), z.array(words(64)).check(z.minLength(1), z.maxLength(50))]),
      "Addresses or CIDRs, as a list or separated by commas: one rule each. Of an egress rule its destinations.",
    ),
    policy: z._default(z.enum(["accept", "drop"]), "accept"),
    direction: z._default(z.enum(["ingress", "egress"]), "ingress"),
    priority: told(z._default(z.int().check(z.gte(1), z.lte(100)), STANDING_PRIORITY), "1 is the strongest."),
    owner: owner(),
    backup: told(z._default(words(200), ""), "Who stands in for the owner, such as in approving leases on the port."),
    reason: reason(),
    application: z._default(words(200), ""),
    ticket: z._default(words(200), ""),
    allowedSources: told(
      z._default(z.array(words(64)).check(z.maxLength(100)), []),
      "Blocks the source has to lie within; empty: the source alone.",
    ),
    openHours: told(
      orNull(openHours()),
      "When the rule stands; null: always. One that stands already is closed outside of them, in every guard, and kept in full.",
    ),
    sensitiveConfirmed: told(
      z._default(z.boolean(), false),
      "An administrator's word that everybody may reach a sensitive port.",
    ),
  });

/** Query of `GET /v1/ledger`. */
export const ledgerQuery = () =>
  input({ ...page(), group: namedGroup(), cursor: cursorOf(/^sg-[A-Za-z0-9_-]{1,64}\.e-[0-9a-f]{16}$/) });

/** Body of `PUT /v1/groups/{id}/guard`. */
export const guardBody = () =>
  input({ confirm: told(z.enum(["none", "observe"]), "The most that tags have asked for so far is lowered to this.") });

const baseline = () => ({
  from: told(z._default(z.enum(["rules", "template"]), "rules"), "The rules that stand, or a template of the policy."),
  template: z._default(like(/^[a-z0-9-]{1,32}$/, "is not the name of a template"), "default"),
});

/** Query of `GET /v1/groups/{id}/baseline`. */
export const baselineQuery = () => input(baseline());

/** Body of `POST /v1/groups/{id}/baseline`. */
export const baselineBody = () =>
  input({
    digest: told(words(64), "Of the diff that was looked at."),
    ...baseline(),
    owner: owner(),
    reason: reason(),
    sensitive: told(
      z._default(z.array(words(500)).check(z.maxLength(1000)), []),
      "Keys of the rules by which everybody reaches a sensitive port, or may, confirmed one by one.",
    ),
  });
