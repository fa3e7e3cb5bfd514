// When rules were changed in place: by the trail or, where that was silent, by what they said when the nightly job looked before. So is a
// rule whose prefix list was changed: it says the same, and lets in somebody else.
import { formatCidr } from "../../domain/cidr.ts";
import { sha256Hex } from "../../domain/digest.ts";
import type { GroupId, GroupRef } from "../../domain/ids.ts";
import type { Rule } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import { readSeenRules, type SeenRule, saveSeenRules } from "../../store/seen-rules.ts";
import { listSightings } from "../../store/sightings.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";

const LIST_DIGITS = 16;

/** What is known of one group. */
export class ChangesInPlace {
  private readonly app: App;
  private readonly groupId: GroupId;
  private readonly seen: ReadonlyMap<string, SeenRule>;
  private readonly told: ReadonlyMap<string, number>;
  private readonly lists: ReadonlyMap<string, string>;

  private constructor(
    app: App,
    groupId: GroupId,
    seen: ReadonlyMap<string, SeenRule>,
    told: ReadonlyMap<string, number>,
    lists: ReadonlyMap<string, string>,
  ) {
    this.app = app;
    this.groupId = groupId;
    this.seen = seen;
    this.told = told;
    this.lists = lists;
  }

  /** The lists that `rules` name are looked into. Throws CloudFailure "throttled" where no call is left for that. */
  static async read(app: App, { groupId, region }: GroupRef, rules: readonly Rule[] = []): Promise<ChangesInPlace> {
    const [seen, { sightings }, lists] = await Promise.all([
      readSeenRules(app.tables, groupId),
      listSightings(app.tables, groupId),
      readLists(app, region, rules),
    ]);
    const told = new Map<string, number>();
    for (const { operation, failed, at, ruleIds } of sightings)
      if (!failed && operation.startsWith("Modify"))
        for (const id of ruleIds) told.set(id, Math.max(at, told.get(id) ?? 0));
    return new ChangesInPlace(app, groupId, seen, told, lists);
  }

  /** Null for a rule that says what it always did, as far as is known. */
  of(rule: Rule, now: number): number | null {
    const told = this.told.get(rule.id ?? "") ?? null;
    const seen = this.seenChange(rule, now);
    return told === null || seen === null ? (told ?? seen) : Math.max(told, seen);
  }

  /** Keeps what the rules say now, so that the next look sees which were changed; and when they were, for longer than events are kept. */
  async remember(rules: readonly Rule[], now: number): Promise<void> {
    const { app, groupId, seen } = this;
    const found = rules.flatMap((rule): readonly SeenRule[] => {
      const { id } = rule;
      if (id === null) return [];
      const list = this.listOf(rule, seen.get(id));
      return [{ ruleId: id, key: ruleKey(rule), ...(list ? { list } : {}), changedAt: this.of(rule, now) }];
    });
    const isSame = (it: SeenRule): boolean => JSON.stringify(seen.get(it.ruleId)) === JSON.stringify(it);
    if (found.length === seen.size && found.every(isSame)) return;
    await saveSeenRules(app.tables, groupId, found);
  }

  private seenChange(rule: Rule, now: number): number | null {
    const before = this.seen.get(rule.id ?? "");
    if (before === undefined) return null;
    const list = this.listOf(rule, before);
    return before.key === ruleKey(rule) && (before.list ?? list) === list ? before.changedAt : now;
  }

  /** What its list holds; as before where nobody could look, and undefined where it names none. */
  private listOf({ peer }: Rule, before: SeenRule | undefined): string | undefined {
    return peer.kind === "prefixList" ? (this.lists.get(peer.prefixListId) ?? before?.list) : undefined;
  }
}

/** What the prefix lists hold that the rules name, by their ids. One that may not be looked into is not there. */
async function readLists(app: App, region: string, rules: readonly Rule[]): Promise<ReadonlyMap<string, string>> {
  const named = new Set(rules.flatMap(({ peer }) => (peer.kind === "prefixList" ? [peer.prefixListId] : [])));
  const found = new Map<string, string>();
  await inParallel([...named], async (listId) => {
    try {
      const blocks = await app.inventory.prefixes({ kind: "prefix", region, listId }, "inventory");
      found.set(listId, sha256Hex(blocks.map(formatCidr).sort().join()).slice(0, LIST_DIGITS));
    } catch (error) {
      if (!(error instanceof CloudFailure) || error.kind === "throttled") throw error;
      app.log.write("warn", `nobody can tell whether the prefix list ${listId} was changed`, { cause: error });
    }
  });
  return found;
}
