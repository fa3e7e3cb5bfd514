// Event patterns: which events a rule wants.

type Json = Readonly<Record<string, unknown>>;

/** Fields to conditions; nested like the event. */
export type EventPattern = Json;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isPlain = (value: unknown): boolean =>
  value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean";

const isText = (value: unknown): boolean => typeof value === "string" && value !== "";

/** The pattern as an object; JSON text is parsed. Throws a RangeError that names the place of what is not supported. */
export function parsePattern(pattern: EventPattern | string): EventPattern {
  const parsed = typeof pattern === "string" ? parseText(pattern) : pattern;
  if (!isObject(parsed)) throw new RangeError("an event pattern is a JSON object");
  checkFields(parsed, "pattern");
  return parsed;
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RangeError("the event pattern is not JSON");
  }
}

function checkFields(fields: Json, place: string): void {
  for (const [name, wanted] of Object.entries(fields)) {
    const here = `${place}.${name}`;
    if (isObject(wanted)) checkFields(wanted, here);
    else if (!Array.isArray(wanted) || wanted.length === 0)
      throw new RangeError(`${here} is neither an object nor a list of at least one condition`);
    else for (const condition of wanted) checkCondition(condition, here);
  }
}

function checkCondition(condition: unknown, place: string): void {
  if (isPlain(condition)) return;
  const [[kind, value] = ["", undefined], ...more] = Object.entries(isObject(condition) ? condition : {});
  const isKnown =
    more.length === 0 &&
    ((kind === "prefix" && isText(value)) ||
      (kind === "suffix" && isText(value)) ||
      (kind === "exists" && typeof value === "boolean") ||
      (kind === "anything-but" && [value].flat().every(isPlain)));
  if (!isKnown)
    throw new RangeError(`${place}: ${JSON.stringify(condition)} is no value, prefix, suffix, exists or anything-but`);
}

/** Whether an event meets every field of a pattern, each by one of its conditions. */
export function matchesPattern(pattern: EventPattern, event: unknown): boolean {
  return Object.entries(pattern).every(([name, wanted]) => {
    const value = isObject(event) ? event[name] : undefined;
    if (isObject(wanted)) return matchesPattern(wanted, value);
    return (wanted as readonly unknown[]).some((condition) => meets(condition, value));
  });
}

function meets(condition: unknown, value: unknown): boolean {
  if (isObject(condition) && "exists" in condition) return (value !== undefined) === condition["exists"];
  // A list has what one of its elements has.
  if (Array.isArray(value)) return value.some((element) => meets(condition, element));
  if (!isObject(condition)) return condition === value;
  if ("anything-but" in condition) return value !== undefined && ![condition["anything-but"]].flat().includes(value);
  if (typeof value !== "string") return false;
  const { prefix, suffix } = condition as { readonly prefix?: string; readonly suffix?: string };
  return prefix === undefined ? value.endsWith(suffix ?? "") : value.startsWith(prefix);
}
