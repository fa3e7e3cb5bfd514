// The parameters of a call as its event tells them, and the resources that they name.

import type { TrailSwitches } from "./switches.ts";

type Flat = Readonly<Record<string, string>>;
type Told = Readonly<Record<string, unknown>>;

/** The parameters in the shape that the switches ask for. */
export function toldParameters(params: Flat, switches: TrailSwitches): Told {
  const { SecurityGroupId: _, ...others } = params;
  const named = switches.eventGroupIn === "resources" ? others : params;
  if (switches.eventParameters === "unnumbered") return unnumbered(named);
  return switches.eventParameters === "flat" ? named : nested(named, switches.eventParameters === "nested-text");
}

/** `Name.1.Field` becomes an element of a list under `Name`; everything else stays. */
function nested(params: Flat, asText: boolean): Told {
  const told: Record<string, unknown> = {};
  const lists = new Map<string, Map<number, unknown>>();
  for (const [key, value] of Object.entries(params)) {
    const [, name, index, field] = /^([A-Za-z]+)\.([1-9]\d{0,5})(?:\.(.+))?$/.exec(key) ?? [];
    if (name === undefined) {
      told[key] = value;
      continue;
    }
    const list = lists.get(name) ?? new Map<number, unknown>();
    lists.set(name, list);
    const before = (list.get(Number(index)) ?? {}) as object;
    list.set(Number(index), field === undefined ? value : { ...before, [field]: value });
  }
  for (const [name, list] of lists) {
    const elements = [...list].sort(([a], [b]) => a - b).map(([, element]) => element);
    told[name] = asText ? JSON.stringify(elements) : elements;
  }
  return told;
}

/** Only a single permission can be told so; several keep their numbers. */
function unnumbered(params: Flat): Flat {
  const numbered = Object.keys(params).filter((key) => key.startsWith("Permissions."));
  if (!numbered.every((key) => key.startsWith("Permissions.1."))) return params;
  return Object.fromEntries(
    Object.entries(params).map(([key, value]) => [key.replace(/^Permissions\.1\./, ""), value]),
  );
}

// Which parameters, and which fields of an answer, name a resource, and of what type.
const typesByName: Readonly<Record<string, string>> = {
  SecurityGroupId: "ACS::ECS::SecurityGroup",
  SecurityGroupIds: "ACS::ECS::SecurityGroup",
  InstanceId: "ACS::ECS::Instance",
  NetworkInterfaceId: "ACS::ECS::NetworkInterface",
  PrefixListId: "ACS::ECS::PrefixList",
  PortRangeListId: "ACS::ECS::PortRangeList",
  CommandId: "ACS::ECS::Command",
};
// `ResourceId.1` of a tagging call may name anything; its prefix tells.
const typesByPrefix: Readonly<Record<string, string>> = {
  sg: "ACS::ECS::SecurityGroup",
  i: "ACS::ECS::Instance",
  eni: "ACS::ECS::NetworkInterface",
};

/** Resources that a call and its answer name: type to ids. */
export function referencedResources(params: Flat, answer: Told = {}): Readonly<Record<string, readonly string[]>> {
  const found: Record<string, string[]> = {};
  for (const [key, value] of [...Object.entries(params), ...Object.entries(answer)]) {
    if (typeof value !== "string" || value === "") continue;
    const isTagged = /^ResourceId\.\d+$/.test(key);
    const name = key.replace(/\.\d+$/, "");
    const type = isTagged ? typesByPrefix[value.split("-")[0] ?? ""] : typesByName[name];
    if (type !== undefined) found[type] = [...new Set([...(found[type] ?? []), value])];
  }
  return found;
}
