// Invariant 5: when faults stop, one pass per group converges and the next plan is empty.
import type { KeyPart, Tables } from "../../../shared/ports/tables.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { isLookAtTicket } from "../../kit/look-at-ticket.ts";
import { isFallenBack, tellsOfIt } from "../fallen-back.ts";
import type { KnownHours } from "../known-hours.ts";
import { ENFORCED, GROUPS } from "../sim-account.ts";
import type { SimWorld } from "../sim-world.ts";
import type { Checker } from "./checker.ts";

/** Answers true where it has people told that a group has fallen back, whoever takes that from the outbox before anybody looks there. */
const pass = async (world: SimWorld): Promise<boolean> => {
  const quiet = world.platform.quietApp();
  let isTold = false;
  const writeAll: Tables["writeAll"] = (writes) => {
    isTold ||= writes.some((it) => it.kind === "put" && it.table === "outbox" && tellsOfIt(it, ENFORCED));
    return quiet.tables.writeAll(writes);
  };
  const app = { ...quiet, tables: { ...quiet.tables, writeAll } };
  for (const group of GROUPS)
    await lookAtGroup(app, group, {
      ...{ cause: "at the end", actor: "safeport", policy: world.policy, priority: "drift", rows: [] },
      ...{ deadlineAt: app.clock.monotonicMs() + 45_000, drift: true },
    });
  return isTold;
};

/**
 * A run is over long before what is held so long: drops of quarantines and on lists, what stays of wide rules, also where that was booked again
 * as a lease. The look at its end stays booked.
 */
const HELD_MIN_MS = 6 * 24 * 60 * 60_000;

/** True of a look that finds nothing to do in its time, or comes when hours open or close. */
const isForLater = ({ hours }: SimWorld, key: readonly KeyPart[], now: number): boolean =>
  isLookAtTicket(key, now) ||
  (isOfEnd(key) && Number(key[1]) > now + HELD_MIN_MS) ||
  (isOfGroup(key) && isOfHours(hours, String(key[3]), Number(key[1])));

const isOfHours = (hours: KnownHours, group: string, at: number): boolean =>
  hours.isBoundary(group.split(" ").at(-1) ?? "", at);

const isOfEnd = (key: readonly KeyPart[]): boolean => isOfGroup(key) || key[2] === "lease";

/** A pass that compares the group has it compared again at that end. */
const isOfGroup = ([, , kind]: readonly KeyPart[]): boolean => kind === "group" || kind === "drift";

export const converges: Checker = {
  name: "converges",
  watch() {
    // Nothing is to be seen before the end.
  },
  async atEnd(world) {
    const isToldFirst = await pass(world);
    const before = world.counts.changes;
    const isTold = (await pass(world)) || isToldFirst;
    if (world.counts.changes > before)
      world.violated("converges", `a second pass makes ${world.counts.changes - before} changes`);
    const fallenBack = await isFallenBack(world, ENFORCED);
    for (const table of ["intent", "due", "outbox"] as const) {
      const from = [table === "intent" ? "" : 0];
      const { rows } = await world.tables.range({ table, from, to: null, limit: 1000 });
      const owed = rows.filter((row) => {
        if (table === "due") return !isForLater(world, row.key, world.now());
        // By the last looks themselves.
        return !(table === "outbox" && fallenBack && tellsOfIt(row, ENFORCED));
      });
      const left = owed.map((row) => row.key.join("/")).filter((key) => !/installation|full-pass|job/.test(key));
      if (left.length > 0) world.violated("converges", `${table} still has ${left.join(" ")}`);
    }
    if (fallenBack) world.count("group fallen back to observe");
    if (fallenBack && !isTold) world.violated("converges", "nobody is told that a group has fallen back");
  },
};
