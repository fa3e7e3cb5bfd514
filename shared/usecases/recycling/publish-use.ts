// Tells CloudMonitor of the use of ports, so that its alarms and dashboards can speak of it: once a day, region by region.
import { dayAfter, dayOf } from "../../domain/evidence.ts";
import type { Policy } from "../../domain/policy.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import type { MetricPoint } from "../../ports/metrics.ts";
import { listUse, type MemberUse } from "../../store/evidence.ts";
import type { App } from "../app.ts";

/** Names of what is published; dimensions are `installation`, `region`, and for a port also `member`, `protocol` and `port`. */
const USE_METRICS = {
  /** Peers that had sessions with a port yesterday. */
  peers: "safeport_port_peers",
  /** Hours since the last session of a port that was used within the last two weeks. */
  idleHours: "safeport_port_idle_hours",
  /** How many of those had none for three days. */
  idlePorts: "safeport_idle_ports",
} as const;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Whoever is told of a port without traffic wants to know of a change, not of what has been idle for long. */
export const LOOK_BACK_DAYS = 14;
export const IDLE_AFTER_HOURS = 72;
/** When yesterday's logs have settled and been read. */
const TIME_OF_DAY_MS = 7 * HOUR_MS;

/** When it is done next. */
export const nextPublication = (now: number): number =>
  Math.floor((now - TIME_OF_DAY_MS) / DAY_MS) * DAY_MS + DAY_MS + TIME_OF_DAY_MS;

/** Publishes for every region of the policy; answers when to do so again. What a day's calls do not reach is left out, and said. */
export async function publishUse(
  app: Pick<App, "clock" | "tables" | "log" | "metrics" | "settings">,
  policy: Policy,
): Promise<number> {
  const now = app.clock.now();
  const metrics = await app.metrics();
  for (const region of policy.regions) {
    const until = dayAfter(dayOf(now), 1);
    const used = await listUse(app.tables, region, dayAfter(dayOf(now), -LOOK_BACK_DAYS), until);
    if (used.length === 0) continue;
    const points = pointsOf(used, { installation: app.settings.installation, region, now });
    try {
      const { published, calls } = await metrics.publish(region, points, policy.recycling.collect.metricCallsPerDay);
      const left = points.length - published;
      app.log.write(left > 0 ? "warn" : "info", "the use of ports was published", { region, published, calls, left });
    } catch (error) {
      if (!(error instanceof CloudFailure)) throw error;
      // Nothing hangs on it: tomorrow's numbers say the same and more.
      app.log.write("warn", "the use of ports could not be published", { region, code: error.cloudCode ?? error.kind });
    }
  }
  return nextPublication(now);
}

/** The count first, then the ports that have been idle longest, then yesterday's use. */
function pointsOf(
  used: readonly MemberUse[],
  { installation, region, now }: { readonly installation: string; readonly region: string; readonly now: number },
): MetricPoint[] {
  const yesterday = dayAfter(dayOf(now), -1);
  // Of an interface that no log tells of any more, as it is gone, there is no traffic to be missed. Counters may tell of use alone.
  const told = new Set(used.flatMap(({ member, day }) => (day >= yesterday ? [member] : [])));
  const isThere = (member: string): boolean => !member.startsWith("eni-") || told.has(member);
  const last = new Map<string, { readonly dimensions: MetricPoint["dimensions"]; readonly lastAt: number }>();
  const peers: MetricPoint[] = [];
  for (const { member, day, ports } of used)
    for (const { protocol, port, lastAt, peers: count } of ports) {
      const dimensions = { installation, region, member, protocol, port: String(port) };
      const key = `${member} ${protocol} ${port}`;
      if (isThere(member) && lastAt > (last.get(key)?.lastAt ?? 0)) last.set(key, { dimensions, lastAt });
      // A source that knows no peers has seen somebody.
      if (day === yesterday) peers.push({ name: USE_METRICS.peers, dimensions, value: Math.max(1, count), at: now });
    }
  const idle = [...last.values()]
    .map(({ dimensions, lastAt }) => ({ dimensions, hours: Math.max(0, Math.floor((now - lastAt) / HOUR_MS)) }))
    .sort((a, b) => b.hours - a.hours);
  const idlePorts = idle.filter(({ hours }) => hours >= IDLE_AFTER_HOURS).length;
  return [
    { name: USE_METRICS.idlePorts, dimensions: { installation, region }, value: idlePorts, at: now },
    ...idle.map(({ dimensions, hours }) => ({ name: USE_METRICS.idleHours, dimensions, value: hours, at: now })),
    ...peers,
  ];
}

/** What an alarm needs to be told to whom. */
export interface NoTrafficAlarm {
  readonly installation: string;
  readonly region: string;
  readonly contactGroup: string;
  /** Where it is told; null for the contact group alone. */
  readonly webhook: string | null;
}

/**
 * The alarm "no traffic for 72 hours": a rule on the number of ports that were used before and have not been for three days. Parameters of
 * PutCustomMetricRule, as CloudMonitor of 2019-01-01 takes them; the same again changes nothing.
 */
export function noTrafficAlarm({ installation, region, contactGroup, webhook }: NoTrafficAlarm): {
  readonly operation: "PutCustomMetricRule";
  readonly parameters: Readonly<Record<string, string>>;
} {
  const name = `safeport-${installation}-no-traffic-${region}`;
  return {
    operation: "PutCustomMetricRule",
    parameters: {
      RuleId: name,
      RuleName: name,
      MetricName: USE_METRICS.idlePorts,
      Resources: JSON.stringify([{ groupId: 0, dimension: `installation=${installation},region=${region}` }]),
      ContactGroups: contactGroup,
      Statistics: "Maximum",
      ComparisonOperator: ">=",
      Threshold: "1",
      EvaluationCount: "1",
      Level: "WARN",
      Period: "300",
      // Told at most once a day: the number is published daily.
      SilenceTime: "86400",
      ...(webhook === null ? {} : { Webhook: webhook }),
    },
  };
}
