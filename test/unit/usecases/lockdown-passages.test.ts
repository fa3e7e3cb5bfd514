// A way that break-glass is given through a lockdown: it goes with its lease, whatever ends that, and whoever dies meanwhile.
import { expect, test } from "vitest";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { letsThrough } from "../../../shared/domain/verdict.ts";
import { getLockdown } from "../../../shared/store/lockdowns.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { endLease } from "../../../shared/usecases/lease/end-lease.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { liftLockdown } from "../../../shared/usecases/lockdown/lift-lockdown.ts";
import { goOnWithLockdown, startLockdown } from "../../../shared/usecases/lockdown/start-lockdown.ts";
import { allJobs } from "../../../shared/usecases/operation/jobs.ts";
import { sweep } from "../../../shared/usecases/operation/sweep.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { Scene, WEB } from "../../interleavings/scene.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { anAsk } from "./app-world.ts";

const DOCUMENT = {
  lockdown: { core: ["80", "443"], groups: ["*"] },
  operatorPath: [{ port: "22", sources: ["203.0.113.50"] }],
  breakGlass: { persons: ["carol"], periodMax: 900 },
};
const OWN = "203.0.113.7/32";
const OTHER = "198.51.100.99/32";

/** A locked down group that 8443 is open to everybody in at other times, and a lease that has passed its drops. */
const inScene = async (play: (scene: Scene, app: App, end: () => Promise<void>) => Promise<void>): Promise<void> => {
  const scene = new Scene("passages", { document: DOCUMENT, isDelivering: false });
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
const terms = (scene: Scene, { clock }: App) => ({
  ...{ policy: scene.policy, arrivedAt: clock.monotonicMs(), deadlineAt: clock.monotonicMs() + 30_000 },
});
let lockdownId = "";
const locked = async (scene: Scene, app: App) => {
  const scope = { kind: "groups", groups: ["web"] } as const;
  const cause = {
    cause: "ann",
    principal: "ann",
    reason: "an attack",
    periodMs: 7_200_000,
    waivedBy: null,
    decidedBy: "",
  };
  const started = await startLockdown(app, { scope, ...cause, ...terms(scene, app) });
  lockdownId = started.lockdownId;
  return broken(scene, app, "8443");
};
const broken = async (scene: Scene, app: App, port: string) => {
  const { lease } = await openLease(
    app,
    scene.asker("carol", "requester"),
    anAsk({ group: "web", port, reason: "it has to be looked at", breakGlass: true, periodMs: 600_000 }),
    { mode: "create", idempotencyKey: null, dryRun: false },
  );
  expect(lease.status.state).toBe("open");
  return lease.request;
};
const isLet = (scene: Scene, port: number, source: string): boolean =>
  letsThrough(aSpec({ ports: somePorts(`${port}/${port}`), peer: fromCidr(source) }), scene.account.rules(WEB.groupId));
const seen = (scene: Scene) => [isLet(scene, 8443, OWN), isLet(scene, 8443, OTHER), isLet(scene, 8444, OWN)];
const rulesOf = (scene: Scene) => scene.account.rules(WEB.groupId).map(ruleKey).sort();
const tick = async (scene: Scene, ms: number, app = scene.quietApp()) => {
  await scene.schedule.sleep(ms);
  const deadlineAt = app.clock.monotonicMs() + 45_000;
  await sweep(app, { policy: scene.policy, cause: "tick", deadlineAt, jobs: allJobs });
};
const minutes = async (scene: Scene, count: number) => {
  for (let minute = 0; minute < count; minute++) await tick(scene, 60_000);
};

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
    await liftLockdown(app, lockdownId, { ...terms(scene, app), by: "ann", isPerson: true });
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
    const { tables } = app;
    const racing: App = {
      ...app,
      tables: {
        ...tables,
        writeAll: async (...given) => {
          if (!isGiven) {
            isGiven = true;
            await broken(scene, scene.quietApp(), "8444");
          }
          return tables.writeAll(...given);
        },
      },
    };
    const row = await getLockdown(tables, lockdownId);
    if (row) await goOnWithLockdown(racing, scene.policy, row, racing.clock.monotonicMs() + 30_000);
    await minutes(scene, 1);
    expect([isGiven, isLet(scene, 8443, OWN), isLet(scene, 8444, OWN)]).toEqual([true, false, true]);
    await minutes(scene, 12);
    expect([isLet(scene, 8444, OWN), isLet(scene, 8444, OTHER)]).toEqual([false, false]);
  }));

test("one whose lease was never booked is shut, and the group is never more open than by it, wherever the process dies", async () => {
  for (let dies = 1; dies <= 24; dies += 1)
    await inScene(async (scene, app, end) => {
      await minutes(scene, 2);
      await end();
      let calls = 0;
      const count = <Given extends readonly unknown[], Out>(work: (...given: Given) => Promise<Out>) => {
        return async (...given: Given): Promise<Out> => {
          calls += 1;
          if (calls >= dies) throw new Error("dies here");
          return work(...given);
        };
      };
      const { firewall, tables } = app;
      const dying: App = {
        ...app,
        firewall: { ...firewall, authorize: count(firewall.authorize), revoke: count(firewall.revoke) },
        tables: { ...tables, put: count(tables.put), writeAll: count(tables.writeAll) },
      };
      await tick(scene, 2_000, dying).catch(() => undefined);
      expect([isLet(scene, 8444, OWN), isLet(scene, 8443, OTHER)]).toEqual([false, false]);
      await minutes(scene, 3);
      expect([dies, ...seen(scene)]).toEqual([dies, false, false, false]);
      await liftLockdown(app, lockdownId, { ...terms(scene, app), by: "ann", isPerson: true });
      expect(rulesOf(scene).some((key) => key.includes("drop"))).toBe(false);
    });
}, 60_000);
