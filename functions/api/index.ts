// The function behind the HTTP trigger: requests in, answers out, never a function error.
import { authenticate } from "../../shared/access/token.ts";
import { readHttpEvent, toHttpEventResult } from "../../shared/events/http-event.ts";
import { type HttpApp, httpApp } from "../../shared/http/http-app.ts";
import { problemResponse } from "../../shared/http/problem.ts";
import { endLease } from "../../shared/usecases/end-lease.ts";
import { extendLease } from "../../shared/usecases/extend-lease.ts";
import { health } from "../../shared/usecases/health.ts";
import { listGroups } from "../../shared/usecases/list-groups.ts";
import { getLease, listLeases } from "../../shared/usecases/list-leases.ts";
import { listRecords } from "../../shared/usecases/list-records.ts";
import { openLease } from "../../shared/usecases/open-lease.ts";
import { sweep } from "../../shared/usecases/sweep.ts";
import type { Composition } from "../compose.ts";
import { entry } from "../entry.ts";

const useCases = { openLease, extendLease, endLease, getLease, listLeases, sweep, listGroups, listRecords, health };
const webs = new WeakMap<Composition["app"], HttpApp>();

export const handler = entry(
  "api",
  async (event, invocation) => {
    const request = readHttpEvent(event, invocation.requestId);
    return toHttpEventResult(await webOf(invocation)(request, invocation.leftMs));
  },
  (error, requestId) => toHttpEventResult(problemResponse(error, requestId)),
);

function webOf({ app, readPolicy }: Composition): HttpApp {
  const known = webs.get(app);
  if (known !== undefined) return known;
  const identify = (authorization: string | null) => authenticate(app.tables, authorization, app.clock.now());
  const web = httpApp({ app, useCases, identify, readPolicy });
  webs.set(app, web);
  return web;
}
