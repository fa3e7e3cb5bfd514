// The control API of the embedded cloud: time, faults, switches, raw events, calls, reset. For tools, not for the product.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { CallRing } from "./call-ring.ts";
import type { CloudClock } from "./clock.ts";
import {
  ControlError,
  parseAdvance,
  parseBusEvent,
  parseEvent,
  parseFaults,
  parseJsonObject,
  parseMeasurement,
  parsePolicies,
  parsePrincipal,
  parseSince,
  parseSwitches,
  parseSystemEvent,
} from "./control-input.ts";
import type { FaultTable } from "./faults.ts";
import type { Principal, PrincipalSpec } from "./principals.ts";
import type { Ram } from "./ram.ts";
import type { Cms } from "./services/cms/cms.ts";
import type { EventBus } from "./services/eventbridge/event-bus.ts";
import type { FunctionRegistry } from "./services/functions/function-registry.ts";
import { readBody } from "./services/functions/request-body.ts";
import type { Queues } from "./services/smq/queues.ts";

/** The part of the cloud that can be controlled. */
export interface Controlled {
  readonly clock: CloudClock;
  readonly faults: FaultTable;
  /** The switches of all services; each name belongs to one of them. */
  readonly switches: readonly object[];
  readonly events: EventBus;
  readonly cms: Pick<Cms, "measure" | "systemEvent">;
  readonly calls: CallRing;
  readonly queues: Pick<Queues, "all">;
  readonly ram: Pick<Ram, "attach" | "detach" | "attached" | "used">;
  readonly functions: { readonly registry: FunctionRegistry };
  addPrincipal(spec: PrincipalSpec): Principal;
  advance(ms: number): Promise<void>;
  toReal(): void;
  reset(): Promise<void>;
}

interface Call {
  readonly url: URL;
  readonly text: string;
  /** The variable part of the path. */
  readonly name: string;
}

type Route = (cloud: Controlled, call: Call) => unknown;

const BODY_BYTES_MAX = 32 * 1024 * 1024;

const clockOf = ({ clock }: Controlled): unknown => ({ now: clock.now(), mode: clock.mode });

const allSwitches = ({ switches }: Controlled): object => Object.assign({}, ...switches);

const routes: Readonly<Record<string, Route>> = {
  "GET /clock": clockOf,
  "POST /clock/advance": async (cloud, { text }) => {
    await cloud.advance(parseAdvance(parseJsonObject(text)));
    return clockOf(cloud);
  },
  "POST /clock/real": (cloud) => {
    cloud.toReal();
    return clockOf(cloud);
  },
  "GET /faults": ({ faults }) => ({ faults: faults.list() }),
  "PUT /faults": ({ faults }, { text }) => {
    faults.set(parseFaults(text));
    return { faults: faults.list() };
  },
  "GET /switches": allSwitches,
  "PUT /switches": (cloud, { text }) => {
    const changes = parseSwitches(allSwitches(cloud), parseJsonObject(text));
    for (const [name, value] of Object.entries(changes))
      for (const owner of cloud.switches) if (name in owner) Object.assign(owner, { [name]: value });
    return allSwitches(cloud);
  },
  "POST /events": (cloud, { text }) => deliver(cloud, text),
  "GET /events": ({ events }, { url }) => events.since(parseSince(url.searchParams.get("since"))),
  "POST /metrics": ({ cms }, { text }) => cms.measure(parseMeasurement(parseJsonObject(text))),
  "POST /system-events": ({ cms }, { text }) => cms.systemEvent(parseSystemEvent(parseJsonObject(text))),
  "POST /principals": (cloud, { text }) => cloud.addPrincipal(parsePrincipal(parseJsonObject(text))),
  "GET /policies": ({ ram }) => ram.attached(),
  "PUT /policies": ({ ram }, { text }) => {
    for (const [name, documents] of Object.entries(parsePolicies(parseJsonObject(text))))
      if (documents === null) ram.detach(name);
      else ram.attach(name, documents);
    return ram.attached();
  },
  "GET /queues": ({ queues }) => ({ queues: queues.all() }),
  "GET /actions": ({ ram }) => ({ actions: ram.used() }),
  "GET /calls": ({ calls }, { url }) => calls.since(parseSince(url.searchParams.get("since"))),
  "GET /logs": ({ functions }, { url }) => {
    const since = parseSince(url.searchParams.get("since"));
    return {
      lines: functions.registry
        .logs()
        .lines()
        .filter((line) => line.at >= since),
    };
  },
  "POST /functions/*/kill": ({ functions }, { name }) => {
    const killed = functions.registry.kill(name);
    if (killed === undefined) throw unknownFunction(name);
    return { function: name, killed };
  },
  "POST /reset": async (cloud) => {
    await cloud.reset();
    return clockOf(cloud);
  },
};

