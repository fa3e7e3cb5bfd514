// Finding the route of a path.
import { describe, expect, test } from "vitest";
import type { Route } from "../../../shared/http/route.ts";
import { findRoute, routerOf } from "../../../shared/http/router.ts";
import { routes } from "../../../shared/http/routes.ts";

const route = (method: Route["method"], path: string): Route => ({ method, path }) as Route;
const router = routerOf([
  route("GET", "/v1/leases/{id}"),
  route("POST", "/v1/leases/{id}:end"),
  route("GET", "/v1/policy/{version}"),
  route("GET", "/v1/policy/versions"),
  route("GET", "/v1/openapi.json"),
  route("PUT", "/v1/ledger/{group}/{entry}"),
]);
const found = (method: string, path: string): readonly unknown[] => {
  const it = findRoute(router, method, path);
  return [it?.route.path, it?.params];
};

describe("a path", () => {
  test.each([
    ["GET", "/v1/leases/ls-1", "/v1/leases/{id}", { id: "ls-1" }],
    ["GET", "/v1/leases/ls-1/", "/v1/leases/{id}", { id: "ls-1" }],
    ["POST", "/v1/leases/ls-1:end", "/v1/leases/{id}:end", { id: "ls-1" }],
    ["GET", "/v1/policy/versions", "/v1/policy/versions", {}],
    ["GET", "/v1/policy/3", "/v1/policy/{version}", { version: "3" }],
    ["PUT", "/v1/ledger/sg-1/e-2", "/v1/ledger/{group}/{entry}", { group: "sg-1", entry: "e-2" }],
    ["GET", "/v1/leases/%2fa", "/v1/leases/{id}", { id: "%2fa" }],
  ])("%s %s is found with its values", (method, path, of, params) => {
    expect(found(method, path)).toEqual([of, params]);
  });

  test.each([
    ["POST", "/v1/leases/ls-1"],
    ["POST", "/v1/leases/:end"],
    ["POST", "/v1/leases/ls-1:end:end"],
    ["GET", "/v1/leases/ls-1/more"],
    ["GET", "/v1/leases/"],
    ["GET", "/x/v1/leases/ls-1"],
    ["GET", "/v1/openapixjson"],
    ["GET", "/V1/leases/ls-1"],
    ["get", "/v1/leases/ls-1"],
  ])("%s %s has none", (method, path) => {
    expect(findRoute(router, method, path)).toBeUndefined();
  });
});

test("every route of the API is found by its own path, and by no other's", () => {
  const all = routerOf(routes);
  const wrong = routes.filter(({ method, path }) => {
    const it = findRoute(all, method, path.replaceAll(/\{(\w+)\}/g, "x"));
    return it?.route.path !== path;
  });
  expect(wrong.map(({ path }) => path)).toEqual([]);
});
