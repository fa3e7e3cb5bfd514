// The function behind the HTTP trigger: requests in, answers out, never a function error.
import { doorkeeper } from "../../shared/access/identify.ts";
import { readHttpEvent, toHttpEventResult } from "../../shared/events/http-event.ts";
import { type HttpApp, httpApp } from "../../shared/http/http-app.ts";
import { problemResponse } from "../../shared/http/problem.ts";
import type { HttpParts } from "../../shared/http/route.ts";
import type { WriteBook } from "../../shared/ports/book.ts";
import { refuseStateOfOthers } from "../../shared/usecases/operation/own-state.ts";
import type { Composition } from "../compose.ts";
import { entry } from "../entry.ts";
import { routesAt, useCases } from "./parts.ts";

/** Loaded when somebody asks for a spreadsheet: no start has to wait for it. */
const writeBook: WriteBook = async (sheets) => (await import("./book.ts")).writeBook(sheets);

/** Loaded for the API description: the shapes of all answers. */
const describeApi: HttpParts["describeApi"] = async (routes) =>
  (await import("../../shared/http/openapi.ts")).describeApi(routes);

const webs = new WeakMap<Composition["app"], HttpApp>();

/** Work that may end after the answer is made, and has to before the process is frozen. */
const pending = new Set<Promise<unknown>>();

export const handler = entry(
  "api",
  async (event, invocation) => {
    const request = readHttpEvent(event, invocation.requestId);
    const response = await webOf(invocation)(request, invocation.leftMs);
    await Promise.all(pending);
    return toHttpEventResult(response);
  },
  (error, requestId) => toHttpEventResult(problemResponse(error, requestId)),
);

function webOf({ app, documents, oidc, ...policies }: Composition): HttpApp {
  const known = webs.get(app);
  if (known !== undefined) return known;
  // Nothing is done by the policy of tables that are another's. Whose they are is read beside it, and no request has to wait for it before.
  const readPolicy: HttpParts["readPolicy"] = async () => {
    const [policy] = await Promise.all([policies.readPolicy(), refuseStateOfOthers(app)]);
    return policy;
  };
  const later = (work: Promise<unknown>): void => {
    const quiet = work
      .catch((cause: unknown) => app.log.write("warn", "the last use of a token was not noted", { cause }))
      .finally(() => pending.delete(quiet));
    pending.add(quiet);
  };
  const door = doorkeeper({ clock: app.clock, tables: app.tables, oidc, later });
  const web = httpApp({ app, routesAt, useCases, ...door, readPolicy, documents, writeBook, describeApi });
  webs.set(app, web);
  return web;
}
