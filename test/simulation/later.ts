// Feature: leases that start later. Nobody is let in before; and what was denied or locked down meanwhile may not open at all.
import type { LeaseId } from "../../shared/domain/ids.ts";
import { endLease } from "../../shared/usecases/lease/end-lease.ts";
import { openLease } from "../../shared/usecases/lease/open-lease.ts";
import type { Feature, Move } from "./feature.ts";
import { type Grant, wordsFor } from "./observed.ts";
import { GROUPS, NAMES } from "./sim-account.ts";
import { pause } from "./workload.ts";

const PORTS = ["2301", "2302"];

/** Somebody asks for a lease from a time on, and perhaps thinks better of it. */
const askingAhead: Move = async (world, dice) => {
  const group = dice.pick(GROUPS);
  const [port, source, principal] = [
    dice.pick(PORTS),
    dice.pick(["203.0.113.7", "203.0.113.8"]),
    dice.pick(["ann", "cai"]),
  ];
  const periodMs = dice.pick([60, 300, 1200]) * 1000;
  // Whole seconds, as the API takes them; time enough to be heard before.
  const startAt = Math.ceil((world.now() + dice.between(90_000, 20 * 60_000)) / 1000) * 1000;
  const grant: Grant = {
    ...{ leaseId: null, principal, groupId: group.groupId, rule: wordsFor(port, source) },
    ...{ askedAt: world.now(), startsAt: startAt, until: startAt + periodMs, promised: 0 },
    ...{ openedAt: null, endedAt: null, rides: false, breaksGlass: false, second: null },
  };
  world.grants.push(grant);
  const asker = () => world.asker(principal);
  const ask = {
    ...{ protocol: "tcp", port, sources: [source], group: NAMES[group.groupId] ?? null, instance: null, region: null },
    ...{ periodMs, reason: "tonight", ticket: "", startAt, breakGlass: false },
  };
  const idempotencyKey = `${world.seed}-${world.grants.length}`;
  await world.platform.start(
    "ask ahead",
    async (app) => {
      const { lease } = await openLease(app, asker(), ask, { mode: "create", idempotencyKey, dryRun: false });
      grant.leaseId = lease.request.leaseId;
    },
    4,
  );
  const { leaseId } = grant;
  if (leaseId === null || dice.happens(0.7)) return;
  await pause(world, dice, 25 * 60_000);
  const isHeard = await world.platform.start(
    "end ahead",
    (app) => endLease(app, asker(), leaseId as LeaseId, { dryRun: false }),
    5,
  );
  if (isHeard) grant.endedAt = world.now();
};

export const later: Feature = { chance: 0.3, policy: {}, moves: [[1, askingAhead]] };
