// The notifier port: a message goes to one target, once, and what came of it is told.
import type { NotifyTarget } from "../domain/notification-policy.ts";

/** What is sent: words for people, and for programs the facts behind them. */
export interface Message {
  /** The same for every attempt, so that a receiver can tell a repetition. */
  readonly id: string;
  readonly at: number;
  /** `lease.overdue`, or `digest`. */
  readonly type: string;
  readonly priority: string;
  /** Plain text of one line each; whoever sends it makes it harmless for the target. */
  readonly title: string;
  readonly lines: readonly string[];
  readonly facts: Readonly<Record<string, unknown>>;
}

/**
 * `refused`: the target answers and does not take this message; `busy`: it takes none for a while; `unreached`: no answer, or one that says
 * nothing about the message. `why` is a short sentence without any part of the address or secret.
 */
export type SendOutcome =
  | { readonly kind: "sent" }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "busy"; readonly why: string; readonly retryAfterMs: number | null }
  | { readonly kind: "unreached"; readonly why: string };

export interface Notifier {
  /** Never rejects. Ends within `withinMs`, whatever the target does. */
  send(target: NotifyTarget, message: Message, withinMs: number): Promise<SendOutcome>;
}
