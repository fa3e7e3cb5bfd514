// The API description against the routes it is made of.
import { describe, expect, test } from "vitest";
import { describeApi } from "../../../shared/http/openapi.ts";
import { routes } from "../../../shared/http/routes.ts";

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

const api = JSON.parse(JSON.stringify(describeApi(routes))) as Described;
const operation = (method: string, path: string): Operation | undefined => api.paths[path]?.[method];

describe("the API description", () => {
  test("describes every route with its roles, answers and failures", () => {
    expect(api.openapi).toBe("3.1.0");
    for (const route of routes) {
      const described = operation(route.method.toLowerCase(), route.path);
      expect(described?.["x-safeport-roles"], route.operationId).toEqual(route.roles);
      expect(described?.responses["default"]?.content).toHaveProperty("application/problem+json");
      expect(Object.keys(described?.responses ?? {})).toEqual([...Object.keys(route.answers), "default"]);
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
});
