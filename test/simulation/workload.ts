// What people do in an hour of an account: each move is somebody's, from its beginning to its end.
import { formatCidr } from "../../shared/domain/cidr.ts";
import type { GroupRef, LeaseId, RuleId } from "../../shared/domain/ids.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import type { RuleToWrite } from "../../shared/ports/firewall.ts";
import type { App } from "../../shared/usecases/app.ts";
import { endLease } from "../../shared/usecases/lease/end-lease.ts";
import { extendLease } from "../../shared/usecases/lease/extend-lease.ts";
import { followLease } from "../../shared/usecases/lease/follow-lease.ts";
import { type LeaseAnswer, openLease } from "../../shared/usecases/lease/open-lease.ts";
import { aSpec, fromCidr, somePorts } from "../kit/rules.ts";
import type { Dice } from "../kit/schedule.ts";
import type { Move, Moves } from "./feature.ts";
import { type Grant, wordsFor, wordsOf } from "./observed.ts";
import { ENFORCED, GROUPS, NAMES, OBSERVED, type Person, UNGUARDED } from "./sim-account.ts";
import type { SimWorld } from "./sim-world.ts";

const SOURCES = ["203.0.113.7", "203.0.113.8", "198.51.100.9"];
const PORTS = ["22", "2201", "2202", "8000"];
/** Rules that stand from the beginning and that a lease can ride on. */
const RIDDEN: Readonly<Record<string, string>> = { "sg-web": "203.0.113.50", "sg-app": "203.0.113.60" };
/** A caller that never got an answer may have been heard so much later. */
export const TRIES_MS = 60_000;

export const ruleFor = (port: number, source: string): RuleSpec =>
  aSpec({ ports: somePorts(`${port}/${port}`), peer: fromCidr(source), priority: 1 });

export async function pause({ schedule }: SimWorld, dice: Dice, maxMs = 240_000): Promise<void> {
  await schedule.sleep(dice.pick([dice.between(0, 40), dice.between(0, 3000), dice.between(0, maxMs)]));
}

/** Somebody asks for a lease, and perhaps extends it, asks again, ends it early, or asks for the same as somebody else. */
const leasing: Move = async (world, dice) => {
  const group = dice.pick(GROUPS);
  const ridden = RIDDEN[group.groupId];
  const rides = ridden !== undefined && dice.happens(0.2);
  const source = rides ? ridden : dice.pick(SOURCES);
  const port = rides ? "22" : dice.pick(PORTS);
  const principal = dice.pick(["ann", "ben", "cai"]);
  const periodMs = dice.pick([60, 90, 300, 1200, 3600]) * 1000;
  const instance = !rides && group === ENFORCED && dice.happens(0.15) ? "i-web-1" : null;
  await leaseOf(world, dice, { group, rides, sources: [source], port, principal, periodMs, instance });
};

/** What somebody wants a lease of. */
export interface LeaseWish {
  readonly group: GroupRef;
  /** True where a rule that was there before serves it. */
  readonly rides: boolean;
  readonly sources: readonly [string, ...string[]];
  readonly port: string;
  readonly principal: string;
  readonly periodMs: number;
  /** The host that it is narrowed to; null for all of the group. */
  readonly instance: "i-web-1" | null;
  /** The address that whoever holds it has later on; none by default. */
  readonly movesTo?: string;
}

