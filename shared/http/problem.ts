// Anything thrown, as a problem-details answer (RFC 9457).
import { AppError, fail } from "../errors/app-error.ts";
import { CloudFailure } from "../ports/firewall.ts";
import { StoreFailure } from "../ports/tables.ts";
import type { HttpResponse } from "./message.ts";

/** The body of every failure. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  /** What happened, in a sentence. */
  readonly message: string;
  /** The same sentence under the name the standard gives it. */
  readonly detail: string;
  /** What to do about it. */
  readonly remedy: string;
  /** Would the same request help: never, later, or now. */
  readonly retry: "never" | "later" | "now";
  readonly requestId: string;
  /** The values in the message, for programs. */
  readonly values: Readonly<Record<string, string | number>>;
}

/** Any thrown thing as a failure with a code; what has no name becomes INTERNAL. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof StoreFailure)
    return error.kind === "tableMissing"
      ? fail("NOT_READY", { what: "a table of the state store" }, error)
      : fail("STORE_UNAVAILABLE", {}, error);
  if (error instanceof CloudFailure) return fail("CLOUD_UNAVAILABLE", { operation: error.operation }, error);
  return fail("INTERNAL", {}, error);
}

/** The problem of a failure. */
export function problemOf(error: AppError, requestId: string): Problem {
  const words = error.code.toLowerCase().replaceAll("_", " ");
  return {
    type: `urn:safeport:problem:${error.code}`,
    title: words.charAt(0).toUpperCase() + words.slice(1),
    status: error.entry.status,
    code: error.code,
    message: error.message,
    detail: error.message,
    remedy: error.remedy,
    retry: error.entry.retry,
    requestId,
    values: error.detail,
  };
}

/** The answer to a failure, with the headers its status asks for. */
export function problemResponse(error: AppError, requestId: string): HttpResponse {
  const problem = problemOf(error, requestId);
  const headers: Record<string, string> = {
    "Content-Type": "application/problem+json; charset=utf-8",
    "Cache-Control": "no-store",
  };
  if (problem.status === 401) headers["WWW-Authenticate"] = 'Bearer realm="safeport"';
  if (problem.status === 429) headers["Retry-After"] = String(error.detail["seconds"] ?? 60);
  if (problem.status === 503) headers["Retry-After"] = "60";
  if (error.code === "METHOD_NOT_ALLOWED") headers["Allow"] = String(error.detail["allowed"]);
  return { status: problem.status, headers, body: `${JSON.stringify(problem)}\n` };
}
