// The web application: one pure function from request to response. Who is calling is settled before anything else is told.
import { addRoute, createRouter, findRoute } from "rou3";
import { isPermitted, rolesWith } from "../domain/permission.ts";
import { fail } from "../errors/app-error.ts";
import { seesOf } from "../usecases/group/check-scope.ts";
import { callerBlock } from "./client-address.ts";
import { type HttpRequest, type HttpResponse, jsonResponse } from "./message.ts";
import { problemResponse, toAppError } from "./problem.ts";
import type { HttpParts, Identity, Route } from "./route.ts";

type Router = ReturnType<typeof createRouter<Route>>;

/** Time kept for building the answer when the platform's deadline comes. */
const ANSWER_MARGIN_MS = 2000;

/** Answers a request. Never throws. `deadlineMs` is the time the platform leaves for the whole call. */
export type HttpApp = (request: HttpRequest, deadlineMs: number) => Promise<HttpResponse>;

/** Builds the application. */
export function httpApp(parts: HttpParts): HttpApp {
  const routers = new WeakMap<readonly Route[], Router>();
  const routerAt = async (path: string): Promise<Router> => {
    const routes = await parts.routesAt(path);
    const router = routers.get(routes) ?? routerOf(routes);
    routers.set(routes, router);
    return router;
  };
  return async (request, deadlineMs) => {
    const deadlineAt = parts.app.clock.monotonicMs() + Math.max(0, deadlineMs - ANSWER_MARGIN_MS);
    const response = await answer(parts, routerAt, request, deadlineAt);
    return {
      ...response,
      headers: { ...response.headers, "X-Request-Id": request.requestId },
      body: request.method === "HEAD" ? "" : response.body,
    };
  };
}

async function answer(
  parts: HttpParts,
  routerAt: (path: string) => Promise<Router>,
  request: HttpRequest,
  deadlineAt: number,
): Promise<HttpResponse> {
  try {
    return await dispatch(parts, routerAt, request, deadlineAt);
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
  routerAt: (path: string) => Promise<Router>,
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
  const router = await routerAt(path);
  const found = findRoute(router, method, path);
  if (found?.data.permission === "public") {
    const policy = await policyReading;
    const address = callerBlock(request, policy.trustedProxies) ?? undefined;
    parts.strangers.admit(address ?? "", policy.access);
    const caller = { principal: "link", roles: [], scopes: [], policy, address };
    const sees = async () => () => false;
    return found.data.handle({ parts, request, caller, params: decoded(found.params, request.path), deadlineAt, sees });
  }
  const policy = () => policyReading;
  const address = async () => callerBlock(request, (await policyReading).trustedProxies) ?? "";
  const identity = await parts.identify({ authorization, address, policy });
  // 3. What is asked?
  if (found === undefined) return elsewhere(router, request, path);
  // 4. May they?
  requirePermission(found.data, identity);
  const inForce = await policyReading;
  const from = callerBlock(request, inForce.trustedProxies) ?? undefined;
  const caller = { ...identity, policy: inForce, address: from };
  const sees = () => seesOf(parts.app, caller);
  return found.data.handle({ parts, request, caller, params: decoded(found.params, request.path), deadlineAt, sees });
}

function elsewhere(router: Router, request: HttpRequest, path: string): HttpResponse {
  const methods = (["GET", "PUT", "POST", "DELETE"] as const).filter(
    (method) => findRoute(router, method, path) !== undefined,
  );
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

function routerOf(all: readonly Route[]): Router {
  const router = createRouter<Route>();
  for (const route of all) addRoute(router, route.method, pattern(route.path), route);
  return router;
}

/** `/v1/leases/{id}:end` as the router writes it: a value ends at a colon. */
function pattern(path: string): string {
  return path
    .replaceAll(/(\w):(?=\w)/g, "$1\\:")
    .replaceAll(/\{(\w+)\}:/g, ":$1([^:]+)\\:")
    .replaceAll(/\{(\w+)\}/g, ":$1([^:]+)");
}

function decoded(params: Readonly<Record<string, string>> | undefined, path: string): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(params ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch {
    throw fail("NOT_FOUND", { path: path.slice(0, 200) });
  }
}
