// The values inside a record of ActionTrail: JSON or its text, numbered names or lists, parameters or referenced resources.
import { type Fields, fields, text, textOrNull } from "./ecs-answers.ts";

/** The value, or what its text says when that is JSON of an object or a list. */
function opened(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

/** An object, or the text of one; without fields when it is something else. */
export function objectOf(value: unknown): Fields {
  return fields(opened(value));
}

/** A list, or the text of one; null when it is something else. */
export function listOf(value: unknown): readonly unknown[] | null {
  const found = opened(value);
  return Array.isArray(found) ? found : null;
}

/** What was asked of the API. `requestParameterJson` says the same once more; where they differ the parameters themselves count. */
export function parametersOf(record: Fields): Fields {
  return { ...objectOf(record["requestParameterJson"]), ...objectOf(record["requestParameters"]) };
}

/** All values of a parameter: `Name`, `Name.1`, `Name.2` …, or a list under `Name`; each once. */
export function valuesOf(parameters: Fields, name: string): readonly string[] {
  const own = parameters[name];
  const numbered = Object.keys(parameters)
    .filter((key) => key.startsWith(`${name}.`) && /^[1-9]\d{0,5}$/.test(key.slice(name.length + 1)))
    .sort((a, b) => Number(a.slice(name.length + 1)) - Number(b.slice(name.length + 1)))
    .map((key) => parameters[key]);
  const values = [...(listOf(own) ?? [own]), ...numbered];
  return [...new Set(values.flatMap((value) => textOrNull(value) ?? []))];
}

/** `Name.1.Field`, `Name.2.Field` … as objects, in numeric order. */
export function numberedObjects(parameters: Fields, name: string): readonly Fields[] {
  const found = new Map<number, Record<string, unknown>>();
  for (const [key, value] of Object.entries(parameters)) {
    if (!key.startsWith(`${name}.`)) continue;
    const [, index, field] = /^([1-9]\d{0,5})\.([A-Za-z0-9]+)$/.exec(key.slice(name.length + 1)) ?? [];
    if (index === undefined || field === undefined) continue;
    const object = found.get(Number(index)) ?? {};
    object[field] = value;
    found.set(Number(index), object);
  }
  return [...found].sort(([a], [b]) => a - b).map(([, object]) => object);
}

/** Ids of the referenced resources of a type, such as `ACS::ECS::SecurityGroup`: from the map, else from the parallel lists. */
export function resourcesOf(record: Fields, type: string): readonly string[] {
  const isType = (name: string): boolean => name.trim().toLowerCase() === type.toLowerCase();
  const referenced = Object.entries(objectOf(record["referencedResources"]))
    .filter(([name]) => isType(name))
    .flatMap(([, ids]) => listOf(ids) ?? [ids])
    .flatMap((id) => textOrNull(id) ?? []);
  if (referenced.length > 0) return [...new Set(referenced)];
  const types = text(record["resourceType"]).split(";");
  const names = text(record["resourceName"]).split(";");
  const listed = names.map((name) => name.trim()).filter((name, at) => name !== "" && isType(types[at] ?? ""));
  return [...new Set(listed)];
}
