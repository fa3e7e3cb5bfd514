// The event of an EventBridge trigger: every envelope that is documented is taken apart, anything else refused.
import { describe, expect, test } from "vitest";
import { readAuditEvent } from "../../../shared/events/audit-event.ts";

const record = { eventName: "AuthorizeSecurityGroup", eventId: "1" };
const cloudEvent = { id: "e", source: "acs.ecs", type: "ecs:ActionTrail:ApiCall", data: record };

describe("an audit event", () => {
  test.each<[string, unknown]>([
    ["a CloudEvent as an object", cloudEvent],
    ["a CloudEvent as text", JSON.stringify(cloudEvent)],
    ["a CloudEvent as bytes", Buffer.from(JSON.stringify(cloudEvent))],
    ["its data as text", JSON.stringify({ ...cloudEvent, data: JSON.stringify(record) })],
    ["the data alone", record],
    ["the data alone as bytes", Buffer.from(JSON.stringify(record))],
    ["a list of one", JSON.stringify([cloudEvent])],
    ["a list of text", [JSON.stringify(cloudEvent)]],
  ])("is read from %s", (_what, event) => {
    expect(readAuditEvent(event)).toEqual([record]);
  });

  test.each<[string, unknown, string]>([
    ["300 KB", JSON.stringify({ data: { eventName: "x".repeat(300_000) } }), "bytes"],
    ["101 records", JSON.stringify(Array.from({ length: 101 }, () => cloudEvent)), "101 events"],
    ["no JSON", "{", "not JSON"],
    ["a broken list", "[", "not JSON"],
    ["an envelope without data", "{}", "no data"],
    ["data that is no JSON", JSON.stringify({ data: "{" }), "not JSON"],
    ["a number", 42, ""],
    ["null", null, ""],
  ])("is refused: %s", (_what, event, why) => {
    expect(() => readAuditEvent(event)).toThrow(why === "" ? "an event it does not know" : why);
  });
});
