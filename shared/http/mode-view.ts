// The mode as the API shows it.
import type * as z from "zod/mini";
import { formatUtc } from "../domain/instant.ts";
import type { ModeInForce } from "../domain/mode.ts";
import type { modeView } from "./answers-mode.ts";

/** The mode, and who set it. */
export const viewMode = ({ since, ...inForce }: ModeInForce): z.output<ReturnType<typeof modeView>> => ({
  ...inForce,
  since: since === null ? null : formatUtc(since),
});
