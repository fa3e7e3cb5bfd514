// The parameters of a call as its event tells them.

type Flat = Readonly<Record<string, string>>;

/** `Name.1.Field` becomes an element of a list under `Name`; everything else stays. */
export function nestedParameters(params: Flat): Readonly<Record<string, unknown>> {
  const nested: Record<string, unknown> = {};
  const lists = new Map<string, Map<number, unknown>>();
  for (const [key, value] of Object.entries(params)) {
    const [, name, index, field] = /^([A-Za-z]+)\.([1-9]\d{0,5})(?:\.(.+))?$/.exec(key) ?? [];
    if (name === undefined) {
      nested[key] = value;
      continue;
    }
    const list = lists.get(name) ?? new Map<number, unknown>();
    lists.set(name, list);
    const before = (list.get(Number(index)) ?? {}) as object;
    list.set(Number(index), field === undefined ? value : { ...before, [field]: value });
  }
  for (const [name, list] of lists) nested[name] = [...list].sort(([a], [b]) => a - b).map(([, element]) => element);
  return nested;
}

// Which parameters name a resource, and of what type.
const typesByName: Readonly<Record<string, string>> = {
  SecurityGroupId: "ACS::ECS::SecurityGroup",
  InstanceId: "ACS::ECS::Instance",
  NetworkInterfaceId: "ACS::ECS::NetworkInterface",
  PrefixListId: "ACS::ECS::PrefixList",
  PortRangeListId: "ACS::ECS::PortRangeList",
};
// `ResourceId.1` of a tagging call may name anything; its prefix tells.
const typesByPrefix: Readonly<Record<string, string>> = {
  sg: "ACS::ECS::SecurityGroup",
  i: "ACS::ECS::Instance",
  eni: "ACS::ECS::NetworkInterface",
};

/** Resources that the parameters name: type to ids. */
export function referencedResources(params: Flat): Readonly<Record<string, readonly string[]>> {
  const found: Record<string, string[]> = {};
  for (const [key, value] of Object.entries(params)) {
    const isTagged = /^ResourceId\.\d+$/.test(key);
    const type = isTagged ? typesByPrefix[value.split("-")[0] ?? ""] : typesByName[key];
    if (type !== undefined && value !== "") found[type] = [...new Set([...(found[type] ?? []), value])];
  }
  return found;
}
