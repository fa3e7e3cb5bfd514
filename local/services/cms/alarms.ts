// The alarm rules at work: looked at on the clock, their changes told to webhooks.

import type { SchedulingClock } from "../../clock.ts";
import { Courier } from "../../delivery.ts";
import type { DeliveryFault } from "../../faults.ts";
import { type AlarmRule, type Escalation, expressionOf, isBreached, isEffective } from "./alarm-rule.ts";
import { type AlarmNotice, postForm } from "./alarm-webhook.ts";
import { type Dimensions, type MetricStore, statisticsWithin } from "./metric-store.ts";

/** What the alarms need. */
export interface AlarmsOptions {
  readonly clock: SchedulingClock;
  readonly metrics: MetricStore;
  readonly formOf: (notice: AlarmNotice) => URLSearchParams;
  readonly retryMs: () => number;
  readonly takeFault: (ruleName: string) => DeliveryFault | undefined;
  /** Called when the set of rules has changed, to keep it. */
  readonly onChange: (rules: readonly AlarmRule[]) => void;
}

interface Watched {
  /** A level, `OK` or `INSUFFICIENT_DATA`. */
  state: string;
  /** Periods in a row that reached each escalation. */
  readonly inRow: Map<Escalation, number>;
  since: number;
  toldAt: number;
}

interface Entry {
  rule: AlarmRule;
  readonly watched: Map<string, Watched>;
  cancel: () => void;
}

const RETRIES_MAX = 3;

/** The rules of one account. */
export class Alarms {
  readonly #options: AlarmsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #courier: Courier;

  constructor(options: AlarmsOptions, rules: readonly AlarmRule[]) {
    this.#options = options;
    this.#courier = new Courier(options.clock);
    for (const rule of rules) this.#enter(rule);
  }

  /** Posts that wait for their answer. */
  get inFlight(): number {
    return this.#courier.inFlight;
  }

  idle(): Promise<void> {
    return this.#courier.idle();
  }

  rules(): readonly AlarmRule[] {
    return [...this.#entries.values()].map((entry) => entry.rule);
  }

  /** `ALARM` when anything the rule watches is in alarm. */
  stateOf(ruleId: string): "OK" | "ALARM" | "INSUFFICIENT_DATA" {
    const states = [...(this.#entries.get(ruleId)?.watched.values() ?? [])].map((each) => each.state);
    if (states.some((state) => state !== "OK" && state !== "INSUFFICIENT_DATA")) return "ALARM";
    return states.includes("INSUFFICIENT_DATA") ? "INSUFFICIENT_DATA" : "OK";
  }

  /** Puts a rule in place of any earlier one of its id, which it forgets. */
  put(rule: AlarmRule): void {
    this.#entries.get(rule.ruleId)?.cancel();
    this.#enter(rule);
    this.#options.onChange(this.rules());
  }

  /** Answers whether there is such a rule. */
  enable(ruleId: string, isEnabled: boolean): boolean {
    const entry = this.#entries.get(ruleId);
    if (!entry) return false;
    entry.rule = { ...entry.rule, isEnabled };
    this.#options.onChange(this.rules());
    return true;
  }

  delete(ruleId: string): boolean {
    this.#entries.get(ruleId)?.cancel();
    const existed = this.#entries.delete(ruleId);
    this.#options.onChange(this.rules());
    return existed;
  }

  clear(): void {
    for (const entry of this.#entries.values()) entry.cancel();
    this.#entries.clear();
    this.#courier.clear();
    this.#options.onChange([]);
  }

  #enter(rule: AlarmRule): void {
    const entry: Entry = { rule, watched: new Map(), cancel: () => undefined };
    this.#entries.set(rule.ruleId, entry);
    this.#arm(entry);
  }

  #arm(entry: Entry): void {
    const { clock } = this.#options;
    const intervalMs = entry.rule.intervalS * 1_000;
    const waitMs = intervalMs - (clock.now() % intervalMs);
    entry.cancel = clock.schedule(waitMs, () => {
      this.#look(entry);
      this.#arm(entry);
    });
  }

  #look(entry: Entry): void {
    const { rule, watched } = entry;
    const now = this.#options.clock.now();
    if (!rule.isEnabled || !isEffective(rule, now)) return;
    // The machine's timer may be a little late; the period that ended is the one meant.
    const endMs = now - (now % (rule.intervalS * 1_000));
    for (const resource of rule.resources) {
      const series = this.#options.metrics.find(rule.namespace, rule.metricName, resource);
      const all = series.length === 0 ? [{ dimensions: resource, points: [] }] : series;
      for (const each of all) {
        const key = JSON.stringify(each.dimensions);
        const state: Watched = watched.get(key) ?? { state: "OK", inRow: new Map(), since: now, toldAt: 0 };
        watched.set(key, state);
        const found = statisticsWithin(each, endMs - rule.periodS * 1_000, endMs);
        if (found === undefined) this.#withoutData(rule, each.dimensions, state, now);
        else this.#judge(rule, each.dimensions, state, { ...found, Value: found.Average }, now);
      }
    }
  }

  #withoutData(rule: AlarmRule, dimensions: Dimensions, state: Watched, now: number): void {
    if (rule.noDataPolicy === "KEEP_LAST_STATE") return;
    state.inRow.clear();
    this.#change({ rule, dimensions, state, now, next: rule.noDataPolicy });
  }

