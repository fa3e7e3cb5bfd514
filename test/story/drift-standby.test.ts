// Drops of ours on prefix lists, and what lockdowns put into these lists, in a group that is guarded: none of it is drift.
import { afterEach, expect, test } from "vitest";
import type { RuleId } from "../../shared/domain/ids.ts";
import { GuardedWorld } from "../kit/guarded-world.ts";
import { callByOther } from "../kit/other-calls.ts";
import { filled, lift, lock, STANDBY_POLICY } from "../kit/standby-world.ts";
import { listsProbed } from "../kit/switch-under-test.ts";

let guarded: GuardedWorld;
afterEach(() => guarded?.world.stop());

const POLICY = { ...STANDBY_POLICY, lockdown: { ...STANDBY_POLICY.lockdown, prefixLists: [{ groups: ["web"] }] } };
const withLists = { policy: POLICY, lockdownLists: true, switches: listsProbed, inMemory: true };

async function drops(): Promise<readonly RuleId[]> {
  const found = (await guarded.rules()).filter(({ peer }) => peer.kind === "prefixList");
  return found.flatMap(({ id }) => id ?? []);
}

test.each([
  ["observe", "as they came"],
  ["observe", "backwards"],
  ["enforce", "as they came"],
  ["enforce", "backwards"],
] as const)(
  "%s: our drops and our changes of the lists are no drift, their events delivered %s",
  async (guard, order) => {
    guarded = await GuardedWorld.start({ guard, ...withLists });
    const { world } = guarded;
    const told = async (): Promise<readonly string[]> => {
      const records = await guarded.events();
      for (const record of order === "backwards" ? [...records].reverse() : records) await guarded.deliver(record);
      await guarded.compare();
      expect(await guarded.drift()).toEqual([]);
      return records.map((record) => String(record["eventName"]));
    };
    await world.ticks(2);
    expect(await told()).toContain("AuthorizeSecurityGroup");
    const standing = await drops();
    expect(standing.length).toBeGreaterThan(0);
    const { lockdownId } = await lock(world, ["web"]);
    expect(filled(world).every((blocks) => blocks > 0)).toBe(true);
    expect(await told()).toContain("ModifyPrefixList");
    await world.ticks(2);
    await lift(world, lockdownId);
    expect(await told()).toContain("ModifyPrefixList");
    await world.ticks(2);
    expect(await drops()).toEqual(standing);
    expect(filled(world).every((blocks) => blocks === 0)).toBe(true);
    // People are told of lists that somebody else has changed, and not of these.
    const { rows } = await world
      .process()
      .tables.range({ table: "outbox", from: [0, 0, ""], to: [9, 0, ""], limit: 100 });
    expect(rows.filter(({ columns }) => String(columns["body"]).includes("reachChanged"))).toEqual([]);
  },
);

test("a list of ours that somebody fills in peace is emptied, by its event, and its drops are no drift", async () => {
  guarded = await GuardedWorld.start(withLists);
  const { world } = guarded;
  await world.ticks(2);
  await guarded.settle();
  const [rule] = (await guarded.rules()).filter(({ peer }) => peer.kind === "prefixList");
  const listId = rule?.peer.kind === "prefixList" ? rule.peer.prefixListId : "";
  await callByOther(world, "ModifyPrefixList", { PrefixListId: listId, "AddEntry.1.Cidr": "198.51.100.0/24" });
  expect(filled(world)).toContain(1);
  await guarded.settle();
  await world.ticks(1);
  expect(filled(world).every((blocks) => blocks === 0)).toBe(true);
  expect(await guarded.drift()).toEqual([]);
});
