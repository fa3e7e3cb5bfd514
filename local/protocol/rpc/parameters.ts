// RPC parameters: read from the query and from a form body, numbered lists taken apart.

/** Flat request parameters, decoded. */
export type RpcParameters = Readonly<Record<string, string>>;

const decode = (text: string, plusIsSpace: boolean): string => {
  try {
    return decodeURIComponent(plusIsSpace ? text.replaceAll("+", " ") : text);
  } catch {
    return text;
  }
};

/** Name and value pairs of a raw query or form, in order. In a query a `+` is a plus. */
export const parsePairs = (raw: string, form: "query" | "form"): [string, string][] =>
  raw
    .split("&")
    .filter((part) => part !== "")
    .map((part) => {
      const at = part.indexOf("=");
      const [name, value] = at < 0 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)];
      return [decode(name, form === "form"), decode(value, form === "form")];
    });

/** All parameters of a request. The body counts when it is a form; it wins over the query. */
export const parseParameters = (request: { rawQuery: string; contentType: string; body: string }): RpcParameters => {
  const isForm = request.contentType.toLowerCase().startsWith("application/x-www-form-urlencoded");
  const pairs = [...parsePairs(request.rawQuery, "query"), ...(isForm ? parsePairs(request.body, "form") : [])];
  return Object.fromEntries(pairs);
};

/** `Name.1`, `Name.2`, … as a list of values, in numeric order. */
export const listOf = (params: RpcParameters, name: string): string[] =>
  Object.entries(params)
    .map(([key, value]) => [indexIn(key, name), value] as const)
    .filter(([found]) => found !== undefined && found.field === "")
    .sort(([a], [b]) => (a?.index ?? 0) - (b?.index ?? 0))
    .map(([, value]) => value);

/** One element of a numbered list of structures. `path` is its name in messages. */
export interface RpcElement {
  readonly path: string;
  readonly fields: RpcParameters;
}

/** `Name.1.Field`, `Name.2.Field`, … as a list of structures, in numeric order. */
export const structuresOf = (params: RpcParameters, name: string): RpcElement[] => {
  const byIndex = new Map<number, Record<string, string>>();
  for (const [key, value] of Object.entries(params)) {
    const found = indexIn(key, name);
    if (found === undefined || found.field === "") continue;
    const fields = byIndex.get(found.index) ?? {};
    fields[found.field] = value;
    byIndex.set(found.index, fields);
  }
  return [...byIndex].sort(([a], [b]) => a - b).map(([index, fields]) => ({ path: `${name}.${index}`, fields }));
};

const indexIn = (key: string, name: string): { index: number; field: string } | undefined => {
  if (!key.startsWith(`${name}.`)) return undefined;
  const found = /^([1-9]\d{0,5})(?:\.(.+))?$/.exec(key.slice(name.length + 1));
  return found === null ? undefined : { index: Number(found[1]), field: found[2] ?? "" };
};