export async function leaseOf(world: SimWorld, dice: Dice, wish: LeaseWish): Promise<void> {
  const { group, rides, sources, port, principal, periodMs, instance, movesTo } = wish;
  const asker = () => world.asker(principal);
  const ask = {
    ...{
      protocol: "tcp",
      port,
      sources,
      instance,
      region: null,
      periodMs,
      reason: "to look",
      ticket: "",
      startAt: null,
      breakGlass: false,
    },
    group: instance === null ? (NAMES[group.groupId] ?? null) : null,
  };
  const grantOf = (source: string): Grant => ({
    leaseId: null,
    principal,
    groupId: group.groupId,
    rule: wordsFor(port, source, instance === null ? "-" : "127.10.0.11"),
    askedAt: world.now(),
    until: Number.POSITIVE_INFINITY,
    promised: 0,
    openedAt: null,
    endedAt: null,
    rides,
    breaksGlass: false,
    second: null,
  });
  const granted = sources.map(grantOf);
  for (const grant of granted) grant.beside = granted;
  world.grants.push(...granted);
  const [grant] = granted as [Grant, ...Grant[]];
  let told: LeaseAnswer | null = null;
  let wasOpen = false;
  const hear = (answer: LeaseAnswer): void => {
    told = answer;
    const { state, until } = answer.lease.status;
    // An answer before its time says how things stand, and that more may come of it: a lease that is asked for again lives longer.
    const awaited = Math.max(world.now() + TRIES_MS + periodMs, Number.isFinite(grant.until) ? grant.until : 0);
    const untilMax = answer.settled ? until : Math.max(until, awaited);
    const { leaseId } = answer.lease.request;
    for (const it of granted) Object.assign(it, { leaseId, until: untilMax, promised: until });
    if (state !== "open") return;
    // Whose rule somebody has removed since may be told that it is open until a second reading has shown that.
    if (!wasOpen) for (const it of granted) if (it.isSpoiled !== true) it.openedAt = world.now();
    wasOpen = true;
    for (const it of granted) for (const watch of world.watchers.opened) watch(it);
  };
  const outlast = (from: number): void => {
    for (const it of granted) it.until = Math.max(from, world.now() + TRIES_MS + periodMs);
  };
  const mode = dice.happens(0.3) ? "repeat" : "create";
  const idempotencyKey = `${world.seed}-${world.grants.length}`;
  await world.platform.start(
    "open",
    async (app) => hear(await openLease(app, asker(), ask, { mode, idempotencyKey, dryRun: false })),
    6,
  );
  // What nobody was told of may have been booked all the same.
  if (told === null) outlast(0);
  const { leaseId } = grant;
  if (leaseId === null) return;
  for (let more = dice.between(0, 2); more > 0; more--) {
    await pause(world, dice);
    if (dice.happens(0.5)) {
      const before = grant.until;
      outlast(before);
      const isHeard = await world.platform.start(
        "extend",
        async (app) => hear(await extendLease(app, asker(), leaseId as LeaseId, periodMs, { dryRun: false })),
        3,
      );
      if (!isHeard) outlast(before);
    } else if (dice.happens(0.4)) {
      // From the moment of asking on it may close; that it has to, is known from the answer on.
      const same = world.grants.filter((it) => it.leaseId === leaseId);
      for (const it of same) it.openedAt = null;
      const isHeard = await world.platform.start(
        "end",
        async (app) => {
          await endLease(app, asker(), leaseId as LeaseId, { dryRun: false });
        },
        5,
      );
      if (isHeard) for (const it of same) it.endedAt = world.now();
      return;
    }
  }
  if (movesTo === undefined || !wasOpen) return;
  await pause(world, dice);
  await follow(world, grant, leaseId as LeaseId, movesTo, wordsFor(port, movesTo));
}

