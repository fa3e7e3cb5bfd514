// One settable table of faults, used by every embedded service.

/** What goes wrong with a call. Milliseconds are those of the injected clock. */
export type Fault =
  /** Refused with this error, without effect. */
  | { readonly kind: "reject"; readonly status: number; readonly code: string; readonly message?: string }
  /** The connection ends before the call has had any effect. */
  | { readonly kind: "drop-before" }
  /** The call takes effect, its reply is lost. */
  | { readonly kind: "drop-after" }
  /** The reply is lost at once, the effect happens `ms` later. */
  | { readonly kind: "late-effect"; readonly ms: number }
  /** The call starts `ms` later and is then answered as usual. */
  | { readonly kind: "delay"; readonly ms: number }
  /** A read shows the state of `ms` ago. */
  | { readonly kind: "stale-read"; readonly ms: number }
  /** A gateway in between answers a page of HTML, without effect. */
  | { readonly kind: "html-502" };

/** It happens once and `times` (default 1) more. A caller is told how the first one went, unless `answer` says the last. */
export interface DuplicateFault {
  readonly kind: "duplicate";
  readonly times?: number;
  readonly answer?: "first" | "last";
}

/** A clock is off by `ms`, which may be negative; of a call, the one that dates its answer. */
export interface SkewFault {
  readonly kind: "skew";
  readonly ms: number;
}

/** Every instance of every function dies at the call, before or after (default) its effect. */
export interface CrashFault {
  readonly kind: "crash";
  readonly when?: "before" | "after";
}

/** A query reads half of its logs, and says that it has not read all. */
export interface IncompleteFault {
  readonly kind: "incomplete";
}

/** The records of one interface and window are lost, and the log says so: `SKIPDATA`. */
export interface SkipDataFault {
  readonly kind: "skip-data";
}

/** Overtaken by the next that the rule matches, waiting `ms` for it at most (a call 1 s, a delivery 60 s by default). */
export interface ReorderFault {
  readonly kind: "reorder";
  readonly ms?: number;
}

/** A call under `reorder`: it starts when another has ended, or `ms` later. */
export interface HeldFault {
  readonly kind: "held";
  readonly ms: number;
  readonly overtaken: Promise<void>;
  /** To be called when it starts. */
  readonly begin: () => void;
}

/** What any call can meet; `crash` and `reorder` have been turned into a plain one. */
export type CallFault = Exclude<Fault, { readonly kind: "stale-read" }> | DuplicateFault | SkewFault | HeldFault;

/** What goes wrong on the way to a function or a webhook: lost, acknowledged but not heard, late, refused, doubled, overtaken. */
export type DeliveryFault =
  | Extract<Fault, { readonly kind: "reject" | "drop-before" | "drop-after" | "delay" }>
  | DuplicateFault
  | ReorderFault
  | SkewFault;

/** What each service sees of its faults. */
export interface FaultsOf {
  readonly ecs: CallFault | Extract<Fault, { readonly kind: "stale-read" }>;
  readonly ots: CallFault;
  readonly fc: CallFault;
  readonly cms: CallFault;
  readonly actiontrail: CallFault;
  readonly vpc: CallFault;
  readonly ram: CallFault;
  readonly sls: CallFault | IncompleteFault;
  /** Events on their way to functions; the operation is the event's name. */
  readonly eventbridge: DeliveryFault;
  /** Ticks of timers; the operation is the function. */
  readonly timer: DeliveryFault;
  /** Accepted asynchronous invocations on their way to an instance; the operation is the function. */
  readonly async: DeliveryFault;
  /** Webhooks of alarms; the operation is the rule's name. */
  readonly alarm: DeliveryFault;
  /** Flow records of one interface and window on their way to a logstore; the operation is the flow log's name. */
  readonly flowlog: Extract<DeliveryFault, { readonly kind: "drop-before" | "delay" | "duplicate" }> | SkipDataFault;
  /** Invocations at their instance; the operation is the function. */
  readonly function: CrashFault | SkewFault;
}

/** The services that consult the table. */
export type FaultService = keyof FaultsOf;

/** Any fault of any service. */
export type AnyFault = Exclude<FaultsOf[FaultService], HeldFault> | CrashFault | ReorderFault;

const ofCalls = [
  "reject",
  "drop-before",
  "drop-after",
  "late-effect",
  "delay",
  "html-502",
  "duplicate",
  "reorder",
  "skew",
  "crash",
] as const;

/** Which faults each service can play. */
export const faultKinds: Readonly<Record<FaultService, readonly AnyFault["kind"][]>> = {
  ecs: [...ofCalls, "stale-read"],
  ots: ofCalls,
  fc: ofCalls,
  cms: ofCalls,
  actiontrail: ofCalls,
  vpc: ofCalls,
  ram: ofCalls,
  sls: [...ofCalls, "incomplete"],
  alarm: ["reject", "drop-before", "drop-after", "delay", "duplicate", "reorder"],
  eventbridge: ["reject", "drop-before", "drop-after", "delay", "duplicate", "reorder", "skew"],
  async: ["reject", "drop-before", "drop-after", "delay", "duplicate", "reorder"],
  timer: ["drop-before", "delay", "duplicate", "reorder"],
  flowlog: ["skip-data", "drop-before", "delay", "duplicate"],
  function: ["crash", "skew"],
};

