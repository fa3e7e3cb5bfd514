// Which route a path leads to. Paths are few, and most processes answer few requests: what a path looks like is worked out when it is asked.
import { type MatchFunction, match } from "path-to-regexp";
import type { Route } from "./route.ts";

/** A route that answers a path, and what stands in the place of the path's names, as it was sent. */
export interface FoundRoute {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the route of a method and a path. */
export type FindRoute = (method: string, path: string) => FoundRoute | undefined;

type Params = Record<string, string>;

/** No path leads to two routes of a method: a test holds all of them against each other. */
export function routeFinder(routes: readonly Route[]): FindRoute {
  const matchers = new Map<Route, MatchFunction<Params>>();
  const matcherOf = (route: Route): MatchFunction<Params> => {
    const matcher = matchers.get(route) ?? pathMatcher(route.path);
    matchers.set(route, matcher);
    return matcher;
  };
  return (method, path) => {
    for (const route of routes) {
      if (route.method !== method) continue;
      const found = matcherOf(route)(path);
      // A value ends at a colon: what follows is a verb.
      if (found && !Object.values(found.params).some((value) => value.includes(":")))
        return { route, params: found.params };
    }
    return undefined;
  };
}

/** Of `/v1/leases/{id}:end`, as OpenAPI writes it. A slash at the end means nothing. */
function pathMatcher(path: string): MatchFunction<Params> {
  const pattern = path.replaceAll(":", "\\:").replaceAll(/\{(\w+)\}/g, ":$1");
  return match<Params>(pattern, { decode: false, sensitive: true });
}
