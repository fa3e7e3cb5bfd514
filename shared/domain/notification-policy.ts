// Where people are told, as values. Text, defaults and checks are in `shared/config/notifications-schema.ts`.
import type { NoticePriority } from "./notice.ts";

export type TargetKind = "webhook" | "dingtalk" | "feishu" | "wecom" | "slack";

/** A language that people are told in. */
export type Language = "en" | "zh";

/** A place that takes messages. Its secrets are names; what they stand for is in the functions' configuration. */
export interface NotifyTarget {
  readonly name: string;
  readonly kind: TargetKind;
  /** The address itself, or the name of the setting that holds it: one of the two. */
  readonly url: string | null;
  readonly urlFrom: string | null;
  /** The setting that holds the signing secret; null for a robot without one. */
  readonly secretFrom: string | null;
  readonly language: Language;
  /** The lowest priority that is told there. */
  readonly least: NoticePriority;
  /** Messages a minute, at most. */
  readonly perMinute: number;
}

/** Who is told where. Targets by their names; durations in milliseconds. */
export interface NotificationPolicy {
  readonly targets: readonly NotifyTarget[];
  /** By principal; the stand-in is told as well what is urgent. */
  readonly people: Readonly<Record<string, { readonly targets: readonly string[]; readonly standIn: string | null }>>;
  /** By the group's id. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly roles: Readonly<Record<string, readonly string[]>>;
  /** For whom nothing else is said. */
  readonly otherwise: readonly string[];
  /** So many that may wait become one message. */
  readonly digestOver: number;
  /** What could not be told for so long is given up, with a record. */
  readonly deadAfterMs: number;
}
