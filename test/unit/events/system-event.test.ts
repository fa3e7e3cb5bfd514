// System events as the bus brings them: the layouts that documents show, and whatever else may come.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AppError } from "../../../shared/errors/app-error.ts";
import { readSystemEvent } from "../../../shared/events/system-event.ts";

const NOW = Date.UTC(2026, 10, 20, 8, 0, 0);
const ARN = "acs:ecs:cn-hangzhou:100:instance/i-bp1";

const read = (event: unknown) => readSystemEvent(Buffer.from(JSON.stringify(event)), NOW);

describe("an event of an attack", () => {
  test.each([
    ["DdoscooEventDefenseAdd", "normal", "ALERT"],
    ["DdoscooEventDefenseEnd", "normal", "OK"],
    ["DdosbgpEventBlackhole", "normal", "ALERT"],
    ["DdosbgpEventBlackhole", "end", "OK"],
    ["DdosbgpEventClean", "normal", "ALERT"],
  ])("%s, %s is %s", (name, status, state) => {
    const data = { product: "ddos", name, status, level: "CRITICAL", content: { instanceId: "i-bp1" } };
    expect(read({ type: `ddos:CloudMonitor:${name}`, data })).toMatchObject({
      kind: "alarm",
      alarm: { namespace: "ddos", state, dimensions: { instanceId: "i-bp1" } },
    });
  });

  test("what begins and what ends is one alarm, and the content may be text", () => {
    const of = (name: string) =>
      read({ type: `ddos:CloudMonitor:${name}`, data: { content: JSON.stringify({ ip: "203.0.113.9" }) } });
    const [begun, ended] = [of("DdoscooEventCc4Add"), of("DdoscooEventCc4End")];
    if (begun.kind !== "alarm" || ended.kind !== "alarm") throw new Error("no alarm");
    expect([begun.alarm.metric, begun.alarm.dimensions]).toEqual([ended.alarm.metric, ended.alarm.dimensions]);
  });
});

describe("an instance", () => {
  test.each(["Stopped", "Stopping", "Deleted", "released"])("that is %s is gone, in both layouts", (state) => {
    const own = { type: "ecs:Instance:StateChange", subject: ARN, data: { resourceId: "i-bp1", state } };
    const told = {
      type: "ecs:CloudMonitor:Instance:StateChange",
      data: { name: "Instance:StateChange", resourceId: ARN, content: { resourceId: "i-bp1", state } },
    };
    for (const event of [own, told]) expect(read(event)).toMatchObject({ kind: "instanceGone", instanceId: "i-bp1" });
  });

  test("that runs, and every other event, is nothing to us", () => {
    expect(read({ type: "ecs:Instance:StateChange", data: { resourceId: "i-bp1", state: "Running" } }).kind).toBe(
      "other",
    );
    expect(read({ type: "oss:Something:Else", data: {} }).kind).toBe("other");
  });
});

describe("the time of an event", () => {
  const at = (event: object): number => {
    const found = read({ type: "ecs:CloudMonitor:Instance:StateChange", ...event });
    if (found.kind !== "instanceGone") throw new Error(`read as ${found.kind}`);
    return found.at;
  };
  const gone = { name: "Instance:StateChange", resourceId: ARN, content: { resourceId: "i-bp1", state: "Stopped" } };
  const HOUR_MS = 3_600_000;
  const told = new Date(NOW - HOUR_MS).toISOString();

  test.each([
    ["20261120T150000.000+0800"],
    ["20261120T070000Z"],
    ["2026-11-20T15:00:00+08:00"],
    ["2026-11-20T07:00:00Z"],
  ])("is when it happened, also written as %s", (eventTime) => {
    expect(at({ time: new Date(NOW).toISOString(), data: { ...gone, eventTime } })).toBe(NOW - HOUR_MS);
  });

  test("is what the bus says where its own cannot be read, and now where neither can", () => {
    expect(at({ time: told, data: { ...gone, eventTime: "yesterday" } })).toBe(NOW - HOUR_MS);
    expect(at({ time: "20261341T997000Z", data: { ...gone, eventTime: "yesterday" } })).toBe(NOW);
    expect(at({ data: gone })).toBe(NOW);
  });
});

test("any JSON is read or refused as an event", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      try {
        expect(["alarm", "instanceGone", "other"]).toContain(read(value).kind);
      } catch (error) {
        expect((error as AppError).code).toBe("EVENT_INVALID");
      }
    }),
  );
});
