// Every role on every route, for callers of the whole account, of the group the request is about, and of another group.
import { describe, expect, test } from "vitest";
import { isPermitted, permissions, ROLES, type Role, rolesWith } from "../../../shared/domain/permission.ts";
import { fail } from "../../../shared/errors/app-error.ts";
import { confirmationOf } from "../../../shared/http/link-page.ts";
import type { HttpRequest, HttpResponse } from "../../../shared/http/message.ts";
import type { Route } from "../../../shared/http/route.ts";
import { routes } from "../../../shared/http/routes.ts";
import { type ApiWorld, apiWorld } from "./api-world.ts";
import { promised, requestOf } from "./route-samples.ts";

type Bearer = Role | "nobody";

async function send(route: Route, bearer: string, policy = {}): Promise<{ world: ApiWorld; response: HttpResponse }> {
  const world = apiWorld({ policy });
  const request: Partial<HttpRequest> = requestOf(route.operationId);
  const response = await world.send({ ...request, headers: { authorization: `Bearer ${bearer}` } });
  return { world, response };
}

const codeOf = ({ body }: HttpResponse): string => JSON.parse(body).code;
const bearers: readonly Bearer[] = [...ROLES, "nobody"];
// A link says itself whom it speaks for; with which roles and in which scope that person decides is in test/story/approval-links.test.ts.
const isForBearers = ({ permission }: Route): boolean => permission !== "public";
const cells = routes
  .filter(isForBearers)
  .flatMap((route) => bearers.map((bearer) => [route.operationId, bearer, route] as const));
const isPromised = (route: Route, bearer: Bearer): boolean =>
  bearer !== "nobody" && (promised[route.operationId]?.includes(bearer) ?? false);

test("every route has a permission of the table, says what it is about, and is in the promise", () => {
  for (const route of routes) {
    expect(Object.keys(permissions), route.operationId).toContain(route.permission);
    expect(["nothing", "account", "list", "groups"], route.operationId).toContain(route.about);
    expect([...rolesWith(route.permission)].sort(), route.operationId).toEqual(
      [...(promised[route.operationId] ?? [])].sort(),
    );
  }
  expect(routes.map((route) => route.operationId).sort()).toEqual(Object.keys(promised).sort());
});

test("only the pages behind links take no token", () => {
  const open = routes.filter((route) => !isForBearers(route)).map((route) => `${route.method} ${route.path}`);
  expect(open).toEqual(["GET /v1/links/{link}", "POST /v1/links/{link}"]);
});

test("no permission is given to a caller without a role", () => {
  for (const permission of Object.keys(permissions))
    expect(isPermitted([], permission as Route["permission"])).toBe(false);
});

describe("for the whole account", () => {
  test.each(cells)("%s lets in exactly those it promises: %s", async (_, bearer, route) => {
    const { world, response } = await send(route, bearer);
    if (isPromised(route, bearer)) expect(response.status).toBeLessThan(300);
    else {
      expect([response.status, codeOf(response)]).toEqual([403, "ROLE_MISSING"]);
      expect(world.reached).toEqual([]);
    }
  });
});

// The target may also be the policy's default one.
const policy = { defaultTarget: "web" };

describe("for the group of the request alone", () => {
  test.each(cells)(
    "%s lets in exactly those it promises, unless it is about all groups: %s",
    async (_, bearer, route) => {
      for (const scope of ["web", "env=prod", "application:shop"]) {
        const { response } = await send(route, `${bearer}@${scope}`, policy);
        if (!isPromised(route, bearer)) expect(codeOf(response)).toBe("ROLE_MISSING");
        else if (route.about === "account") expect([response.status, codeOf(response)]).toEqual([403, "OUT_OF_SCOPE"]);
        else expect([scope, response.status < 300]).toEqual([scope, true]);
      }
    },
  );
});

describe("for another group alone", () => {
  /** What is read to find out which group a request is about. */
  const lookedUp = ["getLease"];

  test.each(cells)("%s shows and changes nothing: %s", async (_, bearer, route) => {
    for (const scope of ["db", "env=test", "application:mail"]) {
      const { world, response } = await send(route, `${bearer}@${scope}`, policy);
      expect(response.body).not.toMatch(/sg-web|ls-1\b/);
      if (!isPromised(route, bearer)) expect(codeOf(response)).toBe("ROLE_MISSING");
      else if (route.about === "nothing" || route.about === "list") expect(response.status).toBeLessThan(300);
      else {
        expect([scope, response.status, codeOf(response)]).toEqual([scope, 403, "OUT_OF_SCOPE"]);
        expect(world.reached.map((it) => it.name).filter((name) => !lookedUp.includes(name))).toEqual([]);
      }
    }
  });

  test.each(routes.filter((it) => it.about === "list").map((it) => [it.operationId, it] as const))(
    "%s shows the group of the scope",
    async (_, route) => {
      const { response } = await send(route, "admin@web", policy);
      expect(response.body).toMatch(/sg-web/);
    },
  );
});

describe("behind a link", () => {
  const linked = routes.filter((route) => !isForBearers(route));
  const senders = [null, ...bearers.flatMap((bearer) => [bearer, `${bearer}@web`, `${bearer}@db`])];
  const linkCells = linked.flatMap((route) => senders.map((sender) => [route.operationId, sender, route] as const));
  const form = new URLSearchParams({ confirm: confirmationOf("x"), decision: "approve" });
  const sendLink = async (route: Route, sender: string | null, throws?: unknown) => {
    const world = apiWorld({ policy, ...(throws === undefined ? {} : { throws }) });
    const headers = {
      "content-type": "application/x-www-form-urlencoded",
      ...(sender === null ? {} : { authorization: `Bearer ${sender}` }),
    };
    const body = Buffer.from(String(form));
    const { method } = route;
    return { world, response: await world.send({ method, path: "/v1/links/x", query: {}, headers, body }) };
  };

  test.each(linkCells)("%s is done by the link alone, whatever token comes with it: %s", async (_, sender, route) => {
    const { world, response } = await sendLink(route, sender);
    expect([response.status, world.reached.map(({ name }) => name)]).toEqual([200, [route.operationId]]);
    // No name, role or scope that a token would lend it.
    const [first, text] = world.reached[0]?.input ?? [];
    expect(text).toBe("x");
    if (route.operationId === "decideByLink")
      expect(first).toMatchObject({ principal: "link", roles: [], scopes: [], address: expect.anything() });
  });

  test.each(linkCells)(
    "%s is refused where the link is not good, whatever comes with it: %s",
    async (_, sender, route) => {
      const { response } = await sendLink(route, sender, fail("LINK_INVALID"));
      expect([response.status, response.headers["Content-Type"]]).toEqual([404, expect.stringMatching(/html/)]);
    },
  );
});
