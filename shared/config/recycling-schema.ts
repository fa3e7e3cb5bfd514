// The part of the policy document that speaks of recycling: when a rule counts as unused, and what is never closed for it.
import * as z from "zod/mini";
import { parseCidr } from "../domain/cidr.ts";
import { parsePortRange } from "../domain/port-range.ts";

const HOUR_S = 3600;
const cidrText = z
  .string()
  .check(z.refine((text) => parseCidr(text) !== null, "is not an address or CIDR such as 10.0.0.0/8"));
const portText = z
  .string()
  .check(z.refine((text) => parsePortRange(text) !== null, "is not a port such as 22 or 8000-8010"));
const date = z.iso.date("is not a day such as 2027-03-31");
const monthDay = z
  .string()
  .check(
    z.refine((text) => /^\d\d-\d\d$/.test(text) && isDay(`2024-${text}`), "is not a day of the year such as 12-24"),
  );
const words = z.string().check(z.minLength(1), z.maxLength(200));

function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

/** Which rules are meant; what is left out means any. */
const matchFields = {
  groups: z
    ._default(z.array(z.string().check(z.minLength(1), z.maxLength(128))).check(z.maxLength(1000)), [])
    .check(z.describe("Groups by id or name; empty for any.")),
  protocol: z
    ._default(z.nullable(z.enum(["tcp", "udp", "icmp", "gre", "all"])), null)
    .check(z.describe("Null for any.")),
  ports: z
    ._default(z.nullable(portText), null)
    .check(z.describe("A port or range that the rule covers a part of; null for any.")),
  sources: z
    ._default(z.array(cidrText).check(z.maxLength(1000)), [])
    .check(z.describe("Blocks that the rule's source lies within; empty for any.")),
  peers: z
    ._default(z.array(z.string().check(z.minLength(1), z.maxLength(128))).check(z.maxLength(1000)), [])
    .check(z.describe("Ids of groups or prefix lists that are the rule's source; empty for any.")),
};

const defaultNeverClose = [
  { sources: ["100.64.0.0/10"], reason: "health checks and forwarding of classic load balancers" },
  { protocol: "icmp" as const, reason: "path MTU discovery" },
  { ports: "22", reason: "the way in where Cloud Assistant does not work" },
  { ports: "3389", reason: "the way in where Cloud Assistant does not work" },
];

