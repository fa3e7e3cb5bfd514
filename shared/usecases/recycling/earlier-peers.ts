// Who used a rule before its quarantine: as far back as evidence lives when it begins, and what was told late of that time afterwards.
import { type Day, dayAfter, dayOf } from "../../domain/evidence.ts";
import type { GroupRef } from "../../domain/ids.ts";
import { countsFrom, type EarlierPeers, type Quarantine, type RecyclingItem } from "../../domain/recycling-item.ts";
import type { EvidencePolicy } from "../../domain/recycling-policy.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { EarlierTally } from "../../plan/watch-quarantine.ts";
import { listCollections } from "../../store/collection.ts";
import type { App } from "../app.ts";
import { daysOf, type GroupHost } from "../group/group-hosts.ts";
import { inParallel } from "../in-parallel.ts";

/** An item whose drop stands, or is about to. */
export type Quarantined = RecyclingItem & { readonly quarantine: Quarantine };

/** As far back as evidence lives. */
export const EVIDENCE_DAYS = 400;
const AT_A_TIME = 16;
/** Of quarantines that do not say from where on what they know may change. */
const LATE_DAYS = 3;

/** Whose sessions by a rule are asked for: from a day on, before an instant. */
export interface EarlierAsk {
  readonly rule: RuleSpec;
  readonly from: Day;
  readonly before: number;
}

/** Everybody who had a real session, for each ask in its order; every host is read once for all of them. */
export async function readEarlier(
  app: Pick<App, "tables">,
  hosts: readonly GroupHost[],
  asks: readonly EarlierAsk[],
  recycling: EvidencePolicy,
): Promise<readonly EarlierPeers[]> {
  const tallies = asks.map(({ rule, from, before }) => ({ from, tally: new EarlierTally(rule, before, recycling) }));
  const from = asks.map((ask) => ask.from).sort()[0];
  if (from !== undefined) {
    const until = dayAfter(dayOf(Math.max(...asks.map(({ before }) => before))), 1);
    await inParallel(
      hosts,
      async (host) => {
        for await (const day of daysOf(app, host, from, until))
          for (const { from: first, tally } of tallies) if (first <= day.day) tally.day(day);
      },
      AT_A_TIME,
    );
  }
  return tallies.map(({ tally }) => tally.peers());
}

/** The first day of which the sources may still tell something: what lies before was read for the last time. */
export async function firstOpenDay(
  app: Pick<App, "tables">,
  { region }: GroupRef,
  { windowDays, sources }: EvidencePolicy,
  now: number,
): Promise<Day> {
  // So far back a log is read that was down.
  const floor = dayAfter(dayOf(now), -windowDays - 1);
  // One that the policy names no more tells nothing any more, and load balancers of nobody by name.
  const telling = sources.filter((source) => source !== "balancer");
  const own = (await listCollections(app.tables)).filter(
    (it) => it.region === region && telling.some((source) => source === it.source),
  );
  if (own.length === 0) return floor;
  // Of one that cannot be read everything may still be told.
  const read = dayOf(Math.min(...own.map(({ collection }) => collection?.againUntil ?? 0)));
  return read < floor ? floor : read;
}

/** Where to look for what came late; null when everything of the time before the quarantine was read for the last time. */
export function lateFrom({ earlierFrom, at }: Quarantine): Day | null {
  if (at === null) return null;
  const from = earlierFrom ?? dayAfter(dayOf(at), -LATE_DAYS);
  return from > dayOf(at) ? null : from;
}

/** For each item those who were known when its quarantine began, and whoever the evidence tells of by now. */
export async function earlierNow(
  app: Pick<App, "tables">,
  hosts: readonly GroupHost[],
  items: readonly Quarantined[],
  recycling: EvidencePolicy,
): Promise<readonly EarlierPeers[]> {
  const asks = items.map(({ kept, quarantine }) => {
    const from = lateFrom(quarantine);
    return from === null ? null : { rule: kept.spec, from, before: countsFrom(quarantine) ?? 0 };
  });
  const late = await readEarlier(
    app,
    hosts,
    asks.filter((ask) => ask !== null),
    recycling,
  );
  let next = 0;
  return items.map(({ quarantine: { earlier } }, index) => {
    const more = asks[index] === null ? undefined : late[next++];
    return more === undefined
      ? earlier
      : { blocks: [...new Set([...earlier.blocks, ...more.blocks])], more: earlier.more || more.more };
  });
}
