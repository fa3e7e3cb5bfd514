// Who may come in, in the audit trail.
import { writeRecord } from "../store/records.ts";
import type { App, Caller } from "./app.ts";

/** Records a change of who is let in; it is of no group. */
export async function recordAccess(app: App, caller: Caller, cause: string, lines: readonly string[]): Promise<void> {
  const { principal: actor, policy } = caller;
  const record = { at: app.clock.now(), group: null, cause, actor, policyVersion: policy.version, lines };
  await writeRecord(app, record);
}
