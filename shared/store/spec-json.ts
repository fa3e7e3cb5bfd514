// Rule specs as JSON values: address blocks are written as text and parsed back.
import { type Cidr, formatCidr, parseObservedCidr } from "../domain/cidr.ts";
import type { Peer, RuleSpec } from "../domain/rule.ts";
import { fail } from "../errors/app-error.ts";
import { shaped } from "./row-shape.ts";

/** A spec as a plain JSON value. */
export const specToJson = (spec: RuleSpec): unknown => ({
  ...spec,
  peer: spec.peer.kind === "cidr" ? { kind: "cidr", cidr: formatCidr(spec.peer.cidr) } : spec.peer,
  dest: spec.dest ? formatCidr(spec.dest) : null,
});

/** The spec of a JSON value that `specToJson` made. Throws STATE_UNREADABLE. */
export function specFromJson(value: unknown, table: string): RuleSpec {
  const json = shaped<SpecJson>(value, table, { direction: "text", policy: "text", peer: "object" });
  const protocol =
    typeof json.protocol === "string"
      ? json.protocol
      : shaped<{ readonly other: string }>(json.protocol, table, { other: "text" });
  const { kind, cidr: text = "" } = shaped<SpecJson["peer"]>(json.peer, table, { kind: "text" });
  const dest = json.dest === null ? null : cidrFromJson(json.dest);
  const cidr = kind === "cidr" ? cidrFromJson(text) : null;
  if ((json.dest !== null && !dest) || (kind === "cidr" && !cidr)) throw fail("STATE_UNREADABLE", { table });
  return { ...json, protocol, dest, peer: cidr ? { kind: "cidr", cidr } : (json.peer as Peer) };
}

type SpecJson = Omit<RuleSpec, "peer" | "dest"> & {
  readonly peer: { readonly kind: string; readonly cidr?: unknown };
  readonly dest: unknown;
};

/** Whatever the cloud shows can be stored, and is read back; what was not written by `formatCidr` is not. */
function cidrFromJson(text: unknown): Cidr | null {
  if (typeof text !== "string") return null;
  const cidr = parseObservedCidr(text);
  return cidr !== null && formatCidr(cidr) === text ? cidr : null;
}
