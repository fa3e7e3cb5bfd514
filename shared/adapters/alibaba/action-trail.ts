// The trail port on ActionTrail: records as events bring them, and the same records as LookupEvents has them.
import type { Clock } from "../../ports/clock.ts";
import type { Trail, TrailReading } from "../../ports/trail.ts";
import { fields, incomplete, text, textOrNull } from "./ecs-answers.ts";
import type { RpcClient } from "./rpc-client.ts";
import { readTrailRecord } from "./trail-record.ts";

const LOOK_UP = "LookupEvents";
const EVENTS_PER_PAGE = 50;
/** One event is asked for; a service that pages it further away than this does not have it. */
const PAGES_MAX = 5;

/** A look-up asks for one event of the last seven days, by its id. */
export function actionTrail(rpc: RpcClient, clock: Clock): Trail {
  async function find(region: string, eventId: string): Promise<unknown> {
    const parameters = { LookupAttribute: [{ Key: "EventId", Value: eventId }], MaxResults: `${EVENTS_PER_PAGE}` };
    let nextToken: string | null = null;
    for (let page = 0; page < PAGES_MAX; page++) {
      const asked = { ...parameters, ...(nextToken === null ? {} : { NextToken: nextToken }) };
      const answer = await rpc.call({
        action: LOOK_UP,
        region,
        priority: "drift",
        reading: true,
        request: () => ({ toMap: () => asked }),
      });
      const events = answer["Events"];
      if (!Array.isArray(events)) throw incomplete(LOOK_UP, "the answer has no Events");
      const found: unknown = events.find((event) => text(fields(event)["eventId"]) === eventId);
      if (found !== undefined) return found;
      nextToken = textOrNull(answer["NextToken"]);
      if (nextToken === null) return null;
    }
    return null;
  }

  return {
    read: readTrailRecord,
    async lookUp(region, eventId) {
      const found = await find(region, eventId);
      return found === null ? null : confirmed(readTrailRecord(found, clock.now()));
    },
  };
}

function confirmed(reading: TrailReading): TrailReading {
  if (reading.kind !== "call") return reading;
  return {
    ...reading,
    call: { ...reading.call, confirmed: true },
    sightings: reading.sightings.map((sighting) => ({ ...sighting, confirmed: true })),
  };
}