/** A server that is not listening yet. */
export function createControl(cloud: Controlled): Server {
  // A long advance answers when it is done.
  return createServer({ requestTimeout: 0 }, (request, response) => void serve(cloud, request, response));
}

async function serve(cloud: Controlled, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const answer = (status: number, type: string, body: unknown): void => {
    const bytes = Buffer.from(JSON.stringify(body));
    response.writeHead(status, { "content-type": type, "content-length": String(bytes.length) });
    response.end(bytes);
  };
  try {
    const read = await readBody(request, BODY_BYTES_MAX);
    if (read.kind === "aborted") return;
    const text = read.kind === "body" ? read.body.toString("utf8") : "";
    if (read.kind === "too-long")
      throw new ControlError({ code: "INVALID_INPUT", message: "the body is too long", remedy: "Send at most 32 MB." });
    const target = request.url ?? "/";
    // By itself, a path that begins with two strokes would name a host.
    const url = new URL(target.startsWith("/") ? `http://control${target}` : target, "http://control");
    const { route, name } = findRoute(request.method ?? "GET", url.pathname);
    answer(200, "application/json", (await route(cloud, { url, text, name })) ?? {});
  } catch (error) {
    const { status, code, message, remedy } = asControlError(error);
    answer(status, "application/problem+json", { type: "about:blank", title: code, status, code, message, remedy });
  }
}

function findRoute(method: string, path: string): { readonly route: Route; readonly name: string } {
  const [, first = "", name = "", last = ""] = /^\/(functions)\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  const key = first === "" ? path : `/${first}/*/${last}`;
  const route = routes[`${method} ${key}`];
  if (route) return { route, name: decodeURIComponent(name) };
  const methods = Object.keys(routes).flatMap((each) => (each.endsWith(` ${key}`) ? [each.split(" ")[0]] : []));
  if (methods.length > 0)
    throw new ControlError({
      status: 405,
      code: "METHOD_NOT_ALLOWED",
      message: `${path} does not take ${method}`,
      remedy: `Use ${methods.join(" or ")}.`,
    });
  throw new ControlError({
    status: 404,
    code: "NOT_FOUND",
    message: `the control API has no ${path}`,
    remedy: `Use one of: ${Object.keys(routes).join(", ")}.`,
  });
}

async function deliver({ events, functions: { registry } }: Controlled, text: string): Promise<unknown> {
  const sent = parseJsonObject(text);
  const forBus = parseBusEvent(sent);
  if (forBus) {
    events.publish(forBus);
    return { next: events.since(0).next };
  }
  const { function: name, event, async } = parseEvent(sent);
  if (!registry.has(name)) throw unknownFunction(name);
  if (async) return { requestId: registry.submit(name, event).requestId };
  const { requestId, body, errorType } = await registry.invoke(name, event);
  const result = asJson(body);
  return errorType === undefined ? { requestId, result } : { requestId, errorType, error: result };
}

function asJson(body: Buffer): unknown {
  const text = body.toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function unknownFunction(name: string): ControlError {
  return new ControlError({
    status: 404,
    code: "FUNCTION_NOT_FOUND",
    message: `no function named "${name}" is deployed`,
    remedy: "Deploy it first, or correct the name.",
  });
}

function asControlError(error: unknown): { status: number; code: string; message: string; remedy: string } {
  if (error instanceof ControlError) return error;
  if (error instanceof URIError)
    return new ControlError({
      code: "INVALID_INPUT",
      message: "the path is not well encoded",
      remedy: "Encode it as UTF-8 percent text.",
    });
  const message = error instanceof Error ? error.message : String(error);
  return {
    status: 500,
    code: "CLOUD_FAILED",
    message,
    remedy: "This is a fault of the embedded cloud; please report it.",
  };
}
