// The gateway's own errors: a problem document whose capitalised members also read as the platform's error.

import { STATUS_CODES } from "node:http";
import type { HttpAnswer } from "./http-event.ts";

/** What went wrong and what to do about it. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly requestId: string;
}

/** The answer a problem is sent as. */
export function problemAnswer(problem: Problem): HttpAnswer {
  const { status, code, message, remedy, requestId } = problem;
  const document = {
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    code,
    message,
    remedy,
    requestId,
    RequestId: requestId,
    Code: code,
    Message: message,
  };
  return {
    status,
    headers: { "content-type": "application/problem+json", "x-fc-request-id": requestId },
    body: Buffer.from(JSON.stringify(document)),
  };
}
