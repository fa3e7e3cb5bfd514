// LookupEvents: events of a time range by one or two of their attributes, page by page.

import { type RpcParameters, structuresOf } from "../../protocol/rpc/parameters.ts";
import { RpcError } from "../../protocol/rpc/rpc-error.ts";
import { utcSeconds } from "../eventbridge/cloud-event.ts";
import type { EventData, KeptEvents } from "./kept-events.ts";
import type { TrailSwitches } from "./switches.ts";

/** What the operation works on. */
export interface LookupContext {
  readonly params: RpcParameters;
  readonly now: number;
  readonly kept: KeptEvents;
  readonly switches: Pick<TrailSwitches, "lookupAccount">;
}

type Body = Record<string, unknown>;

const DAY_MS = 86_400_000;
const SPAN_MS = 7 * DAY_MS;
const RETENTION_MS = 90 * DAY_MS;
const PAGE_MAX = 50;
const DEFAULT_PAGE = 10;

const refuse = (code: string, message: string): RpcError => new RpcError({ status: 400, code, message });
const badQuery = (message: string): RpcError => refuse("InvalidQueryParameter", message);

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const identityOf = (data: EventData): EventData => (data["userIdentity"] ?? {}) as EventData;
const isListed = (list: unknown, value: string): boolean => textOf(list).split(";").includes(value);

/** Whether an event has an attribute: exact, upper and lower case apart. */
const attributes: ReadonlyMap<string, (data: EventData, value: string) => boolean> = new Map([
  ["EventId", (data, value) => data["eventId"] === value],
  ["EventName", (data, value) => data["eventName"] === value],
  ["EventType", (data, value) => data["eventType"] === value],
  ["EventRW", (data, value) => data["eventRW"] === value],
  ["ServiceName", (data, value) => data["serviceName"] === value],
  ["ResourceType", (data, value) => isListed(data["resourceType"], value)],
  ["ResourceName", (data, value) => isListed(data["resourceName"], value)],
  ["SourceIpAddress", (data, value) => data["sourceIpAddress"] === value],
  ["User", (data, value) => identityOf(data)["userName"] === value],
  ["PrincipalId", (data, value) => identityOf(data)["principalId"] === value],
  ["EventAccessKeyId", (data, value) => identityOf(data)["accessKeyId"] === value],
  [
    "RoleName",
    (data, value) =>
      identityOf(data)["type"] === "assumed-role" && textOf(identityOf(data)["userName"]).split(":")[0] === value,
  ],
  // No call that is served here is sensitive.
  ["SensitiveAction", (_data, value) => value !== "true"],
]);

// Which two may stand together.
const pairs: Readonly<Record<string, readonly string[]>> = {
  ServiceName: [
    "EventName",
    "User",
    "PrincipalId",
    "RoleName",
    "ResourceName",
    "EventRW",
    "SensitiveAction",
    "EventType",
  ],
  ResourceName: ["ResourceType", "EventName", "User", "RoleName", "ServiceName"],
  EventType: ["EventName"],
};

/** The body of the answer. */
export function lookupEvents({ params, now, kept, switches }: LookupContext): Body {
  const wanted = wantedOf(params);
  const { from, to } = rangeOf(params, now);
  const direction = params["Direction"] || "BACKWARD";
  if (direction !== "BACKWARD" && direction !== "FORWARD") throw badQuery("Direction is BACKWARD or FORWARD.");
  const size = params["MaxResults"] === undefined ? DEFAULT_PAGE : wholeOf(params["MaxResults"], 1, PAGE_MAX);
  const offset = offsetOf(params["NextToken"] ?? "");
  const found = kept.between(Math.max(from, now - RETENTION_MS), to, now);
  const matching = found.filter((data) => wanted.every((matches) => matches(data)));
  if (direction === "BACKWARD") matching.reverse();
  const end = offset + size;
  return {
    StartTime: utcSeconds(from),
    EndTime: utcSeconds(to),
    Events: matching.slice(offset, end).map((data) => asLookedUp(data, switches)),
    ...(end < matching.length ? { NextToken: Buffer.from(`offset:${end}`).toString("base64") } : {}),
  };
}

function asLookedUp(data: EventData, { lookupAccount }: LookupContext["switches"]): EventData {
  if (lookupAccount === "told") return data;
  const { recipientAccountId: _, ...others } = data;
  return others;
}

function wantedOf(params: RpcParameters): readonly ((data: EventData) => boolean)[] {
  const asked = structuresOf(params, "LookupAttribute").map(({ fields }) => [fields["Key"], fields["Value"]] as const);
  if (asked.length > 2) throw refuse("InvalidParameterCombination", "At most two attributes can be combined.");
  // Of a key that stands there twice only the second counts.
  const byKey = new Map(asked.map(([key = "", value = ""]) => [key, value]));
  const [one, other] = [...byKey.keys()];
  if (one !== undefined && other !== undefined && !pairs[one]?.includes(other) && !pairs[other]?.includes(one))
    throw refuse("InvalidParameterCombination", `The attributes ${one} and ${other} cannot be combined.`);
  return [...byKey].map(([key, value]) => {
    const matches = attributes.get(key);
    if (matches === undefined || value === "") throw badQuery(`The attribute ${key} cannot be looked up.`);
    return (data) => matches(data, value);
  });
}

function rangeOf(params: RpcParameters, now: number): { readonly from: number; readonly to: number } {
  const [start, end] = [params["StartTime"] ?? "", params["EndTime"] ?? ""];
  if (start === "" && end === "") return { from: now - SPAN_MS, to: now };
  if (start === "" || end === "")
    throw refuse("InvalidParameterCombination", "StartTime and EndTime must be given together.");
  const from = instantOf(start);
  const to = instantOf(end);
  if (from === undefined) throw refuse("InvalidParameterStartTime", "The specified StartTime is not valid.");
  if (to === undefined || to < from) throw refuse("InvalidParameterEndTime", "The specified EndTime is not valid.");
  return { from, to };
}

function instantOf(text: string): number | undefined {
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

function wholeOf(text: string, min: number, max: number): number {
  const number = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw badQuery(`MaxResults is a whole number from ${min} to ${max}.`);
}

function offsetOf(token: string): number {
  if (token === "") return 0;
  const offset = /^offset:(\d{1,6})$/.exec(Buffer.from(token, "base64").toString("utf8"))?.[1];
  if (offset === undefined) throw badQuery("The NextToken is not one of this service.");
  return Number(offset);
}
