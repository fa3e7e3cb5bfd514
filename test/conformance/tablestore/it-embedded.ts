// Apart from the other words of the tests, because programs outside the test runner speak those too.
import { it } from "vitest";
import { realEndpoint } from "./real-account.ts";

/** For tests of what only the embedded service lets a test do: set its clock, its options, its faults. */
export const itEmbedded = it.skipIf(realEndpoint !== undefined);
