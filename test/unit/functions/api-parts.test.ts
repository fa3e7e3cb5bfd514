// A path leads to its route without every route being loaded.
import { expect, test } from "vitest";
import { routesAt } from "../../../functions/api/parts.ts";
import { routes } from "../../../shared/http/routes.ts";

test.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
  "%s is found where its path leads",
  async (_name, route) => {
    expect(await routesAt(route.path.replaceAll(/\{\w+\}/g, "x"))).toContain(route);
  },
);

test("what is asked for most is found without the others", async () => {
  expect((await routesAt("/v1/leases/x:end")).length).toBeLessThan(routes.length / 2);
  expect(await routesAt("/v1/leases")).toBe(await routesAt("/safeport/temp_allow"));
});

test("a path that leads nowhere is held against every route", async () => {
  for (const path of ["/", "", "/v1", "/v1/leasesx", "/v2/leases", "//v1/leases"])
    expect(await routesAt(path)).toBe(routes);
});