/** Whoever has a lease has it follow them to another address. Of the two at least one lets them in until its end. */
async function follow(world: SimWorld, old: Grant, leaseId: LeaseId, to: string, rule: string): Promise<void> {
  const { principal, until } = old;
  const moved: Grant = {
    ...old,
    leaseId: null,
    rule,
    askedAt: world.now(),
    promised: 0,
    openedAt: null,
    endedAt: null,
  };
  Object.assign(moved, { until: until + TRIES_MS, beside: undefined, isSpoiled: undefined });
  world.grants.push(moved);
  // From the moment of asking on it may close; that it has to, is known from the answer on.
  const same = world.grants.filter((it) => it.leaseId === leaseId);
  for (const it of same) it.openedAt = null;
  const hear = ({ lease: { request, status } }: LeaseAnswer): void => {
    Object.assign(moved, { leaseId: request.leaseId, until: Math.max(status.until, until), promised: status.until });
    if (status.state !== "open") return;
    moved.openedAt ??= world.now();
    for (const watch of world.watchers.opened) watch(moved);
  };
  const act = async (app: App): Promise<void> =>
    hear(await followLease(app, world.asker(principal), leaseId, { to, from: null }, { dryRun: false }));
  const isHeard = await world.platform.start("follow", act, 4);
  if (isHeard && moved.openedAt !== null) for (const it of same) it.endedAt = world.now();
  // What nobody was told of may have been booked all the same, for what was left of the old one by then.
  moved.until = Math.max(moved.until, old.until);
}

/** Requests that make no sense, or ask for too much: refused, and nothing changes. */
const nonsense: Move = async (world, dice) => {
  const port = dice.pick(["0", "65536", "22-", "abc", "22", "-1", "1/70000", ""]);
  const source = dice.pick(["0.0.0.0/0", "256.1.1.1", "::/0", "1.2.3.4/33", "10.0.0.0/8", "x"]);
  const ask = {
    ...{
      protocol: dice.pick(["tcp", "udp", "sctp"]),
      port,
      sources: [source],
      region: null,
      ticket: "",
      startAt: null,
      breakGlass: false,
    },
    ...{
      group: dice.pick(["web", "none-such"]),
      instance: null,
      periodMs: dice.pick([0, 1000, 600_000, 1e15]),
      reason: "x",
    },
  };
  const isRefused = source !== "10.0.0.0/8" || port === "22";
  if (!isRefused) return;
  await world.platform.start(
    "nonsense",
    (app) => openLease(app, world.asker("eve"), ask, { mode: "create", idempotencyKey: null, dryRun: false }),
    1,
  );
};

/** Somebody opens what nobody granted, in a group that is enforced: it has to be gone at the end. */
const junk: Move = async (world, dice) => {
  const mallory = world.person("mallory");
  const spec = ruleFor(dice.pick([3306, 6379]) + dice.between(0, 9), dice.pick(["0.0.0.0/0", "198.51.100.0/24"]));
  await mallory.firewall
    .authorize(ENFORCED, [{ spec, description: "" }], mallory.token(), "open")
    .catch(() => undefined);
};

/** Somebody changes or removes what was granted, in a group that is enforced: it has to be back at the end. */
const damage: Move = async (world, dice) => {
  const mallory = world.person("mallory");
  const { groupId } = ENFORCED;
  const granted = world.rules(ENFORCED).filter((rule) => {
    const words = wordsOf(rule);
    return world.baseline.get(groupId)?.has(words) || world.allocations.mayStand(groupId, words);
  });
  const rule = granted.length > 0 ? dice.pick(granted) : undefined;
  if (rule === undefined) return;
  // What was granted once and was taken back may be a lease's by now.
  endLeasesBy(world, ENFORCED, wordsOf(rule));
  if (dice.happens(0.5))
    await mallory.firewall.revoke(ENFORCED, [rule.ruleId as RuleId], mallory.token(), "end").catch(() => undefined);
  else {
    const to: RuleToWrite = { spec: ruleFor(dice.between(10_000, 10_100), "0.0.0.0/0"), description: "moved" };
    await mallory.firewall.modify(ENFORCED, rule.ruleId as RuleId, to, mallory.token(), "end").catch(() => undefined);
  }
};

