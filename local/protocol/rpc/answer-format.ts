// How an RPC service writes its answers: JSON, or XML for callers of the older signature who do not ask for JSON.

/** What `Format` of a request asks for. */
export type AnswerFormat = "JSON" | "XML";

/** A body with its content type. `root` is the name of the outermost element in XML. */
export function written(format: AnswerFormat, root: string, body: unknown): { type: string; text: string } {
  if (format === "JSON") return { type: "application/json;charset=utf-8", text: JSON.stringify(body) };
  return { type: "text/xml;charset=utf-8", text: `<?xml version='1.0' encoding='UTF-8'?>${element(root, body)}` };
}

function element(name: string, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map((one) => element(name, one)).join("");
  const inside =
    typeof value === "object"
      ? Object.entries(value)
          .map(([field, one]) => element(field, one))
          .join("")
      : escaped(String(value));
  return `<${name}>${inside}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (one) => ENTITIES[one] ?? one);
