// What the trail itself keeps of a group, where more events wait for its word than can be asked about: most of them are made up, and none
// of those is there.
import type { GroupRef } from "../../domain/ids.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import type { RuleCalls } from "../../ports/trail.ts";
import { addFound } from "../../store/sightings.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { isOwnCall } from "./own-call.ts";

const DIRECTIONS = ["ingress", "egress"] as const;
/** What may have made a difference, the likeliest first. */
const CALLS: readonly RuleCalls[] = (["authorize", "modify", "revoke"] as const).flatMap((kind) =>
  DIRECTIONS.map((direction) => ({ kind, direction })),
);

/** How many questions that takes. */
export const FIND_ASKS = CALLS.length;

/**
 * Stores what others did to the group's rules since an instant where a look finds it, however many events come after it. `mayAsk` waits
 * for the trail's pace and answers false when there is no time left. Answers false when the trail is called too often.
 */
export async function findCalls(
  app: App,
  group: GroupRef,
  since: number,
  mayAsk: () => Promise<boolean>,
): Promise<boolean> {
  for (const which of CALLS) {
    if (!(await mayAsk())) return true;
    try {
      const found = await app.trail.lookUpCalls(group, which, since);
      const others = found.filter((it) => it.failed === null && !isOwnCall(app, it));
      await inParallel(others, (sighting) => addFound(app.tables, sighting));
    } catch (error) {
      if (!(error instanceof CloudFailure)) throw error;
      app.log.write("warn", "the trail cannot be asked", { code: error.cloudCode ?? error.kind });
      // What it does not tell by group it is asked about event by event.
      return error.kind !== "throttled";
    }
  }
  return true;
}
