// What every function does around its work: the invocation's facts, the composition, the log, and failures as results.
import type { AppError } from "../shared/errors/app-error.ts";
import { readDeadLetter } from "../shared/events/dead-letter.ts";
import { toAppError } from "../shared/http/problem.ts";
import { bootLog, type Composition, compose, type Observing } from "./compose.ts";

/** What the platform says about an invocation; more fields exist and are not used. */
export interface FunctionContext {
  readonly requestId?: string;
  readonly credentials?: {
    readonly accessKeyId?: string;
    readonly accessKeySecret?: string;
    readonly securityToken?: string;
  };
  readonly function?: { readonly timeout?: number | string };
}

/** One invocation, ready for the work. */
export interface Invocation extends Composition {
  readonly requestId: string;
  /** Time the platform leaves for the call. */
  readonly leftMs: number;
}

/** The platform's handler. */
export type FunctionHandler = (event: unknown, context?: FunctionContext) => Promise<unknown>;

const TIMEOUT_S_DEFAULT = 60;

/** True for the platform's word that an asynchronous call has failed for good; that is said in the log. */
export function isDeadLetter(event: unknown): boolean {
  const letter = readDeadLetter(event);
  if (letter !== null) bootLog.write("error", "an asynchronous call has failed for good", { ...letter });
  return letter !== null;
}

/**
 * A handler of `work`. Whatever is thrown becomes a failure with a code, is logged, and goes to `failed`, which returns the result
 * or throws when another try by the platform helps. `observing` is for the function that does.
 */
export function entry(
  name: string,
  work: (event: unknown, invocation: Invocation) => Promise<unknown>,
  failed: (error: AppError, requestId: string) => unknown,
  observing?: Observing,
): FunctionHandler {
  return async (event, context = {}) => {
    const requestId = context.requestId ?? "unknown";
    const timeoutS = Number(context.function?.timeout ?? TIMEOUT_S_DEFAULT);
    const leftMs = (Number.isFinite(timeoutS) && timeoutS > 0 ? timeoutS : TIMEOUT_S_DEFAULT) * 1000;
    let settle = async (): Promise<void> => undefined;
    try {
      const composition = compose(context.credentials, observing);
      settle = composition.settle;
      return await work(event, { ...composition, requestId, leftMs });
    } catch (thrown) {
      const error = toAppError(thrown);
      bootLog.write(error.entry.fault === "caller" ? "warn" : "error", `${name} failed`, {
        requestId,
        code: error.code,
        detail: error.detail,
        cause: error.cause,
      });
      return failed(error, requestId);
    } finally {
      // The platform freezes the process once this returns.
      await settle();
    }
  };
}
