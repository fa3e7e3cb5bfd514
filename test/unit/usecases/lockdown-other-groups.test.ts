// A lease whose hosts are in another group that is locked down: it opens nothing there, and is not kept for longer as if it did.
import { expect, test } from "vitest";
import type { Member } from "../../../shared/ports/firewall.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { extendLease } from "../../../shared/usecases/lease/extend-lease.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, Scene, WEB } from "../../interleavings/scene.ts";
import { anAsk } from "./app-world.ts";
import { DOCUMENT, lift, start } from "./lockdown-scene.ts";

const MINUTE_MS = 60_000;
const CREATE = { mode: "create", idempotencyKey: null, dryRun: false } as const;

/** Carol's lease on `port` of `app`, whose one host is in `web` as well. */
const inScene = async (port: string, play: (scene: Scene, app: App, ask: Asks) => Promise<void>): Promise<void> => {
  const scene = new Scene("other groups", { document: DOCUMENT, isDelivering: false });
  await scene.schedule.run(
    prepare(scene).then(async () => {
      const quiet = scene.quietApp();
      const [host] = scene.account.members();
      const members = [{ ...host, groupIds: [APP.groupId, WEB.groupId] }] as readonly Member[];
      const app: App = { ...quiet, inventory: { ...quiet.inventory, members: async () => members } };
      const carol = scene.asker("carol", "requester");
      const ask = anAsk({ group: "app", port, reason: "it has to be looked at", periodMs: 10 * MINUTE_MS });
      const { leaseId } = (await openLease(app, carol, ask, CREATE)).lease.request;
      await scene.schedule.sleep(MINUTE_MS);
      await play(scene, app, {
        extend: (dryRun) => extendLease(app, carol, leaseId, 10 * MINUTE_MS, { dryRun }),
        repeat: (dryRun) => openLease(app, carol, ask, { ...CREATE, mode: "repeat", dryRun }),
      });
    }),
  );
};
type Asks = Record<"extend" | "repeat", (dryRun: boolean) => ReturnType<typeof extendLease>>;

test.each(["extend", "repeat"] as const)("it is not extended behind its drops, by %s", (how) =>
  inScene("8443", async (scene, app, asks) => {
    const { lockdownId } = await start(scene, app, { groups: ["web"] });
    const refused = { code: "GROUP_LOCKED_DOWN", detail: { group: "web", lockdown: lockdownId } };
    await expect(asks[how](true)).rejects.toMatchObject(refused);
    await expect(asks[how](false)).rejects.toMatchObject(refused);
    await lift(scene, app, lockdownId);
    expect(await asks[how](false)).toMatchObject({ extended: true, lease: { status: { state: "open" } } });
  }),
);

test("it is extended where they let it in: on a core port", () =>
  inScene("443", async (scene, app, { extend }) => {
    await start(scene, app, { groups: ["web"] });
    expect(await extend(false)).toMatchObject({ extended: true, lease: { status: { state: "open" } } });
  }));
