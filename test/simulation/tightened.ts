// Feature: the policy is tightened for a time. What it grants no more opens no more; what was granted stays to its end, and ends.
import type { Cidr } from "../../shared/domain/cidr.ts";
import { parseCidr } from "../../shared/domain/cidr.ts";
import type { GrantRule } from "../../shared/domain/grant-policy.ts";
import type { Policy } from "../../shared/domain/policy.ts";
import type { Dice } from "../kit/schedule.ts";
import type { Feature, Move } from "./feature.ts";
import type { SimWorld } from "./sim-world.ts";

const MINUTE_MS = 60_000;
const BARRED = "203.0.113.8";

const whileItLasts = ({ schedule }: SimWorld, dice: Dice): Promise<void> =>
  schedule.sleep(dice.between(MINUTE_MS, 40 * MINUTE_MS));

const ruleOf = (name: string, effect: GrantRule["effect"], sources: readonly Cidr[] | null): GrantRule => ({
  ...{ name, effect, sources, persons: [], roles: [], where: null, protocols: null, ports: null },
  ...{ periodMaxMs: null, isTicketNeeded: false, portsMax: null, sourceWidthMax: null, approvals: 0 },
});

/** An address gets nothing more for some time. */
const narrowing: Move = async (world, dice) => {
  const { policies } = world;
  if (policies.barredSince.has(BARRED)) return;
  const cidr = parseCidr(BARRED);
  if (cidr === null) throw new RangeError(`${BARRED} is no address`);
  policies.barredSince.set(BARRED, world.now());
  const grants = [ruleOf("not from there", "deny", [cidr]), ruleOf("all else", "allow", null)];
  policies.change(`grants ${BARRED} nothing`, () => ({ grants }));
  await whileItLasts(world, dice);
  policies.change(`grants ${BARRED} what it did`, () => ({ grants: [] }));
  policies.barredSince.delete(BARRED);
};

/** Leases are shorter for some time; those that are open are not. */
const shortening: Move = async (world, dice) => {
  const periods = (periodMaxMs: number, totalMaxMs: number) => (policy: Policy) => ({
    lease: { ...policy.lease, periodMaxMs, totalMaxMs },
  });
  const { periodMaxMs, totalMaxMs } = world.policy.lease;
  const short = 5 * MINUTE_MS;
  if (periodMaxMs === short) return;
  world.policies.change("has shorter leases", periods(short, 2 * short));
  await whileItLasts(world, dice);
  world.policies.change("has leases as long as before", periods(periodMaxMs, totalMaxMs));
};

/** What nobody uses is left alone for twice as long for some time, in accounts that recycle. */
const waiting: Move = async (world, dice) => {
  if (world.policy.recycling.groups.length === 0) return;
  const times =
    (by: number) =>
    ({ recycling }: Policy) => ({
      recycling: { ...recycling, noticeMs: recycling.noticeMs * by, quarantineMs: recycling.quarantineMs * by },
    });
  world.policies.change("waits longer with what nobody uses", times(2));
  await whileItLasts(world, dice);
  world.policies.change("waits no longer than before", times(0.5));
};

export const tightened: Feature = {
  chance: 0.2,
  policy: {},
  moves: [
    [2, narrowing],
    [1, shortening],
    [1, waiting],
  ],
};
