// The data plane: real listeners for instances, and real enforcement of the rules of their groups.

import type { Socket } from "node:net";
import type { Clock } from "../../shared/ports/clock.ts";
import { contains, parseCidr } from "./cidr.ts";
import type { Flow } from "./flow.ts";
import { serveConnection } from "./instance-service.ts";
import { type Endpoint, endpointsOf, Listeners } from "./listeners.ts";
import { loadScript, nftUnusable, removeTable } from "./nft-process.ts";
import { nftScript } from "./nft-script.ts";
import { type AddressPolicy, resolvePolicies } from "./policy.ts";
import type { Topology } from "./topology.ts";
import { decide, type Verdict } from "./verdict.ts";

/** How the data plane is set up. */
export interface DataPlaneOptions {
  /** `nft`: dropped packets vanish (Linux, root). `userspace`: refused connections are reset. Default `auto`: nft where it works. */
  readonly engine?: "auto" | "nft" | "userspace";
  /** Name of the nftables table. Default `safeport_cloud`; give each cloud on a host its own. */
  readonly tableName?: string;
  /** The IPv4 block, inside 127.0.0.0/8, that instances live in. Addresses outside it are not served. Default 127.10.0.0/16. */
  readonly range?: string;
  readonly clock: Clock;
  /** Whether the destination address of ingress rules counts. Read at each apply. */
  readonly destCidrIp: () => "honoured" | "ignored";
  /** What happens to open sessions that the rules would no longer let in. Read at each apply. Default `keep`. */
  readonly establishedAfterDeny?: () => "keep" | "cut";
  /** Called for each connection as it opens and closes, and, in userspace, as it is refused. */
  readonly onFlow?: (flow: Flow) => void;
}

/** A running data plane. */
export interface DataPlane {
  readonly engine: "nft" | "userspace";
  /** Puts a topology in force; resolves when it is. Calls that meet a running one share the next, which uses the last topology. */
  apply(topology: Topology): Promise<void>;
  /** Ports really served elsewhere: `address:port` as the account knows it → real port. */
  mappedPorts(): Record<string, number>;
  /** Endpoints that could not be served at all, in words. */
  problems(): readonly string[];
  /** Closes every listener and connection and removes the table. */
  stop(): Promise<void>;
}

const LOOPBACK = parseCidr("127.0.0.0/8");

async function chooseEngine(asked: "auto" | "nft" | "userspace", tableName: string): Promise<"nft" | "userspace"> {
  if (asked === "userspace") return "userspace";
  const reason = await nftUnusable(tableName);
  if (reason === undefined) return "nft";
  if (asked === "nft") throw new Error(`The nft data plane cannot run here: ${reason}`);
  return "userspace";
}

/** Starts a data plane with no instances in it. With nft, a stale table of the same name is replaced. */
export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const { clock, onFlow, tableName = "safeport_cloud" } = options;
  const range = parseCidr(options.range ?? "127.10.0.0/16");
  if (range === undefined || LOOPBACK === undefined || !contains(LOOPBACK, range)) {
    throw new Error(`The data plane's range must be a block inside 127.0.0.0/8, not ${options.range}.`);
  }
  if (!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(tableName)) throw new Error(`Not a table name: ${tableName}`);
  const engine = await chooseEngine(options.engine ?? "auto", tableName);
  let policies: readonly AddressPolicy[] = [];

  const judge = (socket: Socket, { address, port }: Endpoint): Verdict =>
    decide(policies, {
      protocol: "TCP",
      sourceAddress: socket.remoteAddress ?? "",
      sourcePort: socket.remotePort ?? 0,
      destAddress: address,
      destPort: port,
    });

  const onConnection = (socket: Socket, endpoint: Endpoint): void => {
    const openedAt = clock.now();
    const found = judge(socket, endpoint);
    const refused = engine === "userspace" && !found.accept;
    const fixed = {
      origin: "derived",
      action: refused ? "REJECT" : "ACCEPT",
      openedAt,
      protocol: "TCP",
      sourceAddress: socket.remoteAddress ?? "",
      sourcePort: socket.remotePort ?? 0,
      destAddress: endpoint.address,
      destPort: endpoint.port,
      instanceId: endpoint.instanceId,
      eniId: endpoint.eniId,
      ...(found.ruleId !== undefined && found.accept !== refused ? { ruleId: found.ruleId } : {}),
    } as const;
    if (refused) {
      socket.on("error", () => undefined);
      socket.resetAndDestroy();
      onFlow?.({ ...fixed, phase: "refused", at: openedAt, bytesIn: 0, bytesOut: 0 });
      return;
    }
    onFlow?.({ ...fixed, phase: "opened", at: openedAt, bytesIn: 0, bytesOut: 0 });
    socket.once("close", () => {
      onFlow?.({
        ...fixed,
        phase: "closed",
        at: clock.now(),
        bytesIn: socket.bytesRead,
        bytesOut: socket.bytesWritten,
      });
    });
    serveConnection(socket, endpoint.name, endpoint.port);
  };

  const listeners = new Listeners(onConnection);

  const establishedAfterDeny = (): "keep" | "cut" => options.establishedAfterDeny?.() ?? "keep";

  const load = async (): Promise<void> => {
    if (engine !== "nft") return;
    await loadScript(
      nftScript(policies, {
        tableName,
        range,
        establishedAfterDeny: establishedAfterDeny(),
        mapped: listeners.mapped(),
      }),
    );
  };

  // Rules come before new listeners, so that no listener is ever reachable without them.
  const enforce = async (topology: Topology): Promise<void> => {
    const wanted = endpointsOf(topology, range);
    await listeners.closeAllBut(wanted);
    policies = resolvePolicies(topology, { destCidrIp: options.destCidrIp() });
    await load();
    if (engine === "userspace" && establishedAfterDeny() === "cut") {
      for (const [socket, endpoint] of [...listeners.connections()]) {
        if (!judge(socket, endpoint).accept) socket.resetAndDestroy();
      }
    }
    const before = JSON.stringify(mappedPorts());
    await listeners.open(wanted);
    if (JSON.stringify(mappedPorts()) !== before) await load();
  };

  const mappedPorts = (): Record<string, number> =>
    Object.fromEntries(
      [...listeners.mapped()].flatMap(([address, ports]) =>
        [...ports].map(([port, real]) => [`${address}:${port}`, real] as const),
      ),
    );

  let latest: Topology = { groups: [], enis: [], instances: [] };
  let running: Promise<void> = Promise.resolve();
  let queued: Promise<void> | undefined;
  let stopped = false;

  const apply = (topology: Topology): Promise<void> => {
    if (stopped) return Promise.reject(new Error("The data plane is stopped."));
    latest = topology;
    queued ??= running.then(() => {
      queued = undefined;
      const turn = enforce(latest);
      running = turn.catch(() => undefined); // The callers of this turn see its failure; the next turn starts clean.
      return turn;
    });
    return queued;
  };

  await load();
  return {
    engine,
    apply,
    mappedPorts,
    problems: () => listeners.problems(),
    stop: async () => {
      if (stopped) return;
      stopped = true;
      await queued?.catch(() => undefined);
      await running;
      await listeners.closeAllBut(new Map());
      if (engine === "nft") await removeTable(tableName);
    },
  };
}
