// The SQL part of a query, run on SQLite over the logs that the search found.

import Database from "libsql";
import type { Log } from "./log-store.ts";
import { SlsError } from "./sls-error.ts";

/** A row of the result, every value text. */
export type Row = Readonly<Record<string, string>>;

const ROWS_DEFAULT = 100;
const ROWS_MAX = 1_000_000;
/** What is joined here is flags of packets, and hours of a day. */
const FLAG_BITS = Array.from({ length: 24 }, (_, bit) => 2 ** bit);

const invalid = (message: string): SlsError => new SlsError(400, "ParameterInvalid", message);

// Functions of the service that SQLite lacks, in its words.
const functions: Readonly<Record<string, (args: readonly string[]) => string>> = {
  approx_distinct: ([x = "null"]) => `count(distinct ${x})`,
  count_if: ([x = "null"]) => `coalesce(sum(case when ${x} then 1 else 0 end), 0)`,
  arbitrary: ([x = "null"]) => `max(${x})`,
  bitwise_and: ([a = "0", b = "0"]) => `((${a}) & (${b}))`,
  bitwise_or: ([a = "0", b = "0"]) => `((${a}) | (${b}))`,
  bitwise_or_agg: ([x = "0"]) => `(${FLAG_BITS.map((bit) => `max((${x}) & ${bit})`).join(" | ")})`,
  strpos: ([x = "null", y = "null"]) => `instr(${x}, ${y})`,
  power: powerOfTwo,
  regexp_replace: replaceAtEnd,
  bool_or: ([x = "null"]) => `max(${x})`,
};

/** Of powers only those of two. */
function powerOfTwo([base, exponent = "0"]: readonly string[]): string {
  if (base !== "2") throw invalid(`power is served here with base 2 alone, not with ${base}`);
  return `(1 << (${exponent}))`;
}

/** Of regular expressions only digits at the end, which SQLite can do without. */
function replaceAtEnd([text = "null", pattern, by = "''"]: readonly string[]): string {
  if (pattern !== "'[0-9]+$'") throw invalid(`regexp_replace is served here with '[0-9]+$' alone, not with ${pattern}`);
  return `(rtrim(${text}, '0123456789') || case when ${text} glob '*[0-9]' then ${by} else '' end)`;
}

/** Runs a SELECT. `columns` exist whether or not a log has them. */
export function analyse(sql: string, logs: readonly Log[], columns: ReadonlySet<string>): Row[] {
  const statement = sql.trim().replace(/;\s*$/, "");
  if (!/^(select|with)\b/i.test(statement)) throw invalid("the analysis is no SELECT");
  const names = ["__time__", "__topic__", ...columns].filter((name, at, all) => all.indexOf(name) === at);
  const database = new Database(":memory:");
  try {
    const quoted = names.map((name) => `"${name.replaceAll('"', '""')}"`);
    database.exec(
      `create table log (${quoted.map((name, at) => `${name} ${at === 0 ? "integer" : "text"}`).join(", ")})`,
    );
    if (logs.length > 0) fill(database, names, logs);
    const rows = database.prepare(inSqlite(statement)).all() as Record<string, unknown>[];
    return rows.slice(0, ROWS_MAX).map(asTexts);
  } catch (error) {
    if (error instanceof SlsError) throw error;
    throw invalid(error instanceof Error ? error.message : String(error));
  } finally {
    database.close();
  }
}

function fill(database: InstanceType<typeof Database>, names: readonly string[], logs: readonly Log[]): void {
  const insert = database.prepare(`insert into log values (${names.map(() => "?").join(", ")})`);
  database.exec("begin");
  for (const log of logs)
    insert.run(names.map((name, at) => (at === 0 ? log.time : at === 1 ? log.topic : (log.fields[name] ?? null))));
  database.exec("commit");
}

const asTexts = (row: Record<string, unknown>): Row =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === null ? "null" : String(value)]));

/** The statement with the service's functions replaced and its default limit. Text in quotes stays as it is. */
function inSqlite(statement: string): string {
  // FROM may be left out.
  const tail = /\b(where|group\s+by|having|order\s+by|limit)\b|$/i;
  const withFrom = /\bfrom\b/i.test(statement) ? statement : statement.replace(tail, (clause) => ` from log ${clause}`);
  const replaced = replaceFunctions(withFrom);
  return /\blimit\s+\d+(\s*,\s*\d+)?\s*$/i.test(replaced) ? replaced : `${replaced} limit ${ROWS_DEFAULT}`;
}

function replaceFunctions(text: string): string {
  let out = "";
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const quoted = /^("[^"]*"|'[^']*')/.exec(rest)?.[0];
    const [called, name = ""] = /^([a-z_]+)\s*\(/i.exec(rest) ?? [];
    const replace = Object.hasOwn(functions, name.toLowerCase()) ? functions[name.toLowerCase()] : undefined;
    if (quoted !== undefined) {
      out += quoted;
      at += quoted.length;
    } else if (called !== undefined && replace) {
      const { args, end } = argumentsAt(text, at + called.length);
      out += replace(args.map((arg) => replaceFunctions(arg.trim())));
      at = end;
    } else {
      const word = /^\w+/.exec(rest)?.[0] ?? rest.slice(0, 1);
      // The service has no recursion, and one that does not end would hold up the whole cloud.
      if (word.toLowerCase() === "recursive") throw invalid("WITH RECURSIVE is not served");
      out += word;
      at += word.length;
    }
  }
  return out;
}

/** Arguments from just behind the opening parenthesis, and where the closing one has passed. */
function argumentsAt(text: string, start: number): { readonly args: string[]; readonly end: number } {
  const args = [""];
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const quoted = /^("[^"]*"|'[^']*')/.exec(text.slice(at))?.[0];
    const piece = quoted ?? text.charAt(at);
    if (piece === ")" && depth === 0) return { args, end: at + 1 };
    if (piece === "(") depth += 1;
    if (piece === ")") depth -= 1;
    if (piece === "," && depth === 0) args.push("");
    else args[args.length - 1] += piece;
    at += piece.length - 1;
  }
  throw invalid("a parenthesis is not closed");
}
