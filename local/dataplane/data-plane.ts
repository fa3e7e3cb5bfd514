// The data plane: real sockets for instances, and real enforcement of the rules of their groups.

import type { Clock } from "../../shared/ports/clock.ts";
import { contains, parseCidr } from "./cidr.ts";
import { Connections } from "./connections.ts";
import { addressesOf } from "./eni-addresses.ts";
import type { Flow } from "./flow.ts";
import type { FlowListener, SeenPackets } from "./flow-log.ts";
import { FlowRecorder } from "./flow-recorder.ts";
import { addressAndPort, endpointsOf, Listeners } from "./listeners.ts";
import { LoopbackAddresses, range6Of } from "./loopback-addresses.ts";
import { nftUnusable } from "./nft-process.ts";
import { NftTable } from "./nft-table.ts";
import { Policies, PolicyResolver } from "./policy.ts";
import type { ScanNoise } from "./scan-noise.ts";
import { claimTable } from "./table-claim.ts";
import type { Topology } from "./topology.ts";

/** How the data plane is set up. */
export interface DataPlaneOptions {
  /** `nft`: dropped packets vanish (Linux, root). `userspace`: refused connections are reset. Default `auto`: nft where it works. */
  readonly engine?: "auto" | "nft" | "userspace";
  /** Name of the nftables table. Default: from the range. A table has one living owner. */
  readonly tableName?: string;
  /** The IPv4 block, inside 127.0.0.0/8, that instances live in. Addresses outside it are not served. Default 127.10.0.0/16. */
  readonly range?: string;
  readonly clock: Clock;
  /** Runs something later on the clock, and answers how to call it off. Default: a sleep of the clock. */
  readonly schedule?: (delayMs: number, run: () => void) => () => void;
  /** Whether the destination address of ingress rules counts. Read at each apply. */
  readonly destCidrIp: () => "honoured" | "ignored";
  /** Open sessions that the rules would no longer let in: live on for up to 910 s, or end at once. Read at each apply. Default `keep`. */
  readonly establishedAfterDeny?: () => "keep" | "cut";
  /** Called for each TCP connection as it opens and closes, and, in userspace, as it is refused. */
  readonly onFlow?: (flow: Flow) => void;
  /** Length of the windows of flow records. Default ten minutes. */
  readonly flowWindowMs?: number;
  /** Adds probes of strangers to the flow records. Default none. */
  readonly scanNoise?: ScanNoise;
  /** Whether packets are captured for the flow records, where that can be. Default true. */
  readonly capture?: boolean;
}

/** An open TCP connection of an instance. */
export interface HostSession {
  readonly localAddress: string;
  readonly localPort: number;
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly end: () => void;
}

/** A running data plane. */
export interface DataPlane {
  readonly engine: "nft" | "userspace";
  /** Puts a topology in force; resolves when it is. Calls that meet a running one share the next, which uses the last topology. */
  apply(topology: Topology): Promise<void>;
  /** Collects flow records, in windows of the default length unless told otherwise, from when this resolves; answers how to stop. Packets are captured while somebody listens. */
  recordFlows(listener: FlowListener, windowMs?: number): Promise<() => Promise<void>>;
  /** Ends the present window of flow records now. */
  flushFlows(): void;
  /** Counts packets that reach an interface by ways that are not here, such as a load balancer's. */
  seePackets(packets: SeenPackets): void;
  /** Ports really served elsewhere: `address:port` (`address:port/udp`) as the account knows it → real port. */
  mappedPorts(): Record<string, number>;
  /** TCP connections to an instance, from its own side; ending one resets it. */
  sessionsOf(instanceId: string): readonly HostSession[];
  /** What could not be had, in words: endpoints that are not served, packets that are not seen. */
  problems(): readonly string[];
  /** Closes every listener and connection and removes the table. */
  stop(): Promise<void>;
}

const LOOPBACK = parseCidr("127.0.0.0/8");
const DEFAULT_RANGE = "127.10.0.0/16";

async function chooseEngine(asked: "auto" | "nft" | "userspace", tableName: string): Promise<"nft" | "userspace"> {
  if (asked === "userspace") return "userspace";
  const reason = await nftUnusable(tableName);
  if (reason === undefined) return "nft";
  if (asked === "nft") throw new Error(`The nft data plane cannot run here: ${reason}`);
  return "userspace";
}

function tableNameOf(range: string): string {
  return range === DEFAULT_RANGE ? "safeport_cloud" : `safeport_cloud_${range.replaceAll(/[^0-9]/g, "_")}`;
}

function sleepingSchedule(clock: Clock): NonNullable<DataPlaneOptions["schedule"]> {
  return (delayMs, run) => {
    const off = new AbortController();
    clock.sleep(delayMs, off.signal).then(run, () => undefined);
    return () => off.abort();
  };
}

