// The search part of a query: `*`, `key: value`, `key > n`, joined by and, or, not and parentheses.

import type { Log } from "./log-store.ts";
import { SlsError } from "./sls-error.ts";

type Condition = (log: Log) => boolean;

const TOKEN = /\s*("(?:[^"\\]|\\.)*"|[()]|>=|<=|[:><=*]|[^\s()":><=*]+\*?)/y;

const DEPTH_MAX = 100;
/** Words, values and comparisons of one search; operators do not count. */
const CONDITIONS_MAX = 30;

const invalid = (message: string): SlsError => new SlsError(400, "InvalidQueryString", message);

/** Which logs a search wants. Throws the service's refusal of what is not understood. */
export function parseSearch(text: string): Condition {
  const tokens = tokensOf(text.trim());
  let at = 0;
  let depth = 0;
  let conditions = 0;
  const isNext = (word: string): boolean => tokens[at]?.toLowerCase() === word;
  const take = (): string => {
    const token = tokens[at];
    if (token === undefined) throw invalid("the search ends too early");
    at += 1;
    return token;
  };
  const any = (): Condition => {
    const parts = [all()];
    while (isNext("or")) {
      at += 1;
      parts.push(all());
    }
    return (log) => parts.some((part) => part(log));
  };
  const all = (): Condition => {
    const parts = [one()];
    while (at < tokens.length && !isNext("or") && !isNext(")")) {
      if (isNext("and")) at += 1;
      parts.push(one());
    }
    return (log) => parts.every((part) => part(log));
  };
  const one = (): Condition => {
    depth += 1;
    if (depth > DEPTH_MAX) throw invalid(`the search is nested deeper than ${DEPTH_MAX}`);
    const condition = plain();
    depth -= 1;
    return condition;
  };
  const plain = (): Condition => {
    if (isNext("not")) {
      at += 1;
      const inner = one();
      return (log) => !inner(log);
    }
    const token = take();
    if (token === "*") return () => true;
    if (token === "(") {
      const inner = any();
      if (take() !== ")") throw invalid("a parenthesis is not closed");
      return inner;
    }
    conditions += 1;
    if (conditions > CONDITIONS_MAX) throw invalid(`the search has more than ${CONDITIONS_MAX} conditions`);
    const operator = tokens[at];
    if (operator !== undefined && [":", ">", ">=", "<", "<=", "="].includes(operator)) {
      at += 1;
      return compare(unquoted(token), operator, take());
    }
    const word = unquoted(token);
    return (log) => Object.values(log.fields).includes(word);
  };
  if (tokens.length === 0) return () => true;
  const condition = any();
  if (at < tokens.length) throw invalid(`"${tokens[at]}" is not expected here`);
  return condition;
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const start = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (!found) throw invalid(`the search is not understood at ${start}`);
    tokens.push(found[1] ?? "");
  }
  return tokens;
}

const unquoted = (token: string): string =>
  token.startsWith('"') ? token.slice(1, -1).replace(/\\(.)/g, "$1") : token;

function compare(name: string, operator: string, token: string): Condition {
  if (["(", ")", ":"].includes(token)) throw invalid(`"${token}" is no value of ${name}`);
  const wanted = unquoted(token);
  const fieldOf = (log: Log): string | undefined => (name === "__topic__" ? log.topic : log.fields[name]);
  if (operator === ":") {
    if (token === "*") return (log) => fieldOf(log) !== undefined;
    if (wanted.endsWith("*") && token === wanted)
      return (log) => fieldOf(log)?.startsWith(wanted.slice(0, -1)) ?? false;
    return (log) => fieldOf(log) === wanted;
  }
  const limit = Number(wanted);
  if (!Number.isFinite(limit)) throw invalid(`"${wanted}" is no number`);
  return (log) => {
    const value = Number(fieldOf(log) ?? Number.NaN);
    if (operator === "=") return value === limit;
    if (operator === ">") return value > limit;
    if (operator === ">=") return value >= limit;
    return operator === "<" ? value < limit : value <= limit;
  };
}
