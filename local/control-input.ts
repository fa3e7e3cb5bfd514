// Checks what tools send to the control API; every refusal names the field and what would be right.

import { type FaultRule, type FaultService, faultKinds } from "./faults.ts";
import type { PrincipalSpec } from "./principals.ts";
import { checkPolicy, type PolicyDocument } from "./ram.ts";
import type { Measurement } from "./services/cms/cms.ts";
import type { SystemEvent } from "./services/cms/system-event.ts";
import type { CloudEvent } from "./services/eventbridge/cloud-event.ts";
import { wantedInstead } from "./switch-readings.ts";

/** A bad request in words. */
export class ControlError extends Error {
  readonly status: number;
  readonly code: string;
  readonly remedy: string;

  constructor(problem: { status?: number; code: string; message: string; remedy: string }) {
    super(problem.message);
    this.status = problem.status ?? 400;
    this.code = problem.code;
    this.remedy = problem.remedy;
  }
}

type Json = Readonly<Record<string, unknown>>;

const refuse = (message: string, remedy: string): never => {
  throw new ControlError({ code: "INVALID_INPUT", message, remedy });
};

// A year is the longest useful jump, and ten are surely a mistake in the unit.
const ADVANCE_MS_MAX = 10 * 366 * 86_400_000;

/** The body as an object; an empty body is an empty object. */
export function parseJsonObject(text: string): Json {
  const parsed = parseJson(text);
  return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
    ? (parsed as Json)
    : refuse("the body is no JSON object", 'Send an object such as {"ms": 60000}.');
}

function parseJson(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return refuse("the body is not JSON", "Send JSON in UTF-8.");
  }
}

/** Milliseconds to advance by. */
export function parseAdvance({ ms }: Json): number {
  if (typeof ms === "number" && Number.isFinite(ms) && ms >= 0 && ms <= ADVANCE_MS_MAX) return ms;
  return refuse(`"ms" is ${JSON.stringify(ms)}`, `Send {"ms": n} with n from 0 to ${ADVANCE_MS_MAX} milliseconds.`);
}

/** Where a list of calls begins. */
export function parseSince(value: string | null): number {
  const since = Number(value ?? 0);
  return Number.isFinite(since) && since >= 0
    ? since
    : refuse(`"since" is ${JSON.stringify(value)}`, 'Send the "next" of the last answer, or milliseconds since 1970.');
}

/** An event for the bus, when no function is named. */
export function parseBusEvent(body: Json): CloudEvent | undefined {
  if ("function" in body) return undefined;
  const event = body["event"];
  const { source, type } = (typeof event === "object" && event !== null ? event : {}) as Json;
  return typeof source === "string" && typeof type === "string"
    ? (event as CloudEvent)
    : refuse(
        'neither "function" nor the source and type of "event" are given',
        'Name a deployed function, or send {"event": {"source": "acs.ecs", "type": "…", "data": {…}}} for the bus.',
      );
}

/** An event for a function: text as it is, anything else as JSON. */
export function parseEvent(body: Json): { readonly function: string; readonly event: Buffer; readonly async: boolean } {
  const name = body["function"];
  if (typeof name !== "string" || name === "") return refuse('"function" is missing', "Name a deployed function.");
  if (!("event" in body)) return refuse('"event" is missing', "Send the raw event as text or JSON.");
  const event = body["event"];
  const bytes = Buffer.from(typeof event === "string" ? event : JSON.stringify(event));
  return { function: name, event: bytes, async: body["async"] === true };
}

const COPIES_MAX = 100;
const KINDS_WITH_MS = ["late-effect", "delay", "stale-read"];

/** The rules of a fault table, from `[…]` or `{"faults": […]}`. */
export function parseFaults(text: string): readonly FaultRule[] {
  const parsed = parseJson(text) as { faults?: unknown };
  const rules: unknown = Array.isArray(parsed) ? parsed : parsed?.faults;
  if (!Array.isArray(rules))
    return refuse(
      "there is no list of faults",
      'Send {"faults": [{"service": "ecs", "fault": {"kind": "drop-after"}}]}.',
    );
  return rules.map((rule: unknown, index) => checkFault(rule, `faults[${index}]`));
}

