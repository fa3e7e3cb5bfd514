// What is loaded to open a lease, and to read, extend and end it: of all calls those that a cold start is most often asked for.
import { endLease } from "../../shared/usecases/end-lease.ts";
import { extendLease } from "../../shared/usecases/extend-lease.ts";
import { getLease, listLeases } from "../../shared/usecases/list-leases.ts";
import { openLease } from "../../shared/usecases/open-lease.ts";

/** By the names that the routes know them by. */
export const leaseCalls = { endLease, extendLease, getLease, listLeases, openLease };
