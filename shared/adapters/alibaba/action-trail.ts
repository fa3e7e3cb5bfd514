// The trail port on ActionTrail: records as events bring them, and the same records as LookupEvents has them.
import { formatUtc } from "../../domain/instant.ts";
import type { Sighting } from "../../domain/sighting.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Trail, TrailReading } from "../../ports/trail.ts";
import { fields, incomplete, text, textOrNull } from "./ecs-answers.ts";
import type { RpcClient } from "./rpc-client.ts";
import { operationOf, readTrailRecord } from "./trail-record.ts";

const LOOK_UP = "LookupEvents";
const EVENTS_PER_PAGE = 50;
/** An event further away than this is taken for one that the service does not have. */
const PAGES_MAX = 5;

/** A look-up asks for one event of the last seven days by its id, or for calls of one name to one group. */
export function actionTrail(rpc: RpcClient, clock: Clock): Trail {
  async function* eventsOf(region: string, parameters: Readonly<Record<string, unknown>>): AsyncGenerator<unknown> {
    let nextToken: string | null = null;
    for (let page = 0; page < PAGES_MAX; page++) {
      const asked = {
        ...{ ...parameters, MaxResults: `${EVENTS_PER_PAGE}` },
        ...(nextToken === null ? {} : { NextToken: nextToken }),
      };
      const answer = await rpc.call({
        action: LOOK_UP,
        region,
        priority: "drift",
        reading: true,
        request: () => ({ toMap: () => asked }),
      });
      const events = answer["Events"];
      if (!Array.isArray(events)) throw incomplete(LOOK_UP, "the answer has no Events");
      yield* events;
      nextToken = textOrNull(answer["NextToken"]);
      if (nextToken === null) return;
    }
  }

  return {
    read: readTrailRecord,

    async lookUp(region, eventId) {
      const parameters = { LookupAttribute: [{ Key: "EventId", Value: eventId }] };
      for await (const event of eventsOf(region, parameters))
        if (text(fields(event)["eventId"]) === eventId) return confirmed(readTrailRecord(event, clock.now()));
      return null;
    },

    async lookUpCalls({ region, groupId }, which, since) {
      const parameters = {
        LookupAttribute: [
          { Key: "ResourceName", Value: groupId },
          { Key: "EventName", Value: operationOf(which) },
        ],
        StartTime: formatUtc(since),
        EndTime: formatUtc(clock.now()),
      };
      const found: Sighting[] = [];
      for await (const event of eventsOf(region, parameters)) {
        const reading = confirmed(readTrailRecord(event, clock.now()));
        if (reading.kind === "call") found.push(...reading.sightings.filter((it) => it.groupId === groupId));
      }
      return found;
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
