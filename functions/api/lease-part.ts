// What is loaded for the routes of leases, which a cold start is most often asked for: to open, read, extend and end them.
import { leaseRoutes } from "../../shared/http/routes-leases.ts";
import { endLease } from "../../shared/usecases/lease/end-lease.ts";
import { extendLease } from "../../shared/usecases/lease/extend-lease.ts";
import { getLease, listLeases } from "../../shared/usecases/lease/list-leases.ts";
import { openLease } from "../../shared/usecases/lease/open-lease.ts";

/** The routes, and what they call. */
export const leasePart = { routes: leaseRoutes, calls: { endLease, extendLease, getLease, listLeases, openLease } };
