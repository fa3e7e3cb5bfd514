// One answer of DescribeSecurityGroupAttribute as bytes: digests of what it says, and what can be told of it without reading it whole.
import { createHash } from "node:crypto";
import type { GroupRef } from "../../domain/ids.ts";
import type { Rule } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";

/** The answer of the only page as it came, but for the id of the request. */
export interface RulesDigest {
  /** Null where the rules took more than one page. */
  readonly answer: string | null;
  readonly rules: string;
}

/** Where an answer's own id stands. */
const REQUEST_ID = Buffer.from('"RequestId":"');
const QUOTE = 0x22;
const REQUEST_ID_LENGTH_MAX = 128;

/**
 * A digest of every byte but those of the request's own id. Equal digests mean answers that differ in nothing else: the same group,
 * the same rules, and no further page where there was none before.
 *
 * The first `"RequestId":"` cannot lie inside a text, where its quotes would be escaped; what is left out ends at the next
 * quote, so that nothing but the id is left out.
 */
export function answerDigest(bytes: Buffer): string {
  const hash = createHash("sha256");
  const at = bytes.indexOf(REQUEST_ID);
  const from = at + REQUEST_ID.length;
  const end = at < 0 ? -1 : bytes.indexOf(QUOTE, from);
  if (end < 0 || end - from > REQUEST_ID_LENGTH_MAX) return hash.update(bytes).digest("base64url");
  return hash.update(bytes.subarray(0, from)).update(bytes.subarray(end)).digest("base64url");
}

/** A digest of everything we know of the rules, in whatever order they come. */
export function rulesDigest(rules: readonly Rule[]): string {
  const lines = rules.map((rule) => {
    const owner = rule.peer.kind === "group" ? (rule.peer.owner ?? null) : null;
    return JSON.stringify([ruleKey(rule), rule.id, rule.description, rule.createdAt, owner]);
  });
  return createHash("sha256").update(lines.sort().join("\n")).digest("base64url");
}

/** Both digests as one text; neither holds a dot. */
export const formatDigest = ({ answer, rules }: RulesDigest): string => `${answer ?? ""}.${rules}`;

/** The other way; null for a text that `formatDigest` never made. */
export function parseDigest(text: string): RulesDigest | null {
  const [answer, rules, ...rest] = text.split(".");
  return answer === undefined || !rules || rest.length > 0 ? null : { answer: answer || null, rules };
}

/** Letters of a word that are searched for. */
const SEARCHED = 6;
const ESCAPED_LETTER = Buffer.from("\\u");
const PERMISSIONS = Buffer.from('"Permissions":{"Permission":[');
const NEXT_TOKEN = Buffer.from('"NextToken":');
const NO_TOKENS = [Buffer.from('""'), Buffer.from("null")];

/**
 * True when a whole page of this group, the only one, surely holds no text with this word of letters. False says nothing.
 *
 * In JSON a letter is itself or `\\uXXXX`, so that an answer without the word and without `\\u` holds no text with it. A quote inside
 * a text is escaped, and a text is never followed by a colon: a name with quotes and colon is the name of a field.
 */
export function surelyLacks(bytes: Buffer, ref: GroupRef, word: string): boolean {
  // A text with the word has its end too, and so short a text is searched for four times as fast.
  if (bytes.includes(Buffer.from(word.slice(-SEARCHED))) || bytes.includes(ESCAPED_LETTER)) return false;
  if (!bytes.includes(Buffer.from(`"SecurityGroupId":"${ref.groupId}"`)) || !bytes.includes(PERMISSIONS)) return false;
  const at = bytes.indexOf(NEXT_TOKEN);
  if (at < 0) return true;
  const value = bytes.subarray(at + NEXT_TOKEN.length);
  return NO_TOKENS.some((none) => value.subarray(0, none.length).equals(none));
}
