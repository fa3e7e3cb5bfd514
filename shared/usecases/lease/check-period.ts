// The period a lease may ask for.
import type { Policy } from "../../domain/policy.ts";
import { fail } from "../../errors/app-error.ts";

/** Throws PERIOD_INVALID unless the period, in milliseconds, is what the policy grants. */
export function checkPeriod(periodMs: number, policy: Policy): void {
  const { periodMinMs: min, periodMaxMs: max } = policy.lease;
  if (!Number.isInteger(periodMs) || periodMs < min || periodMs > max || periodMs % 1000 !== 0) {
    throw fail("PERIOD_INVALID", { period: periodMs / 1000, min: min / 1000, max: max / 1000 });
  }
}
