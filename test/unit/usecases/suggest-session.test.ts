// A suggestion is never in the way of an opening.
import { expect, test } from "vitest";
import type { Hosts } from "../../../shared/ports/hosts.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { anAsk, appWorld } from "./app-world.ts";

const create = { mode: "create", idempotencyKey: null, dryRun: false } as const;
const able = new Map([["i-1", { isOnline: true, hasSessionManager: true }]]);

async function notesWith(agents: Hosts["agents"]): Promise<string> {
  const world = await appWorld();
  const hosts = { agents } as Hosts;
  const sleep = async (ms: number) => {
    // Whoever answers at all is faster than the time that a suggestion has.
    await new Promise(setImmediate);
    await world.app.clock.sleep(ms);
  };
  const app = { ...world.app, clock: { ...world.app.clock, sleep }, hosts: async () => hosts };
  const answer = await openLease(app, world.caller(), anAsk(), create);
  expect([answer.lease.status.state, world.rules.length]).toEqual(["open", 1]);
  return answer.notes.join(" ");
}

test.each<[string, Hosts["agents"], boolean]>([
  ["an agent that can", async () => able, true],
  ["an agent that is not online", async () => new Map([["i-1", { isOnline: false, hasSessionManager: true }]]), false],
  ["an agent too old for it", async () => new Map([["i-1", { isOnline: true, hasSessionManager: false }]]), false],
  ["no agent", async () => new Map(), false],
  ["nobody who answers", () => new Promise(() => undefined), false],
  ["a failure", () => Promise.reject(new Error("broken")), false],
])("with %s the lease opens", async (_what, agents, isSuggested) => {
  expect(/Session Manager reaches i-1/.test(await notesWith(agents))).toBe(isSuggested);
});
