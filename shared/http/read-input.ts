// A request's query, body, period and headers as checked values, or the failure that names the field.
import type * as z from "zod/mini";
import type { Policy } from "../domain/policy.ts";
import { type AppError, fail } from "../errors/app-error.ts";
import type { HttpRequest } from "./message.ts";

/** Bytes of a body that are read at most, where a route does not say otherwise. */
export const BODY_BYTES_MAX = 64 * 1024;

/** The query as the schema says, or REQUEST_INVALID. */
export function readQuery<Schema extends z.ZodMiniType>(schema: Schema, request: HttpRequest): z.output<Schema> {
  return checked(schema, { ...request.query });
}

/** The JSON body as the schema says, or REQUEST_INVALID, or BODY_TOO_LARGE. An empty body is an empty object. */
export function readBody<Schema extends z.ZodMiniType>(
  schema: Schema,
  request: HttpRequest,
  bytesMax = BODY_BYTES_MAX,
): z.output<Schema> {
  const { length } = request.body;
  if (length > bytesMax) throw fail("BODY_TOO_LARGE", { bytes: length, max: bytesMax });
  return checked(schema, parseJson(request.body));
}

/** A period in milliseconds: plain digits, within the policy's bounds. */
export function readPeriod(period: string | number, policy: Policy): number {
  const { periodMinMs, periodMaxMs } = policy.lease;
  const text = String(period);
  const ms = /^[1-9]\d{0,8}$/.test(text) ? Number(text) * 1000 : Number.NaN;
  if (ms >= periodMinMs && ms <= periodMaxMs) return ms;
  throw fail("PERIOD_INVALID", { period: text.slice(0, 64), min: periodMinMs / 1000, max: periodMaxMs / 1000 });
}

/** The Idempotency-Key, null when there is none. */
export function readIdempotencyKey(request: HttpRequest): string | null {
  const key = request.headers["idempotency-key"];
  if (key === undefined) return null;
  if (/^[\x21-\x7e]{1,64}$/.test(key)) return key;
  throw invalid("Idempotency-Key", "has to be 1 to 64 printable ASCII characters without blanks");
}

/** REQUEST_INVALID for a field. */
export function invalid(field: string, what: string): AppError {
  return fail("REQUEST_INVALID", { field, why: `${field} ${what}` });
}

function parseJson(body: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw invalid("the body", "is not UTF-8");
  }
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    throw invalid("the body", "is not JSON");
  }
}

function checked<Schema extends z.ZodMiniType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw issue === undefined ? invalid("the request", "cannot be read") : failureOf(issue, value);
}

function failureOf(issue: z.core.$ZodIssue, value: unknown): AppError {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const field = [...path, issue.keys[0] ?? ""].join(".").slice(0, 100);
    return invalid(field, "is not a field of this call");
  }
  if (path.length === 0) return invalid("the body", "is not a JSON object");
  const field = path.join(".").slice(0, 100);
  if (issue.path.length === 1 && !Object.hasOwn(Object(value), String(issue.path[0])))
    return invalid(field, "is missing");
  return invalid(field, wordsOf(issue));
}

/** True when the length is out of bounds, and not the value. */
const isCounted = ({ origin }: { readonly origin: string }): boolean => origin === "string" || origin === "array";

function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "too_big") return `is ${isCounted(issue) ? "longer than" : "above"} ${issue.maximum}`;
  if (issue.code === "too_small" && isCounted(issue))
    return issue.minimum === 1 ? "is empty" : `is shorter than ${issue.minimum}`;
  if (issue.code === "too_small") return `is below ${issue.minimum}`;
  if (issue.code === "invalid_value") return `is none of ${issue.values.join(", ")}`;
  if (issue.code === "custom" || issue.code === "invalid_format") return issue.message;
  return "does not have the type this call expects";
}
