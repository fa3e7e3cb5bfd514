// A year of unused ports on the embedded cloud's virtual clock: real connections through its data plane become flow logs, evidence,
// verdicts and steps of the queue, night by night.
import type { FaultRule } from "../../local/faults.ts";
import type { GroupId } from "../../shared/domain/ids.ts";
import type { RecyclingState } from "../../shared/domain/recycling-item.ts";
import { markInstalled } from "../../shared/store/due.ts";
import { listRecyclingItems } from "../../shared/store/recycling.ts";
import { optimiseInstance } from "../../shared/usecases/recycling/optimise-instance.ts";
import { recycle } from "../../shared/usecases/recycling/recycle.ts";
import type { RecyclingReport } from "../../shared/usecases/recycling/recycle-group.ts";
import { watchRecycling } from "../../shared/usecases/recycling/watch-recycling.ts";
import { type EvidenceCloud, startEvidenceCloud } from "../kit/evidence-cloud.ts";
import { aClosedPort, aQuietLog, aSession, putFlows } from "../kit/flow-records.ts";
import { type Fate, LABELS, type Label, type LabelledPort, labelledPorts } from "./labels.ts";

const DAY_MS = 86_400_000;
const WINDOW_MS = 600_000;
const START_MS = Date.UTC(2026, 0, 5, 10);

/** How long the year is, and its parts, in days. */
export interface YearTerms {
  readonly days: number;
  readonly window: number;
  readonly notice: number;
  readonly quarantine: number;
  /** Between two visits of the ports that are used monthly and quarterly. */
  readonly monthly: number;
  readonly quarterly: number;
  readonly say?: (line: string) => void;
}

/** As people run it: half a year by the shipped times. */
export const HALF_YEAR: YearTerms = {
  ...{ days: 184, window: 45, notice: 7, quarantine: 14, monthly: 30, quarterly: 90 },
};
/** The same in two weeks, for every push. */
export const TWO_WEEKS: YearTerms = {
  ...{ days: 15, window: 7, notice: 1, quarantine: 2, monthly: 5, quarterly: 9 },
};

/** One port at the end of the year. */
export interface PortOutcome {
  readonly name: string;
  readonly label: Label;
  readonly fate: Fate;
  /** What became of its item; null for one that was never queued. */
  readonly state: RecyclingState | null;
  readonly wasQuarantined: boolean;
  /** Whether the rule stands, and whether a drop of ours does. */
  readonly stands: boolean;
  readonly isDropped: boolean;
}

/** A visitor who came to a quarantined port. */
export interface LateVisit {
  readonly name: string;
  readonly peer: string;
  readonly first: "answered" | "refused";
  /** After the end of the window of the flow log and one run of the watch. */
  readonly again: "answered" | "refused";
  readonly why: string;
}

export interface YearReport {
  readonly ports: readonly PortOutcome[];
  readonly lateVisits: readonly LateVisit[];
  /** Verdicts of the last night. */
  readonly last: RecyclingReport["verdicts"];
  /** Of the ports that were quarantined, the part that nobody uses. */
  readonly precision: number;
  /** Of the truly idle ports, the part that is gone. */
  readonly recall: number;
  /** Of all rules on the last night, the part of which too little is known. */
  readonly unknown: number;
  /** Ports of the labels that an alarm queued, and that were used on a day of which the log was late: what these labels are about. */
  readonly alarmed: readonly string[];
  readonly unread: readonly string[];
  /** Visits of used ports that were not let in. */
  readonly turnedAway: readonly string[];
}

/** Lives through the year. */
export async function runYear(terms: YearTerms): Promise<YearReport> {
  const world = await startEvidenceCloud({
    hosts: labelledPorts,
    startMs: START_MS,
    ttlDays: 8,
    recycling: (network) => ({
      ...{ window: terms.window, notice: terms.notice, quarantine: terms.quarantine, groups: groupNames },
      steps: { quarantine: "auto", delete: "auto" },
      probes: [`${network}.210.9`],
      balancerSources: [`${network}.220.0/24`],
      exempt: [
        {
          groups: named("quarterly").map(({ name }) => name),
          ...{ owner: "finance", reason: "closing of a quarter", until: "2027-06-30" },
        },
      ],
    }),
  });
  try {
    await markInstalled(world.app.tables, world.app.settings.installation, START_MS);
    return await new Year(world, terms).run();
  } finally {
    await world.stop();
  }
}

