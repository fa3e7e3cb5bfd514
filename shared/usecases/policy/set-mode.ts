// Sets what the program may do to the cloud: one call, in force with the next pass of every group.
import { isStricter, type Mode, type ModeInForce } from "../../domain/mode.ts";
import { fail } from "../../errors/app-error.ts";
import { readMode, readModeToChange, writeMode } from "../../store/mode.ts";
import { writeRecord } from "../../store/records.ts";
import type { App, Caller } from "../app.ts";
import { saidBy } from "../records/said-by.ts";

export interface ModeAnswer {
  readonly inForce: ModeInForce;
  readonly plan: readonly string[];
}

const EFFECTS = {
  normal: "leases are opened and drift is rolled back again; what was kept back is looked at within five minutes",
  "close-only": "nothing is opened or extended and nothing is rolled back; leases end at their time",
  halt: "nothing is written but the ends of what safeport itself opened",
} as const satisfies Record<Mode, string>;

/** The mode in force. */
export const getMode = (app: App): Promise<ModeInForce> => readMode(app.tables);

/** Repeating it changes nothing. Throws ROLE_MISSING where somebody but an admin asks for a freer mode. */
export async function setMode(
  app: App,
  caller: Caller,
  ask: { readonly mode: Mode; readonly reason: string },
  options: { readonly dryRun: boolean },
): Promise<ModeAnswer> {
  for (;;) {
    const { inForce: before, asRead } = await readModeToChange(app.tables);
    if (before.mode === ask.mode) return { inForce: before, plan: [] };
    if (!isStricter(ask.mode, before.mode) && !caller.roles.includes("admin"))
      throw fail("ROLE_MISSING", { needed: "admin", roles: caller.roles.join(", ") });
    const now = app.clock.now();
    const inForce = { mode: ask.mode, since: now, by: caller.principal, reason: ask.reason };
    const plan = [`mode ${before.mode} → ${ask.mode}: ${EFFECTS[ask.mode]}`];
    if (options.dryRun) return { inForce, plan };
    const record = { at: now, group: null, cause: "mode", ...saidBy(caller) };
    const lines = [...plan, ...(ask.reason === "" ? [] : [ask.reason])];
    // The record comes first: a mode without one could not be explained, a record without one is repeated by who asked.
    await writeRecord(app, { ...record, lines, changes: [{ what: "mode", before: before.mode, after: ask.mode }] });
    if ((await writeMode(app.tables, inForce, asRead)) === "written") return { inForce, plan };
    // From what somebody else has set meanwhile it may be no step that this caller can take.
    await writeRecord(app, { ...record, lines: [`mode ${ask.mode} was not set: it is not ${before.mode} any more`] });
  }
}
