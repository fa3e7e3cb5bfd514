// Paths to routes.
import { describe, expect, test } from "vitest";
import { routeFinder } from "../../../shared/http/find-route.ts";
import { routes } from "../../../shared/http/routes.ts";

const find = routeFinder(routes);
const sampleOf = (path: string) => path.replaceAll(/\{(\w+)\}/g, "$1-1.a");

describe("a path", () => {
  test.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "%s leads to its route alone",
    (_name, route) => {
      const path = sampleOf(route.path);
      const found = find(route.method, path);
      expect(found?.route).toBe(route);
      const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
      expect(found?.params).toEqual(Object.fromEntries(names.map((name) => [name, `${name}-1.a`])));
      expect(find(route.method, `${path}/`)?.route).toBe(route);
      const others = routes.filter((it) => it !== route);
      expect(routeFinder(others)(route.method, path)).toBeUndefined();
    },
  );

  test.each([
    "/v1/leases//",
    "//v1/leases",
    "/v1/leases/a/b",
    "/v1/leases/:end",
    "/v1/leases/a:b:end",
    "/v1/leases/a:END",
    "/V1/leases",
    "/v1/leases\n",
    "/v1/openapi-json",
    "/v1/x/../leases",
    "/v1/leases/{id}:end:end",
    "",
  ])("%j leads nowhere", (path) => {
    for (const method of ["GET", "PUT", "POST", "DELETE"]) expect(find(method, path)).toBeUndefined();
  });

  test("is not walked back and forth over, however long: that would take until the test is given up", () => {
    const long = `/v1/leases/${"a".repeat(100_000)}:${"b".repeat(100_000)}`;
    expect(find("POST", long)).toBeUndefined();
  });
});
