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

/** The services that consult the table. */
export type FaultService = "ecs" | "ots" | "fc";

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
  readonly fault: Fault;
}

/** The call a service asks about. */
export interface FaultCall {
  readonly service: FaultService;
  readonly operation: string;
  readonly accessKeyId?: string;
  readonly params?: Readonly<Record<string, string>>;
}

interface Entry {
  readonly rule: FaultRule;
  seen: number;
}

const matches = (rule: FaultRule, call: FaultCall): boolean =>
  rule.service === call.service &&
  (rule.operation === undefined || rule.operation === call.operation) &&
  (rule.accessKeyId === undefined || rule.accessKeyId === call.accessKeyId) &&
  Object.entries(rule.match ?? {}).every(([name, value]) => call.params?.[name] === value);

/** The faults in force. The first rule that matches and is neither skipping nor used up decides. */
export class FaultTable {
  #entries: Entry[] = [];

  /** Replaces all rules and starts their counts anew. */
  set(rules: readonly FaultRule[]): void {
    this.#entries = rules.map((rule) => ({ rule, seen: 0 }));
  }

  /** The rules in force, in order. */
  list(): readonly FaultRule[] {
    return this.#entries.map((entry) => entry.rule);
  }

  /** The fault that hits this call, if any. Counts the call. */
  take(call: FaultCall): Fault | undefined {
    for (const entry of this.#entries) {
      if (!matches(entry.rule, call)) continue;
      const skip = entry.rule.skip ?? 0;
      const turn = entry.seen++;
      if (turn < skip) continue;
      if (entry.rule.times !== undefined && turn >= skip + entry.rule.times) continue;
      return entry.rule.fault;
    }
    return undefined;
  }
}
