// The form post that tells of an alarm.

import type { Random } from "../../../shared/ports/random.ts";
import { hexText } from "../../random.ts";
import { newEventId } from "../eventbridge/cloud-event.ts";
import type { AlarmRule } from "./alarm-rule.ts";
import type { Dimensions } from "./metric-store.ts";

/** What changed for one watched thing. */
export interface AlarmNotice {
  readonly rule: AlarmRule;
  readonly dimensions: Dimensions;
  readonly state: "ALERT" | "OK" | "INSUFFICIENT_DATA";
  /** The level now, `OK`, or `null` as text. */
  readonly level: string;
  readonly before: string;
  readonly value: number | undefined;
  readonly expression: string;
  readonly at: number;
  /** When it came into the state that it is in or has left. */
  readonly since: number;
}

const REPLY_MS_MAX = 5_000;

/** The form of a notice, every value as the service writes it. */
export function alarmForm(
  notice: AlarmNotice,
  world: {
    readonly userId: string;
    readonly regionId: string;
    readonly random: Random;
    readonly timestamp: "milliseconds" | "seconds";
    readonly instanceName: (instanceId: string) => string | undefined;
  },
): URLSearchParams {
  const { rule, dimensions, at } = notice;
  const instanceId = dimensions["instanceId"];
  const minutes = Math.floor((at - notice.since) / 60_000);
  const inBraces = Object.entries({ ...dimensions, userId: world.userId }).map(([name, value]) => `${name}=${value}`);
  return new URLSearchParams({
    alertName: rule.ruleName,
    alertState: notice.state,
    curValue: notice.value === undefined ? "null" : String(Math.round(notice.value * 100) / 100),
    dimensions: `{${inBraces.join(", ")}}`,
    expression: notice.expression,
    instanceName: (instanceId === undefined ? undefined : world.instanceName(instanceId)) ?? "null",
    metricName: rule.metricName,
    rawMetricName: rule.metricName,
    metricProject: rule.namespace,
    namespace: rule.namespace,
    preTriggerLevel: notice.before,
    triggerLevel: notice.level,
    ruleId: rule.ruleId,
    timestamp: String(world.timestamp === "seconds" ? Math.floor(at / 1_000) : at),
    userId: world.userId,
    signature: hexText(world.random, 32),
    transId: newEventId(world.random),
    lastTime: minutes === 0 ? "0" : `${minutes}分钟`,
    unit: "null",
    regionId: world.regionId,
  });
}

/** Posts a form; whether the receiver answered in time that it took it. */
export async function postForm(address: string, form: URLSearchParams): Promise<boolean> {
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded; charset=UTF-8", connection: "close" },
      body: form.toString(),
      redirect: "manual",
      signal: AbortSignal.timeout(REPLY_MS_MAX),
    });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
