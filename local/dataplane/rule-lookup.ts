// What rules refer to: members of groups, entries of prefix lists and port lists. Values that did not change stay identical.

import { type Cidr, parseCidr } from "./cidr.ts";
import { addressesOf } from "./eni-addresses.ts";
import { type PortRange, parsePortRange } from "./port-range.ts";
import type { Peer, RuleForm } from "./rule-form.ts";
import type { Eni, PortRangeList, PrefixList, Topology } from "./topology.ts";

/** Resolves references in one topology. */
export interface Lookup {
  blocksOf(peer: Peer): readonly Cidr[];
  portsOf(ports: RuleForm["destPorts"]): readonly PortRange[];
  /** The present value behind a noted reference. */
  current(reference: string): unknown;
  /** A lookup that writes down each reference it resolves, with its value. */
  noting(): { readonly lookup: Lookup; readonly noted: ReadonlyMap<string, unknown> };
}

interface Known<Source, Value> {
  readonly sources: readonly Source[];
  readonly values: readonly Value[];
}

/** Values by id that are made anew only when one of their sources is another object. */
class Cache<Source, Value> {
  #known = new Map<string, Known<Source, Value>>();

  replace(wanted: ReadonlyMap<string, readonly Source[]>, make: (source: Source) => readonly Value[]): void {
    const next = new Map<string, Known<Source, Value>>();
    for (const [id, sources] of wanted) {
      const old = this.#known.get(id);
      const same = old?.sources.length === sources.length && sources.every((each, at) => each === old.sources[at]);
      next.set(id, old !== undefined && same ? old : { sources, values: sources.flatMap((each) => make(each)) });
    }
    this.#known = next;
  }

  get(id: string): readonly Value[] | undefined {
    return this.#known.get(id)?.values;
  }
}

const NONE: readonly never[] = [];

/** Makes the lookup of one topology after the other. A lookup is good until the next one is made. */
export class LookupMaker {
  readonly #members = new Cache<Eni, Cidr>();
  readonly #prefixLists = new Cache<PrefixList, Cidr>();
  readonly #portLists = new Cache<PortRangeList, PortRange>();

  of({ enis, prefixLists = [], portRangeLists = [] }: Topology): Lookup {
    const members = new Map<string, Eni[]>();
    for (const eni of enis) {
      for (const groupId of new Set(eni.groupIds)) {
        const list = members.get(groupId);
        if (list === undefined) members.set(groupId, [eni]);
        else list.push(eni);
      }
    }
    this.#members.replace(members, addressesOf);
    this.#prefixLists.replace(new Map(prefixLists.map((list) => [list.prefixListId, [list]])), ({ entries }) =>
      entries.map(parseCidr).filter((cidr) => cidr !== undefined),
    );
    this.#portLists.replace(new Map(portRangeLists.map((list) => [list.portRangeListId, [list]])), ({ entries }) =>
      entries.map(parsePortRange).filter((range) => range !== undefined),
    );
    return this.#lookup(() => undefined);
  }

  #lookup(note: (reference: string, value: unknown) => void): Lookup {
    const current = (reference: string): readonly Cidr[] | readonly PortRange[] => {
      const id = reference.slice(2);
      if (reference.startsWith("g ")) return this.#members.get(id) ?? NONE;
      if (reference.startsWith("p ")) return this.#prefixLists.get(id) ?? NONE;
      return this.#portLists.get(id) ?? NONE;
    };
    const resolve = <T>(reference: string): readonly T[] => {
      const value = current(reference);
      note(reference, value);
      return value as readonly T[];
    };
    return {
      blocksOf: (peer) => {
        if (peer.kind === "block") return peer.blocks;
        return resolve<Cidr>(peer.kind === "group" ? `g ${peer.groupId}` : `p ${peer.prefixListId}`);
      },
      portsOf: (ports) => ("portRangeListId" in ports ? resolve<PortRange>(`r ${ports.portRangeListId}`) : [ports]),
      current,
      noting: () => {
        const noted = new Map<string, unknown>();
        return { noted, lookup: this.#lookup((reference, value) => noted.set(reference, value)) };
      },
    };
  }
}