function checkFault(rule: unknown, place: string): FaultRule {
  const { service, fault, skip, times, from, until } = (rule ?? {}) as Json;
  if (!isFaultService(service))
    return refuse(
      `${place}.service is ${JSON.stringify(service)}`,
      `Use one of ${Object.keys(faultKinds).join(", ")}.`,
    );
  const kinds: readonly string[] = faultKinds[service];
  const { kind, ms, status, code, when, answer, times: copies } = (fault ?? {}) as Json;
  if (!kinds.includes(String(kind)))
    return refuse(`${place}.fault.kind is ${JSON.stringify(kind)}`, `${service} takes one of ${kinds.join(", ")}.`);
  if (kind === "reorder" && ms !== undefined && !isCount(ms))
    return refuse(`${place}.fault.ms is ${JSON.stringify(ms)}`, "Send milliseconds, 0 or more, or leave it out.");
  if (kind === "skew" && !Number.isSafeInteger(ms))
    return refuse(`${place}.fault.ms is ${JSON.stringify(ms)}`, "Send whole milliseconds; less than 0 is slow.");
  if (kind === "duplicate" && copies !== undefined && (!isCount(copies) || copies < 1 || copies > COPIES_MAX))
    return refuse(`${place}.fault.times is ${JSON.stringify(copies)}`, `Send 1 to ${COPIES_MAX}, or leave it out.`);
  if (kind === "duplicate" && answer !== undefined && answer !== "first" && answer !== "last")
    return refuse(`${place}.fault.answer is ${JSON.stringify(answer)}`, "Use first or last, or leave it out.");
  if (kind === "crash" && when !== undefined && when !== "before" && when !== "after")
    return refuse(`${place}.fault.when is ${JSON.stringify(when)}`, "Use before or after, or leave it out.");
  if (KINDS_WITH_MS.includes(String(kind)) && !isCount(ms))
    return refuse(`${place}.fault.ms is ${JSON.stringify(ms)}`, "Send milliseconds, 0 or more.");
  if (kind === "reject" && (!isCount(status) || status < 400 || status > 599 || typeof code !== "string"))
    return refuse(`${place}.fault is incomplete`, 'A reject has "status" 400 to 599 and "code".');
  for (const [name, value] of [
    ["skip", skip],
    ["times", times],
    ["from", from],
    ["until", until],
  ] as const)
    if (value !== undefined && !isCount(value))
      return refuse(`${place}.${name} is ${JSON.stringify(value)}`, "Send a whole number, 0 or more.");
  return rule as FaultRule;
}

const isFaultService = (service: unknown): service is FaultService =>
  typeof service === "string" && Object.hasOwn(faultKinds, service);

const isCount = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value) && value >= 0;

/** One value of a product's metric. */
export function parseMeasurement(body: Json): Measurement {
  const { namespace, metricName, dimensions = {}, value, at } = body;
  for (const [name, text] of Object.entries({ namespace, metricName }))
    if (typeof text !== "string" || text === "") return refuse(`"${name}" is missing`, 'Such as "acs_ecs_dashboard".');
  if (typeof value !== "number" || !Number.isFinite(value)) return refuse('"value" is no number', "Send a number.");
  if (typeof dimensions !== "object" || dimensions === null || !Object.values(dimensions).every(isTextValue))
    return refuse('"dimensions" is no object of texts', 'Send {"instanceId": "i-…"}.');
  if (at !== undefined && !isCount(at)) return refuse('"at" is no instant', "Send milliseconds since 1970.");
  return { ...body, dimensions } as Measurement;
}

const isTextValue = (value: unknown): boolean => typeof value === "string";

/** Something that CloudMonitor tells the event bus. */
export function parseSystemEvent(body: Json): SystemEvent {
  for (const name of ["product", "name"])
    if (!isTextValue(body[name]) || body[name] === "")
      return refuse(`"${name}" is missing`, 'Send {"product": "ddos", "name": "DdosbgpEventBlackhole"}.');
  return body as unknown as SystemEvent;
}

/** Somebody new who may call. */
export function parsePrincipal(body: Json): PrincipalSpec {
  const { kind, address } = body;
  const isKnown = kind === "root" || kind === "user" || kind === "role" || kind === "service";
  if (!isKnown) return refuse(`"kind" is ${JSON.stringify(kind)}`, "Use one of user, root, role, service.");
  const needed = kind === "root" ? [] : kind === "role" ? ["name", "session"] : ["name"];
  for (const field of needed)
    if (!/^[A-Za-z0-9._@-]{1,64}$/.test(String(body[field] ?? "")))
      return refuse(
        `"${field}" is ${JSON.stringify(body[field])}`,
        "Send 1 to 64 letters, digits, dots, @, _ or hyphens.",
      );
  if (address !== undefined && (!isTextValue(address) || address === ""))
    return refuse('"address" is no text', "Send an address, or leave it out.");
  return body as unknown as PrincipalSpec;
}

/** Policies by the name of their user or role; null takes them away. */
export function parsePolicies(body: Json): Readonly<Record<string, readonly PolicyDocument[] | null>> {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => {
      if (value === null) return [name, null];
      const documents: readonly unknown[] = Array.isArray(value) ? value : [value];
      try {
        return [name, documents.map(checkPolicy)];
      } catch (error) {
        return refuse(`${name}: ${(error as Error).message}`, "Send a policy of RAM, a list of them, or null.");
      }
    }),
  );
}

/** Changes to switches; each must exist and take the value. */
export function parseSwitches(present: object, body: Json): Json {
  for (const [name, value] of Object.entries(body)) {
    const before: unknown = (present as Json)[name];
    if (before === undefined)
      return refuse(`there is no switch "${name}"`, `Use one of ${Object.keys(present).join(", ")}.`);
    const wanted = wantedInstead(name, before, value);
    if (wanted !== undefined) return refuse(`the switch "${name}" is ${JSON.stringify(value)}`, wanted);
  }
  return body;
}