/** Starts a data plane with no instances in it. With nft, a stale table of the same name is replaced. */
export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const { clock, range: rangeText = DEFAULT_RANGE } = options;
  const { schedule = sleepingSchedule(clock), tableName = tableNameOf(rangeText) } = options;
  const range = parseCidr(rangeText);
  if (range === undefined || LOOPBACK === undefined || !contains(LOOPBACK, range)) {
    throw new Error(`The data plane's range must be a block inside 127.0.0.0/8, not ${options.range}.`);
  }
  if (!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(tableName)) throw new Error(`Not a table name: ${tableName}`);
  const engine = await chooseEngine(options.engine ?? "auto", tableName);
  const claim = engine === "nft" ? await claimTable(tableName) : undefined;
  const table = engine === "nft" ? new NftTable(tableName) : undefined;
  // Where there is no table, there is no right to add addresses either: IPv6 is decided only.
  const range6 = range6Of(range);
  const addresses6 = engine === "nft" ? new LoopbackAddresses(range6) : undefined;
  const resolver = new PolicyResolver();
  let topology: Topology = { groups: [], enis: [], instances: [] };
  let policies = new Policies([]);
  const establishedAfterDeny = (): "keep" | "cut" => options.establishedAfterDeny?.() ?? "keep";

  const recorder: FlowRecorder = new FlowRecorder({
    clock,
    schedule,
    tableName,
    canCapture: engine === "nft" && (options.capture ?? true),
    seesDrops: engine === "userspace",
    windowMs: options.flowWindowMs ?? 600_000,
    ...(options.scanNoise === undefined ? {} : { scanNoise: options.scanNoise }),
    topology: () => topology,
    policies: () => policies,
    endpoints: () => endpointsOf(topology, [range]),
    mapped: () => listeners.mapped(),
    // Packets are told to a new group, or to none any more.
    onGroupChanged: () => enqueue(),
  });
  const connections = new Connections({
    clock,
    schedule,
    refuses: engine === "userspace",
    policies: () => policies,
    establishedAfterDeny,
    onFlow: (flow) => {
      options.onFlow?.(flow);
      recorder.onFlow(flow);
    },
    onDatagram: recorder.onDatagram,
  });
  const listeners: Listeners = new Listeners(connections);

  const load = async (): Promise<void> => {
    await table?.load(policies, {
      range,
      range6,
      establishedAfterDeny: establishedAfterDeny(),
      mapped: listeners.mapped(),
      logGroup: recorder.logGroup,
    });
  };

  // Rules come before new listeners, so that no listener is ever reachable without them.
  const enforce = async (): Promise<void> => {
    const wanted = endpointsOf(topology, addresses6 === undefined ? [range] : [range, range6]);
    await listeners.closeAllBut(wanted);
    policies = resolver.resolve(topology, { destCidrIp: options.destCidrIp() });
    await load();
    await addresses6?.keep(topology.enis.filter(({ ipv6 = [] }) => ipv6.length > 0).flatMap(addressesOf));
    connections.judgeAll(listeners.connections());
    const before = listeners.mapped();
    await listeners.open(wanted);
    if (listeners.mapped() !== before) await load();
  };

  const mappedPorts = (): Record<string, number> =>
    Object.fromEntries(
      [...listeners.mapped()].flatMap(([address, ports]) => [
        ...[...ports.TCP].map(([port, real]) => [addressAndPort(address, port), real] as const),
        ...[...ports.UDP].map(([port, real]) => [`${addressAndPort(address, port)}/udp`, real] as const),
      ]),
    );

  let latest = topology;
  let running: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;
  let stopped = false;

  const enqueue = (): Promise<void> => {
    if (stopped) return Promise.reject(new Error("The data plane is stopped."));
    queued ??= running.then(() => {
      queued = undefined;
      topology = latest;
      const turn = enforce();
      running = turn.catch(() => undefined); // The callers of this turn see its failure; the next turn starts clean.
      return turn;
    });
    return queued;
  };

  try {
    await addresses6?.clear();
    await load();
  } catch (error) {
    await claim?.release();
    throw error;
  }
  return {
    engine,
    apply: (wanted) => {
      latest = wanted;
      return enqueue();
    },
    recordFlows: (listener, windowMs) => recorder.record(listener, windowMs),
    flushFlows: () => recorder.flush(),
    seePackets: (packets) => recorder.tell(packets),
    mappedPorts,
    sessionsOf: (instanceId) =>
      [...listeners.connections()]
        .filter(([socket, endpoint]) => endpoint.instanceId === instanceId && !socket.destroyed)
        .map(([socket, { address, port }]) => ({
          localAddress: address,
          localPort: port,
          peerAddress: socket.remoteAddress ?? "",
          peerPort: socket.remotePort ?? 0,
          end: () => socket.resetAndDestroy(),
        })),
    problems: () => [...(addresses6?.problems() ?? []), ...listeners.problems(), ...recorder.problems()],
    stop: async () => {
      if (stopped) return;
      await recorder.stop();
      stopped = true;
      await queued?.catch(() => undefined);
      await running;
      await listeners.closeAllBut(new Map());
      await addresses6?.keep([]);
      await table?.remove();
      await claim?.release();
    },
  };
}
