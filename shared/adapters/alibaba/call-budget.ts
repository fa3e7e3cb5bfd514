// The gate of the ECS client: one budget per region and API that all instances share, with shares by priority.
import { formatUtc } from "../../domain/instant.ts";
import type { Budgets } from "../../ports/budgets.ts";
import type { Clock } from "../../ports/clock.ts";
import { type CallPriority, CloudFailure } from "../../ports/firewall.ts";
import type { Log } from "../../ports/log.ts";
import type { Random } from "../../ports/random.ts";
import { StoreFailure } from "../../ports/tables.ts";
import { type Admission, CallAccount } from "./call-account.ts";
import type { CallGate } from "./rpc-client.ts";

/** What the gate works with. */
export interface CallBudgetSettings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly budgets: Budgets;
  /** Calls of one API in one region a minute, all instances together, until the cloud says Throttling. */
  readonly callsPerMinute: number;
  /** Calls an instance takes at a time; by default 20, and a hundredth of a minute's calls where that is more. */
  readonly block?: number;
}

/** A gate that has to be settled at the end of every invocation. */
export interface CallBudgetGate extends CallGate {
  /** Tells the store of Throttling answers, and of unasked calls once they make a block. Never rejects; mostly does nothing. */
  settle(): Promise<void>;
}

const BLOCK = 20;
/** A large budget is not taken in crumbs: each block costs a write to the store. */
const BLOCKS_PER_MINUTE = 100;

/** Up to which part of a minute's calls a priority may go; null goes always and never waits. */
const SHARES: Readonly<Record<CallPriority, number | null>> = {
  lockdown: null,
  end: null,
  open: 0.85,
  drift: 0.7,
  inventory: 0.5,
};

/**
 * While the store does not answer, each instance goes on with a quarter of the limit, times the share. Beyond the limit may
 * go: lockdown and ends; those quarters; for up to 10 s what other instances hold when the cloud says Throttling.
 */
export function callBudget(settings: CallBudgetSettings): CallBudgetGate {
  const accounts = new Map<string, CallAccount>();
  let storeFails = false;

  const accountSettings = {
    ...settings,
    block: settings.block ?? Math.max(BLOCK, Math.floor(settings.callsPerMinute / BLOCKS_PER_MINUTE)),
    storeAnswered(failure: unknown) {
      if (failure !== null && !storeFails)
        settings.log.write("warn", "the call budget cannot be shared; each instance goes on with a part of it", {
          reason: failure instanceof StoreFailure ? failure.kind : "unknown",
          cause: failure,
        });
      storeFails = failure !== null;
    },
  };

  function account(region: string, action: string): CallAccount {
    const key = `${region} ${action}`;
    const known = accounts.get(key);
    if (known !== undefined) return known;
    const made = new CallAccount(region, action, accountSettings);
    accounts.set(key, made);
    return made;
  }

  return {
    admit(region, action, priority) {
      const share = SHARES[priority];
      if (share === null) return account(region, action).count();
      const conclude = (admission: Admission): void => {
        if (admission.kind === "go") return;
        throw new CloudFailure("throttled", action, {
          message: `${action} in ${region}: no call is left for "${priority}" until ${formatUtc(admission.until)}`,
        });
      };
      const admission = account(region, action).admit(share);
      return admission instanceof Promise ? admission.then(conclude) : conclude(admission);
    },
    foresee(region, actions, priority) {
      const share = SHARES[priority];
      if (share !== null) for (const action of actions) account(region, action).foresee(share);
    },
    throttled: (region, action) => account(region, action).throttled(),
    async settle() {
      await Promise.all([...accounts.values()].map((one) => one.settle()));
    },
  };
}