const named = (label: Label): readonly LabelledPort[] => labelledPorts.filter((it) => it.label === label);
const groupNames = labelledPorts.map(({ name }) => name);

class Year {
  private readonly world: EvidenceCloud;
  private readonly terms: YearTerms;
  private readonly quarantined = new Set<string>();
  private readonly lateVisits: LateVisit[] = [];
  private readonly turnedAway: string[] = [];
  /** What the flow logs lose. */
  private lost: readonly FaultRule[] = [];
  private readonly scaled = new Set<string>();
  /** Ports that an alarm had queued. */
  private readonly alarmed = new Set<string>();
  /** When ports were used on the last day of their notice. */
  private readonly unread = new Map<string, number>();
  private last: RecyclingReport["verdicts"] = { used: 0, idle: 0, unknown: 0 };

  constructor(world: EvidenceCloud, terms: YearTerms) {
    this.world = world;
    this.terms = terms;
  }

  async run(): Promise<YearReport> {
    const { world, terms } = this;
    this.loseLogs();
    await world.days(terms.days, async (day) => {
      await this.night();
      await this.visits(day);
      if (day % 30 === 29) terms.say?.(`day ${day + 1}: ${this.quarantined.size} ports were quarantined so far`);
    });
    const ports = await Promise.all(labelledPorts.map((port) => this.outcome(port)));
    return this.report(ports);
  }

  /** Collects, and runs the nightly job and the watch. */
  private async night(): Promise<void> {
    const { world } = this;
    const { app, policy } = world;
    await world.collect();
    const report = await recycle(app, { policy, deadlineAt: Number.POSITIVE_INFINITY, dryRun: false, from: null });
    if (report.failed.length > 0) throw new Error(`groups were not read: ${JSON.stringify(report.failed)}`);
    this.last = report.verdicts;
    await watchRecycling(app, { policy, deadlineAt: Number.POSITIVE_INFINITY });
    const { items } = await listRecyclingItems(app.tables, { states: ["quarantined"], limit: 1000 });
    for (const { groupName } of items) this.quarantined.add(groupName);
  }

  /** Everybody who comes on one day. */
  private async visits(day: number): Promise<void> {
    const { network, visits, port, cloud } = this.world;
    const { monthly, quarterly } = this.terms;
    const stranger = `${network}.240.${1 + (day % 250)}`;
    for (const [index, { name, label }] of labelledPorts.entries()) {
      const own = `${network}.200.${1 + index}`;
      const to = port(name);
      // Not all on one day.
      const isDue = (every: number): boolean => (day + index) % every === 0;
      if (label === "daily" || (label === "monthly" && isDue(monthly)) || (label === "quarterly" && isDue(quarterly)))
        this.note(name, await visits.session(own, to));
      if (label === "udpUsed" && isDue(monthly)) this.note(name, await visits.datagram(own, to));
      if (label === "scanned") await visits.scan(stranger, to);
      if (label === "probed") await visits.session(`${network}.210.9`, to);
      if (label === "balanced") this.note(name, await visits.session(`${network}.220.5`, to));
      if (label === "sameGroup") this.note(name, await visits.session(port(name, 1).address, to));
      if (label === "late") await this.lateVisit(day, name, own, isDue(monthly));
      if (label === "scaled") await this.scaledVisit((day + index) % monthly, name, own);
      if (label === "strayed" && isDue(monthly)) this.strayVisit(`eni-gone-${index}-${day}`, port(name).port, own);
      if (label === "lateRecord" && isDue(monthly)) this.lateRecord(name, own);
      if (label === "alarmed") await this.alarmedVisit((day + index) % monthly, name, own);
      if (label === "unread") await this.unreadVisit(day, { name, own });
    }
    const at = cloud.clock.now();
    const closed = named("closed").flatMap(({ name, port: number }) =>
      aClosedPort({ eniId: this.world.eniId(name), peer: stranger, port: number, at }),
    );
    putFlows(cloud, { project: "safeport", logstore: "flow-log" }, closed);
  }

