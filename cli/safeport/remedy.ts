// What whoever types a command can do about what failed.
import { AppError } from "../../shared/errors/app-error.ts";
import { CloudFailure } from "../../shared/ports/firewall.ts";
import { StoreFailure } from "../../shared/ports/tables.ts";
import { TrafficFailure } from "../../shared/ports/traffic.ts";

/** Codes of every service for keys that it does not know, or that are not the ones of their secret. */
export const isOfKeys = (code: string): boolean => /AccessKeyId|Signature\w*Match|SecurityToken/i.test(code);

export const CORRECT_KEYS = "Correct ALIBABA_CLOUD_ACCESS_KEY_ID, its secret and its token.";

/** Null for what says itself what to do, and what nobody knows. */
export function remedyOf(error: unknown): string | null {
  if (error instanceof AppError) return error.remedy;
  if (error instanceof StoreFailure && error.kind !== "otherKey")
    return "Check SAFEPORT_TABLESTORE_INSTANCE, SAFEPORT_REGION and SAFEPORT_TABLESTORE_ENDPOINT, and what these keys may do there.";
  if (!(error instanceof CloudFailure || error instanceof TrafficFailure)) return null;
  if (isOfKeys(error.cloudCode ?? "")) return CORRECT_KEYS;
  switch (error.kind) {
    case "unknown":
    case "unavailable":
      return "Check SAFEPORT_REGION and the endpoint where one is set, and that it can be reached from here; then run it again.";
    case "refused":
      return "Allow it to these keys.";
    case "throttled":
      return "Try again in a minute.";
    default:
      return null;
  }
}
