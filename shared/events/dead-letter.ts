// What the platform tells of an asynchronous call that failed for good: such calls are sent on to another function.
import { fieldsOf, parseEvent } from "./event-json.ts";

export interface DeadLetter {
  /** Name of the function that was called. */
  readonly function: string;
  readonly requestId: string;
  /** The platform's word for what went wrong. */
  readonly condition: string;
}

/** The message of a destination, or null for any other event. What was asked for stays out: it may hold secrets. */
export function readDeadLetter(event: unknown): DeadLetter | null {
  let context: ReturnType<typeof fieldsOf>;
  try {
    context = fieldsOf(parseEvent(event).value("requestContext"));
  } catch {
    return null;
  }
  const arn = context?.text("functionArn");
  if (context === null || arn === undefined) return null;
  return {
    function: arn.slice(arn.lastIndexOf("/") + 1, arn.lastIndexOf("/") + 65),
    requestId: (context.text("requestId") ?? "").slice(0, 64),
    condition: (context.text("condition") ?? "").slice(0, 64),
  };
}
