// Finds the route of a method and a path.
import type { Route } from "./route.ts";

/** Routes with what their paths look like; the ones with the fewest `{names}` first, so that a name never hides a word. */
export type Router = readonly { readonly route: Route; readonly names: readonly string[]; readonly pattern: RegExp }[];

/** A route with the values of its path's `{names}`, as they were sent. */
export interface FoundRoute {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** A value ends at a slash or a colon: `/v1/leases/{id}:end` has an id and an action. */
export function routerOf(routes: readonly Route[]): Router {
  return routes
    .map((route) => {
      const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
      const text = route.path.replaceAll(/[.*+?^$()[\]|\\]/g, "\\$&").replaceAll(/\{\w+\}/g, "([^/:]+)");
      return { route, names, pattern: new RegExp(`^${text}/?$`) };
    })
    .sort((a, b) => a.names.length - b.names.length);
}

/** The route, or undefined. */
export function findRoute(router: Router, method: string, path: string): FoundRoute | undefined {
  for (const { route, names, pattern } of router) {
    const match = route.method === method ? pattern.exec(path) : null;
    if (match !== null)
      return { route, params: Object.fromEntries(names.map((name, index) => [name, match[index + 1] ?? ""])) };
  }
  return undefined;
}
