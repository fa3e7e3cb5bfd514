// Apart from the other words of the tests, because it needs the test runner.
import { it } from "vitest";
import { realPlace } from "./real-account.ts";

/** For tests of what only the embedded service lets a test do: its seed, clock, switches, quotas and faults. */
export const itEmbedded = it.skipIf(realPlace !== undefined);
