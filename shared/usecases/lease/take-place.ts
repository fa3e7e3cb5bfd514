// How many leases one person may have at a time.
import { personOf } from "../../domain/grant-policy.ts";
import type { LeaseId } from "../../domain/ids.ts";
import { isFinal } from "../../domain/lease.ts";
import { fail } from "../../errors/app-error.ts";
import { getKeptLease } from "../../store/leases.ts";
import { type Places, readPlaces, writePlaces } from "../../store/places.ts";
import type { App, Caller } from "../app.ts";

/** A place may be taken so long before its lease has a row; after that its opener has died. */
const BOOKING_MS = 60_000;

/**
 * Takes a place for a lease before it is booked, or throws LEASES_TOO_MANY. Places are taken by compare-and-set, so that requests at the
 * same time do not share one; those of leases that are over are given back when somebody needs one. The place of the lease that this one
 * takes over from (`follows`) counts once for both. Costs nothing without a limit.
 */
export async function takePlace(app: App, caller: Caller, leaseId: LeaseId, follows?: LeaseId): Promise<void> {
  for (;;) {
    const places = await placeFor(app, caller, leaseId, follows);
    if (places === null || (await writePlaces(app.tables, places))) return;
    await app.clock.sleep(5 * (1 + app.random.fraction() * 4));
  }
}

/** The person's places with one for the lease; null where it has one, or there is no limit. Throws LEASES_TOO_MANY. */
export async function placeFor(
  app: App,
  { policy, principal }: Caller,
  leaseId: LeaseId,
  follows?: LeaseId,
): Promise<Places | null> {
  const max = policy.lease.openMax;
  if (max === null) return null;
  const person = personOf(policy, principal);
  const places = await readPlaces(app.tables, person);
  if (places.leases.some((it) => it.leaseId === leaseId)) return null;
  const now = app.clock.now();
  const taken = places.leases.length < max ? places.leases : await stillTaken(app, places.leases, now);
  const count = taken.filter((it) => it.leaseId !== follows).length;
  if (count >= max) throw fail("LEASES_TOO_MANY", { person, count, max });
  return { ...places, leases: [...taken, { leaseId, at: now }] };
}

async function stillTaken<Place extends { readonly leaseId: LeaseId; readonly at: number }>(
  app: App,
  places: readonly Place[],
  now: number,
): Promise<readonly Place[]> {
  const leases = await Promise.all(places.map((it) => getKeptLease(app.tables, it.leaseId)));
  return places.filter((place, index) => {
    const lease = leases[index] ?? null;
    // Nobody knows that it is over.
    if (lease === "unreadable") return true;
    return lease === null ? now - place.at < BOOKING_MS : !isFinal(lease.status.state);
  });
}
