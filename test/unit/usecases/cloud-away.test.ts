// The cloud is away when something is to end: it is tried again within a minute all the time, and not much more often than that.
import { afterEach, describe, expect, test } from "vitest";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { lock, openPorts, STANDBY_POLICY, standbyWorld } from "../../kit/standby-world.ts";
import type { World } from "../../kit/world.ts";

let world: World;
afterEach(() => world?.stop());

const ALL = ["web 80", "web 22", "web 8443", "app 8080", "other 8080"];
const NOBODY = {};
const SOMEBODY = { targets: { hook: { kind: "webhook", urlFrom: "HOOK", secretFrom: "SIGN" } }, otherwise: ["hook"] };

/** A world whose wake-ups come, one for each second at most, as the platform has it; the cloud answers nobody while it is away. */
class Platform {
  isAway = false;
  sweeps = 0;
  readonly #armed = new Set<number>();

  app(): App {
    const app = world.process((call, act) =>
      this.isAway && call.service === "ecs" ? Promise.reject(new CloudFailure("unknown", call.name)) : act(),
    );
    return { ...app, wakeup: { arm: async (_, at) => void this.#armed.add(Math.ceil(at / 1000)) } };
  }

  async seconds(count: number, change: (app: App) => App = (app) => app): Promise<void> {
    for (let n = 0; n < count; n++) {
      await world.advance(1000 - (world.clock.now() % 1000));
      const second = world.clock.now() / 1000;
      const due = [...this.#armed].filter((it) => it <= second);
      for (const it of due) this.#armed.delete(it);
      if (due.length === 0 && second % 60 !== 0) continue;
      this.sweeps += 1;
      await world.sweep(change(this.app())).catch(() => undefined);
    }
  }
}

describe.each([
  ["without anybody to tell", NOBODY],
  ["with somebody to tell", SOMEBODY],
] as const)("%s", (_, notifications) => {
  const policy = { ...STANDBY_POLICY, notifications };

  test("the end of a lease is tried about once a minute", async () => {
    world = await standbyWorld({ policy });
    const platform = new Platform();
    await world.open({ port: "3306", group: "other", periodMs: 120_000 });
    await platform.seconds(60);
    platform.isAway = true;
    await platform.seconds(180);
    platform.sweeps = 0;
    await platform.seconds(600);
    expect(platform.sweeps).toBeLessThanOrEqual(15);
    platform.isAway = false;
    await platform.seconds(61);
    expect(world.rules("sg-other").map(({ portRange }) => portRange)).toEqual(["8080/8080"]);
  });

  test.each([[["web", "app"]], [["other"]]])(
    "the end of a lockdown of %s is tried about once a minute",
    async (groups) => {
      world = await standbyWorld({ policy });
      const platform = new Platform();
      await lock(world, groups, platform.app(), { periodMs: 120_000 });
      await platform.seconds(60);
      platform.isAway = true;
      await platform.seconds(180);
      platform.sweeps = 0;
      await platform.seconds(600);
      expect(platform.sweeps).toBeLessThanOrEqual(15);
      platform.isAway = false;
      await platform.seconds(75);
      expect(openPorts(world)).toEqual(ALL);
    },
  );
});

test("a clock that is off is told of without a sweep a second", async () => {
  world = await standbyWorld();
  const platform = new Platform();
  const isAhead = (app: App): App => ({ ...app, firewall: { ...app.firewall, skewMs: () => 3_600_000 } });
  await platform.seconds(120, isAhead);
  platform.sweeps = 0;
  await platform.seconds(300, isAhead);
  expect(platform.sweeps).toBeLessThanOrEqual(8);
});
