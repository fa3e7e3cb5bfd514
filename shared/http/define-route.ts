// How routes are written: who may call them, and what their handlers get.
import type * as z from "zod";
import type { GroupRef } from "../domain/ids.ts";
import type { Role } from "../usecases/app.ts";
import { readBody, readQuery } from "./read-input.ts";
import type { Call, Route, RouteDefinition } from "./route.ts";

/** Everybody with a token. */
export const ALL: readonly Role[] = ["requester", "approver", "operator", "auditor", "admin"];
/** Who may ask for leases. */
export const LEASING: readonly Role[] = ["requester", "operator", "admin"];
/** Who may read what belongs to somebody else. */
export const READING: readonly Role[] = ["approver", "operator", "auditor", "admin"];
/** Who may decide what should stand. */
export const OPERATING: readonly Role[] = ["operator", "admin"];
/** Who may say how far a group is guarded, and by what. */
export const GOVERNING: readonly Role[] = ["admin"];

/** A route whose handler gets query and body checked. */
export const define = <Query extends z.ZodType, Body extends z.ZodType>(
  route: RouteDefinition<Query, Body>,
): Route => ({
  ...route,
  handle: (call) => {
    const body = readBody(route.body, call.request);
    return route.handle(call, { query: readQuery(route.query, call.request), body });
  },
});

/** Addresses of a list, or of a text with commas. */
export function sourcesOf(source: string | readonly string[]): string[] {
  return typeof source === "string" ? source.split(",").map((part) => part.trim()) : [...source];
}

/**
 * Has a pass bring a group to what was just decided. Answers false when that has to wait: the decision stands, and its due row has the
 * next minute look.
 */
export async function lookNow(call: Call, group: GroupRef, cause: string): Promise<boolean> {
  const { parts, caller } = call;
  const { app, useCases } = parts;
  const deadlineAt = Math.min(call.deadlineAt, app.clock.monotonicMs() + app.settings.answerWithinMs);
  const { principal: actor, policy } = caller;
  const terms = { cause, actor, policy, deadlineAt, priority: "drift", rows: [], drift: true } as const;
  try {
    return (await useCases.lookAtGroup(app, group, terms)) !== null;
  } catch (error) {
    app.log.write("warn", `the group ${group.groupId} is looked at later`, { cause: error });
    return false;
  }
}
