// A way that break-glass is given through a lockdown: it goes with its lease, whatever ends that, and whoever dies meanwhile.
import { expect, test } from "vitest";
import type { Policy } from "../../../shared/domain/policy.ts";
import { getLockdown } from "../../../shared/store/lockdowns.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { endLease } from "../../../shared/usecases/lease/end-lease.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { goOnWithLockdown } from "../../../shared/usecases/lockdown/go-on-with-lockdown.ts";
import { setMode } from "../../../shared/usecases/policy/set-mode.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { Scene, WEB } from "../../interleavings/scene.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { anAsk } from "./app-world.ts";
import { DOCUMENT, dyingAt, letsIn, lift, minutes, overtakenBy, rulesIn, start, tick } from "./lockdown-scene.ts";

const WITH_BREAK_GLASS = { ...DOCUMENT, breakGlass: { persons: ["carol"], periodMax: 900 } };
const OWN = "203.0.113.7/32";
const OTHER = "198.51.100.99/32";

/** A locked down group that 8443 is open to everybody in at other times, and a lease that has passed its drops. */
const inScene = async (play: (scene: Scene, app: App, end: () => Promise<void>) => Promise<void>): Promise<void> => {
  const scene = new Scene("passages", { document: WITH_BREAK_GLASS, isDelivering: false });
  await scene.schedule.run(
    prepare(scene).then(async () => {
      const app = scene.quietApp();
      const mallory = scene.person("mallory");
      const wide = aSpec({ ports: somePorts("8000/9000"), peer: fromCidr("0.0.0.0/0") });
      await mallory.firewall.authorize(WEB, [{ spec: wide, description: "wide" }], mallory.token(), "open");
      const { leaseId } = await locked(scene, app);
      await play(scene, app, async () => {
        await endLease(app, scene.asker("carol", "requester"), leaseId, { dryRun: false });
      });
    }),
  );
};
let lockdownId = "";
const locked = async (scene: Scene, app: App) => {
  const started = await start(scene, app, { groups: ["web"], periodMs: 7_200_000 });
  lockdownId = started.lockdownId;
  return broken(scene, app, "8443");
};
const broken = async (scene: Scene, app: App, port: string, sources = [OWN]) => {
  const { lease } = await openLease(
    app,
    scene.asker("carol", "requester"),
    anAsk({ group: "web", port, sources, reason: "it has to be looked at", breakGlass: true, periodMs: 600_000 }),
    { mode: "create", idempotencyKey: null, dryRun: false },
  );
  expect(lease.status.state).toBe("open");
  return lease.request;
};
const isLet = (scene: Scene, port: number, source: string) => letsIn(scene, WEB, port, source);
const seen = (scene: Scene) => [isLet(scene, 8443, OWN), isLet(scene, 8443, OTHER), isLet(scene, 8444, OWN)];
const rulesOf = (scene: Scene) => rulesIn(scene, WEB);
test("it is open while the lease is, and shut when its time is over", () =>
  inScene(async (scene, app) => {
    expect(seen(scene)).toEqual([true, false, false]);
    await minutes(scene, 8);
    expect(seen(scene)).toEqual([true, false, false]);
    await minutes(scene, 4);
    // Whoever came by the way would by now come in by the wide accept.
    expect(seen(scene)).toEqual([false, false, false]);
    const row = await getLockdown(app.tables, lockdownId);
    expect([row?.state, row?.groups.map((it) => it.passages)]).toEqual(["active", [[]]]);
    expect(rulesOf(scene).filter((key) => key.includes("drop") && key.includes("8443"))).toEqual([]);
  }));

test("it is shut at the next tick after somebody has ended the lease", () =>
  inScene(async (scene, app, end) => {
    await minutes(scene, 2);
    await end();
    await tick(scene, 2_000);
    expect(seen(scene)).toEqual([false, false, false]);
    await lift(scene, app, lockdownId);
    expect([isLet(scene, 8443, OTHER), rulesOf(scene).some((key) => key.includes("drop"))]).toEqual([true, false]);
  }));

test("what was closed beyond what had been prepared stays closed when it is shut", () =>
  inScene(async (scene, _, end) => {
    const mallory = scene.person("mallory");
    const spec = aSpec({ ports: somePorts("3306/3306"), peer: fromCidr("2001:db8::/56") });
    await mallory.firewall.authorize(WEB, [{ spec, description: "new" }], mallory.token(), "open");
    await minutes(scene, 2);
    await end();
    await minutes(scene, 2);
    const families = scene.account
      .rules(WEB.groupId)
      .flatMap(({ policy, peer }) => (policy === "drop" && peer.kind === "cidr" ? [peer.cidr.family] : []));
    expect([seen(scene), [...new Set(families)].sort()]).toEqual([
      [false, false, false],
      [4, 6],
    ]);
  }));

