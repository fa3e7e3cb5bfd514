// One run of a job: what the sweep tells it.
import type { Policy } from "../../domain/policy.ts";

/** One run of a job. */
export interface JobRun {
  readonly policy: Policy;
  /** What tells runs of one job apart; null where there is but one. */
  readonly param: string | null;
  readonly cause: string;
  /** Monotonic instant after which nothing further is begun. */
  readonly deadlineAt: number;
}
