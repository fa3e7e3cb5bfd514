// A person grants a rule that recycling deletes, or has deleted: they have said so since, and have it as they said.
import { afterEach, expect, it } from "vitest";
import type { OpenHours } from "../../../shared/domain/allocation.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { IDLE, RecyclingWorld } from "../../kit/recycling-world.ts";

let one: RecyclingWorld;
afterEach(() => one.world.stop());

const grant = ({ world }: RecyclingWorld, openHours: OpenHours | null = null) =>
  allocateRule(
    world.process(),
    one.operator(),
    {
      ...{ group: "web", protocol: "tcp", port: "7890", sources: ["10.0.0.0/8"], priority: 10, policy: "accept" },
      ...{ direction: "ingress", owner: "bob", backup: "", application: "", reason: "needed", ticket: "" },
      ...{ allowedSources: [], openHours, sensitiveConfirmed: false },
    },
    { dryRun: false },
  );

it.each([
  ["that was granted before, once it is closed", true, true],
  ["that was granted before, right before it is closed", true, false],
  ["that nobody had granted, once it is closed", false, true],
])(
  "of a rule %s, and it is opened again",
  async (_which, isGranted, isClosed) => {
    one = await RecyclingWorld.start();
    const { world } = one;
    if (isGranted) await one.confirm();
    await one.quarantined();
    await one.pass(16);
    const told: (readonly string[])[] = [];
    const app = world.process();
    const say = async (): Promise<void> => {
      const isNow = (await one.queued()).step?.isBegun && one.rules().includes(IDLE) !== isClosed;
      if (isNow && told.length === 0) told.push((await grant(one)).plan);
    };
    const revoke: App["firewall"]["revoke"] = async (...call) => {
      await say();
      await app.firewall.revoke(...call);
      await say();
    };
    await one.recycle({ ...app, firewall: { ...app.firewall, revoke } });
    expect(told).toEqual([[expect.stringContaining(isClosed ? "authorize it" : "it stands already")]]);
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

it("for some hours after it was deleted, and no restore of what it was opens it outside of these", async () => {
  one = await RecyclingWorld.start();
  const { world } = one;
  await one.confirm();
  await one.deleted();
  expect((await one.queued()).allocation).toMatchObject({ owner: "carol" });
  const day = (new Date(world.clock.now()).getUTCDay() + 2) % 7 || 1;
  const openHours = { zone: "UTC", windows: [{ days: [day], from: "01:00", to: "02:00" }] };
  await grant(one, openHours);
  await world.ticks(2);
  await one.restore();
  await world.ticks(3);
  expect([one.rules(), (await one.entry())?.allocation]).toMatchObject([[], { owner: "bob", openHours }]);
  expect([await one.state(), (await one.queued()).step]).toEqual(["restored", null]);
}, 60_000);
