// When rules were changed without getting another id, as far as anybody can know.
import { beforeEach, expect, test } from "vitest";
import type { Cidr } from "../../../shared/domain/cidr.ts";
import type { RuleId } from "../../../shared/domain/ids.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { addSighting } from "../../../shared/store/sightings.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { ChangesInPlace } from "../../../shared/usecases/group/changes-in-place.ts";
import { aSighting } from "../../kit/drift-pictures.ts";
import { aCidr, aRule } from "../../kit/rules.ts";
import { type AppWorld, appWorld, GROUP, START } from "./app-world.ts";

const DAY = 86_400_000;
const id = "sgr-1" as RuleId;
const rule = aRule({ id, peer: { kind: "prefixList", prefixListId: "pl-1" } });
let world: AppWorld;
let prefixes: App["inventory"]["prefixes"];

const holds = (...blocks: readonly string[]): void => {
  prefixes = async (): Promise<readonly Cidr[]> => blocks.map(aCidr);
};
const fails = (kind: "refused" | "throttled"): void => {
  prefixes = async () => Promise.reject(new CloudFailure(kind, "DescribePrefixListAttributes"));
};

/** What a night's job finds, and keeps, so many days after the start. */
async function night(day: number, of: Rule = rule): Promise<number | null> {
  const { app } = world;
  const now = START + day * DAY;
  const changes = await ChangesInPlace.read({ ...app, inventory: { ...app.inventory, prefixes } }, GROUP, [of]);
  await changes.remember([of], now);
  const at = changes.of(of, now);
  return at === null ? null : (at - START) / DAY;
}

beforeEach(async () => {
  world = await appWorld();
  holds("10.0.0.0/8", "192.0.2.0/24");
});

test("a rule is changed with the prefix list that it names", async () => {
  expect([await night(0), await night(1)]).toEqual([null, null]);
  holds("192.0.2.0/24", "10.0.0.0/8");
  expect(await night(2), "in another order").toBeNull();
  holds("192.0.2.0/24");
  expect([await night(3), await night(4)]).toEqual([3, 3]);
});

test("a list that nobody may look into is as it was, and is compared again afterwards", async () => {
  await night(0);
  fails("refused");
  expect(await night(1)).toBeNull();
  holds("198.51.100.0/24");
  expect(await night(2)).toBe(2);
  fails("throttled");
  await expect(night(3)).rejects.toThrow(CloudFailure);
});

test("rows of before lists were looked into say nothing of a change", async () => {
  fails("refused");
  await night(0);
  holds("198.51.100.0/24");
  expect(await night(1)).toBeNull();
});

test("a change is remembered for longer than its event is kept", async () => {
  const { tables } = world;
  const same = aRule({ id });
  const call = { kind: "modify", operation: "ModifySecurityGroupRule", ruleIds: [id] } as const;
  await night(0, same);
  await addSighting(tables, aSighting({ ...call, groupId: GROUP.groupId, at: START + DAY }));
  expect(await night(2, same)).toBe(1);
  const { rows } = await tables.range({ table: "sighting", from: [GROUP.groupId], to: ["~"], limit: 10 });
  for (const { key } of rows) await tables.delete("sighting", key, { kind: "none" });
  expect(await night(20, same)).toBe(1);
});
