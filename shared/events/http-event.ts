// The event of an HTTP trigger (version v1), as the request that the web application answers, and the way back.
import { fail } from "../errors/app-error.ts";
import { type FieldReader, fieldsOf, parseEvent } from "./event-json.ts";

/** The request, in the shape the web application takes. */
export interface HttpEventRequest {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly sourceIp: string;
}

/** What the platform turns into the response. All four keys are always set. */
export interface HttpEventResult {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** Reads the event; throws EVENT_INVALID. Header names may have any case, unknown fields are ignored. */
export function readHttpEvent(event: unknown, requestId: string): HttpEventRequest {
  const fields = parseEvent(event);
  const context = fieldsOf(fields.value("requestContext"));
  const http = context === null ? null : fieldsOf(context.value("http"));
  const method = http?.text("method");
  if (!http || !method) throw fail("EVENT_INVALID", { why: "it has no requestContext.http.method" });
  return {
    requestId,
    method: method.toUpperCase(),
    path: fields.text("rawPath") || http.text("path") || "/",
    headers: textsOf(fields, "headers", (name) => name.toLowerCase()),
    query: textsOf(fields, "queryParameters", (name) => name),
    body: bodyOf(fields),
    sourceIp: http.text("sourceIp") ?? "",
  };
}

/** The platform's form of a response. */
export function toHttpEventResult(response: {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly encoding?: "base64";
}): HttpEventResult {
  const { status, headers, body, encoding } = response;
  return { statusCode: status, headers, body, isBase64Encoded: encoding === "base64" };
}

function bodyOf(fields: FieldReader): Uint8Array {
  const body = fields.text("body") ?? "";
  return Buffer.from(body, fields.value("isBase64Encoded") === true ? "base64" : "utf8");
}

function textsOf(fields: FieldReader, field: string, nameOf: (name: string) => string): Record<string, string> {
  const entries = Object.entries(Object(fields.value(field)));
  // A name that is a property of every object, such as __proto__, stays an ordinary name.
  const texts: [string, string][] = [];
  for (const [name, value] of entries) {
    const parts = (Array.isArray(value) ? value : [value]).flatMap(partOf);
    if (parts.length > 0) texts.push([nameOf(name), parts.join(",")]);
  }
  // Names that become one are one header with several values, of which none may pass for the only one.
  const merged = new Map<string, string>();
  for (const [name, text] of texts) merged.set(name, merged.has(name) ? `${merged.get(name)},${text}` : text);
  return Object.fromEntries(merged);
}

/** A value that is a text or can be one; the platform sends no other, and what is made of objects is whatever their sender likes. */
function partOf(value: unknown): readonly string[] {
  if (value === null) return [""];
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? [`${value}`] : [];
}
