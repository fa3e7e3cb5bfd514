// The shape of one operation: decode its request, name its table, run it.

import { decodeMessage, type Messages } from "../../protocol/tablestore/messages.ts";
import { parameterInvalid, tableAbsent } from "./errors.ts";
import { capacityUnits, isName } from "./limits.ts";
import type { Pace } from "./pace.ts";
import type { Store } from "./store.ts";
import type { Table } from "./tables.ts";
import type { Transactions } from "./transactions.ts";

/** What an operation works with. `now` is the service's clock in milliseconds. */
export interface Call {
  readonly store: Store;
  readonly transactions: Transactions;
  readonly pace: Pace;
  /** Whether new tables have local transactions without asking. */
  readonly localTransactions: boolean;
  /** Whether conditions find a row of which every cell has expired. */
  readonly keepsExpired: boolean;
  readonly instance: string;
  now(): number;
}

/** A decoded request, ready to run. The answer is the response message; a write's comes after its commit. */
export interface Prepared {
  /** By name; none where it is about the instance. */
  readonly tables: readonly string[];
  run(call: Call): Buffer | Promise<Buffer>;
}

/** Decodes a request body. Throws OtsError when it is not one. */
export type Operation = (body: Buffer) => Prepared;

/** Makes an operation of the message it takes, the table it is about and what it does. */
export function operation<Name extends keyof Messages>(
  message: Name,
  tableOf: (request: Messages[Name]) => string | readonly string[] | undefined,
  run: (call: Call, request: Messages[Name]) => Buffer | Promise<Buffer>,
): Operation {
  return (body) => {
    let request: Messages[Name];
    try {
      request = decodeMessage(message, body);
    } catch {
      throw parameterInvalid("Parse PBMessage from RawString failed.");
    }
    return { tables: [tableOf(request) ?? []].flat(), run: (call) => run(call, request) };
  };
}

/** The table of that name. Throws OtsError when there is none, or none can have that name. */
export function findTable(call: Call, name: string): Table {
  if (!isName(name)) throw parameterInvalid(`Invalid table name: '${name}'.`);
  const table = call.store.table(call.instance, name);
  if (table === undefined) throw tableAbsent();
  return table;
}

/** The table of that name, to read or write rows of. Throws OtsError when there is none or it is not ready yet. */
export function findReadyTable(call: Call, name: string): Table {
  const table = findTable(call, name);
  call.pace.checkReady(table, call.now());
  return table;
}

/** An operation about tables as such, of which there may be only so many a second. */
export function tableOperation<Name extends keyof Messages>(
  message: Name,
  tableOf: (request: Messages[Name]) => string | undefined,
  run: (call: Call, request: Messages[Name]) => Buffer | Promise<Buffer>,
): Operation {
  return operation(message, tableOf, (call, request) => {
    call.pace.countTableOperation(call.instance, call.now());
    return run(call, request);
  });
}

/** The consumed part of a read of that many bytes. */
export function readCost(bytes: number): { capacity_unit: { read: number; write: number } } {
  return { capacity_unit: { read: capacityUnits(bytes), write: 0 } };
}
