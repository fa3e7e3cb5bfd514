// Refuses what would open or keep open while the mode forbids it.
import { fail } from "../../errors/app-error.ts";
import { readMode } from "../../store/mode.ts";
import type { App } from "../app.ts";

/** Throws MODE_FORBIDS unless the mode is `normal`. */
export async function requireNormalMode(app: App): Promise<void> {
  const { mode } = await readMode(app.tables);
  if (mode !== "normal") throw fail("MODE_FORBIDS", { mode });
}
