// The transactions of nft that a change of rules makes: as large as the change, whatever the number of groups.
import { expect, test } from "vitest";
import { type Cidr, parseCidr } from "../../../../local/dataplane/cidr.ts";
import { changeScript, tableOf, wholeScript } from "../../../../local/dataplane/nft-script.ts";
import { type Policies, PolicyResolver } from "../../../../local/dataplane/policy.ts";
import type { Group } from "../../../../local/dataplane/topology.ts";
import { aGroup, anEni, aRule, aTopology } from "./builders.ts";

const TABLE = "safeport_text";
const RULES = 200;
const block = (text: string): Cidr => {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(`not a block: ${text}`);
  return parsed;
};
const tableText = (policies: Policies) =>
  tableOf(policies, {
    ...{ tableName: TABLE, establishedAfterDeny: "cut", mapped: new Map() },
    ...{ range: block("127.10.0.0/16"), range6: block("fd00:7f0a::/32") },
  });

/** What a change of one rule costs in an account of so many groups: commands for nft, and interfaces that are decided anew. */
function costOfOneRule(count: number): { readonly commands: number; readonly changed: number; readonly whole: number } {
  const rules = Array.from({ length: RULES }, (_, at) =>
    aRule({ ruleId: `sgr-${at}`, portRange: `${10_000 + at}/${10_000 + at}`, sourceCidrIp: `10.0.${at}.0/24` }),
  );
  const groups = Array.from({ length: count }, (_, index) =>
    aGroup(`sg-${index}`, rules, { innerAccessPolicy: "Drop" }),
  );
  const enis = groups.map(({ groupId }, index) => anEni(`127.10.0.${index + 1}`, [groupId]));
  const world = (own: readonly Group[]) => aTopology({ groups: own, enis, instances: [] });
  const resolver = new PolicyResolver();
  const before = resolver.resolve(world(groups), { destCidrIp: "honoured" });
  const changed = groups.map((group, index) =>
    index === 1 ? { ...group, rules: [...rules, aRule({ ruleId: "sgr-new", sourceCidrIp: "127.0.0.1" })] } : group,
  );
  const after = resolver.resolve(world(changed), { destCidrIp: "honoured" });
  const script = changeScript(tableText(before), tableText(after), TABLE) ?? "";
  expect(script).toContain("127.0.0.1");
  return {
    commands: script.trimEnd().split("\n").length,
    changed: after.all.filter(({ merged }, at) => merged !== before.all[at]?.merged).length,
    whole: wholeScript(tableText(after), TABLE).split("\n").length,
  };
}

test("a changed rule costs the chain of its own group, however many groups there are", () => {
  const few = costOfOneRule(2);
  const many = costOfOneRule(200);
  expect({ ...many, whole: 0 }).toEqual({ ...few, whole: 0 });
  expect([many.changed, many.commands < RULES + 10, many.whole > 200 * RULES]).toEqual([1, true, true]);
});