  #judge(
    rule: AlarmRule,
    dimensions: Dimensions,
    state: Watched,
    values: Readonly<Record<Escalation["statistics"], number>>,
    now: number,
  ): void {
    for (const escalation of rule.escalations) {
      const isReached = isBreached(escalation, values[escalation.statistics]);
      state.inRow.set(escalation, isReached ? (state.inRow.get(escalation) ?? 0) + 1 : 0);
    }
    // Levels stand in order of weight.
    const reached = rule.escalations.find((each) => (state.inRow.get(each) ?? 0) >= each.times);
    const shown = reached ?? rule.escalations[0];
    this.#change({
      rule,
      dimensions,
      state,
      now,
      next: reached?.level ?? "OK",
      ...(shown === undefined ? {} : { escalation: shown, value: values[shown.statistics] }),
    });
  }

  #change(change: {
    readonly rule: AlarmRule;
    readonly dimensions: Dimensions;
    readonly state: Watched;
    readonly now: number;
    readonly next: string;
    readonly escalation?: Escalation;
    readonly value?: number;
  }): void {
    const { rule, dimensions, state, now, next, escalation = rule.escalations[0] } = change;
    const before = state.state;
    const isAlert = next !== "OK" && next !== "INSUFFICIENT_DATA";
    const isRepeat = before === next && isAlert && now - state.toldAt >= rule.silenceS * 1_000;
    if (before === next && !isRepeat) return;
    const since = state.since;
    if (before !== next) state.since = now;
    state.state = next;
    state.toldAt = now;
    if (next === "OK" && !rule.sendOk) return;
    this.#tell({
      rule,
      dimensions,
      state: isAlert ? "ALERT" : next === "OK" ? "OK" : "INSUFFICIENT_DATA",
      level: next === "INSUFFICIENT_DATA" ? "null" : next,
      before: before === "OK" ? "null" : before,
      value: change.value,
      expression: escalation === undefined ? "" : expressionOf(escalation),
      at: now,
      since,
    });
  }

  #tell(notice: AlarmNotice): void {
    const { webhook, ruleName } = notice.rule;
    if (webhook === undefined) return;
    // Tries of one notice carry the same form.
    const form = this.#options.formOf(notice);
    this.#courier.send({
      fault: this.#options.takeFault(ruleName),
      attempt: () => postForm(webhook, form),
      retryMs: (retry) => (retry > RETRIES_MAX ? undefined : this.#options.retryMs()),
    });
  }
}
