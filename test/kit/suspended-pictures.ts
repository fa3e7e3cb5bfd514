// Builders of accepts that a lockdown has closed for a time.
import type { Entry, SuspendedRule, Suspension } from "../../shared/domain/ledger-entry.ts";
import { anEntry, HOUR, NOW, ruleId } from "./plan-pictures.ts";

/** Who closes it, until when. */
export const by = { kind: "lockdown", itemId: "ld-1", principal: "ann", reason: "", until: NOW + HOUR } as const;
/** The same, at its end. */
export const over = { ...by, until: NOW };

export const aSuspension = (changes: Partial<Suspension> = {}): Suspension => ({
  ...{ by: [by], since: NOW, kept: null, wasAllocated: false, liftedAt: null },
  ...changes,
});

/** As rows of earlier versions have it: closed, or to be closed. */
export const keptAs = (name: string, description = "web"): SuspendedRule => ({ ruleId: ruleId(name), description });

/** An accept nobody granted through us, suspended. */
export const suspended = (changes: Partial<Suspension> = {}, more: Partial<Entry> = {}): Entry =>
  anEntry({ holders: [], suspension: aSuspension(changes), ...more });
