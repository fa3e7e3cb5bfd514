// The web application: one pure function from request to response. Who is calling is settled before anything else is told.
import { isPermitted, rolesWith } from "../domain/permission.ts";
import { fail } from "../errors/app-error.ts";
import { seesOf } from "../usecases/group/check-scope.ts";
import { callerBlock } from "./client-address.ts";
import { type FindRoute, type FoundRoute, routeFinder } from "./find-route.ts";
import { type HttpRequest, type HttpResponse, jsonResponse } from "./message.ts";
import { problemResponse, toAppError } from "./problem.ts";
import type { HttpParts, Identity, Route } from "./route.ts";

/** Time kept for building the answer when the platform's deadline comes. */
const ANSWER_MARGIN_MS = 2000;

/** Answers a request. Never throws. `deadlineMs` is the time the platform leaves for the whole call. */
export type HttpApp = (request: HttpRequest, deadlineMs: number) => Promise<HttpResponse>;

/** Builds the application. */
export function httpApp(parts: HttpParts): HttpApp {
  const finders = new WeakMap<readonly Route[], FindRoute>();
  const finderAt = async (path: string): Promise<FindRoute> => {
    const routes = await parts.routesAt(path);
    const find = finders.get(routes) ?? routeFinder(routes);
    finders.set(routes, find);
    return find;
  };
  return async (request, deadlineMs) => {
    const deadlineAt = parts.app.clock.monotonicMs() + Math.max(0, deadlineMs - ANSWER_MARGIN_MS);
    const response = await answer(parts, finderAt, request, deadlineAt);
    return {
      ...response,
      headers: { ...response.headers, "X-Request-Id": request.requestId },
      body: request.method === "HEAD" ? "" : response.body,
    };
  };
}

async function answer(
  parts: HttpParts,
  finderAt: (path: string) => Promise<FindRoute>,
  request: HttpRequest,
  deadlineAt: number,
): Promise<HttpResponse> {
  try {
    return await dispatch(parts, finderAt, request, deadlineAt);
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.entry.fault !== "caller")
      parts.app.log.write("error", "request failed", {
        requestId: request.requestId,
        code: error.code,
        detail: error.detail,
        cause: error.cause,
      });
    return problemResponse(error, request.requestId);
  }
}

async function dispatch(
  parts: HttpParts,
  finderAt: (path: string) => Promise<FindRoute>,
  request: HttpRequest,
  deadlineAt: number,
): Promise<HttpResponse> {
  const authorization = request.headers["authorization"] ?? null;
  const method = request.method === "HEAD" ? "GET" : request.method;
  const path = request.path.replaceAll(/%3a/gi, ":");
  // 1. A probe without a token learns that the function answers, and nothing else.
  if (authorization === null && method === "GET" && path === "/v1/health") return jsonResponse(200, { status: "up" });
  // 2. Who is it? The policy is read meanwhile. A link says itself whom it was sent to.
  const policyReading = parts.readPolicy();
  policyReading.catch(() => undefined);
  const find = await finderAt(path);
  const found = find(method, path);
  if (found?.route.permission === "public") {
    const policy = await policyReading;
    const address = callerBlock(request, policy.trustedProxies) ?? undefined;
    parts.strangers.admit(address ?? "", policy.access);
    const caller = { principal: "link", roles: [], scopes: [], policy, address };
    const sees = async () => () => false;
    return found.route.handle({
      parts,
      request,
      caller,
      params: decoded(found.params, request.path),
      deadlineAt,
      sees,
    });
  }
  const policy = () => policyReading;
  const address = async () => callerBlock(request, (await policyReading).trustedProxies) ?? "";
  const identity = await parts.identify({ authorization, address, policy });
  // 3. What is asked?
  if (found === undefined) return elsewhere(find, request, path);
  // 4. May they?
  requirePermission(found.route, identity);
  const inForce = await policyReading;
  const from = callerBlock(request, inForce.trustedProxies) ?? undefined;
  const caller = { ...identity, policy: inForce, address: from };
  const sees = () => seesOf(parts.app, caller);
  return found.route.handle({ parts, request, caller, params: decoded(found.params, request.path), deadlineAt, sees });
}

function elsewhere(find: FindRoute, request: HttpRequest, path: string): HttpResponse {
  const methods = (["GET", "PUT", "POST", "DELETE"] as const).filter((method) => find(method, path) !== undefined);
  const shown = request.path.slice(0, 200);
  if (methods.length === 0) throw fail("NOT_FOUND", { path: shown });
  const allowed = [...(methods.includes("GET") ? ["HEAD"] : []), ...methods, "OPTIONS"].join(", ");
  if (request.method !== "OPTIONS") throw fail("METHOD_NOT_ALLOWED", { path: shown, method: request.method, allowed });
  return { status: 204, headers: { Allow: allowed, "Content-Type": "application/json; charset=utf-8" }, body: "" };
}

function requirePermission({ permission }: Route, { roles }: Identity): void {
  if (isPermitted(roles, permission)) return;
  throw fail("ROLE_MISSING", { needed: rolesWith(permission).join(" or "), roles: roles.join(", ") || "none" });
}

function decoded(params: FoundRoute["params"], path: string): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch {
    throw fail("NOT_FOUND", { path: path.slice(0, 200) });
  }
}
