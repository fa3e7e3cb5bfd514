// The record of one connection to an instance.

/** A connection as it opens, closes or is refused. Written from what the listener saw, not from packets. */
export interface Flow {
  readonly origin: "derived";
  readonly phase: "opened" | "closed" | "refused";
  readonly action: "ACCEPT" | "REJECT";
  /** Milliseconds since the epoch, on the data plane's clock. */
  readonly at: number;
  readonly openedAt: number;
  readonly protocol: "TCP";
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destAddress: string;
  /** The port as the account knows it, even when another one really serves it. */
  readonly destPort: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly instanceId: string;
  readonly eniId: string;
  /** The rule that decided, when one did. */
  readonly ruleId?: string;
}
