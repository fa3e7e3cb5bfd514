// Which jobs may go on until their deadline, or take up what others leave: what people wait for is not put behind them.
import type { Due } from "../../store/due.ts";

/** By name; apart from the jobs themselves, which a tick loads only when one is due. */
const LONG_JOBS: ReadonlySet<string> = new Set([
  "audit",
  "evidence",
  "lockdown-plan",
  "notify",
  "record-seal",
  "recycling",
  "recycling-watch",
]);

export const isLongJob = ({ id }: Due): boolean => LONG_JOBS.has(id.split("/")[0] ?? "");