test("one that is given while another is being shut is open within the minute", () =>
  inScene(async (scene, app, end) => {
    await minutes(scene, 2);
    await end();
    let isGiven = false;
    const racing = overtakenBy(app, async () => {
      isGiven = true;
      await broken(scene, scene.quietApp(), "8444");
    });
    const row = await getLockdown(app.tables, lockdownId);
    if (row) await goOnWithLockdown(racing, scene.policy, row, racing.clock.monotonicMs() + 30_000);
    await minutes(scene, 1);
    expect([isGiven, isLet(scene, 8443, OWN), isLet(scene, 8444, OWN)]).toEqual([true, false, true]);
    await minutes(scene, 12);
    expect([isLet(scene, 8444, OWN), isLet(scene, 8444, OTHER)]).toEqual([false, false]);
  }));

test("two that are given within a second are both open, whoever comes first, and go with their leases", async () => {
  for (let turn = 0; turn < 6; turn += 1)
    await inScene(async (scene, app) => {
      const later = scene.schedule.sleep(turn * 160).then(() => broken(scene, scene.quietApp(), "8446"));
      await Promise.all([broken(scene, app, "8444"), later]);
      await scene.schedule.sleep(2000);
      const ports = [8443, 8444, 8445, 8446];
      const open = (source: string) => ports.filter((port) => isLet(scene, port, source));
      expect([turn, open(OWN), open(OTHER)]).toEqual([turn, [8443, 8444, 8446], []]);
      await minutes(scene, 12);
      expect([turn, open(OWN), rulesOf(scene).filter((key) => /drop.*844[46]/.test(key))]).toEqual([turn, [], []]);
    });
}, 60_000);

test("one whose lease was never booked is shut, and the group is never more open than by it, wherever the process dies", async () => {
  for (let dies = 1; dies <= 24; dies += 1)
    await inScene(async (scene, app, end) => {
      await minutes(scene, 2);
      await end();
      await tick(scene, 2_000, dyingAt(app, dies)).catch(() => undefined);
      expect([isLet(scene, 8444, OWN), isLet(scene, 8443, OTHER)]).toEqual([false, false]);
      await minutes(scene, 3);
      expect([dies, ...seen(scene)]).toEqual([dies, false, false, false]);
      await lift(scene, app, lockdownId);
      expect(rulesOf(scene).some((key) => key.includes("drop"))).toBe(false);
    });
}, 60_000);

test("one for addresses that nothing was let in from before, of which the lockdown has no drop, is left to its lease", () =>
  inScene(async (scene, app) => {
    const six = "2001:db8::7/128";
    const isSixLet = () => isLet(scene, 8444, six);
    await broken(scene, app, "8444", [six]);
    expect(isSixLet()).toBe(true);
    await minutes(scene, 3);
    expect([isSixLet(), isLet(scene, 8444, "2001:db8::8/128")]).toEqual([true, false]);
    await minutes(scene, 9);
    expect(isSixLet()).toBe(false);
    await lift(scene, app, lockdownId);
    expect(rulesOf(scene).some((key) => key.includes("drop"))).toBe(false);
  }));

test("none is given to whom the lease is refused: who has as many as one person may have, or while the mode opens nothing", () =>
  inScene(async (scene, app) => {
    const refused = async (policy: Policy, port: string) => {
      const words = { group: "web", port, sources: [OWN], reason: "it has to be looked at", breakGlass: true };
      const carol = { ...scene.asker("carol", "requester"), policy };
      const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
      const { code } = await openLease(app, carol, anAsk(words), options).catch((error) => error);
      await tick(scene, 20_000);
      return [code, isLet(scene, Number(port), OWN)];
    };
    const { policy } = scene;
    const none = { ...policy, lease: { ...policy.lease, openMax: 0 } };
    expect(await refused(none, "8447")).toEqual(["LEASES_TOO_MANY", false]);
    await setMode(app, scene.asker("ann", "operator"), { mode: "close-only", reason: "wait" }, { dryRun: false });
    expect(await refused(policy, "8448")).toEqual(["MODE_FORBIDS", false]);
  }));

test("one that is asked for by repeating a lease from before the lockdown is given to a lease of its own", async () => {
  const scene = new Scene("repeated", { document: WITH_BREAK_GLASS, isDelivering: false });
  await scene.schedule.run(
    prepare(scene).then(async () => {
      const app = scene.quietApp();
      const repeat = (breakGlass: boolean) =>
        openLease(
          app,
          scene.asker("carol", "requester"),
          anAsk({ group: "web", port: "8443", reason: "it has to be looked at", breakGlass, periodMs: 600_000 }),
          { mode: "repeat", idempotencyKey: null, dryRun: false },
        );
      const before = (await repeat(false)).lease.request.leaseId;
      await start(scene, app, { groups: ["web"], periodMs: 7_200_000 });
      expect(isLet(scene, 8443, OWN)).toBe(false);
      const { lease, extended } = await repeat(true);
      expect([lease.status.state, extended, lease.request.leaseId === before]).toEqual(["open", false, false]);
      expect(lease.request.grant?.justifyBy).not.toBeNull();
      expect(isLet(scene, 8443, OWN)).toBe(true);
    }),
  );
});
