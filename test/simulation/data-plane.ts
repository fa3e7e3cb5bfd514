// What the data plane of a simulated account does with packets now, asked of the embedded cloud's own.
import { type Policies, PolicyResolver } from "../../local/dataplane/policy.ts";
import { decide } from "../../local/dataplane/verdict.ts";
import { topologyOf } from "../../local/services/ecs/topology-of.ts";
import type { SimWorld } from "./sim-world.ts";

const resolvers = new WeakMap<SimWorld, PolicyResolver>();

export function policiesOf(world: SimWorld): Policies {
  const resolver = resolvers.get(world) ?? new PolicyResolver();
  resolvers.set(world, resolver);
  return resolver.resolve(topologyOf(world.ecs), { destCidrIp: "honoured" });
}

/** True when a connection to the port is let in. */
export const isIn = (policies: Policies, sourceAddress: string, destAddress: string, destPort: number): boolean =>
  decide(policies, { protocol: "TCP", sourceAddress, sourcePort: 50_000, destAddress, destPort }).accept;
