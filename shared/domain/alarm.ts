// An alarm of the monitoring: what was told, which alarm it is about, and what the policy has done for it.
import { sha256Hex } from "./digest.ts";

/** `OK` ends what `ALERT` began; without data nothing is known, and nothing follows. */
export type AlarmState = "ALERT" | "OK" | "INSUFFICIENT_DATA";

/** One telling of an alarm. Texts as they came, cut. */
export interface Alarm {
  /** Name of the rule; empty for a system event. */
  readonly rule: string;
  readonly ruleId: string;
  /** Such as `acs_ecs_dashboard`; of a system event its product, such as `ddos`. */
  readonly namespace: string;
  /** Key of the metric; of a system event its name. */
  readonly metric: string;
  readonly level: string;
  readonly state: AlarmState;
  /** What the alarm is about, such as `instanceId`. */
  readonly dimensions: Readonly<Record<string, string>>;
  /** When it came into the state by the monitoring's clock, milliseconds. */
  readonly at: number;
}

/** Answers to an alarm. */
export type AlarmAction = "lockdown" | "optimise" | "restore-recent" | "notify";

/** The job that acts on an alarm whose taker has died. */
export const ALARM_JOB = "alarm";
/** The job of `optimise`, one run for each instance. */
export const OPTIMISE_JOB = "optimise";

/** What a lockdown is for: the groups of the alarm's instance, groups by id or name, or those with a tag `key=value`. */
export type LockdownScope =
  | { readonly kind: "instance"; readonly instanceId: string }
  | { readonly kind: "groups"; readonly groups: readonly string[] }
  | { readonly kind: "tag"; readonly tag: string };

/** Which alarms are answered, and how; null for any. Durations in milliseconds. */
export interface AlarmRule {
  readonly rule: string | null;
  readonly namespace: string | null;
  readonly metric: string | null;
  /** Empty for any. */
  readonly levels: readonly string[];
  readonly action: AlarmAction;
  /** Of a lockdown; null for the groups of the instance in the alarm's dimensions. */
  readonly scope: Exclude<LockdownScope, { kind: "instance" }> | null;
  /** Of a lockdown; null for the policy's own. */
  readonly periodMs: number | null;
}

/** What the policy says of lockdowns. */
export interface LockdownPolicy {
  /** Ports that stay open to whom they were, as `80`, `8000-8010` or `udp/443`. */
  readonly core: readonly string[];
  readonly periodMs: number;
  /** Groups by id or name in which a lockdown writes; `*` for all. */
  readonly groups: readonly string[];
  /** Who answers for lockdowns without any operator path; null: they are refused. */
  readonly withoutOperatorPath: string | null;
  /** Groups that are closed together by filling prefix lists, each scope by lists of its own; empty: none. */
  readonly prefixLists: readonly Exclude<LockdownScope, { kind: "instance" }>[];
}

/**
 * The name of what an alarm is about: the same for `ALERT` and `OK`, for each level and for each retry. The account's number, which
 * some senders add to the dimensions, takes no part.
 */
export function alarmIdOf({ rule, ruleId, namespace, metric, dimensions }: Alarm): string {
  const { userId: _, ...own } = dimensions;
  const about = Object.entries(own).sort(([a], [b]) => (a < b ? -1 : 1));
  return `al-${sha256Hex(JSON.stringify([ruleId || rule, namespace, metric, about])).slice(0, 20)}`;
}

/** The first rule that the alarm meets, or null. An alarm that is over meets the rule that it met when it began, whatever its level. */
export function alarmRuleFor(alarm: Alarm, rules: readonly AlarmRule[]): AlarmRule | null {
  const isMet = (wanted: string | null, ...given: readonly string[]): boolean =>
    wanted === null || given.includes(wanted);
  return (
    rules.find(
      (it) =>
        isMet(it.rule, alarm.rule, alarm.ruleId) &&
        isMet(it.namespace, alarm.namespace) &&
        isMet(it.metric, alarm.metric) &&
        (alarm.state !== "ALERT" || it.levels.length === 0 || it.levels.includes(alarm.level)),
    ) ?? null
  );
}

/** What an alarm of a port without traffic is about; null for what it does not name. */
export interface AlarmSubject {
  /** An instance, `i-…`, or an interface, `eni-…`. */
  readonly host: string | null;
  readonly protocol: string | null;
  readonly port: number | null;
}

const HOST = /^(?:i|eni)-[A-Za-z0-9-]{1,60}$/;

/** The subject by the alarm's dimensions: the names of the cloud's own metrics, and of those that safeport publishes. */
export function subjectOf({ dimensions }: Pick<Alarm, "dimensions">): AlarmSubject {
  const { instanceId = "", member = "", protocol = "", port = "" } = dimensions;
  const host = [instanceId, member].find((name) => HOST.test(name)) ?? null;
  const number = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535 ? Number(port) : null;
  const name = protocol.toLowerCase();
  return { host, protocol: number !== null && /^[a-z0-9]{1,10}$/.test(name) ? name : null, port: number };
}

/** The subject as a word without spaces, `i-web-1/tcp/7890`; empty for everything. */
export const subjectText = ({ host, protocol, port }: AlarmSubject): string =>
  port === null ? (host ?? "") : `${host ?? ""}/${protocol ?? ""}/${port}`;

/** The subject of such a word. */
export function parseSubject(text: string): AlarmSubject {
  const [instanceId = "", protocol = "", port = ""] = text.split("/");
  return subjectOf({ dimensions: { instanceId, protocol, port } });
}
