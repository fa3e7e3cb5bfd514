// What the data plane is told of the account: everything that decides about a packet.
import type { Topology } from "../../dataplane/topology.ts";
import type { EcsView } from "./state.ts";

/** The account as the data plane enforces it. */
export const topologyOf = (ecs: EcsView): Topology => {
  const entriesOf = (list: { readonly entries: readonly { readonly value: string }[] }): readonly string[] =>
    list.entries.map(({ value }) => value);
  const lists = ecs.lists();
  return {
    groups: ecs.groups(),
    enis: ecs.enis(),
    instances: ecs.instances(),
    prefixLists: lists
      .filter(({ kind }) => kind === "prefix")
      .map((list) => ({ prefixListId: list.listId, entries: entriesOf(list) })),
  };
};
