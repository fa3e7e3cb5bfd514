// How routes are written: what they are about, and what their handlers get.
import type * as z from "zod/mini";
import type { GroupRef } from "../domain/ids.ts";
import { requireInScope, requireUnscoped } from "../usecases/group/check-scope.ts";
import type { PassReport } from "../usecases/pass/pass-report.ts";
import { fromOf } from "../usecases/records/said-by.ts";
import { dryRunQuery } from "./inputs.ts";
import type { HttpResponse } from "./message.ts";
import { invalid, readBody, readQuery } from "./read-input.ts";
import type { Call, Route, RouteDefinition } from "./route.ts";

/** A route whose handler gets query and body checked, and runs only when what it is about is within the caller's scope. */
export const define = <Query extends z.ZodMiniType, Body extends z.ZodMiniType>({
  about,
  bodyBytesMax,
  ...route
}: RouteDefinition<Query, Body>): Route => {
  const [query, body] = [once(route.query), once(route.body)];
  return {
    ...route,
    about: typeof about === "function" ? "groups" : about,
    handle: async (call) => {
      const read = readBody(body(), call.request, bodyBytesMax);
      const input = { query: readQuery(query(), call.request), body: read };
      if (about === "account") requireUnscoped(call.caller);
      else if (typeof about === "function" && call.caller.scopes.length > 0)
        await requireInScope(call.parts.app, call.caller, await about(call, input));
      return route.handle(call, input);
    },
  };
};

function once<Made>(make: () => Made): () => Made {
  let made: Made | undefined;
  return () => (made ??= make());
}

/** What a person decides about one thing: `POST …/{id}:verb`, with a dry run. */
interface Decision<Body extends z.ZodMiniType> extends Pick<Route, "path" | "operationId" | "summary" | "permission"> {
  readonly about: (call: Call) => readonly string[] | Promise<readonly string[]>;
  readonly body: () => Body;
  readonly decide: (call: Call, body: z.output<Body>, dryRun: boolean) => Promise<HttpResponse>;
}

/** The route of a decision. */
export const decision = <Body extends z.ZodMiniType>({ decide, ...route }: Decision<Body>): Route =>
  define({
    ...route,
    method: "POST",
    query: dryRunQuery,
    idempotent: false,
    handle: (call, { query, body }) => decide(call, body, query.dryRun),
  });

/** The group in the path, by id or name: `/v1/groups/{id}`. */
export const groupInPath = ({ params }: Call): readonly string[] => [params["id"] ?? params["group"] ?? ""];

const SOURCES_MAX = 50;

/** Addresses of a list, or of a text with commas. */
export function sourcesOf(source: string | readonly string[]): string[] {
  const sources = typeof source === "string" ? source.split(",").map((part) => part.trim()) : [...source];
  // Each is a rule of its own.
  if (sources.length > SOURCES_MAX)
    throw invalid("source", `has ${sources.length} addresses; ${SOURCES_MAX} are accepted`);
  return sources;
}

/**
 * Has a pass bring a group to what was just decided. Answers null when that has to wait: the decision stands, and its due row has the
 * next minute look.
 */
export async function lookNow(call: Call, group: GroupRef, cause: string): Promise<PassReport | null> {
  const { parts, caller } = call;
  const { app, useCases } = parts;
  const deadlineAt = Math.min(call.deadlineAt, app.clock.monotonicMs() + app.settings.answerWithinMs);
  const { principal: actor, policy } = caller;
  const terms = {
    cause,
    actor,
    from: fromOf(caller),
    policy,
    deadlineAt,
    priority: "drift",
    rows: [],
    drift: true,
  } as const;
  try {
    return await useCases.lookAtGroup(app, group, terms);
  } catch (error) {
    app.log.write("warn", `the group ${group.groupId} is looked at later`, { cause: error });
    return null;
  }
}
