// A change of the policy where the cloud does not tell of all that it is about.
import { beforeEach, expect, test } from "vitest";
import { checkedPolicyText, policyOfRow } from "../../../shared/config/policy-schema.ts";
import { warningsOfText } from "../../../shared/config/policy-warnings.ts";
import { CloudFailure, type CloudFailureKind } from "../../../shared/ports/firewall.ts";
import { readPolicy, writeFirstPolicy, writePolicy } from "../../../shared/store/policy.ts";
import { listRecords } from "../../../shared/store/records.ts";
import type { App } from "../../../shared/usecases/app.ts";
import {
  changePolicy,
  confirmPolicy,
  getPolicyView,
  type PolicyDocuments,
  withdrawPolicy,
} from "../../../shared/usecases/policy/change-policy.ts";
import { type AppWorld, appWorld, GROUP } from "./app-world.ts";

const documents: PolicyDocuments = {
  textOf: checkedPolicyText,
  policyOf: (row) => policyOfRow(row, GROUP.region),
  warningsOf: warningsOfText,
};
const options = { dryRun: false, deadlineAt: Number.POSITIVE_INFINITY };
const guards = { web: "observe" };
/** In force, with a region that is none. */
const inForce = { regions: [GROUP.region, "cn-hangzou"], groups: { guards } };

let world: AppWorld;
beforeEach(async () => {
  world = await appWorld();
  await writeFirstPolicy(world.tables, checkedPolicyText(inForce));
});

/** The world's program, with a cloud that has this region only. */
function oneRegion(kind: CloudFailureKind = "refused"): App {
  const { app } = world;
  const listGroups: App["inventory"]["listGroups"] = async (region, priority) => {
    if (region !== GROUP.region) throw new CloudFailure(kind, "DescribeSecurityGroups");
    return app.inventory.listGroups(region, priority);
  };
  return { ...app, inventory: { ...app.inventory, listGroups } };
}

const change = (app: App, document: object) =>
  changePolicy(app, world.caller("ann", "admin"), documents, { document, reason: "", base: null }, options);

test("a region that is none, or does not answer, is left again, and what is seen of the others is told", async () => {
  const asked = await change(oneRegion(), { regions: [GROUP.region], groups: { guards } });
  expect(asked).toMatchObject({ state: "pending", preview: { away: ["cn-hangzou"], looked: 1, groups: 1 } });
  const carol = world.caller("carol", "admin");
  await confirmPolicy(oneRegion("unknown"), carol, documents, asked.digest ?? "", options);
  expect(await readPolicy(world.tables)).toMatchObject({ version: 2, confirmedBy: "carol" });
  // Nothing is away any more, so that what allows less is in force at once.
  const shorter = { regions: [GROUP.region], groups: { guards }, lease: { periodMax: 600 } };
  expect(await change(oneRegion(), shorter)).toMatchObject({ state: "applied", preview: { away: [] } });
});

test("what can be confirmed no more is not said to wait: what is in force already, and what another change has overtaken", async () => {
  const app = oneRegion();
  const waiting = async () => (await getPolicyView(app, null)).pending?.base ?? null;
  const longer = (periodMax: number) => ({ ...inForce, lease: { periodMax } });
  const { digest } = await change(app, longer(36_000));
  expect(await waiting()).toBe(1);
  // Whoever confirms dies before what waited is taken away.
  const remove = () => Promise.reject(new Error("dies"));
  const dying = { ...app, tables: { ...app.tables, delete: remove } };
  const carol = world.caller("carol", "admin");
  await expect(confirmPolicy(dying, carol, documents, digest ?? "", options)).rejects.toThrow("dies");
  expect([(await readPolicy(world.tables))?.version, await waiting()]).toEqual([2, null]);
  await change(app, longer(40_000));
  expect([await waiting(), (await getPolicyView(app, 1)).pending?.base]).toEqual([2, 2]);
  await writePolicy(world.tables, { version: 3, text: "{}", by: "dora", confirmedBy: null, at: 1, reason: "" });
  expect([await waiting(), (await getPolicyView(app, 1)).pending]).toEqual([null, null]);
});

test("what waits and cannot be read hides no policy, and is withdrawn like anything else", async () => {
  await world.tables.put("policy", ["pending", 0], { base: "1", text: "{}" }, { kind: "none" });
  expect(await getPolicyView(world.app, null)).toMatchObject({ inForce: { version: 1 }, pending: null });
  await withdrawPolicy(world.app, world.caller("ann", "admin"));
  expect(await world.tables.get("policy", ["pending", 0])).toBeNull();
  const { records } = await listRecords(world.tables, { limit: 1, before: null });
  expect(records[0]?.lines).toEqual(["what waited and could not be read was withdrawn"]);
});

test("a region that is none does not come in, and whoever is asked too often is asked again", async () => {
  const more = { ...inForce, regions: [...inForce.regions, "cn-bejing"] };
  await expect(change(oneRegion(), more)).rejects.toMatchObject({ operation: "DescribeSecurityGroups" });
  const shorter = { ...inForce, lease: { periodMax: 600 } };
  await expect(change(oneRegion("throttled"), shorter)).rejects.toMatchObject({ kind: "throttled" });
  expect(await readPolicy(world.tables)).toMatchObject({ version: 1 });
});

test("a group that cannot be asked for hides no other change, and takes a second person", async () => {
  const app = oneRegion();
  const readGroup = () => Promise.reject(new CloudFailure("refused", "DescribeSecurityGroupAttribute"));
  const blind = { ...app, firewall: { ...app.firewall, readGroup } };
  const asked = await change(blind, { ...inForce, lease: { periodMax: 600 } });
  const preview = { away: ["cn-hangzou", "sg-web"], looked: 0, groups: 1 };
  expect(asked).toMatchObject({ state: "pending", widens: true, preview });
});