/** Fields of `recycling` that say what evidence proves. */
const evidenceFields = {
  window: z
    ._default(z.int().check(z.gte(7), z.lte(365)), 45)
    .check(z.describe("Days without use, all of them known, after which a rule counts as idle.")),
  coverageMin: z
    ._default(z.number().check(z.gte(50), z.lte(100)), 95)
    .check(z.describe("Least known part of the window, in percent.")),
  skippedMax: z
    ._default(z.int().check(z.gte(0), z.lte(10_000)), 0)
    .check(z.describe("Windows of ten minutes with lost flow records (SKIPDATA) that are put up with.")),
  session: z
    .prefault(
      z.strictObject({
        bytes: z
          ._default(z.int().check(z.gte(1), z.lte(1_000_000)), 500)
          .check(z.describe("Bytes in one direction beyond a handshake's.")),
        packets: z
          ._default(z.int().check(z.gte(1), z.lte(10_000)), 8)
          .check(z.describe("Packets in one direction beyond a handshake's.")),
        repeatHours: z
          ._default(z.int().check(z.gte(1), z.lte(24)), 6)
          .check(
            z.describe(
              "A peer whose handshakes are answered in so many hours of a day counts, though it sends nothing.",
            ),
          ),
      }),
      {},
    )
    .check(z.describe("What tells a session from a scan, beside data in both directions.")),
  sources: z
    ._default(z.array(z.enum(["flowLog", "balancer", "host"])), ["flowLog", "balancer"])
    .check(
      z.describe("Who tells of traffic: VPC flow logs, metrics of classic load balancers, counters of the hosts."),
    ),
  collect: z.prefault(
    z.strictObject({
      every: z
        ._default(z.int().check(z.gte(600), z.lte(86_400)), 21_600)
        .check(z.describe("How often logs are read, in seconds.")),
      slice: z
        ._default(z.literal([600, 1200, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400]), 3600)
        .check(
          z.describe(
            "Length of the part of a log that one query reads, in seconds. A small account may read a day at once.",
          ),
        ),
      settle: z
        ._default(z.int().check(z.gte(60), z.lte(86_400)), 1800)
        .check(z.describe("How long after its end it is first read, in seconds.")),
      rereadAfter: z
        ._default(z.int().check(z.gte(HOUR_S), z.lte(6 * 86_400)), 26 * HOUR_S)
        .check(z.describe("How long after its end it is read once more, for what came late, in seconds.")),
      queriesPerDay: z
        ._default(z.int().check(z.gte(10), z.lte(100_000)), 1000)
        .check(
          z.describe(
            "Queries of the log service a day and region, the watch over quarantines included. What they do not reach stays unknown.",
          ),
        ),
      metricCallsPerDay: z
        ._default(z.int().check(z.gte(10), z.lte(30_000)), 5000)
        .check(z.describe("Calls of CloudMonitor a day and region; an account has a million a month free.")),
    }),
    {},
  ),
  probes: z
    ._default(z.array(cidrText).check(z.maxLength(1000)), [])
    .check(z.describe("Monitors and vulnerability scanners: who connects to see whether something answers.")),
  balancerSources: z
    ._default(z.array(cidrText).check(z.maxLength(1000)), ["100.64.0.0/10"])
    .check(z.describe("Where load balancers connect from. Add the vSwitches of ALB and NLB.")),
  balancers: z
    ._default(
      z
        .array(
          z.strictObject({
            region: z.string().check(z.minLength(1), z.maxLength(64)),
            loadBalancer: z.string().check(z.minLength(1), z.maxLength(64)),
            protocol: z._default(z.enum(["tcp", "udp"]), "tcp"),
            listenerPort: z.int().check(z.gte(1), z.lte(65_535)),
            hostPort: z.int().check(z.gte(1), z.lte(65_535)),
            instances: z
              .array(z.string().check(z.minLength(1), z.maxLength(64)))
              .check(z.minLength(1), z.maxLength(500)),
          }),
        )
        .check(z.maxLength(1000)),
      [],
    )
    .check(z.describe("Listeners of classic load balancers and the hosts behind them.")),
  neverClose: z
    .prefault(z.array(z.strictObject({ ...matchFields, reason: words })).check(z.maxLength(1000)), defaultNeverClose)
    .check(z.describe("Rules that are never closed for want of use. A list replaces the shipped one.")),
  exempt: z
    ._default(
      z
        .array(
          z.strictObject({
            ...matchFields,
            owner: words,
            reason: words,
            until: date.check(z.describe("Its first day without.")),
          }),
        )
        .check(z.maxLength(10_000)),
      [],
    )
    .check(z.describe("Rules that stay until a day, used or not.")),
  seasonal: z
    ._default(
      z
        .array(
          z.strictObject({
            ...matchFields,
            owner: words,
            reason: words,
            windows: z.array(z.strictObject({ from: monthDay, to: monthDay })).check(z.minLength(1), z.maxLength(50)),
          }),
        )
        .check(z.maxLength(1000)),
      [],
    )
    .check(
      z.describe(
        "Rules needed at times of the year: they stay meanwhile, and the last such time belongs to their window.",
      ),
    ),
};

/** Fields of `recycling` that say how unused rules leave. */
const queueFields = {
  groups: z
    ._default(z.array(z.string().check(z.minLength(1), z.maxLength(128))).check(z.maxLength(10_000)), [])
    .check(
      z.describe(
        "Groups, by id or name, in which unused rules are quarantined and deleted; in all others they are reported.",
      ),
    ),
  notice: z
    ._default(z.int().check(z.gte(1), z.lte(90)), 7)
    .check(z.describe("Days between telling the owner and the quarantine.")),
  quarantine: z
    ._default(z.int().check(z.gte(1), z.lte(90)), 14)
    .check(z.describe("Days of silence in quarantine before the rule is deleted.")),
  steps: z
    .prefault(
      z.strictObject({
        quarantine: z._default(z.enum(["ask", "auto"]), "ask"),
        delete: z._default(z.enum(["ask", "auto"]), "ask"),
      }),
      {},
    )
    .check(z.describe("`ask`: a person approves each quarantine or deletion; `auto`: it follows by itself.")),
  requeueAfter: z
    ._default(z.int().check(z.gte(1), z.lte(365)), 45)
    .check(z.describe("Days a restored rule is left alone.")),
  exemptMax: z
    ._default(z.int().check(z.gte(1), z.lte(366)), 366)
    .check(z.describe("Days of the longest exemption given by a call.")),
  watchEvery: z
    ._default(z.int().check(z.gte(60), z.lte(3600)), 600)
    .check(
      z.describe(
        "How often the logs of quarantined hosts are read for who is refused, in seconds: as long as their windows.",
      ),
    ),
  ownerOtherwise: z
    ._default(z.string().check(z.maxLength(128)), "")
    .check(z.describe("Who is told of unused rules without an owner; empty: whoever is told of the group.")),
};

/** `recycling` of the document. */
export const recyclingSchema = z.strictObject({ ...queueFields, ...evidenceFields });