  private note(name: string, welcome: "answered" | "refused"): void {
    if (welcome === "refused") this.turnedAway.push(name);
  }

  /** Comes once at the beginning, again when the port is quarantined, and from then on monthly: who came back is a user. */
  private async lateVisit(day: number, name: string, peer: string, isDue: boolean): Promise<void> {
    const { world } = this;
    const to = world.port(name);
    if (day === 0) {
      await world.visits.session(peer, to);
      return;
    }
    const hasCome = this.lateVisits.some((it) => it.name === name);
    if (hasCome && isDue) this.note(name, await world.visits.session(peer, to));
    if (hasCome || !this.quarantined.has(name)) return;
    const first = await world.visits.session(peer, to);
    // One window of the flow log, and one tick.
    await world.cloud.advance(WINDOW_MS - (world.cloud.clock.now() % WINDOW_MS) + 60_000);
    await watchRecycling(world.app, { policy: world.policy, deadlineAt: Number.POSITIVE_INFINITY });
    const again = await world.visits.session(peer, to);
    const { items } = await listRecyclingItems(world.app.tables, { groupId: `sg-${name}` as GroupId, limit: 1 });
    this.lateVisits.push({ name, peer, first, again, why: items[0]?.history.at(-1)?.why ?? "" });
  }

  /** Its host is in the group for three days of a month, is used on the first, and has left on the fourth. */
  private async scaledVisit(since: number, name: string, own: string): Promise<void> {
    const { world } = this;
    if (since === 0) {
      await world.scale("in", name, 1);
      this.note(name, await world.visits.session(own, world.port(name, 1)));
    }
    if (since === 3 && this.scaled.has(name)) await world.scale("out", name, 1);
    if (since === 0) this.scaled.add(name);
  }

  private put(records: readonly ReturnType<typeof aSession>[]): void {
    putFlows(this.world.cloud, { project: "safeport", logstore: "flow-log" }, records.flat());
  }

  private strayVisit(eniId: string, port: number, peer: string): void {
    this.put([aSession({ eniId, peer, port, at: this.world.cloud.clock.now() })]);
  }

  /** Of yesterday, after the log of yesterday was read. */
  private lateRecord(name: string, peer: string): void {
    const { world } = this;
    const at = world.cloud.clock.now() - 14 * 3_600_000;
    this.put([aSession({ eniId: world.eniId(name), peer, port: world.port(name).port, at })]);
  }

  /** Used once a month; four days after that the alarm says that nothing has come for 72 hours. */
  private async alarmedVisit(since: number, name: string, own: string): Promise<void> {
    const { app, policy, visits, port, instanceId } = this.world;
    if (since === 0) this.note(name, await visits.session(own, port(name)));
    if (since !== 4) return;
    const param = `${instanceId(name)}/tcp/${port(name).port}`;
    await optimiseInstance(app, { policy, param, deadlineAt: Number.POSITIVE_INFINITY });
    const { items } = await listRecyclingItems(app.tables, { groupId: `sg-${name}` as GroupId, limit: 1 });
    if (items.length > 0) this.alarmed.add(name);
  }

  /** Comes for the first time on the last day before the quarantine, of which the log is a day late, and monthly from then on. */
  private async unreadVisit(
    day: number,
    { name, own }: { readonly name: string; readonly own: string },
  ): Promise<void> {
    const { world, terms } = this;
    const { cloud, visits, port } = world;
    const now = cloud.clock.now();
    const came = this.unread.get(name);
    if (came === undefined) {
      const { items } = await listRecyclingItems(world.app.tables, { groupId: `sg-${name}` as GroupId, limit: 1 });
      const item = items[0];
      if (item?.state !== "noticed" || item.since + terms.notice * DAY_MS - now > DAY_MS) return;
      this.unread.set(name, day);
      const midnight = now - (now % DAY_MS);
      this.lost = [...this.lost, this.lossOf(name, midnight, midnight + DAY_MS)];
      cloud.faults.set(this.lost);
      this.note(name, await visits.session(own, port(name)));
      return;
    }
    if (day === came + 1) {
      const until = now - (now % DAY_MS);
      const eniId = world.eniId(name);
      this.put([
        aSession({ eniId, peer: own, port: port(name).port, at: now - DAY_MS }),
        aQuietLog([eniId], { from: until - DAY_MS, until }),
      ]);
    } else if ((day - came) % terms.monthly === 0) this.note(name, await visits.session(own, port(name)));
  }

