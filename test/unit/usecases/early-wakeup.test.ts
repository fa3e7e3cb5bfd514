// Wake-ups that come before their time: the platform's delay is not said to be exact, and clocks differ.
import { describe, expect, it } from "vitest";
import { dueGroup, dueWrite } from "../../../shared/store/due.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { awaitWakeup } from "../../../shared/usecases/operation/sweep.ts";
import { appWorld, GROUP, START } from "./app-world.ts";

const AT = START + 20_000;

/** What is armed where a wake-up comes ten seconds early, or so much earlier: `after START, how often before`. */
async function armed(again: number | null, at = AT): Promise<readonly string[]> {
  const world = await appWorld();
  world.advance(10_000);
  const seen: string[] = [];
  const app: App = {
    ...world.app,
    wakeup: { arm: async (shard, second, before = 0) => void seen.push(`${shard}: ${second - START}, ${before}`) },
  };
  await world.tables.writeAll([dueWrite(dueGroup(GROUP, START + 30_000, 1))]);
  await awaitWakeup(app, 0, { at, again });
  return seen;
}

describe("a wake-up that comes too early", () => {
  it("asks for its second anew, as another one: the platform takes each but once", async () => {
    expect(await armed(0)).toEqual(["0: 20000, 1", "0: 30000, 0"]);
    expect(await armed(1, AT - 300)).toEqual(["0: 20000, 2", "0: 30000, 0"]);
  });

  it("leaves it to the timer in the end: where delays are not known every one comes at once", async () => {
    expect(await armed(3)).toEqual(["0: 30000, 0"]);
  });

  it("is none where it was cut to the longest delay: its second has not been asked for", async () => {
    expect(await armed(null)).toEqual(["0: 20000, 0", "0: 30000, 0"]);
  });
});
