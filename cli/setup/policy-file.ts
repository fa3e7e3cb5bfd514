// A policy file as people write it: YAML to the checked document, or every mistake with its line.
import { isCollection, isMap, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import { type PolicyMistake, readPolicyDocument } from "../../shared/config/policy-schema.ts";

/** Thrown with one line of words per mistake. */
export class PolicyFileError extends Error {
  override readonly name = "PolicyFileError";
}

/** The checked document as JSON text with every default filled in. Throws `PolicyFileError` that names `file`. */
export function policyTextOf(yaml: string, file: string): string {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, strict: true, uniqueKeys: true });
  if (document.errors.length > 0) {
    const words = document.errors.map((error) => {
      const { line } = lines.linePos(error.pos[0]);
      return `${file}:${line}: ${error.message.split("\n")[0] ?? "not YAML"} Correct the YAML.`;
    });
    throw new PolicyFileError(words.join("\n"));
  }
  const reading = readPolicyDocument(document.toJS({ maxAliasCount: 0 }));
  if (reading.kind === "ok") return JSON.stringify(reading.document);
  const words = reading.mistakes.map((mistake) => {
    const offset = offsetOf(document.contents, mistake);
    const line = offset === null ? 1 : lines.linePos(offset).line;
    return `${file}:${line}: ${mistake.path || "the document"} ${mistake.what}. ${mistake.remedy}`;
  });
  throw new PolicyFileError(words.join("\n"));
}

/** Where the field stands, or the closest thing around it. */
function offsetOf(contents: Node | null, { keys }: PolicyMistake): number | null {
  let node: unknown = contents;
  let offset: number | null = null;
  for (const key of keys) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (pair === undefined) break;
      if (isScalar(pair.key) && pair.key.range) offset = pair.key.range[0];
      node = pair.value;
    } else if (isCollection(node)) {
      node = node.get(key, true);
      if (isScalar(node) && node.range) offset = node.range[0];
    } else break;
  }
  return offset;
}
