// What is deployed: a function, its bundle and its triggers.

import { type EventPattern, parsePattern } from "../eventbridge/event-pattern.ts";
import { queueIn } from "../smq/queues.ts";

/** Starts a function by itself. */
export type Trigger =
  | { readonly type: "http" }
  | {
      readonly type: "timer";
      readonly name: string;
      /** `@every <n>m`, or a six-field expression with an optional `CRON_TZ=` before it. */
      readonly cron: string;
      readonly payload?: string;
    }
  | {
      readonly type: "eventbridge";
      /** Which events of the default bus, as an object or as JSON text. */
      readonly pattern: EventPattern | string;
      /** Whether events go through the function's queue; default false: pushed by the bus, which tries again. */
      readonly async?: boolean;
      /** How the bus tries again; default `BACKOFF_RETRY`. */
      readonly retry?: EventRetry;
      /** The event with its envelope (default), or its `data` alone. */
      readonly schema?: EventSchema;
      /** ARN of the queue that is sent what the function did not take in the end; absent: it is dropped. */
      readonly deadLetter?: string;
    };

/** Three further tries 10 to 20 s apart, or up to 176 over a day, 1, 2, 4 … 512 s apart. */
export type EventRetry = "BACKOFF_RETRY" | "EXPONENTIAL_DECAY_RETRY";

/** What the function is given of an event. */
export type EventSchema = "CloudEvents" | "RawData";

/** One function as it is deployed. */
export interface FunctionDefinition {
  readonly name: string;
  /** Folder with the built `index.js`. */
  readonly bundle: string;
  /** `<file>.<export>`; default `index.handler`. */
  readonly handler?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly triggers?: readonly Trigger[];
  /** Seconds until an invocation is killed; default 60. */
  readonly timeoutS?: number;
  /** Default 512. */
  readonly memoryMb?: number;
  /** How often a failed asynchronous invocation is tried again, 0 to 8; default 3. */
  readonly asyncRetriesMax?: number;
  /** Seconds from its acceptance after which an asynchronous invocation is dropped; default one day. */
  readonly asyncMaxAgeS?: number;
  /** Functions, by name, or queues, by ARN, that are told how asynchronous invocations ended. */
  readonly destinations?: { readonly onSuccess?: string; readonly onFailure?: string };
  /** Processes that may run at once; further requests wait for one, where the service would have more. Default 8. */
  readonly instancesMax?: number;
  /** Requests that may run at once, set apart from the account's; further ones are refused with 429. */
  readonly reservedConcurrency?: number;
}

/** How an invocation ended. `errorType` stands when the function failed; `body` is then the error as JSON. */
export interface InvocationOutcome {
  readonly requestId: string;
  readonly body: Buffer;
  readonly errorType?:
    | "HandledInvocationError"
    | "UnhandledInvocationError"
    | "FunctionTimeout"
    | "FunctionNotFound"
    /** As many requests run as may: it was not run. */
    | "ResourceThrottled";
}

/** Throws a RangeError that names the field when a definition cannot be deployed. */
export function checkDefinition(definition: FunctionDefinition): void {
  const { name, environment = {}, asyncRetriesMax = 3, timeoutS = 60, instancesMax = 8, triggers = [] } = definition;
  for (const trigger of triggers)
    if (trigger.type === "eventbridge") {
      parsePattern(trigger.pattern);
      if (trigger.deadLetter !== undefined && queueIn(trigger.deadLetter) === undefined)
        throw new RangeError(
          `${name}: deadLetter "${trigger.deadLetter}" is no queue, acs:mns:<region>:<account>:/queues/<name>/messages`,
        );
    }
  if (!/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/.test(name)) throw new RangeError(`function name "${name}" is not valid`);
  if (asyncRetriesMax < 0 || asyncRetriesMax > 8) throw new RangeError(`${name}: asyncRetriesMax is 0 to 8`);
  if (timeoutS < 1 || timeoutS > 86_400) throw new RangeError(`${name}: timeoutS is 1 to 86400`);
  const { asyncMaxAgeS = 1 } = definition;
  if (asyncMaxAgeS < 1 || asyncMaxAgeS > 2_592_000) throw new RangeError(`${name}: asyncMaxAgeS is 1 to 2592000`);
  const { reservedConcurrency = 1 } = definition;
  if (!Number.isInteger(reservedConcurrency) || reservedConcurrency < 0)
    throw new RangeError(`${name}: reservedConcurrency is 0 or more`);
  if (instancesMax < 1) throw new RangeError(`${name}: instancesMax is 1 or more`);
  let size = 0;
  for (const [key, value] of Object.entries(environment)) {
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(key)) throw new RangeError(`${name}: environment key "${key}" is not valid`);
    if (key.startsWith("FC_")) throw new RangeError(`${name}: environment key "${key}" is reserved`);
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > 4_096) throw new RangeError(`${name}: the environment has ${size} bytes; the limit is 4096`);
}
