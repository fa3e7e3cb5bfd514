// The row of a lease that nobody can read keeps no lockdown from closing everything else, nor whoever has broken the glass from staying in.
import { expect, test } from "vitest";
import { listLeases } from "../../../shared/store/leases.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { endLease } from "../../../shared/usecases/lease/end-lease.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, Scene } from "../../interleavings/scene.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { anAsk } from "./app-world.ts";
import { DOCUMENT, letsIn, lift, minutes, NARROW_DOCUMENT, rulesIn, start } from "./lockdown-scene.ts";

const CAROL = "203.0.113.7/32";
const BREAK_GLASS = { breakGlass: { persons: ["carol"], periodMax: 3600 } };

const inScene = async (document: object, play: (scene: Scene, app: App) => Promise<void>): Promise<void> => {
  const scene = new Scene("damaged lease", { document: { ...document, ...BREAK_GLASS }, isDelivering: false });
  await scene.schedule.run(prepare(scene).then(() => play(scene, scene.quietApp())));
};

/** Carol's lease in `app`; answers its id. */
const opened = async (scene: Scene, app: App, port: string, breakGlass = false): Promise<string> => {
  const words = {
    group: "app",
    port,
    reason: "it has to be looked at",
    periodMs: 1_800_000,
    startAt: null,
    breakGlass,
  };
  const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
  return (await openLease(app, scene.asker("carol", "requester"), anAsk(words), options)).lease.request.leaseId;
};

/** Nobody can read the lease; answers how it is put right. */
const damaged = async ({ tables }: App, leaseId: string): Promise<() => Promise<unknown>> => {
  const request = String((await tables.get("lease", [leaseId]))?.columns["request"]);
  await tables.update("lease", [leaseId], { request: "{" }, { kind: "present" });
  return () => tables.update("lease", [leaseId], { request }, { kind: "present" });
};
const lets = (scene: Scene, ports: readonly number[]) => ports.map((port) => letsIn(scene, APP, port, CAROL));

test("by accepts: it is closed with all others, and what comes in later as well", () =>
  inScene(NARROW_DOCUMENT, async (scene, app) => {
    const leaseId = await opened(scene, app, "7443");
    await opened(scene, app, "7444");
    const before = rulesIn(scene, APP);
    const mend = await damaged(app, leaseId);
    const { lockdownId, groups } = await start(scene, app, { groups: ["app", "web"] });
    expect(groups).toMatchObject([{ way: "suspend", isClosed: true }, { isClosed: true }]);
    expect(lets(scene, [7443, 7444])).toEqual([false, false]);
    const mallory = scene.person("mallory");
    const spec = aSpec({ ports: somePorts("7445/7445"), peer: fromCidr(CAROL) });
    await mallory.firewall.authorize(APP, [{ spec, description: "new" }], mallory.token(), "open");
    await minutes(scene, 3);
    expect(lets(scene, [7443, 7444, 7445])).toEqual([false, false, false]);
    await mend();
    await lift(scene, app, lockdownId);
    expect(rulesIn(scene, APP)).toEqual(expect.arrayContaining([...before]));
  }));

test.each<[string, object]>([
  ["accepts", NARROW_DOCUMENT],
  ["drops", DOCUMENT],
])("by %s: one that has broken the glass stays open, and what comes in beside it does not", (_, document) =>
  inScene(document, async (scene, app) => {
    await start(scene, app);
    const mend = await damaged(app, await opened(scene, app, "7443", true));
    const mallory = scene.person("mallory");
    const spec = aSpec({ ports: somePorts("7445/7445"), peer: fromCidr(CAROL) });
    await mallory.firewall.authorize(APP, [{ spec, description: "new" }], mallory.token(), "open");
    await minutes(scene, 4);
    expect(lets(scene, [7443, 7445])).toEqual([true, false]);
    await mend();
    await minutes(scene, 30);
    expect(lets(scene, [7443, 7445])).toEqual([false, false]);
  }),
);

test("by accepts: one that waits behind it is opened once it can be read, and keeps no other from its end", () =>
  inScene(NARROW_DOCUMENT, async (scene, app) => {
    await start(scene, app);
    await opened(scene, app, "7444", true);
    const unread = [APP.groupId, "in-1"];
    await app.tables.put("intent", unread, { body: "{" }, { kind: "none" });
    const leaseId = await opened(scene, app, "7443", true);
    await app.tables.delete("intent", unread, { kind: "none" });
    const mend = await damaged(app, leaseId);
    await minutes(scene, 2);
    expect(lets(scene, [7443, 7444])).toEqual([false, true]);
    const { leases } = await listLeases(app.tables, { limit: 10, before: null });
    for (const { request } of leases)
      await endLease(app, scene.asker("carol", "requester"), request.leaseId, { dryRun: false });
    await minutes(scene, 2);
    expect(lets(scene, [7443, 7444])).toEqual([false, false]);
    await mend();
    await minutes(scene, 2);
    expect(lets(scene, [7443, 7444])).toEqual([true, false]);
  }));
