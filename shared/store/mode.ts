// The mode: one row beside the policy.
import { MODES, type ModeInForce } from "../domain/mode.ts";
import type { Tables, Write } from "../ports/tables.ts";

const KEY = ["mode", 0] as const;

/** The mode in force; `normal` where nobody set one, `close-only` where the row cannot be read. */
export async function readMode(tables: Tables): Promise<ModeInForce> {
  const row = await tables.get("policy", KEY);
  if (row === null) return { mode: "normal", since: null, by: null, reason: "" };
  const { since, by, reason } = row.columns;
  const mode = MODES.find((it) => it === row.columns["mode"]);
  return {
    mode: mode ?? "close-only",
    since: typeof since === "number" ? since : null,
    by: typeof by === "string" ? by : null,
    reason: mode === undefined ? "the stored mode cannot be read" : String(reason ?? ""),
  };
}

export const modeWrite = ({ mode, since, by, reason }: ModeInForce): Write => ({
  kind: "put",
  table: "policy",
  key: KEY,
  columns: { mode, since: since ?? 0, by: by ?? "", reason },
});
