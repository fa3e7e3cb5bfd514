// Rule specs as JSON values: address blocks are written as text and parsed back.
import { type Cidr, formatCidr, parseObservedCidr } from "../domain/cidr.ts";
import type { Peer, RuleSpec } from "../domain/rule.ts";
import { fail } from "../errors/app-error.ts";

/** A spec as a plain JSON value. */
export const specToJson = (spec: RuleSpec): unknown => ({
  ...spec,
  peer: spec.peer.kind === "cidr" ? { kind: "cidr", cidr: formatCidr(spec.peer.cidr) } : spec.peer,
  dest: spec.dest ? formatCidr(spec.dest) : null,
});

/** The spec of a JSON value that `specToJson` made. Throws STATE_UNREADABLE. */
export function specFromJson(value: unknown, table: string): RuleSpec {
  const json = value as
    | (Omit<RuleSpec, "peer" | "dest"> & {
        peer?: { kind: string; cidr?: string };
        dest: string | null;
      })
    | null
    | undefined;
  if (!json?.peer) throw fail("STATE_UNREADABLE", { table });
  const dest = json.dest === null ? null : cidrFromJson(json.dest);
  const cidr = json.peer.kind === "cidr" ? cidrFromJson(json.peer.cidr ?? "") : null;
  if ((json.dest !== null && !dest) || (json.peer.kind === "cidr" && !cidr)) throw fail("STATE_UNREADABLE", { table });
  return { ...json, dest, peer: cidr ? { kind: "cidr", cidr } : (json.peer as Peer) };
}

/** Whatever the cloud shows can be stored, and is read back; what was not written by `formatCidr` is not. */
function cidrFromJson(text: string): Cidr | null {
  const cidr = parseObservedCidr(text);
  return cidr !== null && formatCidr(cidr) === text ? cidr : null;
}

/** Parses a column that holds an object or a list as JSON. Throws STATE_UNREADABLE when it holds anything else. */
export function parseColumn(value: unknown, table: string): object {
  if (typeof value !== "string") throw fail("STATE_UNREADABLE", { table });
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed === "object" && parsed !== null) return parsed;
  } catch (cause) {
    throw fail("STATE_UNREADABLE", { table }, cause);
  }
  throw fail("STATE_UNREADABLE", { table });
}
