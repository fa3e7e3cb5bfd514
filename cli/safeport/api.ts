// The running safeport, over its API: SAFEPORT_API says where, SAFEPORT_TOKEN for whom.

import { jsonOf } from "../json-text.ts";
import type { Surroundings } from "./command.ts";

/** What the API answered with a failure; the message holds what happened and what to do. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Api {
  /** The answer as JSON; its shape is the route's promise. Throws ApiError. */
  call<Answer>(method: string, path: string, body?: unknown): Promise<Answer>;
}

const CALL_MS = 90_000;

/** Throws where the environment does not say where the API is. */
export function apiOf({ env, fetch }: Surroundings): Api {
  const base = env["SAFEPORT_API"]?.replace(/\/+$/, "");
  const token = env["SAFEPORT_TOKEN"];
  if (!base || !token)
    throw new Error(
      "SAFEPORT_API or SAFEPORT_TOKEN is missing. Set both: the address of the API, and a token of yours.",
    );
  return {
    async call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
      const response = await fetch(base + path, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        signal: AbortSignal.timeout(CALL_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }).catch((error: unknown) => {
        const { message, cause } = error as {
          readonly message?: unknown;
          readonly cause?: { readonly code?: unknown };
        };
        const why = `${cause?.code ?? message}`;
        throw new ApiError(
          0,
          "",
          `nothing answers at ${base} (${why}). Check SAFEPORT_API, and that safeport is deployed.`,
        );
      });
      const text = await response.text();
      const answer = jsonOf(text);
      if (!response.ok) throw failureOf(response.status, answer, `${method} ${path}`);
      return answer as Answer;
    },
  };
}

function failureOf(status: number, answer: unknown, what: string): ApiError {
  const problem = (answer ?? {}) as { readonly code?: unknown; readonly message?: unknown; readonly remedy?: unknown };
  if (typeof problem.message === "string")
    return new ApiError(status, String(problem.code), `${problem.message} ${problem.remedy ?? ""}`.trim());
  return new ApiError(
    status,
    "",
    `${what} was answered ${status} by something that is not safeport. Check SAFEPORT_API.`,
  );
}
