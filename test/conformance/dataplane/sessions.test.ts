// Sessions that the rules would no longer let in: they may live on, but not longer than a session entry does.

import { afterEach, expect, test } from "vitest";
import { CloudClock } from "../../../local/clock.ts";
import { type DataPlane, startDataPlane } from "../../../local/dataplane/data-plane.ts";
import { nftUnusable } from "../../../local/dataplane/nft-process.ts";
import type { Rule } from "../../../local/dataplane/topology.ts";
import { aGroup, anEni, anInstance, aRule, aTopology } from "../../unit/local/dataplane/builders.ts";
import { echoes, openSession, ownNet } from "./connect.ts";

const net = ownNet(208);
const tableName = `safeport_sessions_${process.pid}`;
const noNft = await nftUnusable(tableName);
const PORT = 5022;
const web = anEni(`${net}.11`, ["sg-web"]);
const world = (rules: readonly Rule[]) =>
  aTopology({ groups: [aGroup("sg-web", rules)], enis: [web], instances: [anInstance("web-1", web, [PORT])] });
const open = aRule({ portRange: `${PORT}/${PORT}` });

let plane: DataPlane;
let clock: CloudClock;
afterEach(async () => {
  await plane.stop();
  clock.close();
});

test.each(["nft", "userspace"] as const)(
  "a kept session ends after 910 seconds, unless it is let in again (%s)",
  async (engine) => {
    if (engine === "nft" && noNft !== undefined) {
      console.log(`The nft data plane is not tested here: ${noNft}`);
      return;
    }
    clock = new CloudClock({ startMs: 0 });
    plane = await startDataPlane({
      engine,
      clock,
      schedule: (delayMs, run) => clock.schedule(delayMs, run),
      destCidrIp: () => "honoured",
      establishedAfterDeny: () => "keep",
      range: `${net}.0/24`,
      tableName,
    });
    await plane.apply(world([open]));
    const session = await openSession(web.privateIp, PORT);
    session.on("error", () => undefined);
    await plane.apply(world([]));
    await clock.advance(909_000);
    expect(await echoes(session)).toBe(true);
    await plane.apply(world([open]));
    await clock.advance(909_000);
    expect(await echoes(session)).toBe(true);
    await plane.apply(world([]));
    await clock.advance(909_000);
    expect(await echoes(session)).toBe(true);
    await clock.advance(1_000);
    await expect.poll(() => session.destroyed).toBe(true);
    session.destroy();
  },
);
