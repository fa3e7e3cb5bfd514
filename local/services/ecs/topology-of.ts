// What the data plane is told of the account: everything that decides about a packet.
import type { PortRangeList, PrefixList, Topology } from "../../dataplane/topology.ts";
import type { EcsList } from "./model.ts";
import type { EcsView } from "./state.ts";

// One value per list, so that the data plane sees what did not change.
const forms = new WeakMap<EcsList, PrefixList & PortRangeList>();

const formOf = (list: EcsList): PrefixList & PortRangeList => {
  const known = forms.get(list);
  if (known !== undefined) return known;
  const entries = list.entries.map(({ value }) => value);
  const form = { prefixListId: list.listId, portRangeListId: list.listId, entries };
  forms.set(list, form);
  return form;
};

/** The account as the data plane enforces it. */
export const topologyOf = (ecs: EcsView): Topology => {
  const ofKind = (kind: EcsList["kind"]) =>
    ecs
      .lists()
      .filter((list) => list.kind === kind)
      .map(formOf);
  return {
    groups: ecs.groups(),
    enis: ecs.enis(),
    instances: ecs.instances(),
    prefixLists: ofKind("prefix"),
    portRangeLists: ofKind("port-range"),
  };
};
