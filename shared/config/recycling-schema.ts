// The part of the policy document that speaks of recycling: when a rule counts as unused, and what is never closed for it.
import * as z from "zod";
import { parseCidr } from "../domain/cidr.ts";
import { parsePortRange } from "../domain/port-range.ts";

const HOUR_S = 3600;
const cidrText = z.string().refine((text) => parseCidr(text) !== null, "is not an address or CIDR such as 10.0.0.0/8");
const portText = z.string().refine((text) => parsePortRange(text) !== null, "is not a port such as 22 or 8000-8010");
const date = z.iso.date("is not a day such as 2027-03-31");
const monthDay = z
  .string()
  // A leap year, so that 29 February may be named.
  .refine((text) => /^\d\d-\d\d$/.test(text) && isDay(`2024-${text}`), "is not a day of the year such as 12-24");
const words = z.string().min(1).max(200);

function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

/** Which rules are meant; what is left out means any. */
const matchFields = {
  groups: z.array(z.string().min(1).max(128)).max(1000).default([]).describe("Groups by id or name; empty for any."),
  protocol: z.enum(["tcp", "udp", "icmp", "gre", "all"]).nullable().default(null).describe("Null for any."),
  ports: portText.nullable().default(null).describe("A port or range that the rule covers a part of; null for any."),
  sources: z
    .array(cidrText)
    .max(1000)
    .default([])
    .describe("Blocks that the rule's source lies within; empty for any."),
  peers: z
    .array(z.string().min(1).max(128))
    .max(1000)
    .default([])
    .describe("Ids of groups or prefix lists that are the rule's source; empty for any."),
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
    .int()
    .min(7)
    .max(365)
    .default(45)
    .describe("Days without use, all of them known, after which a rule counts as idle."),
  coverageMin: z.number().min(50).max(100).default(95).describe("Least known part of the window, in percent."),
  skippedMax: z
    .int()
    .min(0)
    .max(10_000)
    .default(0)
    .describe("Windows of ten minutes with lost flow records (SKIPDATA) that are put up with."),
  session: z
    .strictObject({
      bytes: z.int().min(1).max(1_000_000).default(500).describe("Bytes in one direction beyond a handshake's."),
      packets: z.int().min(1).max(10_000).default(8).describe("Packets in one direction beyond a handshake's."),
      repeatHours: z
        .int()
        .min(1)
        .max(24)
        .default(6)
        .describe("A peer whose handshakes are answered in so many hours of a day counts, though it sends nothing."),
    })
    .prefault({})
    .describe("What tells a session from a scan, beside data in both directions."),
  sources: z
    .array(z.enum(["flowLog", "balancer", "host"]))
    .default(["flowLog", "balancer"])
    .describe("Who tells of traffic: VPC flow logs, metrics of classic load balancers, counters of the hosts."),
  collect: z
    .strictObject({
      every: z.int().min(600).max(86_400).default(21_600).describe("How often logs are read, in seconds."),
      slice: z
        .literal([600, 1200, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400])
        .default(3600)
        .describe(
          "Length of the part of a log that one query reads, in seconds. A small account may read a day at once.",
        ),
      settle: z
        .int()
        .min(60)
        .max(86_400)
        .default(1800)
        .describe("How long after its end it is first read, in seconds."),
      rereadAfter: z
        .int()
        .min(HOUR_S)
        .max(6 * 86_400)
        .default(26 * HOUR_S)
        .describe("How long after its end it is read once more, for what came late, in seconds."),
      queriesPerDay: z
        .int()
        .min(10)
        .max(100_000)
        .default(1000)
        .describe(
          "Queries of the log service a day and region, the watch over quarantines included. What they do not reach stays unknown.",
        ),
      metricCallsPerDay: z
        .int()
        .min(10)
        .max(30_000)
        .default(5000)
        .describe("Calls of CloudMonitor a day and region; an account has a million a month free."),
    })
    .prefault({}),
  probes: z
    .array(cidrText)
    .max(1000)
    .default([])
    .describe("Monitors and vulnerability scanners: who connects to see whether something answers."),
  balancerSources: z
    .array(cidrText)
    .max(1000)
    .default(["100.64.0.0/10"])
    .describe("Where load balancers connect from. Add the vSwitches of ALB and NLB."),
  balancers: z
    .array(
      z.strictObject({
        region: z.string().min(1).max(64),
        loadBalancer: z.string().min(1).max(64),
        protocol: z.enum(["tcp", "udp"]).default("tcp"),
        listenerPort: z.int().min(1).max(65_535),
        hostPort: z.int().min(1).max(65_535),
        instances: z.array(z.string().min(1).max(64)).min(1).max(500),
      }),
    )
    .max(1000)
    .default([])
    .describe("Listeners of classic load balancers and the hosts behind them."),
  neverClose: z
    .array(z.strictObject({ ...matchFields, reason: words }))
    .max(1000)
    .prefault(defaultNeverClose)
    .describe("Rules that are never closed for want of use. A list replaces the shipped one."),
  exempt: z
    .array(
      z.strictObject({ ...matchFields, owner: words, reason: words, until: date.describe("Its first day without.") }),
    )
    .max(10_000)
    .default([])
    .describe("Rules that stay until a day, used or not."),
  seasonal: z
    .array(
      z.strictObject({
        ...matchFields,
        owner: words,
        reason: words,
        windows: z
          .array(z.strictObject({ from: monthDay, to: monthDay }))
          .min(1)
          .max(50),
      }),
    )
    .max(1000)
    .default([])
    .describe(
      "Rules needed at times of the year: they stay meanwhile, and the last such time belongs to their window.",
    ),
};

/** Fields of `recycling` that say how unused rules leave. */
const queueFields = {
  groups: z
    .array(z.string().min(1).max(128))
    .max(10_000)
    .default([])
    .describe(
      "Groups, by id or name, in which unused rules are quarantined and deleted; in all others they are reported.",
    ),
  notice: z.int().min(1).max(90).default(7).describe("Days between telling the owner and the quarantine."),
  quarantine: z.int().min(1).max(90).default(14).describe("Days of silence in quarantine before the rule is deleted."),
  steps: z
    .strictObject({
      quarantine: z.enum(["ask", "auto"]).default("ask"),
      delete: z.enum(["ask", "auto"]).default("ask"),
    })
    .prefault({})
    .describe("`ask`: a person approves each quarantine or deletion; `auto`: it follows by itself."),
  requeueAfter: z.int().min(1).max(365).default(45).describe("Days a restored rule is left alone."),
  exemptMax: z.int().min(1).max(366).default(366).describe("Days of the longest exemption given by a call."),
  watchEvery: z
    .int()
    .min(60)
    .max(3600)
    .default(600)
    .describe(
      "How often the logs of quarantined hosts are read for who is refused, in seconds: as long as their windows.",
    ),
  ownerOtherwise: z
    .string()
    .max(128)
    .default("")
    .describe("Who is told of unused rules without an owner; empty: whoever is told of the group."),
};

/** `recycling` of the document. */
export const recyclingSchema = z.strictObject({ ...queueFields, ...evidenceFields });
