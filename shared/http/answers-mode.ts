// What the API answers about the mode.
import * as z from "zod/mini";
import { instant, text } from "./answer-fields.ts";

const mode = z
  .enum(["normal", "close-only", "halt"])
  .check(
    z.describe(
      "`normal`; `close-only`: nothing is opened and nothing rolled back; `halt`: nothing is written but the ends of what safeport opened.",
    ),
  );

/** The mode in force. */
export const modeView = () =>
  z.object({
    mode,
    since: z.nullable(instant).check(z.describe("Null where nobody ever set it.")),
    by: z.nullable(text),
    reason: text,
  });

/** The answer to a change of the mode. */
export const modeAnswerView = () => z.extend(modeView(), { dryRun: z.boolean(), plan: z.array(text) });
