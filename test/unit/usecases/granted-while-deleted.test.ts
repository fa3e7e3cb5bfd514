// A person grants a rule just as recycling deletes it: they have said so since, and have it.
import { afterEach, expect, it } from "vitest";
import type { App } from "../../../shared/usecases/app.ts";
import { allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { IDLE, RecyclingWorld } from "../../kit/recycling-world.ts";

let one: RecyclingWorld;
afterEach(() => one.world.stop());

const grant = ({ world }: RecyclingWorld) =>
  allocateRule(
    world.process(),
    one.operator(),
    {
      ...{ group: "web", protocol: "tcp", port: "7890", sources: ["10.0.0.0/8"], priority: 10, policy: "accept" },
      ...{ direction: "ingress", owner: "bob", backup: "", application: "", reason: "needed", ticket: "" },
      ...{ allowedSources: [], openHours: null, sensitiveConfirmed: false },
    },
    { dryRun: false },
  );

it.each([
  ["that was granted before", true],
  ["that nobody had granted", false],
])(
  "of a rule %s, and it is opened again",
  async (_which, isGranted) => {
    one = await RecyclingWorld.start();
    const { world } = one;
    if (isGranted) await one.confirm();
    await one.quarantined();
    await one.pass(16);
    const told: (readonly string[])[] = [];
    const app = world.process();
    const revoke: App["firewall"]["revoke"] = async (...call) => {
      await app.firewall.revoke(...call);
      if (one.rules().includes(IDLE) || told.length > 0) return;
      told.push((await grant(one)).plan);
    };
    await one.recycle({ ...app, firewall: { ...app.firewall, revoke } });
    expect(told).toEqual([[expect.stringContaining("authorize it")]]);
    await world.ticks(3);
    expect((await one.entry())?.allocation).toMatchObject({ owner: "bob", reason: "needed" });
    expect(one.rules()).toHaveLength(1);
    // The queue knows that it is back.
    await one.pass(1);
    await one.recycle();
    expect(await one.state()).toBe("restored");
    expect(one.rules()).toHaveLength(1);
  },
  60_000,
);
