// A person's decision in the audit trail.
import type { GroupRef } from "../../domain/ids.ts";
import { type AuditRecord, writeRecord } from "../../store/records.ts";
import type { App, Caller } from "../app.ts";
import { saidBy } from "./said-by.ts";

/** Records what a person decided about a group, what that changed, and what followed in the ledger. */
export async function recordDecision(
  app: App,
  caller: Caller,
  group: GroupRef,
  cause: string,
  { decidedBy, ...told }: Required<Pick<AuditRecord, "lines" | "changes">> & Pick<AuditRecord, "decidedBy">,
): Promise<void> {
  await writeRecord(app, { at: app.clock.now(), group, cause, ...saidBy(caller, decidedBy), ...told });
}
