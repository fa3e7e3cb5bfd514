// Leases and permissions whose hosts are in another group that is locked down: nothing opens there, nor is it kept for longer as if it did.
import { expect, test } from "vitest";
import { type DriftItem, driftIdOf } from "../../../shared/domain/drift-item.ts";
import type { GroupRef } from "../../../shared/domain/ids.ts";
import type { RuleSpec } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { shadowOf } from "../../../shared/domain/verdict.ts";
import type { Member } from "../../../shared/ports/firewall.ts";
import { saveDrift } from "../../../shared/store/drift-items.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { decideDrift } from "../../../shared/usecases/drift/decide-drift.ts";
import { shownDriftId } from "../../../shared/usecases/drift/drift-id.ts";
import { extendLease } from "../../../shared/usecases/lease/extend-lease.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { type AllocationAsk, allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { allJobs } from "../../../shared/usecases/operation/jobs.ts";
import { sweep } from "../../../shared/usecases/operation/sweep.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, ruleOf, Scene, WEB } from "../../interleavings/scene.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { anAsk } from "./app-world.ts";
import { DOCUMENT, lift, minutes, start, tick } from "./lockdown-scene.ts";

const MINUTE_MS = 60_000;
const CREATE = { mode: "create", idempotencyKey: null, dryRun: false } as const;

/** Carol's lease on `port` of `app`, whose one host is in `web` as well. */
const inScene = async (port: string, play: (scene: Scene, app: App, ask: Asks) => Promise<void>): Promise<void> => {
  const document = { ...DOCUMENT, breakGlass: { persons: ["carol"], periodMax: 900 } };
  const scene = new Scene("other groups", { document, isDelivering: false });
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
        breakGlass: (dryRun) => openLease(app, carol, { ...ask, breakGlass: true }, { ...CREATE, dryRun }),
        create: (dryRun) => openLease(app, carol, ask, { ...CREATE, dryRun }),
        repeat: (dryRun) => openLease(app, carol, ask, { ...CREATE, mode: "repeat", dryRun }),
      });
    }),
  );
};
const OWN = "203.0.113.7/32";
const OTHER = "198.51.100.99/32";

/** True where a drop of the group takes port 8443 from the source. */
const isDropped = (scene: Scene, { groupId }: GroupRef, source: string): boolean => {
  const spec = aSpec({ ports: somePorts("8443/8443"), peer: fromCidr(source) });
  return shadowOf(spec, scene.account.rules(groupId)) !== null;
};
type Asks = Record<"extend" | "repeat" | "create" | "breakGlass", (dryRun: boolean) => ReturnType<typeof extendLease>>;

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

test("who breaks the glass is let through its drops, and nobody else is; at the end it is as closed as before", () =>
  inScene("8443", async (scene, app, { breakGlass }) => {
    const isIn = (source: string) => [APP, WEB].some((ref) => isDropped(scene, ref, source)) === false;
    await start(scene, app, { groups: ["web"] });
    expect(isIn(OWN)).toBe(false);
    expect((await breakGlass(true)).plan.join()).toContain("drops in the place of");
    const { lease } = await breakGlass(false);
    expect([lease.status.state, lease.request.grant?.justifyBy === null]).toEqual(["open", false]);
    expect([isIn(OWN), isIn(OTHER)]).toEqual([true, false]);
    await minutes(scene, 12);
    expect([isIn(OWN), isIn(OTHER)]).toEqual([false, false]);
  }));

test("one that is asked for behind its drops is refused, and told whose they are", () =>
  inScene("8443", async (scene, app, { create }) => {
    await start(scene, app, { groups: ["web"] });
    await expect(create(false)).rejects.toMatchObject({ code: "LEASE_SHADOWED", detail: { group: WEB.groupId } });
  }));

test("nothing is allocated behind its drops but what they let in, or stands already", () =>
  inScene("8443", async (scene, app) => {
    const { lockdownId } = await start(scene, app, { groups: ["web"] });
    const allocate = (port: string, source: string, dryRun = false) =>
      allocateRule(app, scene.asker("olga", "admin"), anAllocation(port, source), { dryRun });
    const refused = { code: "GROUP_LOCKED_DOWN", detail: { group: "web", lockdown: lockdownId } };
    await expect(allocate("8444", OWN, true)).rejects.toMatchObject(refused);
    await expect(allocate("8444", OWN)).rejects.toMatchObject(refused);
    expect((await allocate("443", OWN)).plan.join()).toContain("authorize it");
    expect((await allocate("8443", OWN)).plan.join()).toContain("it stands already");
    await lift(scene, app, lockdownId);
    expect((await allocate("8444", OWN)).plan.join()).toContain("authorize it");
  }));

