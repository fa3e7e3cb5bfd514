// A world with a rule that nobody uses, old enough to be queued, and evidence of its hosts written day by day.

import type { SeedGroup } from "../../local/services/ecs/seed.ts";
import {
  DAY_MS,
  type Day,
  dayAfter,
  dayOf,
  daysBetween,
  type PortUse,
  unknownDay,
} from "../../shared/domain/evidence.ts";
import type { EntryId, GroupId } from "../../shared/domain/ids.ts";
import type { Entry } from "../../shared/domain/ledger-entry.ts";
import { type RecyclingItem, recyclingIdOf } from "../../shared/domain/recycling-item.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { entryIdOf, ruleKey } from "../../shared/domain/rule-key.ts";
import { sensitiveOf } from "../../shared/plan/baseline-diff.ts";
import type { Tables, Write } from "../../shared/ports/tables.ts";
import { addEvidence } from "../../shared/store/evidence.ts";
import { getEntry } from "../../shared/store/ledger.ts";
import { readOutbox } from "../../shared/store/outbox.ts";
import { getRecyclingItem } from "../../shared/store/recycling.ts";
import type { App, Caller } from "../../shared/usecases/app.ts";
import { confirmBaseline, previewBaseline } from "../../shared/usecases/ledger/confirm-baseline.ts";
import { approveItem, exemptItem, restoreItem } from "../../shared/usecases/recycling/decide-recycling.ts";
import { recycle } from "../../shared/usecases/recycling/recycle.ts";
import type { RecyclingReport } from "../../shared/usecases/recycling/recycle-group.ts";
import { watchRecycling } from "../../shared/usecases/recycling/watch-recycling.ts";
import { aPeer, peers, WHOLE_DAY } from "./evidence.ts";
import { aSpec, fromCidr, somePorts } from "./rules.ts";
import { region, World, type WorldOptions, worldSeed } from "./world.ts";

type SeedRule = SeedGroup["rules"][number];

/** tcp 7890 from 10.0.0.0/8: nobody uses it. */
export const idleSpec: RuleSpec = aSpec({
  ports: somePorts("7890/7890"),
  peer: fromCidr("10.0.0.0/8"),
  priority: 10,
});
const idleRule: SeedRule = {
  ...{ portRange: "7890/7890", sourceCidrIp: "10.0.0.0/8", priority: 10, description: "old tool, ask bob" },
};
/** A short window, so that a test has few days to tell of. */
const SHORT = { window: 10, requeueAfter: 10 } as const;
const AUTO = { groups: ["web"], steps: { quarantine: "auto", delete: "auto" } } as const;

export interface RecyclingWorldOptions extends WorldOptions {
  readonly recycling?: Readonly<Record<string, unknown>>;
  readonly rules?: readonly SeedRule[];
}

export class RecyclingWorld {
  readonly world: World;
  readonly itemId: string;
  private told: Day;

  private constructor(world: World) {
    this.world = world;
    this.told = dayOf(world.clock.now());
    const entryId = entryIdOf("sg-web" as GroupId, ruleKey(idleSpec)) as EntryId;
    this.itemId = recyclingIdOf("sg-web" as GroupId, entryId);
  }

  /** By default every step follows by itself in `web`. The rule has stood unused for eleven days, longer than the window, all of them known. */
  static async start(options: RecyclingWorldOptions = {}): Promise<RecyclingWorld> {
    const { recycling = AUTO, rules = [idleRule], policy, seed: base = worldSeed, ...rest } = options;
    const groups = base.groups.map((group) =>
      group.groupId === "sg-web" ? { ...group, rules: [...group.rules, ...rules] } : group,
    );
    const seed = { ...base, groups };
    const shared = new RecyclingWorld(
      await World.start({
        inMemory: true,
        seed,
        ...rest,
        policy: { recycling: { ...SHORT, ...recycling }, ...policy },
      }),
    );
    await shared.pass(11);
    return shared;
  }

  /** A person confirms what stands in `web` as its baseline. */
  async confirm(): Promise<void> {
    const { world } = this;
    const admin = world.caller("root", ["admin"]);
    const from = { from: "rules", template: "" } as const;
    const { diff } = await world.run(previewBaseline(world.process(), admin, "web", from));
    const sensitive = sensitiveOf(diff).map(({ key }) => key);
    const word = { ...from, digest: diff.digest, owner: "carol", reason: "as it was", sensitive };
    await world.run(confirmBaseline(world.process(), admin, "web", word, { dryRun: false }));
    await world.sweep();
  }

  /** Days pass; those that are over are told of whole, with nothing but `ports` in the last of them. */
  async pass(days: number, ports: readonly PortUse[] = [], { isKnown = true } = {}): Promise<void> {
    const { world } = this;
    await world.advance(days * DAY_MS);
    const today = dayOf(world.clock.now());
    const app = world.process();
    const last = dayAfter(today, -1);
    const told = isKnown ? daysBetween(this.told, today) : [];
    this.told = today;
    const members = await world.run(app.inventory.members(world.web, "open"));
    const quiet = members.flatMap(({ eniId }) => told.map((day) => unknownDay(eniId, day)));
    const writes: Write[] = [];
    for (const day of quiet)
      await addEvidence(collecting(app.tables, writes), region, {
        ...{ ...day, seen: WHOLE_DAY, sources: ["flowLog"] },
        ports: day.day === last ? ports : [],
      });
    await world.run(app.tables.writeAll(writes));
  }

  /** Days pass, with a run each week and one at the end. */
  async live(days: number): Promise<void> {
    for (let left = days; left > 0; left -= 7) {
      await this.pass(Math.min(7, left));
      await this.recycle();
    }
  }

