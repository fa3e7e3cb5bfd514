// The API description, OpenAPI 3.1, made from the routes and their schemas.

import type * as z from "zod/mini";
import { toJSONSchema } from "zod/v4/core";
import { rolesWith } from "../domain/permission.ts";
import { catalogue } from "../errors/catalogue.ts";
import { answersOf } from "./answers.ts";
import { problemView } from "./answers-operation.ts";
import type { Route } from "./route.ts";

const JSON_TYPE = "application/json";
const PROBLEM = {
  description: "A failure, with what happened and what to do.",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};

/** The description of the routes. */
export function describeApi(routes: readonly Route[]): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const operations = paths[route.path] ?? {};
    operations[route.method.toLowerCase()] = operationOf(route);
    paths[route.path] = operations;
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "safeport",
      version: "1",
      description: "Temporary openings of security group ports: each has an owner, a reason and an end.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: { Problem: problemSchema() },
    },
  };
}

/** A failure, with every code there is and what each means for whoever meets it. */
function problemSchema(): Record<string, unknown> {
  const schema = jsonSchema(problemView(), "output");
  const all = Object.entries(catalogue).sort(([a], [b]) => (a < b ? -1 : 1));
  const code = { type: "string", enum: all.map(([name]) => name), description: "Permanent; docs/errors.md has each." };
  const known = all.map(([name, { status, retry, fault }]) => [name, { status, retry, fault }] as const);
  return {
    ...schema,
    properties: { ...propertiesOf(schema), code },
    "x-safeport-errors": Object.fromEntries(known),
  };
}

function operationOf(route: Route): Record<string, unknown> {
  const parameters = [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)];
  const body = jsonSchema(route.body(), "input");
  // What takes no token is a page for people, with a form.
  const isPage = route.permission === "public";
  const bodyType = isPage ? "application/x-www-form-urlencoded" : JSON_TYPE;
  const responses: Record<string, unknown> = {};
  for (const [status, answer] of Object.entries(answersOf(route.operationId)))
    responses[status] = {
      description: DESCRIPTIONS[status] ?? "Done.",
      content: { [isPage ? "text/html" : JSON_TYPE]: { schema: jsonSchema(answer, "output") } },
    };
  return {
    operationId: route.operationId,
    summary: route.summary,
    description: `Permission: ${route.permission}. Roles: ${rolesWith(route.permission).join(", ")}.${SCOPES[route.about]}`,
    "x-safeport-permission": route.permission,
    "x-safeport-roles": rolesWith(route.permission),
    ...(route.operationId === "health" ? { security: [{ bearer: [] }, {}] } : {}),
    ...(isPage ? { security: [{}] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(Object.keys(propertiesOf(body)).length > 0
      ? { requestBody: { required: true, content: { [bodyType]: { schema: body } } } }
      : {}),
    responses: { ...responses, default: PROBLEM },
  };
}

const SCOPES: Readonly<Record<Route["about"], string>> = {
  nothing: "",
  account: " Only for callers without a scope.",
  list: " Shows what is within the caller's scope.",
  groups: " Refused outside the caller's scope.",
};

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  200: "Done.",
  201: "The lease is open; Location names it.",
  202: "Accepted; the cloud has not shown the change yet. Location names the lease to read.",
};

function pathParameters(route: Route): unknown[] {
  return [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => ({
    name: match[1],
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters(route: Route): unknown[] {
  const schema = jsonSchema(route.query(), "input");
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.entries(propertiesOf(schema)).map(([name, value]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema: value,
  }));
}

function headerParameters(route: Route): unknown[] {
  if (!route.idempotent) return [];
  const description = "1 to 64 printable characters; the same key with the same request acts once.";
  return [{ name: "Idempotency-Key", in: "header", required: false, description, schema: { type: "string" } }];
}

function propertiesOf(schema: Record<string, unknown>): Record<string, unknown> {
  const properties = schema["properties"];
  return typeof properties === "object" && properties !== null ? { ...properties } : {};
}

function jsonSchema(schema: z.core.$ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = toJSONSchema(schema, { io });
  return rest;
}
