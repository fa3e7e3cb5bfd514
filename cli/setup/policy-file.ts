// A policy file as people write it: YAML to the checked document, or every mistake with its line.
import { isCollection, isMap, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import { type PolicyMistake, readPolicyDocument } from "../../shared/config/policy-schema.ts";
import { policyWarnings } from "../../shared/config/policy-warnings.ts";

/** Thrown with one line of words per mistake. */
export class PolicyFileError extends Error {
  override readonly name = "PolicyFileError";
}

/** A file that is a policy: its checked document as JSON text with every default filled in, and what in it is doubtful. */
export interface PolicyFile {
  readonly text: string;
  /** One line of words each, with file and line. */
  readonly warnings: readonly string[];
}

/** The checked document as JSON text with every default filled in. Throws `PolicyFileError` that names `file`. */
export const policyTextOf = (yaml: string, file: string): string => readPolicyFile(yaml, file).text;

/** Throws `PolicyFileError` that names `file`. */
export function readPolicyFile(yaml: string, file: string): PolicyFile {
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
  const inWords = (mistake: PolicyMistake): string => {
    const offset = offsetOf(document.contents, mistake);
    const line = offset === null ? 1 : lines.linePos(offset).line;
    return `${file}:${line}: ${mistake.path || "the document"} ${mistake.what}. ${mistake.remedy}`;
  };
  if (reading.kind === "mistakes") throw new PolicyFileError(reading.mistakes.map(inWords).join("\n"));
  return {
    text: JSON.stringify(reading.document),
    warnings: policyWarnings(reading.document).map((it) => `warning: ${inWords(it)}`),
  };
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
