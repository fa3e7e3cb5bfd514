// The due row that is there while a ledger changes: whoever dies on the way leaves somebody who looks.
import type { GroupRef } from "../../domain/ids.ts";
import type { Write } from "../../ports/tables.ts";
import { type Due, dueDrift, dueGroup, dueWrite } from "../../store/due.ts";
import type { App } from "../app.ts";
import { NET_AFTER_MS } from "./book-holds.ts";

/**
 * Hold it before reading what is to be changed, before each write, and after the last one: whoever was frozen in between may have had
 * somebody else look too early, and has the look booked once more. In time that costs one write, the first.
 */
export class Net {
  private readonly app: App;
  private readonly dueAt: (at: number) => Due;
  private readonly rows: Due[] = [];
  private until = Number.NEGATIVE_INFINITY;
  private written: Promise<void> = Promise.resolve();

  constructor(app: App, dueAt: (at: number) => Due) {
    this.app = app;
    this.dueAt = dueAt;
  }

  /** All rows that were written: they are for the pass that does what they are there for. */
  get booked(): readonly Due[] {
    return this.rows;
  }

  /** Writes the row where it is missing, or near its time; `along` is written with it, and only then. Nobody goes on before it is there. */
  hold(along: readonly Write[] = []): Promise<void> {
    const at = this.app.clock.now() + NET_AFTER_MS;
    if (at - this.until < NET_AFTER_MS / 2) return this.written;
    this.until = at;
    const row = this.dueAt(at);
    this.rows.push(row);
    this.written = this.app.tables.writeAll([...along, dueWrite(row)]);
    return this.written;
  }
}

/** Has the group looked at. */
export const groupNet = (app: App, group: GroupRef): Net =>
  new Net(app, (at) => dueGroup(group, at, app.settings.shards));

/** Has the group compared with its ledger. */
export const driftNet = (app: App, group: GroupRef): Net =>
  new Net(app, (at) => dueDrift(group, at, app.settings.shards));
