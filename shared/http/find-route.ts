// Which route a path leads to. Paths are few, and most processes answer few requests: what a path looks like is worked out when it is asked.
import type { Route } from "./route.ts";

/** A route that answers a path, and what stands in the place of the path's names, as it was sent. */
export interface FoundRoute {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the route of a method and a path. */
export type FindRoute = (method: string, path: string) => FoundRoute | undefined;

/** No path leads to two routes of a method: a test holds all of them against each other. */
export function routeFinder(routes: readonly Route[]): FindRoute {
  const patterns = new Map<Route, RegExp>();
  const patternOf = (route: Route): RegExp => {
    const pattern = patterns.get(route) ?? pathPattern(route.path);
    patterns.set(route, pattern);
    return pattern;
  };
  return (method, path) => {
    for (const route of routes) {
      if (route.method !== method) continue;
      const match = patternOf(route).exec(path);
      if (match !== null) return { route, params: { ...match.groups } };
    }
    return undefined;
  };
}

/** A value ends at a slash and at a colon; a slash at the end means nothing. */
function pathPattern(path: string): RegExp {
  const pattern = path.replaceAll(".", "\\.").replaceAll(/\{(\w+)\}/g, "(?<$1>[^/:]+)");
  return new RegExp(`^${pattern}/?$`);
}
