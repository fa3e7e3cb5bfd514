// The form post of an alarm, with every oddity that has been seen or may come.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AppError } from "../../../shared/errors/app-error.ts";
import { ALARM_BYTES_MAX, readAlarmPost } from "../../../shared/events/alarm-post.ts";

const NOW = 1_793_520_100_000;
const FORM = "application/x-www-form-urlencoded; charset=UTF-8";
/** As composed from the service's samples. */
const SAMPLE =
  "alertName=sg-guard&alertState=ALERT&curValue=97.39&dimensions=%7BinstanceId%3Di-bp1%2C+userId%3D100%7D&expression=%24Average%3E%3D95&instanceName=web-1&metricName=CPUUtilization&rawMetricName=CPUUtilization&metricProject=acs_ecs_dashboard&namespace=acs_ecs_dashboard&preTriggerLevel=null&triggerLevel=CRITICAL&ruleId=rule-1&timestamp=1793520000000&userId=100&signature=x&transId=t&lastTime=2%E5%88%86%E9%92%9F&unit=%25&regionId=cn-hangzhou";

const read = (text: string, type = FORM) => readAlarmPost(Buffer.from(text), type, NOW);
const code = (act: () => unknown): string => {
  try {
    act();
    return "taken";
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
};

describe("a post", () => {
  test("is read as the service sends it", () => {
    expect(read(SAMPLE)).toEqual({
      rule: "sg-guard",
      ruleId: "rule-1",
      namespace: "acs_ecs_dashboard",
      metric: "CPUUtilization",
      level: "CRITICAL",
      state: "ALERT",
      dimensions: { instanceId: "i-bp1", userId: "100" },
      at: 1_793_520_000_000,
    });
  });

  test.each([
    ["1793520000", 1_793_520_000_000],
    ["1793520000123", 1_793_520_000_123],
    ["1793520000.5", 1_793_520_000_500],
    ["null", NOW],
    ["", NOW],
    ["soon", NOW],
    ["99999999999999", NOW + 300_000],
  ])("takes the time %s", (given, at) => {
    expect(read(SAMPLE.replace("timestamp=1793520000000", `timestamp=${given}`)).at).toBe(at);
  });

  test.each([
    ["{instanceId=i-1, userId=12}", { instanceId: "i-1", userId: "12" }],
    ['{"instanceId":"i-1"}', { instanceId: "i-1" }],
    ['[{"instanceId":"i-1"}]', { instanceId: "i-1" }],
    ["instanceId=i-1", { instanceId: "i-1" }],
    ["{}", {}],
    ["null", {}],
    ["{a=b=c}", { a: "b=c" }],
  ])("takes the dimensions %s", (given, dimensions) => {
    const body = `alertName=x&alertState=OK&dimensions=${encodeURIComponent(given)}`;
    expect(read(body).dimensions).toEqual(dimensions);
  });

  test("may lack what does not matter, have a text for null, another case, doubled fields and JSON", () => {
    expect(read("alertName=x&alertState=alert&triggerLevel=null&alertState=OK")).toMatchObject({
      ...{ state: "ALERT", level: "", namespace: "", dimensions: {}, at: NOW },
    });
    expect(
      read(JSON.stringify({ alertName: "x", alertState: "OK", timestamp: 1793520000 }), "application/json"),
    ).toMatchObject({
      ...{ rule: "x", state: "OK", at: 1_793_520_000_000 },
    });
  });

  test("that says no state, no rule or too much is refused", () => {
    expect(code(() => read("alertName=x"))).toBe("ALARM_INVALID");
    expect(code(() => read("alertState=ALERT"))).toBe("ALARM_INVALID");
    expect(code(() => read(SAMPLE.slice(0, 20)))).toBe("ALARM_INVALID");
    expect(code(() => read("", "application/json"))).toBe("ALARM_INVALID");
    expect(code(() => read("{", "application/json"))).toBe("ALARM_INVALID");
    expect(code(() => read(`alertName=${"x".repeat(ALARM_BYTES_MAX)}`))).toBe("BODY_TOO_LARGE");
  });

  test("of any bytes is taken or refused, and never more than it may be", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(FORM, "application/json", ""), (bytes, type) => {
        expect(["taken", "ALARM_INVALID"]).toContain(code(() => readAlarmPost(bytes, type, NOW)));
      }),
    );
    const long = read(`alertState=ALERT&alertName=${"a".repeat(5000)}%0Aforged line`);
    expect(long.rule).toHaveLength(256);
  });
});