  get today(): Day {
    return dayOf(this.world.clock.now());
  }

  recycle(app: App = this.world.process(), dryRun = false): Promise<RecyclingReport> {
    const { world } = this;
    const deadlineAt = world.clock.monotonicMs() + 45_000;
    return world.run(recycle(app, { policy: world.policy, deadlineAt, dryRun, from: null }));
  }

  watch(app: App = this.world.process()): Promise<number | null> {
    const { world } = this;
    const deadlineAt = world.clock.monotonicMs() + 45_000;
    return world.run(watchRecycling(app, { policy: world.policy, deadlineAt }));
  }

  /** The item as it is stored; null before it was ever queued. */
  item(): Promise<RecyclingItem | null> {
    return this.world.run(getRecyclingItem(this.world.process().tables, this.itemId));
  }

  /** The item, which has to be there. */
  async queued(): Promise<RecyclingItem> {
    const item = await this.item();
    if (!item) throw new Error("nothing is queued");
    return item;
  }

  /** The rule's entry in the ledger. */
  async entry(): Promise<Entry | null> {
    const { group, entryId } = await this.queued();
    return this.world.run(getEntry(this.world.process().tables, group, entryId));
  }

  async state(): Promise<string | null> {
    return (await this.item())?.state ?? null;
  }

  /** To the moment in which the drop stands: noticed, a week, quarantined. */
  async quarantined(): Promise<void> {
    await this.recycle();
    await this.pass(8);
    await this.recycle();
  }

  /** And on to the deletion. */
  async deleted(): Promise<void> {
    await this.quarantined();
    await this.pass(16);
    await this.recycle();
  }

  operator(principal = "olga"): Caller {
    return this.world.caller(principal, ["operator"]);
  }

  restore(app: App = this.world.process(), dryRun = false) {
    const ask = { dryRun, deadlineAt: this.world.clock.monotonicMs() + 8_000 };
    return this.world.run(restoreItem(app, this.operator(), this.itemId, { reason: "needed" }, ask));
  }

  exempt(days: number, app: App = this.world.process(), dryRun = false) {
    const { world } = this;
    const word = { owner: "bob", reason: "quarter end", until: world.clock.now() + days * DAY_MS };
    const ask = { dryRun, deadlineAt: world.clock.monotonicMs() + 8_000 };
    return world.run(exemptItem(app, this.operator(), this.itemId, word, ask));
  }

  approve(
    step: "quarantine" | "delete",
    app: App = this.world.process(),
    { dryRun = false, ...more }: { dryRun?: boolean; onShortEvidence?: boolean; waivedBy?: string; rev?: number } = {},
  ) {
    const ask = { dryRun, deadlineAt: this.world.clock.monotonicMs() + 8_000 };
    return this.world.run(approveItem(app, this.operator("ada"), this.itemId, { step, ...more }, ask));
  }

  /** Somebody removes the rules of `web` for port 7890 that `policy` names, by their own hand. */
  async removeBeside(policy: "accept" | "drop"): Promise<void> {
    const { world } = this;
    const { firewall } = world.process(undefined, "ak-other");
    const { rules } = await world.run(firewall.readGroup(world.web, "open"));
    const ids = rules.flatMap(({ id, ports, policy: own }) =>
      id !== null && own === policy && ports.kind === "range" && ports.range.from === 7890 ? [id] : [],
    );
    await world.run(firewall.revoke(world.web, ids, `t-${policy}`, "open"));
  }

  /** Every rule of `web` for port 7890: policy, priority, source, description without our mark. */
  rules(): readonly string[] {
    const group = this.world.ecs.groups().find(({ groupId }) => groupId === "sg-web");
    return (group?.rules ?? [])
      .filter(({ portRange }) => portRange === "7890/7890")
      .map((rule) => {
        const description = rule.description.startsWith("safeport/1") ? "(ours)" : rule.description;
        return `${rule.policy.toLowerCase()} ${rule.priority} ${rule.sourceCidrIp} ${description}`;
      })
      .sort();
  }

  /** What people are to be told, by kind; oldest first. */
  async notices(): Promise<readonly string[]> {
    const { pending } = await this.world.run(readOutbox(this.world.process().tables, 1000));
    return pending
      .flatMap(({ notice }) => (notice && "item" in notice.data && notice.data.item === this.itemId ? [notice] : []))
      .sort((a, b) => a.at - b.at)
      .map(({ kind }) => kind);
  }
}

/** Tables of which nothing of the evidence is stored yet: what is put there is collected, to be written at once. */
const collecting = (tables: Tables, writes: Write[]): Tables => ({
  ...tables,
  get: async () => null,
  range: async () => ({ rows: [], more: false }),
  put: async (table, key, columns) => {
    writes.push({ kind: "put", table, key, columns });
    return "written";
  },
});

/** tcp 7890 as somebody was refused at it, used it, or found it. */
export const touched = (
  how: "refused" | "real" | "shaken",
  day: Day,
  blocks: readonly string[],
  port = 7890,
): PortUse => ({
  ...{ protocol: "tcp", port, closedAt: null, silentAt: null, unclearAt: null, unnamedAt: null, balancedAt: null },
  ...{ real: peers(), shaken: peers(), refused: peers() },
  [how]: peers(...blocks.map((block) => aPeer(block, day))),
});

/** The rule of the world's seed, as `rules` shows it. */
export const IDLE = "accept 10 10.0.0.0/8 old tool, ask bob";
export const DROP = "drop 10 10.0.0.0/8 (ours)";
