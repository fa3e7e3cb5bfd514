// Invariant 4: every change has an intent before it and an outcome record after it.
import type { SimWorld } from "../sim-world.ts";
import type { Checker } from "./checker.ts";

const seenIn = new WeakMap<SimWorld, Seen>();

interface Seen {
  readonly changed: ReadonlyMap<string, Change>;
  /** Entries that the intent of a call names, by its token. */
  readonly entriesOf: ReadonlyMap<string, readonly string[]>;
}

/** One rule that a call of the program has added, changed or removed. */
interface Change {
  readonly groupId: string;
  readonly at: number;
  readonly token: string;
  /** By which a record may tell of it: the rule's id, the entry that its mark names, or what it says; beside those, by the entries of its intent. */
  readonly names: readonly string[];
  readonly what: string;
}

/** A record is of when its pass began to write, which may have been frozen since, by a clock that is off. */
const BEFORE_MS = 5 * 60_000;

export const intentAndRecord: Checker = {
  name: "intent-and-record",
  watch(world) {
    const changed = new Map<string, Change>();
    const entriesOf = new Map<string, readonly string[]>();
    world.watchers.sent.push((call) => {
      // The row of its set says beforehand what a list is to hold.
      if (call.groupId === "") return;
      void world.tables
        .range({ table: "intent", from: [call.groupId], to: [call.groupId, "~"], limit: 100_000 })
        .then(({ rows }) => {
          // Of one that nobody can read by now people know what it said.
          const bodies = [...rows.map(({ columns }) => String(columns["body"])), ...world.unreadableIntents];
          for (const text of bodies.filter((it) => it.includes(call.token)))
            entriesOf.set(call.token, text.match(/(?<="entryId":")[^"]+/g) ?? []);
          const said = [...rows.map(({ columns }) => JSON.stringify(columns)), ...world.unreadableIntents];
          if (!said.some((text) => text.includes(call.token)))
            world.violated("intent-and-record", `${call.operation} of ${call.groupId} ${call.token} has no intent`);
        });
    });
    world.watchers.made.push((call) => {
      if (call.who !== "safeport" || call.before === call.after) return;
      const after = new Map(call.after.map((rule) => [rule.ruleId, rule]));
      const before = new Map(call.before.map((rule) => [rule.ruleId, rule]));
      for (const [ruleId, rule] of [...before, ...after]) {
        if (JSON.stringify(before.get(ruleId)) === JSON.stringify(after.get(ruleId))) continue;
        const entryId = /^safeport\/1 \S+ (\S+) until=/.exec(rule.description)?.[1];
        const { direction, portRange, sourceCidrIp } = rule;
        const source = sourceCidrIp.includes("/") ? sourceCidrIp : `${sourceCidrIp}/32`;
        const words = `${direction}|${rule.ipProtocol.toLowerCase()}|${portRange}|${source}|`;
        const names = [ruleId, words, ...(entryId === undefined ? [] : [entryId])];
        const what = `${call.operation} of ${ruleId} ${words} ${rule.description} at ${call.at}`;
        changed.set(`${ruleId} ${call.operation} ${call.at}`, {
          groupId: call.groupId,
          at: call.at,
          token: call.token,
          names,
          what,
        });
      }
    });
    seenIn.set(world, { changed, entriesOf });
  },
  async atEnd(world) {
    const { rows } = await world.tables.range({ table: "record", from: [""], to: null, limit: 100_000 });
    const records = rows.map(({ columns }) => {
      const text = String(columns["body"]);
      return { groupId: String(columns["group"]), text, at: Number((JSON.parse(text) as { at: number }).at) };
    });
    const { changed, entriesOf } = seenIn.get(world) ?? { changed: new Map<string, Change>(), entriesOf: new Map() };
    for (const { groupId, names, token, at, what } of changed.values()) {
      const ways = [...names, ...(entriesOf.get(token) ?? [])];
      const isTold = records.some(
        (it) => it.groupId === groupId && it.at >= at - BEFORE_MS && ways.some((name) => it.text.includes(name)),
      );
      if (!isTold) world.violated("intent-and-record", `no record of ${groupId} tells of ${what}`);
    }
  },
};
