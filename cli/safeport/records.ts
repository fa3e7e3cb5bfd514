// `safeport records`: the audit trail verified, and written to a file that can be verified anywhere.

import { once } from "node:events";
import { createReadStream, existsSync, renameSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import { formatUtc, parseUtc } from "../../shared/domain/instant.ts";
import { publicKeyText, readPublicKey, recordKey } from "../../shared/domain/record-chain.ts";
// biome-ignore lint/style/noRestrictedImports: what verifies the trail runs apart from the functions that wrote it.
import { type TrailVerdict, TrailVerifier } from "../../shared/plan/verify-records.ts";
import { apiOf } from "./api.ts";
import { type Command, EXIT, readArguments, type Surroundings, tell, UsageError } from "./command.ts";

type Values = Readonly<Record<string, string | boolean | undefined>>;
type RecordLine = Parameters<TrailVerifier["record"]>[0] & { readonly kind: "record" };
type SealLine = Parameters<TrailVerifier["seal"]>[1] & { readonly kind: "seal"; readonly number: number };
type Line = RecordLine | SealLine;

interface Page {
  readonly publicKey: string;
  readonly lines: readonly Line[];
  readonly next: string | null;
}

/** A trail as it comes in: what its writer says of it, and its lines. */
interface Source {
  readonly publicKey: string;
  readonly readAt: number;
  readonly lines: AsyncIterable<Line>;
}

const LINES_PER_PAGE = 200;

export const records: Command = {
  name: "records",
  summary: "verify the audit trail, or export it",
  help: `Usage: safeport records verify [FILE] [--key KEY] [--head NUMBER:DIGEST[,…]] [--json]
       safeport records export [FILE]

  verify  reads the whole trail, from the API or from a FILE that export wrote, and names every record and seal that was
          changed, is missing, was added or is out of its place. Prints the head: kept somewhere else, it proves later
          that the trail is still the same
  export  writes the trail as JSON lines to FILE, or to the output

  --key KEY    public key that the trail has to be signed with. Without it, the key follows from SAFEPORT_MARK_SECRET;
               without that, the trail's own is taken, which proves less
  --head N:D   heads that were printed or logged earlier, separated by commas

Without FILE reads SAFEPORT_API and SAFEPORT_TOKEN (an auditor's or admin's). Exit code 1 where something is found.
`,
  async run(args, surroundings) {
    const { values, positionals } = readArguments(args, { key: { type: "string" }, head: { type: "string" } }, 2);
    const [verb, file] = positionals;
    if (verb === "verify") return verify(file, values, surroundings);
    if (verb === "export") return exportTo(file, surroundings);
    throw new UsageError(verb === undefined ? "say what to do" : `${verb} is not understood`);
  },
};

async function verify(file: string | undefined, values: Values, surroundings: Surroundings): Promise<number> {
  const heads = headsOf(values["head"]);
  const source = file === undefined ? await trailOf(surroundings) : await trailIn(file);
  const { key, doubt } = keyFor(values["key"], surroundings, source);
  const verifier = new TrailVerifier({ key, now: source.readAt, heads });
  for await (const line of source.lines) {
    if (line.kind === "record") verifier.record(line);
    else verifier.seal(line.number, line);
  }
  const verdict = verifier.end();
  tell(surroundings, values, { json: { ...verdict, doubt }, lines: inWords(verdict, doubt, heads.size > 0) });
  return verdict.findings.length === 0 ? EXIT.ok : EXIT.failed;
}

function inWords(verdict: TrailVerdict, doubt: string | null, isAnchored: boolean): readonly string[] {
  const { findings, records: count, seals, lapsed, unsealed, begins, head } = verdict;
  // Whoever removes all of it, or all but what came last, leaves nothing that names what is gone.
  const since = begins === null ? "There is no record" : `The trail is whole since ${formatUtc(begins)}`;
  const whole = isAnchored
    ? "The trail is whole."
    : `${since}. Whether anything came before is told by an earlier head alone: say --head, from an earlier run or from the log.`;
  return [
    ...findings.map(({ kind, of, why }) => `${kind.padEnd(7)} ${of}: ${why}`),
    `${count} records and ${seals} seals; ${unsealed} records are not sealed yet, ${lapsed} have lapsed.`,
    ...(head === null ? [] : [`head ${head.number}:${head.digest} of ${formatUtc(head.at)}`]),
    ...(doubt === null ? [] : [doubt]),
    findings.length === 0 ? whole : `${findings.length} findings: the trail is not as it was written.`,
  ];
}

/** The key that the trail has to be signed with; never that of the trail itself where another is known. */
function keyFor(given: string | boolean | undefined, { env }: Surroundings, { publicKey }: Source) {
  const secret = env["SAFEPORT_MARK_SECRET"];
  const own = secret ? publicKeyText(recordKey(secret)) : null;
  const text = typeof given === "string" ? given : (own ?? publicKey);
  const key = readPublicKey(text);
  if (key === null) throw new UsageError("--key is no public key: it has 43 letters, digits, - and _");
  const isOwnWord = typeof given !== "string" && own === null;
  const doubt = isOwnWord
    ? `The key ${publicKey} is the trail's own word. Keep it, and say --key the next time.`
    : null;
  return { key, doubt };
}

function headsOf(text: string | boolean | undefined): ReadonlyMap<number, string> {
  if (typeof text !== "string") return new Map();
  return new Map(
    text.split(",").map((head) => {
      const [, number, digest = ""] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(head.trim()) ?? [];
      if (number === undefined) throw new UsageError(`${head} is no head: a number, a colon and 64 hex digits`);
      return [Number(number), digest];
    }),
  );
}

async function exportTo(file: string | undefined, surroundings: Surroundings): Promise<number> {
  // What is cut is no shorter trail: it has the file's name once it is whole.
  if (file !== undefined && existsSync(file))
    throw new Error(`${file} is there already. Name another file, or remove it.`);
  const { publicKey, readAt, lines } = await trailOf(surroundings);
  let count = 0;
  async function* texts(): AsyncGenerator<string> {
    yield `${JSON.stringify({ kind: "trail", publicKey, readAt: formatUtc(readAt) })}\n`;
    for await (const line of lines) {
      count += 1;
      yield `${JSON.stringify(line)}\n`;
    }
  }
  if (file === undefined) for await (const text of texts()) surroundings.out(text);
  else {
    const draft = `${file}.part`;
    rmSync(draft, { force: true });
    // Opened before anything can fail: a file that is made only when it has been removed stays.
    const handle = await open(draft, "wx", 0o600);
    try {
      await pipeline(texts, handle.createWriteStream({ flush: true }));
      renameSync(draft, file);
    } finally {
      rmSync(draft, { force: true });
    }
  }
  surroundings.err(`${count} lines${file === undefined ? "" : ` in ${file}`}\n`);
  return EXIT.ok;
}

async function trailOf(surroundings: Surroundings): Promise<Source> {
  const api = apiOf(surroundings);
  const readPage = (cursor: string | null): Promise<Page> => {
    const from = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    return api.call<Page>("GET", `/v1/records:export?limit=${LINES_PER_PAGE}${from}`);
  };
  const first = await readPage(null);
  async function* lines(): AsyncGenerator<Line> {
    for (let page = first; ; page = await readPage(page.next)) {
      yield* page.lines;
      if (page.next === null) return;
    }
  }
  return { publicKey: first.publicKey, readAt: surroundings.clock.now(), lines: lines() };
}

async function trailIn(file: string): Promise<Source> {
  const input = createReadStream(file, "utf8");
  await once(input, "open");
  const texts = createInterface({ input, crlfDelay: 2 })[Symbol.asyncIterator]();
  const first = await texts.next();
  const head = first.done ? null : jsonOf(first.value);
  const readAt = parseUtc(String(head?.["readAt"])) ?? null;
  if (head?.["kind"] !== "trail" || readAt === null)
    throw new Error(`${file}: its first line does not say that it is a trail. Write one with safeport records export.`);
  async function* lines(): AsyncGenerator<Line> {
    let number = 1;
    for (let each = await texts.next(); !each.done; each = await texts.next()) {
      number += 1;
      const line = jsonOf(each.value);
      if (line?.["kind"] !== "record" && line?.["kind"] !== "seal")
        throw new Error(`${file}: line ${number} is neither a record nor a seal.`);
      yield line as unknown as Line;
    }
  }
  return { publicKey: String(head["publicKey"]), readAt, lines: lines() };
}

function jsonOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}
