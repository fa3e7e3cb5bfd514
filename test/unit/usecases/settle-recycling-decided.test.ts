// Steps of the recycling queue that were decided and not taken yet: what is known by then decides whether they still are.
import { afterEach, describe, expect, it } from "vitest";
import { policySchema } from "../../../shared/config/document-schema.ts";
import { policyOf } from "../../../shared/config/policy-values.ts";
import { unknownDay } from "../../../shared/domain/evidence.ts";
import { addEvidence } from "../../../shared/store/evidence.ts";
import { writePolicy } from "../../../shared/store/policy.ts";
import { holdDrop, suspendRule } from "../../../shared/usecases/recycling/recycling-ledger.ts";
import { DROP, IDLE, RecyclingWorld, touched } from "../../kit/recycling-world.ts";
import { region } from "../../kit/world.ts";

let one: RecyclingWorld;
afterEach(() => one.world.stop());

describe("a step that was decided and not taken yet", () => {
  /** The nightly job decides, and dies before it takes the step. */
  const decide = async (to: "quarantined" | "deleted"): Promise<void> => {
    const dying = one.world.process(async (call, act) => {
      if (call.name.endsWith(" lock") && (await one.item())?.step) throw new Error("died");
      return act();
    });
    await expect(one.recycle(dying)).rejects.toThrow("died");
    expect((await one.queued()).step?.to).toBe(to);
  };
  const toQuarantine = async (): Promise<void> => {
    one = await RecyclingWorld.start();
    await one.recycle();
    await one.pass(8);
    await decide("quarantined");
  };
  const toDeletion = async (): Promise<void> => {
    one = await RecyclingWorld.start();
    await one.quarantined();
    await one.pass(16);
    await decide("deleted");
  };
  const recycling = { groups: ["web"], window: 10, steps: { quarantine: "auto", delete: "auto" } };
  /** A policy is put in place. */
  const put = async (document: Readonly<Record<string, unknown>>): Promise<void> => {
    const { world } = one;
    const version = world.policy.version + 1;
    const checked = policySchema.parse({ defaultTarget: "web", recycling, ...document });
    const row = { version, text: JSON.stringify(checked), by: "root", confirmedBy: null, reason: "" };
    await world.run(writePolicy(world.process().tables, { ...row, at: world.clock.now() }));
    world.policy = policyOf(checked, version, region);
  };
  const exempt = [{ groups: ["web"], owner: "bob", reason: "quarter end", until: "2027-06-30" }];
  const policies: readonly Readonly<Record<string, unknown>>[] = [
    { recycling: { ...recycling, exempt } },
    { recycling: { ...recycling, neverClose: [{ ports: "7890", reason: "heartbeat" }] } },
    { recycling: { ...recycling, groups: [] } },
    { groups: { denied: ["web"] } },
    { recycling: { ...recycling, steps: {} } },
  ];
  const use = async (): Promise<void> => {
    const { world } = one;
    const [member] = await world.run(world.process().inventory.members(world.web, "open"));
    const day = { ...unknownDay(member?.eniId ?? "", one.today), ports: [touched("real", one.today, ["10.1.2.3"])] };
    await world.run(addEvidence(world.process().tables, region, day));
  };

  it("is not taken where a policy of since then, or use of since then, forbids a quarantine; else it is", async () => {
    await toQuarantine();
    for (const document of policies) {
      await put(document);
      await one.watch();
      const found = [await one.state(), (await one.queued()).step, one.rules()];
      expect(found, JSON.stringify(document)).toEqual(["noticed", null, [IDLE]]);
      await put({});
      await decide("quarantined");
    }
    await one.watch();
    expect([await one.state(), one.rules()]).toEqual(["quarantined", [IDLE, DROP]]);
    await one.world.stop();
    await toQuarantine();
    await use();
    await one.watch();
    expect([await one.state(), (await one.queued()).step, one.rules()]).toEqual(["noticed", null, [IDLE]]);
  });

  it("is not taken where any of these forbids a deletion", async () => {
    await toDeletion();
    for (const document of policies.slice(-2)) {
      await put(document);
      await one.watch();
      const found = [await one.state(), (await one.queued()).step, one.rules()];
      expect(found, JSON.stringify(document)).toEqual(["quarantined", null, [IDLE, DROP]]);
      await put({});
      await decide("deleted");
    }
    await use();
    await one.watch();
    expect(one.rules()).toContain(IDLE);
    expect(["restored", "quarantined"]).toContain(await one.state());
  });

  it("waits for a policy that is newer than the one in hand", async () => {
    await toQuarantine();
    const old = one.world.policy;
    await put({ recycling: { ...recycling, exempt } });
    const next = one.world.policy;
    one.world.policy = old;
    await one.watch();
    expect([(await one.queued()).step?.to, one.rules()]).toEqual(["quarantined", [IDLE]]);
    one.world.policy = next;
    await one.watch();
    expect([await one.state(), (await one.queued()).step, one.rules()]).toEqual(["noticed", null, [IDLE]]);
  });

  it("lets go of a drop that was held for it, and leaves open what was suspended for it", async () => {
    await toQuarantine();
    await one.world.run(holdDrop(one.world.process(), await one.queued(), "safeport"));
    await put({ recycling: { ...recycling, exempt } });
    await one.watch();
    expect([await one.state(), (await one.queued()).step]).toEqual(["noticed", null]);
    await one.world.ticks(3);
    expect(one.rules()).toEqual([IDLE]);
    await one.world.stop();
    await toDeletion();
    await one.world.run(suspendRule(one.world.process(), await one.queued()));
    await put({ recycling: { ...recycling, exempt } });
    await one.watch();
    expect([await one.state(), (await one.queued()).step, one.rules()]).toEqual(["quarantined", null, [IDLE, DROP]]);
    expect((await one.entry())?.suspension ?? null).toBe(null);
  });
});
