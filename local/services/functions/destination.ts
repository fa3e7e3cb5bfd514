// What a destination function is told of an asynchronous invocation that has ended.

import type { InvocationOutcome } from "./function-definition.ts";
import type { QueuedInvocation } from "./queue-journal.ts";

/** The message; without an outcome the invocation was never run, being too old or throttled for too long. */
export function destinationMessage(
  { id, function: name, event, attempt }: QueuedInvocation,
  outcome: InvocationOutcome | undefined,
  world: { readonly region: string; readonly accountId: string; readonly nowMs: number },
): Buffer {
  const error = outcome === undefined ? "FunctionResourceExhausted" : outcome.errorType;
  const message = {
    timestamp: world.nowMs,
    requestContext: {
      requestId: id,
      functionArn: `acs:fc:${world.region}:${world.accountId}:functions/${name}`,
      condition: error ?? "",
      approximateInvokeCount: outcome === undefined ? attempt : attempt + 1,
    },
    requestPayload: Buffer.from(event, "base64").toString("utf8"),
    responseContext: {
      statusCode: outcome === undefined ? 429 : 200,
      functionError: outcome?.errorType ?? "",
    },
    responsePayload: outcome?.body.toString("utf8") ?? "",
  };
  return Buffer.from(JSON.stringify(message));
}
