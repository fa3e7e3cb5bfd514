// How fast the service lets tables be made and changed. All of it is off by default: tests and tools do not wait.

import { OtsError } from "./errors.ts";
import type { Table } from "./tables.ts";

/** Waits and rates of table operations. The service's own: ready after seconds, 10 a second, once in two minutes. */
export interface PaceOptions {
  /** How long reads and writes of a new table are refused. */
  readonly tableReadyAfterMs?: number;
  /** Table operations per second and instance. */
  readonly tableOperationsPerS?: number;
  /** The least time between two changes of a table's reserved throughput. */
  readonly throughputChangeEveryMs?: number;
}

const windowMs = 1_000;

/** Keeps the pace; the times are the service's clock. */
export class Pace {
  readonly #options: PaceOptions;
  readonly #operations = new Map<string, number[]>();

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** Counts a table operation of the instance. Throws OtsError when there were too many within a second. */
  countTableOperation(instance: string, nowMs: number): void {
    const max = this.#options.tableOperationsPerS;
    if (max === undefined) return;
    const recent = (this.#operations.get(instance) ?? []).filter((at) => at > nowMs - windowMs);
    if (recent.length >= max) throw new OtsError(403, "OTSQuotaExhausted", "Too frequent table operations.");
    this.#operations.set(instance, [...recent, nowMs]);
  }

  /** Throws OtsError when the table is too new to be read or written. */
  checkReady(table: Table, nowMs: number): void {
    const readyMs = (table.definition.createdMs ?? 0) + (this.#options.tableReadyAfterMs ?? 0);
    if (nowMs < readyMs) throw new OtsError(404, "OTSTableNotReady", "The table is not ready.");
  }

  /** Throws OtsError when the table's throughput was changed too short a time ago. */
  checkThroughputChange(table: Table, nowMs: number): void {
    const every = this.#options.throughputChangeEveryMs;
    if (every === undefined || nowMs - table.definition.throughputChangedS * 1000 >= every) return;
    throw new OtsError(403, "OTSTooFrequentReservedThroughputAdjustment", "Capacity unit adjustment is too frequent.");
  }
}
