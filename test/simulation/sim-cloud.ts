// The cloud of a simulated account, in the same process: ECS, and a trail that tells each call.
import { Principals } from "../../local/principals.ts";
import { seededRandom } from "../../local/random.ts";
import { createActionTrail } from "../../local/services/actiontrail/action-trail.ts";
import { KeptEvents } from "../../local/services/actiontrail/kept-events.ts";
import { defaultTrailSwitches } from "../../local/services/actiontrail/switches.ts";
import { createEcs, type EcsInProcess } from "../../local/services/ecs/start-ecs.ts";
import type { Schedule } from "../kit/schedule.ts";
import type { TrailData } from "./event-bus.ts";
import { ACCOUNT_ID, type AccountPart, account, REGION } from "./sim-account.ts";

export interface SimCloud {
  readonly ecs: EcsInProcess;
  /** What the trail keeps of what it told. */
  readonly kept: KeptEvents;
}

/** The account with what `parts` add to it; `tell` is given every event of the trail. */
export function createCloud(
  seed: string,
  schedule: Schedule,
  parts: readonly AccountPart[],
  tell: (event: TrailData) => void,
): SimCloud {
  const clock = {
    ...schedule.clock((ms) => schedule.sleep(ms)),
    schedule: (ms: number, run: () => void) => {
      let isOff = false;
      schedule.after(ms, () => {
        if (!isOff) run();
      });
      return () => {
        isOff = true;
      };
    },
    machineOffsetMs: () => 0,
  };
  const groups = account.groups.map((group) => ({
    ...group,
    // Two parts may want the same rule.
    rules: [...new Set([...group.rules, ...parts.flatMap(({ rules }) => rules?.[group.groupId] ?? [])])],
  }));
  const random = seededRandom(`cloud of ${seed}`);
  const principals = new Principals(account, seededRandom(`principals of ${seed}`), () => clock.now());
  const switches = { ...defaultTrailSwitches, eventDelayMs: 500, eventJitterMs: 4000, lookupDelayMs: 5000 };
  const kept = new KeptEvents(switches);
  const trail = createActionTrail({
    ...{ clock, random, accountId: ACCOUNT_ID, regionId: REGION, switches, kept },
    find: (accessKeyId) => principals.find(accessKeyId),
    tell: ({ data }) => tell(data as TrailData),
  });
  const ecs = createEcs({
    ...{ clock, random, seed: { ...account, groups } },
    findUser: (accessKeyId) => principals.find(accessKeyId),
    onCall: (call) => trail.record(call),
  });
  return { ecs, kept };
}
