// Who may let everybody reach a sensitive port: an administrator, who says so.
import type { GroupRef } from "../../domain/ids.ts";
import type { Policy } from "../../domain/policy.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { mayOpenSensitive, sensitiveOpenings } from "../../domain/sensitive-openings.ts";
import { fail } from "../../errors/app-error.ts";
import { listEntries } from "../../store/ledger.ts";
import { acquireLock } from "../../store/lock.ts";
import type { App, Caller } from "../app.ts";
import { type AllocationChange, changeAllocations } from "./change-allocations.ts";

/** What is to be granted, and whether the caller has said that everybody may reach it. */
export interface SensitiveAsk {
  readonly specs: readonly RuleSpec[];
  /** What goes when this comes; null for nothing. */
  readonly replaced: RuleSpec | null;
  readonly isConfirmed: boolean;
}

/**
 * Throws SENSITIVE_UNCONFIRMED where a sensitive port may be open to the world by a spec, by all of them, or by them beside what the
 * group's ledger grants, unless an administrator has confirmed it.
 */
export async function requireConfirmed(app: App, caller: Caller, group: GroupRef, ask: SensitiveAsk): Promise<void> {
  if (ask.isConfirmed && caller.roles.includes("admin")) return;
  const open = await sensitiveBesideGranted(app, caller.policy, group, ask);
  if (open.length > 0) throw fail("SENSITIVE_UNCONFIRMED", { rules: open.map(ruleKey).join(", ") });
}

/** Those of the specs that a person has to look at before they are granted beside what the group's ledger grants now. */
export async function sensitiveBesideGranted(
  app: App,
  policy: Policy,
  group: GroupRef,
  { specs, replaced }: Pick<SensitiveAsk, "specs" | "replaced">,
): Promise<readonly RuleSpec[]> {
  const goes = replaced && ruleKey(replaced);
  const { entries } = await listEntries(app.tables, group);
  const granted = entries.flatMap(({ allocation, key, spec }) => (allocation !== null && key !== goes ? [spec] : []));
  return sensitiveOpenings(specs, granted, policy.lease.sensitivePorts);
}

/** A turn: whoever takes longer, or has died, loses it, and the next one has waited for no longer than that. */
const TURN_MS = 8000;
const TURN_MARGIN_MS = 500;
const WAIT_MAX_MS = 10_000;
const AGAIN_MS = 100;

/** A grant that takes its turn. */
interface Turn {
  readonly group: GroupRef;
  readonly specs: readonly RuleSpec[];
  /** How long a turn is waited for; 0 where somebody else comes again. */
  readonly waitMaxMs?: number;
}

/**
 * Has `work` wait for whoever else grants a sensitive port in the group: what one of them writes is there when the next one counts. Where
 * no such port is touched nobody waits. `mayWrite` is false once the turn is over. Throws GROUP_BUSY.
 */
export async function inTurn<Result>(
  app: App,
  policy: Policy,
  { group, specs, waitMaxMs = WAIT_MAX_MS }: Turn,
  work: (mayWrite: () => boolean) => Promise<Result>,
): Promise<Result> {
  if (!mayOpenSensitive(specs, policy.lease.sensitivePorts)) return work(() => true);
  const holder = Buffer.from(app.random.bytes(8)).toString("hex");
  const terms = { holder, lockMs: TURN_MS, marginMs: TURN_MARGIN_MS };
  const since = app.clock.monotonicMs();
  for (;;) {
    const lock = await acquireLock(app.tables, app.clock, `grants:${group.groupId}`, terms);
    if (lock === null) {
      if (app.clock.monotonicMs() - since >= waitMaxMs) throw fail("GROUP_BUSY", { group: group.groupId });
      await app.clock.sleep(AGAIN_MS * (1 + app.random.fraction()));
      continue;
    }
    try {
      return await work(() => lock.isHeld());
    } finally {
      await lock.release().catch(() => undefined);
    }
  }
}

/** Judges as `requireConfirmed`, in turn, and makes the changes. Throws SENSITIVE_UNCONFIRMED, GROUP_BUSY, and as `changeAllocations`. */
export const grantInTurn = (
  app: App,
  caller: Caller,
  group: GroupRef,
  ask: SensitiveAsk,
  changes: readonly AllocationChange[],
): Promise<void> =>
  inTurn(app, caller.policy, { group, specs: ask.specs }, async (mayWrite) => {
    await requireConfirmed(app, caller, group, ask);
    await changeAllocations(app, group, caller.principal, changes, mayWrite);
  });
