// The budgets port: the call budgets that all instances share.
import type { CallBudget, KeptBudget } from "../domain/call-budget.ts";

/** One row per region and API. Both methods throw `StoreFailure`. */
export interface Budgets {
  read(region: string, api: string): Promise<KeptBudget | null>;
  /** Replaces the row as it was read, null for none. Answers what is kept now, or null when somebody was quicker. */
  write(region: string, api: string, budget: CallBudget, before: KeptBudget | null): Promise<KeptBudget | null>;
}
