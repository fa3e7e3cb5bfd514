// The traffic port on CloudMonitor: listeners of classic load balancers, and counters that hosts report as metrics of the account's own.
//
// Metrics know no peers. A listener's use says that its hosts are reached on a path that no rule controls; a host's own counters say
// that somebody came, whoever it was.
import { type PortUse, unusedPort, WINDOW_MS, type Windows, windowOf } from "../../domain/evidence.ts";
import type { BalancedListener } from "../../domain/recycling-policy.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import { type MemberTraffic, type Traffic, TrafficFailure, type TrafficReading } from "../../ports/traffic.ts";
import { type MetricValue, PERIOD_S, readMetric } from "./cms-metrics.ts";
import { text } from "./ecs-answers.ts";
import type { RpcClient } from "./rpc-client.ts";

/** Values of five minutes are kept so long. */
const RETENTION_MS = 91 * 86_400_000;
/** Dimensions of one call are fifty at most; so many series of a day fill an answer. */
const LISTENERS_PER_CALL = 4;
/** New connections for TCP; for UDP there is only traffic. */
const LISTENER_METRICS = { tcp: ["NewConnection", "TrafficRXNew"], udp: ["TrafficRXNew"] } as const;

const reach = { retentionMs: RETENTION_MS, blind: null, trouble: null, ipv4Only: false };

/** Listeners that the policy maps to hosts. The evidence is of instances. */
export function balancerTraffic(rpc: RpcClient): Traffic {
  return {
    reach: async () => reach,
    read: (ask, queriesMax) =>
      counted(queriesMax, async (calls) => {
        const listeners = ask.recycling.balancers.filter(({ region }) => region === ask.region);
        const found = new Map<string, PortUse[]>();
        for (const protocol of ["tcp", "udp"] as const) {
          const those = listeners.filter((listener) => listener.protocol === protocol);
          for (let start = 0; start < those.length; start += LISTENERS_PER_CALL)
            for (const metric of LISTENER_METRICS[protocol]) {
              const some = those.slice(start, start + LISTENERS_PER_CALL);
              const dimensions = some.map(dimensionsOf);
              const values = await readMetric(
                rpc,
                { ...ask, namespace: "acs_slb_dashboard", metric, dimensions },
                calls,
              );
              if (values === null) return { isWhole: false, members: membersOf(found) };
              for (const listener of some) addUse(found, listener, lastUse(values, listener));
            }
        }
        return { isWhole: true, members: membersOf(found) };
      }),
  };
}

const dimensionsOf = ({ loadBalancerId, listenerPort, protocol }: BalancedListener) => ({
  instanceId: loadBalancerId,
  port: String(listenerPort),
  protocol,
});

function lastUse(values: readonly MetricValue[], listener: BalancedListener): number | null {
  const wanted = dimensionsOf(listener);
  const used = values.filter(
    (value) =>
      text(value["instanceId"]) === wanted.instanceId &&
      text(value["port"]) === wanted.port &&
      text(value["protocol"]).toLowerCase() === wanted.protocol &&
      isPositive(value),
  );
  return used.length === 0 ? null : Math.max(...used.map(({ at }) => at + PERIOD_S * 1000 - 1));
}

function addUse(found: Map<string, PortUse[]>, listener: BalancedListener, balancedAt: number | null): void {
  if (balancedAt === null) return;
  for (const instanceId of listener.instances) {
    const use = { ...unusedPort(listener.protocol, listener.hostPort), balancedAt };
    found.set(instanceId, [...(found.get(instanceId) ?? []), use]);
  }
}

/** The metrics that hosts report. Dimensions: `instanceId`, and for sessions also `protocol` and `port`. */
export const HOST_METRICS = { alive: "safeport_host_alive", sessions: "safeport_host_sessions" } as const;

/** Counters that hosts report every five minutes: that they count, and what they counted. The evidence is of instances. */
export function hostTraffic(rpc: RpcClient, accountId: string): Traffic {
  const namespace = `acs_customMetric_${accountId}`;
  return {
    reach: async () => reach,
    read: (ask, queriesMax) =>
      counted(queriesMax, async (calls) => {
        const all = { ...ask, namespace, dimensions: [] };
        // What is reported between the two may be known without counting, never count without being known.
        const alive = await readMetric(rpc, { ...all, metric: HOST_METRICS.alive }, calls);
        const sessions = alive && (await readMetric(rpc, { ...all, metric: HOST_METRICS.sessions }, calls));
        const ports = new Map<string, PortUse[]>();
        for (const value of sessions ?? []) {
          const port = Number(value["port"]);
          if (!isPositive(value) || !Number.isInteger(port)) continue;
          const use = {
            ...unusedPort(text(value["protocol"]).toLowerCase(), port),
            unnamedAt: value.at + PERIOD_S * 1000 - 1,
          };
          const instanceId = text(value["instanceId"]);
          ports.set(instanceId, [...(ports.get(instanceId) ?? []), use]);
        }
        return { isWhole: sessions !== null, members: membersOf(ports, windowsOf((sessions && alive) ?? [])) };
      }),
  };
}

/** Windows in which the host counted all the time. */
function windowsOf(values: readonly MetricValue[]): ReadonlyMap<string, Windows> {
  const counts = new Map<string, Map<number, number>>();
  for (const value of values) {
    if (!isPositive(value)) continue;
    const instanceId = text(value["instanceId"]);
    const ofHost = counts.get(instanceId) ?? new Map<number, number>();
    const start = Math.floor(value.at / WINDOW_MS) * WINDOW_MS;
    ofHost.set(start, (ofHost.get(start) ?? 0) + 1);
    counts.set(instanceId, ofHost);
  }
  const whole = WINDOW_MS / 1000 / PERIOD_S;
  return new Map(
    [...counts].map(([instanceId, ofHost]) => [
      instanceId,
      [...ofHost].reduce((windows, [at, count]) => (count >= whole ? windows | windowOf(at) : windows), 0n),
    ]),
  );
}

const isPositive = (value: MetricValue): boolean =>
  ["Maximum", "Sum", "Average", "Value", "value"].some((name) => Number(value[name]) > 0);

function membersOf(
  ports: ReadonlyMap<string, readonly PortUse[]>,
  seen: ReadonlyMap<string, Windows> = new Map(),
): MemberTraffic[] {
  const members = [...new Set([...ports.keys(), ...seen.keys()])].filter((member) => member !== "").sort();
  return members.map((member) => ({
    member,
    seen: seen.get(member) ?? 0n,
    skipped: 0n,
    ports: ports.get(member) ?? [],
  }));
}

async function counted(
  queriesMax: number,
  read: (calls: { left: number }) => Promise<{ readonly isWhole: boolean; readonly members: readonly MemberTraffic[] }>,
): Promise<TrafficReading> {
  const calls = { left: queriesMax };
  try {
    const { isWhole, members } = await read(calls);
    const cost = { queries: queriesMax - calls.left, bytes: 0, rows: 0 };
    return { kind: isWhole ? "complete" : "incomplete", members, cost };
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    const { message, cloudCode, requestId } = error;
    const kind =
      error.kind === "refused" || error.kind === "throttled" || error.kind === "invalid" ? error.kind : "unavailable";
    throw new TrafficFailure(kind, message, { cloudCode, requestId, queries: queriesMax - calls.left, cause: error });
  }
}