/** Rules that are their writer's alone: added, changed and removed, and not the program's business. */
const ownRules =
  (who: Person, group: GroupRef, ports: number, source: (n: number) => string): Move =>
  async (world, dice) => {
    const writer = world.person(who);
    const untouchable = world.untouchable.get(group.groupId);
    for (let n = dice.between(1, 4); n > 0; n--) {
      const own = world
        .rules(group)
        .filter((rule) => world.born.get(rule.ruleId)?.who === who && untouchable?.has(wordsOf(rule)));
      const it = own.length > 0 ? dice.pick(own) : undefined;
      const next = ruleFor(ports + dice.between(0, 20), source(dice.between(0, 20)));
      const to = { spec: next, description: `${who} ${n}` };
      const kind = dice.between(0, 3);
      if (it === undefined || kind < 2) {
        untouchable?.add(wordsOfSpec(next));
        await writer.firewall.authorize(group, [to], writer.token(), "open").catch(() => undefined);
      } else if (kind === 2) {
        untouchable?.add(wordsOfSpec(next));
        await writer.firewall.modify(group, it.ruleId as RuleId, to, writer.token(), "end").catch(() => undefined);
      } else await writer.firewall.revoke(group, [it.ruleId as RuleId], writer.token(), "end").catch(() => undefined);
      await pause(world, dice);
    }
  };

function wordsOfSpec({ peer, ports }: RuleSpec): string {
  if (peer.kind !== "cidr" || ports.kind !== "range") throw new RangeError("people here write plain rules");
  return wordsFor(ports.range.from, formatCidr(peer.cidr));
}

/** Somebody has their hands on the rule of leases: it is not known any more whether they are open. */
function endLeasesBy(world: SimWorld, { groupId }: GroupRef, words: string): void {
  for (const grant of world.grants) {
    if (grant.groupId !== groupId || grant.rule !== words || grant.endedAt !== null) continue;
    grant.openedAt = null;
    // What it has of other sources may end with that.
    const { beside = [] } = grant;
    if (beside.length > 1) for (const it of beside) Object.assign(it, { openedAt: null, isSpoiled: true });
  }
}

/** Somebody removes a rule of a lease, or copies its mark elsewhere, or changes it in place. */
const meddling: Move = async (world, dice) => {
  const dave = world.person("dave");
  const group = dice.pick([OBSERVED, UNGUARDED]);
  const ours = world.rules(group).filter((rule) => rule.description.startsWith("safeport/1 "));
  const rule = ours.length > 0 ? dice.pick(ours) : undefined;
  if (rule === undefined) return;
  const words = wordsOf(rule);
  const end = (): void => endLeasesBy(world, group, words);
  const kind = dice.between(0, 2);
  if (kind === 0) {
    end();
    await dave.firewall.revoke(group, [rule.ruleId as RuleId], dave.token(), "end").catch(() => undefined);
  } else if (kind === 1) {
    const spec = ruleFor(dice.between(11_000, 11_050), "198.51.100.77/32");
    world.untouchable.get(group.groupId)?.add(wordsOfSpec(spec));
    await dave.firewall
      .authorize(group, [{ spec, description: rule.description }], dave.token(), "open")
      .catch(() => undefined);
  } else {
    end();
    const spec = ruleFor(dice.between(12_000, 12_050), "198.51.100.0/24");
    await dave.firewall
      .modify(group, rule.ruleId as RuleId, { spec, description: "wider" }, dave.token(), "end")
      .catch(() => undefined);
  }
};

/** What happens in every account. */
export const moves: Moves = [
  [10, leasing],
  [1, nonsense],
  [2, junk],
  [2, damage],
  [2, ownRules("dms", ENFORCED, 3300, (n) => `100.104.${n}.0/24`)],
  [2, ownRules("dave", UNGUARDED, 7000, () => "0.0.0.0/0")],
  [1, ownRules("erin", OBSERVED, 7100, (n) => `10.${n}.0.0/16`)],
  [2, meddling],
];

/** One of them. */
export function drawMove(dice: Dice, among: Moves): Move {
  let left = dice.between(0, among.reduce((sum, [weight]) => sum + weight, 0) - 1);
  const drawn = among.find(([weight]) => {
    left -= weight;
    return left < 0;
  });
  if (drawn === undefined) throw new RangeError("there are no moves");
  return drawn[1];
}
