// The API description against the routes it is made of.
import { describe, expect, test } from "vitest";
import { rolesWith } from "../../../shared/domain/permission.ts";
import { catalogue } from "../../../shared/errors/catalogue.ts";
import { answersOf } from "../../../shared/http/answers.ts";
import { describeApi } from "../../../shared/http/openapi.ts";
import { routes } from "../../../shared/http/routes.ts";
import { at, type Loose, mistakesOf } from "./openapi-structure.ts";

interface Described {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, { readonly required: readonly string[] }> };
}
interface Operation {
  readonly "x-safeport-roles": readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: { additionalProperties: boolean } }> };
  readonly responses: Record<string, { readonly content: Record<string, { readonly schema: unknown }> }>;
}

const OK_OF_HEALTH = ["paths", "/v1/health", "get", "responses", "200"];
const api = JSON.parse(JSON.stringify(describeApi(routes))) as Described;
const operation = (method: string, path: string): Operation | undefined => api.paths[path]?.[method];

describe("the API description", () => {
  test("describes every route with its roles, answers and failures", () => {
    expect(api.openapi).toBe("3.1.0");
    for (const route of routes) {
      const described = operation(route.method.toLowerCase(), route.path);
      expect(described?.["x-safeport-roles"], route.operationId).toEqual(rolesWith(route.permission));
      expect(described?.responses["default"]?.content).toHaveProperty("application/problem+json");
      expect(Object.keys(described?.responses ?? {})).toEqual([
        ...Object.keys(answersOf(route.operationId)),
        "default",
      ]);
    }
  });

  test("names the parameters of temp_allow, required ones as such", () => {
    const parameters = operation("put", "/safeport/temp_allow")?.parameters ?? [];
    const required = parameters.filter((each) => each.required).map((each) => each.name);
    expect(required).toEqual(["period"]);
    const names = ["port", "period", "protocol", "source", "group", "instance", "reason", "ticket", "dryRun"];
    expect(parameters.map((each) => each.name)).toEqual(expect.arrayContaining([...names, "Idempotency-Key"]));
  });

  test("says that unknown fields of a body are refused", () => {
    const body = operation("post", "/v1/leases")?.requestBody?.content["application/json"];
    expect(body?.schema.additionalProperties).toBe(false);
  });

  test("describes a failure with code, message and remedy", () => {
    expect(api.components.schemas["Problem"]?.required).toEqual(
      expect.arrayContaining(["code", "message", "remedy", "requestId", "retry"]),
    );
  });

  test("names every code that a failure may have, with its status and whether a retry helps", () => {
    const { properties, ...problem } = api.components.schemas["Problem"] as unknown as {
      readonly properties: { readonly code: { readonly enum: readonly string[] } };
      readonly "x-safeport-errors": Record<string, object>;
    };
    expect(properties.code.enum).toEqual(Object.keys(catalogue).sort());
    expect(Object.keys(problem["x-safeport-errors"]).sort()).toEqual(Object.keys(catalogue).sort());
    const ofTokens = { status: 403, retry: "never", fault: "caller" };
    expect(problem["x-safeport-errors"]["TOKEN_TOO_NEW"]).toEqual(ofTokens);
  });

  test("gives groups, records and health their fields", () => {
    const fieldsOf = (path: string) => {
      const schema = operation("get", path)?.responses["200"]?.content["application/json"]?.schema;
      return Object.keys((schema as { properties: object }).properties);
    };
    expect(fieldsOf("/v1/groups")).toEqual(["groups", "unreadable"]);
    expect(fieldsOf("/v1/records")).toEqual(["records", "next"]);
    expect(fieldsOf("/v1/health")).toEqual([
      "status",
      "now",
      "oldestDueAt",
      "overdueEnds",
      "oldestGroupSeenAt",
      "groupSeenTargetSeconds",
      "unjustified",
      "trail",
      "evidence",
      "clockSkewSeconds",
      "policyVersion",
      "mode",
    ]);
    expect(fieldsOf("/v1/openapi.json")).toEqual(["openapi", "info", "paths", "components"]);
  });
});

describe("the structure OpenAPI 3.1 asks for", () => {
  test("is kept by the description", () => {
    expect(mistakesOf(JSON.parse(JSON.stringify(api)))).toEqual([]);
  });

  /** The check sees what it is there for: each planted mistake is found. */
  test.each<[string, (planted: Loose) => void]>([
    ["openapi", (it) => Object.assign(it, { openapi: "3.0.3" })],
    ["info", (it) => Object.assign(it, { info: { title: "safeport" } })],
    ["starts with a slash", (it) => Object.assign(it["paths"] as Loose, { "v1/x": {} })],
    ["operationId", (it) => Object.assign(at(it, "paths", "/v1/groups", "get"), { operationId: "health" })],
    ["parameter {id}", (it) => Object.assign(at(it, "paths", "/v1/leases/{id}", "get"), { parameters: [] })],
    ["no schema", (it) => delete at(it, ...OK_OF_HEALTH, "content", "application/json")["schema"]],
    ["no schema", (it) => Object.assign(at(it, ...OK_OF_HEALTH, "content", "application/json"), { schema: {} })],
    ["description", (it) => delete at(it, ...OK_OF_HEALTH)["description"]],
    ["failure", (it) => delete at(it, "paths", "/v1/health", "get", "responses")["default"]],
    ["$ref", (it) => delete at(it, "components", "schemas")["Problem"]],
    ["security", (it) => delete at(it, "components", "securitySchemes")["bearer"]],
    ["required", (it) => Object.assign(at(it, "components", "schemas", "Problem"), { required: ["nothing"] })],
    ["type", (it) => Object.assign(at(it, "components", "schemas", "Problem"), { type: "map" })],
  ])("finds a mistake about %s", (words, plant) => {
    const planted = JSON.parse(JSON.stringify(api)) as Loose;
    plant(planted);
    expect(mistakesOf(planted).join("\n")).toContain(words);
  });
});