test.each(["lifted", "over"])("what was allocated just before it is opened when it is %s", (how) =>
  inScene("8443", async (scene, app) => {
    await allocateRule(app, scene.asker("olga", "admin"), anAllocation("8444", OWN), { dryRun: false });
    const { lockdownId } = await start(scene, app, { groups: ["web"], periodMs: 5 * MINUTE_MS });
    for (let minute = 0; minute < 3; minute++) await tick(scene, MINUTE_MS, app);
    expect(scene.rule(APP, ruleOf(8444, OWN))).toBeUndefined();
    if (how === "lifted") await lift(scene, app, lockdownId);
    for (let minute = 0; minute < 3; minute++) await tick(scene, MINUTE_MS, app);
    expect(scene.rule(APP, ruleOf(8444, OWN))).toBeDefined();
  }),
);

test("what was allocated just before it is opened when the policy has it leave that group alone", () =>
  inScene("8443", async (scene, app) => {
    await allocateRule(app, scene.asker("olga", "admin"), anAllocation("8444", OWN), { dryRun: false });
    await start(scene, app, { groups: ["web"] });
    for (let minute = 0; minute < 3; minute++) await tick(scene, MINUTE_MS, app);
    expect(scene.rule(APP, ruleOf(8444, OWN))).toBeUndefined();
    const policy = { ...scene.policy, version: 2, lockdown: { ...scene.policy.lockdown, groups: ["app"] } };
    for (let minute = 0; minute < 3; minute++) {
      await scene.schedule.sleep(MINUTE_MS);
      const deadlineAt = app.clock.monotonicMs() + 45_000;
      await sweep(app, { policy, cause: "tick", deadlineAt, jobs: allJobs });
    }
    expect(scene.account.rules(WEB.groupId).some((rule) => rule.policy === "drop")).toBe(false);
    expect(scene.rule(APP, ruleOf(8444, OWN))).toBeDefined();
  }));

test("open hours that begin behind its drops begin with its end", () =>
  inScene("8443", async (scene, app) => {
    const daily = { zone: "UTC", windows: [{ days: [1, 2, 3, 4, 5, 6, 7], from: "09:00", to: "17:00" }] } as const;
    const open = { ...anAllocation("8444", OWN), openHours: daily };
    await allocateRule(app, scene.asker("olga", "admin"), open, { dryRun: false });
    const isOpen = () => scene.rule(APP, ruleOf(8444, OWN)) !== undefined;
    const until = (hour: number) => Date.UTC(2026, 10, 20, hour) - app.clock.now();
    await tick(scene, until(9) + MINUTE_MS, app);
    expect(isOpen()).toBe(true);
    await tick(scene, until(17) + MINUTE_MS, app);
    expect(isOpen()).toBe(false);
    await tick(scene, until(33) - MINUTE_MS, app);
    const { lockdownId } = await start(scene, app, { groups: ["web"] });
    for (let minute = 0; minute < 3; minute++) await tick(scene, MINUTE_MS, app);
    expect(isOpen()).toBe(false);
    await lift(scene, app, lockdownId);
    for (let minute = 0; minute < 3; minute++) await tick(scene, MINUTE_MS, app);
    expect(isOpen()).toBe(true);
  }));

test.each(["adopt", "restore"] as const)("drift that was rolled back is not opened behind its drops, by %s", (verb) =>
  inScene("8443", async (scene, app) => {
    const { lockdownId } = await start(scene, app, { groups: ["web"] });
    const decide = async (port: number, dryRun = false) => {
      const item = await aRolledBack(app, ruleOf(port, OWN));
      return decideDrift(app, scene.asker("olga", "admin"), shownDriftId(item), verb, A_WORD, { dryRun });
    };
    const refused = { code: "GROUP_LOCKED_DOWN", detail: { group: "web", lockdown: lockdownId } };
    await expect(decide(8444, true)).rejects.toMatchObject(refused);
    await expect(decide(8444)).rejects.toMatchObject(refused);
    expect((await decide(443)).item.state).toBe(verb === "adopt" ? "adopted" : "restored");
    await lift(scene, app, lockdownId);
    await decide(8444);
    await minutes(scene, 1);
    expect(scene.rule(APP, ruleOf(8444, OWN))).toBeDefined();
  }),
);

const A_WORD = { owner: "shop", reason: "a partner's way in", ticket: "", sensitiveConfirmed: false };

/** What somebody opened in `app` by hand, and was closed. */
const aRolledBack = async (app: App, spec: RuleSpec): Promise<DriftItem> => {
  const now = app.clock.now();
  const key = ruleKey(spec);
  const found = { spec, description: "by hand" };
  const item: DriftItem = {
    ...{ driftId: driftIdOf([key]), group: APP, kind: "added", key, entryId: null, ruleId: null, found, wanted: null },
    ...{ reach: "", verdict: { kind: "drift", why: "nobody granted it" }, state: "rolledBack", attribution: null },
    ...{ firstSeenAt: now, changedAt: now, heldBy: null, rev: 0 },
  };
  await saveDrift(app.tables, item, now);
  return item;
};

const anAllocation = (port: string, source: string): AllocationAsk => ({
  ...{ group: "app", protocol: "tcp", port, sources: [source], policy: "accept", direction: "ingress", priority: 1 },
  ...{ owner: "shop", backup: "", application: "", reason: "a partner's way in", ticket: "", allowedSources: [] },
  ...{ openHours: null, sensitiveConfirmed: false },
});
