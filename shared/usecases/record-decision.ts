// A person's decision in the audit trail.
import type { GroupRef } from "../domain/ids.ts";
import { writeRecord } from "../store/records.ts";
import type { App, Caller } from "./app.ts";

/** Records what a person decided about a group, and what followed in the ledger. */
export async function recordDecision(
  app: App,
  caller: Caller,
  group: GroupRef,
  cause: string,
  lines: readonly string[],
): Promise<void> {
  const { principal: actor, policy } = caller;
  const record = { at: app.clock.now(), group, cause, actor, policyVersion: policy.version, lines };
  await writeRecord(app, record);
}
