// The mode: one row beside the policy.
import { MODES, type ModeInForce } from "../domain/mode.ts";
import type { Condition, Tables, Write, WriteOutcome } from "../ports/tables.ts";

const KEY = ["mode", 0] as const;

/** The mode in force; `normal` where nobody set one, `close-only` where the row cannot be read. */
export const readMode = async (tables: Tables): Promise<ModeInForce> => (await readModeToChange(tables)).inForce;

/** As `readMode`, with the condition under which that is still the mode. */
export async function readModeToChange(
  tables: Tables,
): Promise<{ readonly inForce: ModeInForce; readonly asRead: Condition }> {
  const row = await tables.get("policy", KEY);
  if (row === null)
    return { inForce: { mode: "normal", since: null, by: null, reason: "" }, asRead: { kind: "absent" } };
  const { mode: stored, since, by, reason } = row.columns;
  const mode = MODES.find((it) => it === stored);
  const inForce: ModeInForce = {
    mode: mode ?? "close-only",
    since: typeof since === "number" ? since : null,
    by: typeof by === "string" ? by : null,
    reason: mode === undefined ? "the stored mode cannot be read" : String(reason ?? ""),
  };
  return {
    inForce,
    asRead: stored === undefined ? { kind: "present" } : { kind: "equals", column: "mode", value: stored },
  };
}

export const modeWrite = ({ mode, since, by, reason }: ModeInForce): Write & { readonly kind: "put" } => ({
  kind: "put",
  table: "policy",
  key: KEY,
  columns: { mode, since: since ?? 0, by: by ?? "", reason },
});

/** Sets the mode where it is still the one that was read. */
export function writeMode(tables: Tables, inForce: ModeInForce, asRead: Condition): Promise<WriteOutcome> {
  const { table, key, columns } = modeWrite(inForce);
  return tables.put(table, key, columns, asRead);
}
