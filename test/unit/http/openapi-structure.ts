// What OpenAPI 3.1 asks of a description, as far as this API uses it: https://spec.openapis.org/oas/v3.1.0

/** JSON whose shape is what is being asked. */
export type Loose = Record<string, unknown>;

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
const TYPES = ["null", "boolean", "object", "array", "number", "string", "integer"];

/** Every breach of the structure, in words with its place. */
export function mistakesOf(api: Loose): readonly string[] {
  const mistakes: string[] = [];
  const say = (place: string, words: string): unknown => mistakes.push(`${place}: ${words}`);
  if (!/^3\.1\.\d+$/.test(String(api["openapi"]))) say("openapi", "is not 3.1");
  const info = objectOf(api["info"]);
  if (typeof info["title"] !== "string" || typeof info["version"] !== "string") say("info", "lacks title or version");
  const names = new Set<unknown>();
  for (const [path, item] of Object.entries(objectOf(api["paths"]))) {
    if (!path.startsWith("/")) say(path, "every path starts with a slash");
    for (const [method, operation] of Object.entries(objectOf(item))) {
      const place = `${method} ${path}`;
      if (!METHODS.includes(method)) say(place, "is no method");
      const name = objectOf(operation)["operationId"];
      if (typeof name !== "string" || names.has(name)) say(place, "operationId is missing or not unique");
      names.add(name);
      checkOperation(api, place, path, objectOf(operation), say);
    }
  }
  checkSecurity(api, say);
  for (const [name, schema] of Object.entries(objectOf(objectOf(api["components"])["schemas"])))
    checkSchema(`schema ${name}`, schema, say);
  checkReferences(api, api, "#", say);
  return mistakes;
}

/** The object at a place; fails the test where there is none. */
export function at(json: Loose, ...place: readonly string[]): Loose {
  let found: unknown = json;
  for (const part of place) found = objectOf(found)[part];
  if (typeof found !== "object" || found === null) throw new Error(`nothing at ${place.join(" ")}`);
  return found as Loose;
}

type Say = (place: string, words: string) => unknown;

function checkOperation(api: Loose, place: string, path: string, operation: Loose, say: Say): void {
  const parameters = listOf(operation["parameters"]).map(objectOf);
  const keys = parameters.map((it) => `${it["in"]} ${it["name"]}`);
  if (new Set(keys).size !== keys.length) say(place, "a parameter is given twice");
  for (const [, name] of path.matchAll(/\{(\w+)\}/g)) {
    const declared = parameters.find((it) => it["in"] === "path" && it["name"] === name);
    if (declared?.["required"] !== true) say(place, `the parameter {${name}} is not declared, or not required`);
  }
  for (const parameter of parameters) {
    const where = `${place} ${parameter["name"]}`;
    if (!["path", "query", "header", "cookie"].includes(String(parameter["in"]))) say(where, "is nowhere");
    if (parameter["in"] === "path" && !path.includes(`{${parameter["name"]}}`)) say(where, "is not in the path");
    if (isEmpty(parameter["schema"])) say(where, "has no schema");
    checkSchema(where, parameter["schema"], say);
  }
  const responses = Object.entries(objectOf(operation["responses"]));
  if (!responses.some(([status]) => /^2\d\d$/.test(status))) say(place, "has no success");
  for (const [status, response] of responses) checkResponse(`${place} ${status}`, status, objectOf(response), say);
  const failure = objectOf(objectOf(objectOf(operation["responses"])["default"])["content"]);
  const shape = objectOf(failure["application/problem+json"])["schema"];
  if (objectOf(shape)["$ref"] !== "#/components/schemas/Problem") say(place, "a failure is not described as Problem");
  if (operation["requestBody"] !== undefined) {
    const content = Object.entries(objectOf(objectOf(operation["requestBody"])["content"]));
    if (content.length === 0) say(place, "the body has no content");
    for (const [type, media] of content) checkMedia(`${place} body ${type}`, media, say);
  }
  for (const need of listOf(operation["security"])) checkRequirement(api, place, need, say);
}

function checkResponse(place: string, status: string, response: Loose, say: Say): void {
  if (!/^([1-5]\d\d|[1-5]XX|default)$/.test(status)) say(place, "is no status");
  if (typeof response["description"] !== "string" || response["description"] === "") say(place, "has no description");
  const content = Object.entries(objectOf(response["content"]));
  if (content.length === 0) say(place, "has no content");
  for (const [type, media] of content) checkMedia(`${place} ${type}`, media, say);
}

function checkMedia(place: string, media: unknown, say: Say): void {
  const { schema } = objectOf(media);
  if (isEmpty(schema)) say(place, "has no schema");
  checkSchema(place, schema, say);
}

/** JSON Schema 2020-12, the keywords that zod writes. */
function checkSchema(place: string, schema: unknown, say: Say): void {
  if (typeof schema === "boolean" || schema === undefined) return;
  const it = objectOf(schema);
  for (const type of [it["type"] ?? []].flat()) if (!TYPES.includes(String(type))) say(place, `no type is ${type}`);
  if ("nullable" in it) say(place, "nullable is not of 3.1");
  const properties = objectOf(it["properties"]);
  for (const name of listOf(it["required"]))
    if (!(String(name) in properties)) say(place, `${name} is required and not described`);
  for (const [name, property] of Object.entries(properties)) checkSchema(`${place}.${name}`, property, say);
  for (const word of ["items", "additionalProperties", "propertyNames", "not"])
    checkSchema(`${place} ${word}`, it[word], say);
  for (const word of ["anyOf", "oneOf", "allOf"])
    for (const part of listOf(it[word])) checkSchema(`${place} ${word}`, part, say);
}

function checkSecurity(api: Loose, say: Say): void {
  for (const need of listOf(api["security"])) checkRequirement(api, "security", need, say);
}

function checkRequirement(api: Loose, place: string, need: unknown, say: Say): void {
  const schemes = objectOf(objectOf(api["components"])["securitySchemes"]);
  for (const name of Object.keys(objectOf(need)))
    if (!(name in schemes)) say(place, `the security scheme ${name} is not described`);
}

function checkReferences(api: Loose, json: unknown, place: string, say: Say): void {
  if (typeof json !== "object" || json === null) return;
  for (const [name, value] of Object.entries(json)) {
    if (name === "$ref" && !resolves(api, value)) say(place, `the $ref ${value} leads nowhere`);
    checkReferences(api, value, `${place}/${name}`, say);
  }
}

function resolves(api: Loose, reference: unknown): boolean {
  if (typeof reference !== "string" || !reference.startsWith("#/")) return false;
  let found: unknown = api;
  for (const part of reference.slice(2).split("/"))
    found = objectOf(found)[part.replaceAll("~1", "/").replaceAll("~0", "~")];
  return found !== undefined;
}

function objectOf(value: unknown): Loose {
  return typeof value === "object" && value !== null ? (value as Loose) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** No schema, or one that says nothing: `{}` or an object of anything. */
function isEmpty(schema: unknown): boolean {
  const it = objectOf(schema);
  const says = ["$ref", "properties", "enum", "const", "anyOf", "oneOf", "allOf", "items"].some((word) => word in it);
  return !says && (it["type"] === undefined || it["type"] === "object");
}
