// A trail in memory: records of several processes, sealed as time passes, read and verified as an auditor does.
import { seededRandom } from "../../local/random.ts";
import { recordKey } from "../../shared/domain/record-chain.ts";
import { type TrailTerms, type TrailVerdict, TrailVerifier } from "../../shared/plan/verify-records.ts";
import type { Log } from "../../shared/ports/log.ts";
import type { KeyPart, TableName, Tables } from "../../shared/ports/tables.ts";
import { writeRecord } from "../../shared/store/records.ts";
import { schemas } from "../../shared/store/tables.ts";
import type { App } from "../../shared/usecases/app.ts";
import { exportRecords, type TrailLine, type TrailPlace } from "../../shared/usecases/records/export-records.ts";
import { sealRecords } from "../../shared/usecases/records/seal-records.ts";
import { memoryTables } from "./memory-tables.ts";

export const TRAIL_START = Date.UTC(2026, 10, 1);
const markSecret = "0123456789abcdef0123456789abcdef";

type Parts = Pick<App, "clock" | "random" | "tables" | "log" | "settings" | "wakeup">;

/** What stands between a process and the tables; each process has its own. */
export type Around = (tables: Tables) => Tables;

export class TrailWorld {
  readonly tables = memoryTables(schemas);
  readonly logged: Readonly<Record<string, unknown>>[] = [];
  now = TRAIL_START;
  readonly #random = seededRandom("trail");

  /** A process with lanes of its own. */
  process(around: Around = (tables) => tables): App {
    const log: Log = { write: (_level, _message, fields) => void this.logged.push(fields ?? {}) };
    const clock = { now: () => this.now, monotonicMs: () => this.now, sleep: async () => undefined };
    const tables = around({ ...this.tables });
    const wakeup = { arm: async () => undefined };
    const settings = { markSecret } as App["settings"];
    const parts: Parts = { clock, random: this.#random, tables, log, settings, wakeup };
    return parts as App;
  }

  record(app: App, line: string): Promise<void> {
    const body = { at: this.now, group: null, cause: "test", actor: "ann", policyVersion: 1, lines: [line] };
    return writeRecord(app, body);
  }

  seal(app: App = this.process()): Promise<boolean> {
    return sealRecords(app, Number.POSITIVE_INFINITY);
  }

  async lines(limit = 100): Promise<readonly TrailLine[]> {
    const lines: TrailLine[] = [];
    const app = this.process();
    let place: TrailPlace | null = { sequence: "", seal: 0 };
    while (place !== null) {
      const page: Awaited<ReturnType<typeof exportRecords>> = await exportRecords(app, place, limit);
      lines.push(...page.lines);
      place = page.next;
    }
    return lines;
  }

  async verify(terms: Partial<TrailTerms> = {}, limit?: number): Promise<TrailVerdict> {
    return verified(await this.lines(limit), { key: recordKey(markSecret), now: this.now, ...terms });
  }

  /** What is wrong, by name. */
  async named(terms: Partial<TrailTerms> = {}): Promise<readonly string[]> {
    return (await this.verify(terms)).findings.map(({ of }) => of);
  }

  /** Somebody with the key of the tables takes a row away. */
  async erase(table: "record" | "seal", key: readonly KeyPart[]): Promise<void> {
    await this.tables.delete(table as Exclude<TableName, "record" | "seal">, key, { kind: "none" });
  }

  /** … or writes one as they like. */
  async forge(
    table: "record" | "seal",
    key: readonly KeyPart[],
    columns: Record<string, string | number>,
  ): Promise<void> {
    await this.tables.writeAll([{ kind: "put", table, key, columns }]);
  }

  async rows(table: "record" | "seal") {
    const { rows } = await this.tables.range({ table, from: [], to: null, limit: 100_000 });
    return rows;
  }
}

export function verified(lines: readonly TrailLine[], terms: TrailTerms): TrailVerdict {
  const verifier = new TrailVerifier(terms);
  for (const line of lines) {
    if (line.kind === "record") verifier.record(line);
    else verifier.seal(line.number, line);
  }
  return verifier.end();
}
