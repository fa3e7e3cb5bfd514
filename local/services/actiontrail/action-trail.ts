// Every write call becomes an event, whoever made it and whether or not it succeeded, some time later.

import type { SchedulingClock } from "../../clock.ts";
import type { Principal } from "../../principals.ts";
import type { Told } from "../eventbridge/cloud-event.ts";
import type { KeptEvents } from "./kept-events.ts";
import { type TrailCall, type TrailWorld, trailEvent } from "./trail-event.ts";

/** What the trail needs. */
export interface ActionTrailOptions extends TrailWorld {
  readonly clock: SchedulingClock;
  readonly find: (accessKeyId: string) => Principal | undefined;
  readonly tell: (told: Told) => void;
  /** Keeps every event, also one whose delivery is lost later. */
  readonly kept: KeptEvents;
}

/** Records calls of ECS. */
export interface ActionTrail {
  /** Tells of a call after the delay; one that nobody made makes a forged event. Reads and calls that never arrived are none. */
  record(call: TrailCall): void;
  /** Forgets what was recorded, also events that are not on the bus yet. */
  clear(): void;
}

const isRead = (operation: string): boolean => /^(Describe|List|Get)/.test(operation);

// What a gateway turns away is no call of a service yet.
const neverArrived = ({ status, code, fault, operation }: TrailCall): boolean =>
  status === 0 || fault === "html-502" || code === "InvalidAction.NotFound" || operation === "";

/** A trail that tells the bus. */
export function createActionTrail(options: ActionTrailOptions): ActionTrail {
  const { clock, random, switches } = options;
  let generation = 0;
  return {
    record: (call) => {
      const principal = options.find(call.accessKeyId);
      if (principal === undefined || isRead(call.operation) || neverArrived(call)) return;
      const told = trailEvent(options, call, principal);
      options.kept.keep(call.at, told.data);
      const before = generation;
      clock.schedule(switches.eventDelayMs + Math.floor(random.fraction() * switches.eventJitterMs), () => {
        if (before === generation) options.tell(told);
      });
    },
    clear: () => {
      generation += 1;
      options.kept.clear();
    },
  };
}
