// A world whose group `web` is guarded, its baseline confirmed, with other people who change it and events that tell of them.

import type { Principal } from "../../local/principals.ts";
import type { DriftItem } from "../../shared/domain/drift-item.ts";
import type { Guard } from "../../shared/domain/guard.ts";
import type { RuleId } from "../../shared/domain/ids.ts";
import type { Rule, RuleSpec } from "../../shared/domain/rule.ts";
import { sensitiveOf } from "../../shared/plan/baseline-diff.ts";
import { listDrift } from "../../shared/store/drift-items.ts";
import { dueDrift, dueWrite } from "../../shared/store/due.ts";
import type { App, Caller } from "../../shared/usecases/app.ts";
import { type EventReport, lookAtEvent } from "../../shared/usecases/drift/look-at-event.ts";
import { confirmBaseline, previewBaseline } from "../../shared/usecases/ledger/confirm-baseline.ts";
import { aSpec, fromCidr, somePorts } from "./rules.ts";
import { World, type WorldOptions } from "./world.ts";

const FROM_RULES = { from: "rules", template: "" } as const;

/** tcp 3306 from everybody: what nobody ever granted. */
export const openDatabase: RuleSpec = aSpec({
  ports: somePorts("3306/3306"),
  peer: fromCidr("0.0.0.0/0"),
  priority: 1,
});

export interface GuardedOptions extends WorldOptions {
  readonly guard?: Guard;
}

export class GuardedWorld {
  readonly world: World;
  private constructor(world: World) {
    this.world = world;
  }

  /** `guard` is the policy's for `web`, default `enforce`; its baseline is confirmed. */
  static async start({ guard = "enforce", policy, ...options }: GuardedOptions = {}): Promise<GuardedWorld> {
    const world = await World.start({ ...options, policy: { ...policy, groups: { guards: { web: guard } } } });
    const guarded = new GuardedWorld(world);
    if (guard !== "none") await guarded.confirm();
    return guarded;
  }

  get admin(): Caller {
    return this.world.caller("root", ["admin"]);
  }

  /** A person confirms what stands, and a pass looks at it. */
  async confirm(): Promise<void> {
    await this.confirmed();
    await this.world.sweep();
  }

  /** As `confirm`, before any pass. */
  async confirmed(): Promise<void> {
    const { world, admin } = this;
    const app = world.process();
    const { diff } = await world.run(previewBaseline(app, admin, "web", FROM_RULES));
    const sensitive = sensitiveOf(diff).map(({ key }) => key);
    const word = { ...FROM_RULES, digest: diff.digest, owner: "ops", reason: "as it was", sensitive };
    await world.run(confirmBaseline(app, admin, "web", word, { dryRun: false }));
  }

  /** Rules of `web` as the program reads them. */
  async rules(): Promise<readonly Rule[]> {
    const { rules } = await this.world.run(this.world.process().firewall.readGroup(this.world.web, "end"));
    return rules;
  }

  /** Somebody else opens a rule. */
  async authorize(spec: RuleSpec, description = "", whose: "ak-other" | Principal = "ak-other"): Promise<void> {
    const { firewall } = this.person(whose);
    await this.world.run(firewall.authorize(this.world.web, [{ spec, description }], this.token(), "open"));
    await this.world.written();
  }

  /** Somebody else removes a rule. */
  async revoke(ruleId: RuleId, whose: "ak-other" | Principal = "ak-other"): Promise<void> {
    const { firewall } = this.person(whose);
    // Which of the cloud's two calls it takes is known from a reading.
    await this.world.run(firewall.readGroup(this.world.web, "end"));
    await this.world.run(firewall.revoke(this.world.web, [ruleId], this.token(), "end"));
    await this.world.written();
  }

  /** Somebody else changes a rule in place. */
  async modify(
    ruleId: RuleId,
    spec: RuleSpec,
    description: string,
    whose: "ak-other" | Principal = "ak-other",
  ): Promise<void> {
    const { firewall } = this.person(whose);
    await this.world.run(firewall.modify(this.world.web, ruleId, { spec, description }, this.token(), "end"));
    await this.world.written();
  }

  private person(whose: "ak-other" | Principal): App {
    return this.world.process(undefined, whose);
  }

  private tokens = 0;
  private token(): string {
    this.tokens += 1;
    return `somebody-${this.tokens}`;
  }

  /** The events that have come since the last time; none is delivered to the program yet. */
  async events(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { world } = this;
    await world.advance(10_000);
    return world.events.splice(0);
  }

  /** The program takes an event. */
  deliver(record: unknown, app: App = this.world.process()): Promise<EventReport> {
    const { world } = this;
    const deadlineAt = world.clock.monotonicMs() + 45_000;
    return world.run(lookAtEvent(app, record, { accountId: "100000000000", policy: world.policy, deadlineAt }));
  }

  /** All events so far are delivered, in order. */
  async settle(): Promise<void> {
    for (const record of await this.events()) await this.deliver(record);
  }

  /** The group is compared with its ledger, as the full pass does, whatever events have come. */
  async compare(): Promise<void> {
    const { world } = this;
    const row = dueDrift(world.web, world.clock.now() + 1, 1);
    await world.run(world.process().tables.writeAll([dueWrite(row)]));
    await world.advance(1000);
    await world.sweep();
  }

  /** Every item of drift, the oldest first. */
  async drift(): Promise<readonly DriftItem[]> {
    const { items } = await listDrift(this.world.process().tables, { groupId: "sg-web", limit: 1000 });
    return [...items].sort((a, b) => a.firstSeenAt - b.firstSeenAt);
  }
}