/** Which calls a fault hits. What is omitted matches everything. */
export interface FaultRule {
  readonly id?: string;
  readonly service: FaultService;
  readonly operation?: string;
  readonly accessKeyId?: string;
  /** Request parameters that must be equal, all of them. */
  readonly match?: Readonly<Record<string, string>>;
  /** Matching calls that pass before the fault begins; default 0. */
  readonly skip?: number;
  /** Calls the fault hits before it is over; default unlimited. */
  readonly times?: number;
  /** Instants of the clock, milliseconds since the epoch, from which and before which it is in force; default always. */
  readonly from?: number;
  readonly until?: number;
  readonly fault: AnyFault;
}

/** The call a service asks about. */
export interface FaultCall<Service extends FaultService = FaultService> {
  readonly service: Service;
  readonly operation: string;
  readonly accessKeyId?: string;
  readonly params?: Readonly<Record<string, string>>;
}

interface Entry {
  readonly rule: FaultRule;
  seen: number;
  /** Lets the call go that waits to be overtaken. */
  release?: (() => void) | undefined;
}

const REORDER_MS = 1_000;

const matches = (rule: FaultRule, call: FaultCall): boolean =>
  rule.service === call.service &&
  (rule.operation === undefined || rule.operation === call.operation) &&
  (rule.accessKeyId === undefined || rule.accessKeyId === call.accessKeyId) &&
  Object.entries(rule.match ?? {}).every(([name, value]) => call.params?.[name] === value);

const isInForce = ({ from, until }: FaultRule, now: number): boolean =>
  (from === undefined || now >= from) && (until === undefined || now < until);

const isCall = (service: FaultService): boolean =>
  !["eventbridge", "timer", "async", "function", "alarm", "flowlog"].includes(service);

/** The faults in force. The first rule that matches and is neither skipping nor used up decides. */
export class FaultTable {
  readonly #now: () => number;
  #entries: Entry[] = [];
  #crash: () => void = () => undefined;

  /** `now` is read for rules that hold between two instants alone. */
  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  /** How the callers of a call die. */
  onCrash(crash: () => void): void {
    this.#crash = crash;
  }

  /** Replaces all rules and starts their counts anew. Throws a RangeError for a fault that the service cannot play. */
  set(rules: readonly FaultRule[]): void {
    for (const { service, fault } of rules)
      if (!faultKinds[service].includes(fault.kind))
        throw new RangeError(`${service} plays no ${fault.kind}; it takes one of ${faultKinds[service].join(", ")}`);
    for (const entry of this.#entries) entry.release?.();
    this.#entries = rules.map((rule) => ({ rule, seen: 0 }));
  }

  /** The rules in force, in order. */
  list(): readonly FaultRule[] {
    return this.#entries.map((entry) => entry.rule);
  }

  /** The fault that hits this call, if any. Counts the call. */
  take<Service extends FaultService>(call: FaultCall<Service>): FaultsOf[Service] | undefined {
    for (const entry of this.#entries) {
      // Who comes while another waits overtakes it.
      if (!matches(entry.rule, call) || entry.release !== undefined || !isInForce(entry.rule, this.#now())) continue;
      const skip = entry.rule.skip ?? 0;
      const turn = entry.seen++;
      if (turn < skip) continue;
      if (entry.rule.times !== undefined && turn >= skip + entry.rule.times) continue;
      // `set` lets a service have no other kinds than its own.
      return this.#asPlayed(entry) as FaultsOf[Service];
    }
    return undefined;
  }

  /** Tells that a call has ended, and the kind of its fault: the one that waited to be overtaken begins. */
  ended(call: FaultCall, fault?: string): void {
    // One that was held is late itself, and overtakes nobody.
    if (fault === "held") return;
    for (const entry of this.#entries) if (matches(entry.rule, call)) entry.release?.();
  }

  #asPlayed(entry: Entry): AnyFault | HeldFault {
    const { service, fault } = entry.rule;
    if (!isCall(service)) return fault;
    if (fault.kind === "reorder") return holdBack(entry, fault.ms ?? REORDER_MS);
    if (fault.kind !== "crash") return fault;
    this.#crash();
    return { kind: fault.when === "before" ? "drop-before" : "drop-after" };
  }
}

function holdBack(entry: Entry, ms: number): HeldFault {
  let resolve: () => void = () => undefined;
  const overtaken = new Promise<void>((resolved) => {
    resolve = resolved;
  });
  const begin = (): void => {
    if (entry.release === resolve) entry.release = undefined;
  };
  entry.release = resolve;
  return { kind: "held", ms, overtaken, begin };
}
