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

/** More than any policy needs; what is larger is some other file. */
const CHARACTERS_MAX = 1_000_000;
/** Mistakes that are told at once. */
const TOLD_MAX = 20;

/** One line a mistake, without what a terminal would take for an order. */
function toldOf(words: readonly string[]): string {
  const told = words.slice(0, TOLD_MAX).map((line) => line.replaceAll(/\p{Cc}/gu, "?").slice(0, 300));
  return [...told, ...(words.length > TOLD_MAX ? [`… and ${words.length - TOLD_MAX} more`] : [])].join("\n");
}

/** Throws `PolicyFileError` that names `file`. */
export function readPolicyFile(yaml: string, file: string): PolicyFile {
  if (yaml.length > CHARACTERS_MAX)
    throw new PolicyFileError(`${file}: has more than ${CHARACTERS_MAX} characters. Name the policy's file.`);
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, strict: true, uniqueKeys: true });
  if (document.errors.length > 0) {
    const words = document.errors.map((error) => {
      const { line } = lines.linePos(error.pos[0]);
      return `${file}:${line}: ${error.message.split("\n")[0] ?? "not YAML"} Correct the YAML.`;
    });
    throw new PolicyFileError(toldOf(words));
  }
  const reading = readPolicyDocument(contentOf(document, file));
  const inWords = (mistake: PolicyMistake): string => {
    const offset = offsetOf(document.contents, mistake);
    const line = offset === null ? 1 : lines.linePos(offset).line;
    return `${file}:${line}: ${mistake.path || "the document"} ${mistake.what}. ${mistake.remedy}`;
  };
  if (reading.kind === "mistakes") throw new PolicyFileError(toldOf(reading.mistakes.map(inWords)));
  return {
    text: JSON.stringify(reading.document),
    warnings: policyWarnings(reading.document).map((it) => `warning: ${inWords(it)}`),
  };
}

/** Without aliases, by which a small file may stand for a huge document. */
function contentOf(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw new PolicyFileError(`${file}: has an alias (*name). Write what it stands for in its place.`);
  }
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
