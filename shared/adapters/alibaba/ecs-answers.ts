// Tolerant reading of ECS answers, and paging that ends in a complete list or an error.
import { CloudFailure } from "../../ports/firewall.ts";

/** A JSON object whose fields nobody has checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** The value as an object; one without fields when it is something else. */
export function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** A text field; numbers as their digits, anything else and absence as "". */
export function text(value: unknown): string {
  if (typeof value === "string") return value.trim();
  return typeof value === "number" ? `${value}` : "";
}

/** Text, or null where it is empty or absent. */
export function textOrNull(value: unknown): string | null {
  const found = text(value);
  return found === "" ? null : found;
}

/** The list inside ECS's usual double envelope, `{"Tags":{"Tag":[…]}}`; empty when it is not there. */
export function list(value: unknown, inner: string): readonly unknown[] {
  const found = fields(value)[inner];
  return Array.isArray(found) ? found : [];
}

/** More pages than any region has groups; ends a walk that the cloud would never end. */
const PAGES_MAX = 100_000;

/**
 * All items of a paged list. A page without its list, or a token seen before, is an error: half a list must never look
 * like a whole one.
 */
export async function allPages(
  operation: string,
  envelope: readonly [string, string],
  page: (nextToken: string | undefined) => Promise<Fields>,
): Promise<{ readonly items: readonly unknown[]; readonly first: Fields }> {
  const items: unknown[] = [];
  const seen = new Set<string>();
  let first: Fields | null = null;
  let token: string | undefined;
  for (let count = 0; count < PAGES_MAX; count++) {
    const answer = await page(token);
    first ??= answer;
    const found = fields(answer[envelope[0]])[envelope[1]];
    if (!Array.isArray(found)) throw incomplete(operation, `a page has no ${envelope.join(".")}`);
    items.push(...found);
    token = textOrNull(answer["NextToken"]) ?? undefined;
    if (token === undefined) return { items, first };
    if (seen.has(token)) throw incomplete(operation, "a page token repeats");
    seen.add(token);
  }
  throw incomplete(operation, "the list does not end");
}

/** An answer that cannot be taken for the whole truth. */
export function incomplete(operation: string, why: string): CloudFailure {
  return new CloudFailure("unknown", operation, { message: `${operation}: ${why}` });
}

/** The answer's fields. Throws `CloudFailure` "unknown" on anything but a JSON object. */
export function readAnswer(operation: string, bytes: Buffer): Fields {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return fields(value);
  } catch {
    // Told below.
  }
  throw incomplete(operation, "the answer is no JSON object");
}
