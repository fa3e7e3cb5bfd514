// The traffic port: what a source tells about the use of ports in a span of time. Sources differ in what they can know.
import type { PortUse, Windows } from "../domain/evidence.ts";
import type { PortSpan } from "../domain/port-span.ts";
import type { EvidencePolicy, TrafficSourceKind } from "../domain/recycling-policy.ts";

/** Interfaces that can be asked for by name: a search of the log service has thirty conditions at most, and two of them say what is looked for. */
export const MEMBERS_MAX = 28;

/** What is asked: a span within one day of UTC, of a region. */
export interface TrafficAsk {
  readonly region: string;
  /** Milliseconds, the second not included; whole minutes. */
  readonly from: number;
  readonly until: number;
  /** These interfaces alone, at most `MEMBERS_MAX`; absent: all of the region. */
  readonly members?: readonly string[];
  /** Ports of which everybody who is refused is told; of others the latest alone. */
  readonly watched?: readonly PortSpan[];
  /** What tells a session from a scan, and who is behind which load balancer. */
  readonly recycling: EvidencePolicy;
}

/** What a source tells of one interface (or instance, where it knows no interfaces) in the span. */
export interface MemberTraffic {
  readonly member: string;
  /** Windows of the span of which it told everything, and those in which it lost something. */
  readonly seen: Windows;
  readonly skipped: Windows;
  readonly ports: readonly PortUse[];
}

/** What a question has cost. */
export interface TrafficCost {
  /** Calls, repeats included. */
  readonly queries: number;
  /** Bytes that the service says it scanned; 0 where it does not say. */
  readonly bytes: number;
  readonly rows: number;
}

/**
 * `complete`: everything the source has of the span. `incomplete`: it keeps answering a part, or the questions allowed are used up:
 * what it told proves use, and nothing proves silence, so that no window counts as seen.
 */
export interface TrafficReading {
  readonly kind: "complete" | "incomplete";
  readonly members: readonly MemberTraffic[];
  readonly cost: TrafficCost;
}

/** What a source can tell in a region at all. */
export interface TrafficReach {
  /** How far back it surely tells everything, milliseconds before now; a day more where its logs go one after the other. */
  readonly retentionMs: number;
  /** Why its silence means nothing at present, in words, such as a capture of drops alone. Null: it means something. */
  readonly blind: string | null;
  /** What is wrong beside that, for people: a delivery that fails. The windows that it costs are not told as seen. */
  readonly trouble: string | null;
  /** True where it tells nothing of IPv6. */
  readonly ipv4Only: boolean;
}

/** Thrown by every method of `Traffic`. `gone`: there is no such log; `refused`: no right to read it; both will repeat. */
export class TrafficFailure extends Error {
  override readonly name = "TrafficFailure";
  readonly kind: "gone" | "refused" | "invalid" | "throttled" | "unavailable";
  readonly cloudCode: string | null;
  readonly requestId: string | null;
  /** What was asked before it failed. */
  readonly queries: number;

  constructor(
    kind: TrafficFailure["kind"],
    message: string,
    detail: { cloudCode?: string | null; requestId?: string | null; queries?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: detail.cause });
    this.kind = kind;
    this.cloudCode = detail.cloudCode ?? null;
    this.requestId = detail.requestId ?? null;
    this.queries = detail.queries ?? 0;
  }
}

/** One source of evidence. Reads only; every call ends within the adapter's own deadline. */
export interface Traffic {
  /** Null when the source has nothing to tell of the region: it is not set up there. */
  reach(region: string): Promise<TrafficReach | null>;
  /** At most `queriesMax` questions. Throws `TrafficFailure`. */
  read(ask: TrafficAsk, queriesMax: number): Promise<TrafficReading>;
}

/** The sources that are set up, by kind. */
export type TrafficSources = Readonly<Partial<Record<TrafficSourceKind, Traffic>>>;
