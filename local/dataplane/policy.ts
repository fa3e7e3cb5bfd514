// The rules in force on each address: groups merged, references resolved to address blocks, strongest first.

import type { Cidr } from "./cidr.ts";
import { addressesOf } from "./eni-addresses.ts";
import type { PortRange } from "./port-range.ts";
import { compareForms, formOf, type RuleForm, type RuleProtocol } from "./rule-form.ts";
import { type Lookup, LookupMaker } from "./rule-lookup.ts";
import type { Eni, Group, Topology } from "./topology.ts";

/** Switches for behaviour of the real service that is not confirmed. */
export interface PolicyOptions {
  /** Whether the destination address of an ingress rule (the source address of an egress one) restricts the match. */
  readonly destCidrIp: "honoured" | "ignored";
}

/** A rule ready to match. */
export interface ResolvedRule {
  readonly ruleId: string;
  readonly accept: boolean;
  readonly protocol: RuleProtocol;
  /** The other side: sources of an ingress rule, destinations of an egress one. */
  readonly peers: readonly Cidr[];
  /** The instance's side, where the rule restricts it. */
  readonly own: Cidr | undefined;
  readonly sourcePorts: PortRange;
  readonly destPorts: readonly PortRange[];
}

/** What decides about the packets of every interface that is in the same groups, in order. */
export interface MergedRules {
  /** Addresses of the members of shared basic groups whose inner policy is Accept: they pass, whatever the rules say. */
  readonly peers: readonly Cidr[];
  /** The first that matches decides, else deny. */
  readonly ingress: readonly ResolvedRule[];
  /** The first that matches decides, else `egressElse`. */
  readonly egress: readonly ResolvedRule[];
  readonly egressElse: boolean;
}

/** The rules of one address. Addresses of the same groups share one `merged`. */
export interface AddressPolicy {
  readonly address: Cidr;
  readonly eniId: string;
  readonly merged: MergedRules;
}

interface Kept {
  readonly groups: readonly Group[];
  readonly references: ReadonlyMap<string, unknown>;
  readonly destCidrIp: PolicyOptions["destCidrIp"];
  readonly merged: MergedRules;
}

const isEnterprise = (group: Group): boolean => group.type.toLowerCase() === "enterprise";
const acceptsPeers = (group: Group): boolean =>
  !isEnterprise(group) && group.innerAccessPolicy.toUpperCase() === "ACCEPT";

function mergeGroups(groups: readonly Group[], lookup: Lookup, { destCidrIp }: PolicyOptions): MergedRules {
  const resolve = (form: RuleForm): ResolvedRule | undefined => {
    const { ruleId, accept, protocol, own, sourcePorts } = form;
    const peers = lookup.blocksOf(form.peer);
    const destPorts = lookup.portsOf(form.destPorts);
    if (peers.length === 0 || destPorts.length === 0) return undefined;
    return {
      ruleId,
      accept,
      protocol,
      peers,
      own: destCidrIp === "ignored" ? undefined : own,
      sourcePorts,
      destPorts,
    };
  };
  const forms = groups
    .flatMap((group) => group.rules)
    .map(formOf)
    .filter((form) => form !== undefined)
    .sort(compareForms);
  const ofDirection = (direction: RuleForm["direction"]): readonly ResolvedRule[] =>
    forms
      .filter((form) => form.direction === direction)
      .map(resolve)
      .filter((rule) => rule !== undefined);
  return {
    peers: groups.filter(acceptsPeers).flatMap(({ groupId }) => lookup.blocksOf({ kind: "group", groupId })),
    ingress: ofDirection("ingress"),
    egress: ofDirection("egress"),
    egressElse: !groups.some(isEnterprise),
  };
}

/** The policies of a topology, found by address. */
export class Policies {
  readonly all: readonly AddressPolicy[];
  readonly #byAddress = new Map<string, AddressPolicy>();

  constructor(all: readonly AddressPolicy[]) {
    this.all = all;
    for (const policy of all) {
      const key = keyOf(policy.address);
      if (!this.#byAddress.has(key)) this.#byAddress.set(key, policy);
    }
  }

  /** The policy of a single address; of the first interface, when several claim it. */
  of(address: Cidr): AddressPolicy | undefined {
    return this.#byAddress.get(keyOf(address));
  }
}

const keyOf = ({ family, base }: Cidr): string => `${family} ${base}`;

/** Resolves topologies one after the other, and keeps what did not change: a change of one group costs that group. */
export class PolicyResolver {
  readonly #lookups = new LookupMaker();
  #kept = new Map<string, Kept>();

  resolve(topology: Topology, options: PolicyOptions): Policies {
    const lookup = this.#lookups.of(topology);
    const groups = new Map(topology.groups.map((group) => [group.groupId, group]));
    const kept = new Map<string, Kept>();
    const mergedFor = (eni: Eni): MergedRules => {
      const ids = [...new Set(eni.groupIds)].sort();
      const key = ids.join(" ");
      const present = kept.get(key) ?? this.#still(this.#kept.get(key), ids, groups, lookup, options);
      if (present !== undefined) {
        kept.set(key, present);
        return present.merged;
      }
      const own = ids.map((id) => groups.get(id)).filter((group) => group !== undefined);
      const noting = lookup.noting();
      const merged = mergeGroups(own, noting.lookup, options);
      kept.set(key, { groups: own, references: noting.noted, destCidrIp: options.destCidrIp, merged });
      return merged;
    };
    const policies = topology.enis.flatMap((eni) => {
      const merged = mergedFor(eni);
      return addressesOf(eni).map((address) => ({ address, eniId: eni.eniId, merged }));
    });
    this.#kept = kept;
    return new Policies(policies);
  }

  /** What was kept, if nothing it was made from has changed. */
  #still(
    old: Kept | undefined,
    ids: readonly string[],
    groups: ReadonlyMap<string, Group>,
    lookup: Lookup,
    { destCidrIp }: PolicyOptions,
  ): Kept | undefined {
    if (old === undefined || old.destCidrIp !== destCidrIp) return undefined;
    const own = ids.map((id) => groups.get(id)).filter((group) => group !== undefined);
    if (own.length !== old.groups.length || own.some((group, at) => group !== old.groups[at])) return undefined;
    for (const [reference, value] of old.references) if (lookup.current(reference) !== value) return undefined;
    return old;
  }
}

/** The policies of every address of a topology. */
export function resolvePolicies(topology: Topology, options: PolicyOptions): Policies {
  return new PolicyResolver().resolve(topology, options);
}
