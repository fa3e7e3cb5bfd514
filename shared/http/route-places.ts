// Where routes are found without loading all of them: to build the schemas of all takes longer than anything else of a start.
import type { Route } from "./route.ts";

let ofLeases: Promise<readonly Route[]> | undefined;
let all: Promise<readonly Route[]> | undefined;

/** Every route that the path may be one of, and others. The same array each time for the same path. */
export function routesAt(path: string): Promise<readonly Route[]> {
  if (/^\/(safeport|v1\/(leases|approvals))\b/.test(path)) {
    ofLeases ??= import("./routes-leases.ts").then(({ leaseRoutes }) => leaseRoutes);
    return ofLeases;
  }
  all ??= import("./routes.ts").then(({ routes }) => routes);
  return all;
}
