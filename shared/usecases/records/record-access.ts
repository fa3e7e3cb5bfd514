// Who may come in, in the audit trail.
import { type RecordedChange, writeRecord } from "../../store/records.ts";
import type { App, Caller } from "../app.ts";
import { saidBy } from "./said-by.ts";

/** Records a change of who is let in; it is of no group. */
export async function recordAccess(
  app: App,
  caller: Caller,
  cause: string,
  lines: readonly string[],
  changes: readonly RecordedChange[],
): Promise<void> {
  await writeRecord(app, { at: app.clock.now(), group: null, cause, ...saidBy(caller), lines, changes });
}
