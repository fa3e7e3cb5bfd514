// The nftables ruleset of a simulated host as text: a script changes it whole or not at all, and it prints as nft prints.

/** What nft says when it refuses. */
export class NftError extends Error {}

interface Chain {
  /** `type filter hook input priority 0; policy accept;`, empty for a chain without a hook. */
  readonly head: string;
  readonly rules: readonly string[];
}

interface Table {
  /** `chain x`, `set y`, `map z`, in the order they came. */
  readonly parts: ReadonlyMap<string, Chain>;
}

const FAMILIES: ReadonlySet<string> = new Set(["ip", "ip6", "inet", "arp", "bridge", "netdev"]);
const MISSING = "Error: Could not process rule: No such file or directory";
const isHead = (line: string): boolean => /^(type|policy|flags|elements|size|timeout|counter;)/.test(line);

type Tables = Map<string, Map<string, { head: string; rules: string[] }>>;

/** Statements, split at line ends and semicolons outside braces. */
function statements(script: string): readonly string[] {
  const found: string[] = [];
  let depth = 0;
  let current = "";
  for (const char of script.replace(/^\s*#.*$/gm, "").replaceAll("\\\n", " ")) {
    if (char === "{") depth += 1;
    if (char === "}") depth -= 1;
    if (depth < 0) throw new NftError("Error: syntax error, unexpected '}'");
    if (depth === 0 && (char === "\n" || char === ";")) {
      found.push(current);
      current = "";
    } else current += char;
  }
  if (depth !== 0) throw new NftError("Error: syntax error, unexpected end of file");
  return [...found, current].map((each) => each.trim()).filter((each) => each !== "");
}

/** Head and body of `head { body }`. */
function blockOf(statement: string): { head: string; body: string | undefined } {
  const at = statement.indexOf("{");
  if (at < 0 || !statement.endsWith("}")) return { head: statement, body: undefined };
  return { head: statement.slice(0, at).trim(), body: statement.slice(at + 1, -1) };
}

/** Lines of a chain: hooks and policies stay one line, as sent. */
function linesOf(body: string): readonly string[] {
  return body
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

class Draft {
  readonly tables: Tables;

  constructor(ruleset: NftRuleset) {
    this.tables = new Map(
      [...ruleset.tables].map(([name, { parts }]) => [
        name,
        new Map([...parts].map(([key, { head, rules }]) => [key, { head, rules: [...rules] }])),
      ]),
    );
  }

  run(statement: string): void {
    const { head, body } = blockOf(statement);
    const words = head.split(/\s+/);
    if (head === "flush ruleset") {
      this.tables.clear();
      return;
    }
    const known = ["add", "create", "insert", "delete", "destroy", "flush"].includes(words[0] ?? "");
    const verb = known ? (words.shift() ?? "") : "add";
    const kind = words.shift() ?? "";
    const family = FAMILIES.has(words[0] ?? "") ? (words.shift() ?? "") : "ip";
    const table = `${family} ${words.shift() ?? ""}`;
    if (kind === "table") this.#table(verb, table, body);
    else if (["chain", "set", "map"].includes(kind)) this.#part(verb, table, `${kind} ${words[0] ?? ""}`, body);
    else if (kind === "rule" && (verb === "add" || verb === "insert")) {
      const chain = this.#existing(table).get(`chain ${words.shift() ?? ""}`);
      if (chain === undefined) throw new NftError(MISSING);
      const rule = ruleOf(statement);
      if (verb === "add") chain.rules.push(rule);
      else chain.rules.unshift(rule);
    } else throw new NftError(`Error: syntax error, unexpected ${kind === "" ? "newline" : kind}`);
  }

  #existing(table: string): Map<string, { head: string; rules: string[] }> {
    const found = this.tables.get(table);
    if (found === undefined) throw new NftError(MISSING);
    return found;
  }

  #table(verb: string, name: string, body: string | undefined): void {
    if (verb === "flush") for (const part of this.#existing(name).values()) part.rules.length = 0;
    else if (verb === "delete" || verb === "destroy") {
      if (!this.tables.delete(name) && verb === "delete") throw new NftError(MISSING);
    } else {
      if (!this.tables.has(name)) this.tables.set(name, new Map());
      for (const part of statements(body ?? "")) {
        const inner = blockOf(part);
        if (!/^(chain|set|map) \S+$/.test(inner.head)) throw new NftError(`Error: syntax error, unexpected ${part}`);
        this.#part("add", name, inner.head, inner.body);
      }
    }
  }

  #part(verb: string, table: string, key: string, body: string | undefined): void {
    const parts = this.#existing(table);
    if (verb === "delete" || verb === "destroy") {
      if (!parts.delete(key) && verb === "delete") throw new NftError(MISSING);
      return;
    }
    const present = parts.get(key);
    if (verb === "flush") {
      if (present === undefined) throw new NftError(MISSING);
      present.rules.length = 0;
      return;
    }
    const lines = linesOf(body ?? "");
    const head = lines.filter(isHead).join(" ");
    const rules = lines.filter((line) => !isHead(line));
    if (present === undefined) parts.set(key, { head, rules: [...rules] });
    else {
      present.head = head === "" ? present.head : head;
      present.rules.push(...rules);
    }
  }
}

/** The rule of an `add rule` statement, with the sets it names: everything behind the chain's name. */
function ruleOf(statement: string): string {
  const match = /^\w+\s+rule\s+(?:(?:ip|ip6|inet|arp|bridge|netdev)\s+)?\S+\s+\S+\s+([\s\S]+)$/.exec(statement);
  if (match?.[1] === undefined) throw new NftError("Error: syntax error, unexpected newline");
  return match[1].replace(/\s+/g, " ").trim();
}

/** A ruleset; a value. */
export class NftRuleset {
  readonly tables: ReadonlyMap<string, Table>;

  constructor(tables: ReadonlyMap<string, Table> = new Map()) {
    this.tables = tables;
  }

  /** The ruleset after a script, as `nft -f` leaves it: all of it or, with an error, nothing. */
  apply(script: string): NftRuleset {
    const draft = new Draft(this);
    for (const statement of statements(script)) draft.run(statement);
    return new NftRuleset(new Map([...draft.tables].map(([name, parts]) => [name, { parts }])));
  }

  /** As `nft list ruleset` prints it; with a name, that table alone. Undefined when there is no such table. */
  print(table?: string): string | undefined {
    if (table !== undefined && !this.tables.has(table)) return undefined;
    return [...this.tables]
      .filter(([name]) => table === undefined || name === table)
      .map(([name, { parts }]) => {
        const blocks = [...parts].map(([key, { head, rules }]) =>
          [`\t${key} {`, ...(head === "" ? [] : [`\t\t${head}`]), ...rules.map((rule) => `\t\t${rule}`), "\t}"].join(
            "\n",
          ),
        );
        return `table ${name} {\n${blocks.map((block) => `${block}\n`).join("\n")}}\n`;
      })
      .join("");
  }
}