  private lossOf(name: string, from: number, until: number): FaultRule {
    const match = { eniId: this.world.eniId(name) };
    return { service: "flowlog", match, fault: { kind: "drop-before" }, from, until };
  }

  /** Gaps once in a while, of more than a twentieth of the window; and logs that begin late. */
  private loseLogs(): void {
    const { world, terms } = this;
    const lost = (name: string, from: number, until: number): FaultRule =>
      this.lossOf(name, START_MS + from * DAY_MS, START_MS + until * DAY_MS);
    const length = Math.ceil(terms.window * 0.07);
    const gaps = named("gap").flatMap(({ name }) =>
      Array.from({ length: Math.ceil(terms.days / terms.window) + 1 }, (_, n) => n * (terms.window - length - 1)).map(
        (from) => lost(name, from + 1, from + 1 + length),
      ),
    );
    const young = named("youngLog").map(({ name }) => lost(name, 0, terms.days - Math.floor(terms.window / 2)));
    this.lost = [...gaps, ...young];
    world.cloud.faults.set(this.lost);
  }

  private async outcome({ name, label }: LabelledPort): Promise<PortOutcome> {
    const { app, cloud } = this.world;
    const { items } = await listRecyclingItems(app.tables, { groupId: `sg-${name}` as GroupId, limit: 1 });
    const rules = cloud.ecs.groups().find(({ groupId }) => groupId === `sg-${name}`)?.rules ?? [];
    return {
      ...{ name, label, fate: LABELS[label].fate, state: items[0]?.state ?? null },
      wasQuarantined: this.quarantined.has(name),
      stands: rules.some((rule) => rule.policy === "Accept" && rule.description === name),
      isDropped: rules.some((rule) => rule.policy === "Drop"),
    };
  }

  private report(ports: readonly PortOutcome[]): YearReport {
    const { lateVisits, turnedAway, last } = this;
    const idle = ports.filter(({ fate }) => fate === "deleted");
    const dropped = ports.filter(({ wasQuarantined, fate }) => wasQuarantined && fate !== "lifted");
    const all = last.used + last.idle + last.unknown;
    return {
      ...{ ports, lateVisits, last, turnedAway, alarmed: [...this.alarmed], unread: [...this.unread.keys()] },
      precision: dropped.filter(({ fate }) => fate === "deleted").length / Math.max(1, dropped.length),
      recall: idle.filter(({ state, stands }) => state === "deleted" && !stands).length / idle.length,
      unknown: last.unknown / Math.max(1, all),
    };
  }
}

/** What went otherwise than the labels say, in words; empty when all is well. */
export function wrongOf({ ports, lateVisits, turnedAway, alarmed, unread }: YearReport): readonly string[] {
  const wrong: string[] = [];
  for (const { name, fate, state, wasQuarantined, stands, isDropped } of ports) {
    if (fate === "kept" && wasQuarantined) wrong.push(`${name} was quarantined`);
    if (fate === "deleted" && (state !== "deleted" || stands)) wrong.push(`${name} is ${state}, and idle`);
    if (fate !== "deleted" && !stands) wrong.push(`${name} has lost its rule`);
    if (isDropped) wrong.push(`${name} is left with a drop`);
  }
  for (const { name } of ports.filter(({ fate }) => fate === "lifted")) {
    const visit = lateVisits.find((it) => it.name === name);
    if (visit === undefined) wrong.push(`nobody came late to ${name}`);
    else if (visit.first !== "refused") wrong.push(`the drop on ${name} stopped nobody`);
    else if (visit.again !== "answered") wrong.push(`the late visitor of ${name} was not let in again`);
    else if (!visit.why.includes(visit.peer)) wrong.push(`of ${name} it is not told who came: ${visit.why}`);
  }
  for (const { name } of named("alarmed")) if (!alarmed.includes(name)) wrong.push(`no alarm queued ${name}`);
  for (const { name } of named("unread")) if (!unread.includes(name)) wrong.push(`${name} was never noticed`);
  for (const name of new Set(turnedAway)) wrong.push(`a user of ${name} was turned away`);
  return wrong;
}
