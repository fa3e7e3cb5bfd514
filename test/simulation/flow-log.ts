// The network's flow log of a simulated account: who came to which port and was let in or not, told when a window of ten minutes has ended.
import {
  dayOf,
  joinPeers,
  type Peers,
  type PortUse,
  startOf,
  unusedPort,
  WINDOW_MS,
  type Windows,
  windowOf,
} from "../../shared/domain/evidence.ts";
import type { TrafficAsk, TrafficReading } from "../../shared/ports/traffic.ts";
import { Dice } from "../kit/schedule.ts";

/** One attempt. `shaken`: a handshake alone, as scanners leave it. */
export interface Flow {
  readonly at: number;
  readonly eniId: string;
  readonly port: number;
  readonly peer: string;
  readonly kind: "real" | "shaken" | "refused";
}

/** Records are there so long after their window. */
const DELIVERY_MS = 10_000;
const HOUR_MS = 3_600_000;

export class SimFlowLog {
  readonly #seed: string;
  readonly #now: () => number;
  readonly #flows: Flow[] = [];
  readonly #enis = new Set<string>();
  readonly #lost = new Set<number>();

  constructor(seed: string, now: () => number) {
    this.#seed = seed;
    this.#now = now;
  }

  /** Captures an interface from the beginning of time. */
  capture(eniId: string): void {
    this.#enis.add(eniId);
  }

  add(flow: Flow): void {
    this.#flows.push(flow);
  }

  /** The window that has just ended may be lost, and everything in it. True when it was. */
  endWindow(chance: number): boolean {
    const window = windowNumber(this.#now()) - 1;
    if (chance === 0 || !new Dice(`window ${window} of ${this.#seed}`).happens(chance)) return false;
    this.#lost.add(window);
    return true;
  }

  /** True while the window of the instant is not lost. */
  isKept = (at: number): boolean => !this.#lost.has(windowNumber(at));

  read({ from, until, members }: TrafficAsk): TrafficReading {
    const asked = members ?? [...this.#enis];
    const told = this.#flows.filter(({ at }) => from <= at && at < until && this.#isTold(at));
    return {
      kind: "complete",
      members: asked.map((member) => ({
        ...{ member, seen: this.#seen(from, until), skipped: 0n },
        ports: portsOf(told.filter(({ eniId }) => eniId === member)),
      })),
      cost: { queries: 1, bytes: 0, rows: told.length },
    };
  }

  #isTold(at: number): boolean {
    return this.isKept(at) && (windowNumber(at) + 1) * WINDOW_MS + DELIVERY_MS <= this.#now();
  }

  #seen(from: number, until: number): Windows {
    let seen = 0n;
    for (let at = from; at + WINDOW_MS <= until; at += WINDOW_MS) if (this.#isTold(at)) seen |= windowOf(at);
    return seen;
  }
}

const windowNumber = (at: number): number => Math.floor(at / WINDOW_MS);

const peersOf = (flows: readonly Flow[], kind: Flow["kind"]): Peers => {
  const list = flows
    .filter((it) => it.kind === kind)
    .map(({ peer, at }) => ({
      ...{ block: peer, count: 1, lastAt: at },
      hours: 1 << Math.floor((at - startOf(dayOf(at))) / HOUR_MS),
    }));
  return joinPeers({ list: [], more: false }, { list, more: false });
};

function portsOf(flows: readonly Flow[]): readonly PortUse[] {
  return [...new Set(flows.map(({ port }) => port))].map((port) => {
    const own = flows.filter((it) => it.port === port);
    const [real, shaken, refused] = (["real", "shaken", "refused"] as const).map((kind) => peersOf(own, kind));
    return { ...unusedPort("tcp", port), ...(real && shaken && refused ? { real, shaken, refused } : {}) };
  });
}
