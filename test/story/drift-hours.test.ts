// Entries with open hours: the program opens and closes them itself, and outside the hours their absence is no drift.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OpenHours } from "../../shared/domain/allocation.ts";
import { parseMark } from "../../shared/domain/mark.ts";
import { type AllocationAsk, allocateRule } from "../../shared/usecases/ledger/allocate-rule.ts";
import { GuardedWorld, openDatabase } from "../kit/guarded-world.ts";
import { somePorts } from "../kit/rules.ts";

const FRIDAY_MS = Date.UTC(2026, 10, 20);
const MINUTE_MS = 60_000;
/** The world begins on a Friday at 08:00. */
const hours: OpenHours = {
  zone: "UTC",
  windows: [
    { days: [5], from: "08:20", to: "08:40" },
    { days: [5], from: "09:00", to: "09:10" },
  ],
};

let guarded: GuardedWorld;
beforeEach(async () => {
  guarded = await GuardedWorld.start();
});
afterEach(() => guarded.world.stop());

const ask: AllocationAsk = {
  group: "web",
  protocol: "tcp",
  port: "8443",
  sources: ["198.51.100.0/24"],
  policy: "accept",
  direction: "ingress",
  priority: 1,
  owner: "ops",
  application: "backup",
  reason: "nightly copy",
  ticket: "T-7",
  allowedSources: [],
  openHours: hours,
  sensitiveConfirmed: false,
};

/** An entry of these hours is in the ledger, and all is at rest. */
async function allocate(change: Partial<AllocationAsk> = {}): Promise<void> {
  const { world, admin } = guarded;
  await world.run(allocateRule(world.process(), admin, { ...ask, ...change }, { dryRun: false }));
  await world.ticks(2);
}

/** It becomes that time of the Friday, with a tick at it. */
async function until(hour: number, minute: number): Promise<void> {
  const { world } = guarded;
  await world.advance(FRIDAY_MS + (hour * 60 + minute) * MINUTE_MS - world.clock.now());
  await world.sweep();
}

const backup = () => guarded.world.rules().find((rule) => rule.portRange === "8443/8443");

describe("an entry with open hours", () => {
  test("is opened when its window opens, with the window's end in its mark, and closed when it closes", async () => {
    await allocate();
    expect(backup()).toBeUndefined();
    await until(8, 19);
    expect(backup()).toBeUndefined();
    await until(8, 20);
    expect(parseMark(backup()?.description ?? "")?.until).toBe(FRIDAY_MS + (8 * 60 + 40) * MINUTE_MS);
    await until(8, 39);
    expect(backup()).toBeDefined();
    await until(8, 40);
    expect(backup()).toBeUndefined();
    await until(9, 0);
    expect(parseMark(backup()?.description ?? "")?.until).toBe(FRIDAY_MS + (9 * 60 + 10) * MINUTE_MS);
    await until(9, 10);
    expect(backup()).toBeUndefined();
    await guarded.settle();
    expect(await guarded.drift()).toEqual([]);
    expect(guarded.world.rules()).toHaveLength(2);
  });

  test("is opened at once when it is allocated within its hours", async () => {
    await until(8, 25);
    await allocate();
    expect(backup()).toBeDefined();
  });

  test("that somebody opens outside its hours is drift", async () => {
    await allocate();
    await until(8, 20);
    const rule = (await guarded.rules()).find((it) => parseMark(it.description) !== null);
    if (!rule) throw new Error("it is not open");
    await until(8, 40);
    await guarded.authorize(rule, "just this once");
    await guarded.settle();
    expect(backup()).toBeUndefined();
    expect((await guarded.drift()).map(({ kind, state }) => `${kind} ${state}`)).toEqual(["added rolledBack"]);
  });

  test("that somebody removes within its hours is restored, and closed at their end all the same", async () => {
    await allocate();
    await until(8, 20);
    const rule = (await guarded.rules()).find((it) => parseMark(it.description) !== null);
    if (!rule?.id) throw new Error("it is not open");
    await guarded.events();
    await guarded.revoke(rule.id);
    await guarded.settle();
    await guarded.world.ticks(2);
    expect(backup()).toBeDefined();
    expect((await guarded.drift()).map(({ kind, state }) => `${kind} ${state}`)).toEqual(["removed rolledBack"]);
    await until(8, 40);
    expect(backup()).toBeUndefined();
  });

  test("is closed by the full pass where its due row is lost", async () => {
    const { world } = guarded;
    await allocate({ openHours: { zone: "UTC", windows: [{ days: [5], from: "08:20", to: "09:20" }] } });
    await until(8, 20);
    // The full pass of nine o'clock finds all as it should be.
    await world.ticks(55);
    expect(backup()).toBeDefined();
    const { tables } = world.process();
    const { rows } = await tables.range({ table: "due", from: [0, 0, "", ""], to: null, limit: 100 });
    const lost = rows.filter(({ key }) => key.some((part) => String(part).includes("sg-web")));
    expect(lost.length).toBeGreaterThan(0);
    for (const { key } of lost) await tables.delete("due", key, { kind: "none" });
    await world.ticks(60);
    expect(backup()).toBeUndefined();
  });

  test("across midnight in a zone of its own is open on both sides of it", async () => {
    // 23:50 to 00:20 in Shanghai is 15:50 to 16:20 here.
    await allocate({ openHours: { zone: "Asia/Shanghai", windows: [{ days: [5], from: "23:50", to: "00:20" }] } });
    await until(15, 49);
    expect(backup()).toBeUndefined();
    await until(15, 50);
    expect(backup()).toBeDefined();
    await until(16, 19);
    expect(backup()).toBeDefined();
    await until(16, 20);
    expect(backup()).toBeUndefined();
  });
});

describe.each(["none", "observe", "enforce"] as const)(
  "a rule that stood before, given open hours in a group of guard %s",
  (guard) => {
    beforeEach(async () => {
      await guarded.world.stop();
      guarded = await GuardedWorld.start({ guard });
      await guarded.world.ticks(1);
    });
    const standing = {
      port: "443",
      sources: ["0.0.0.0/0"],
      reason: "office hours only",
      sensitiveConfirmed: true,
    } as const;
    const https = () => guarded.world.rules().find((rule) => rule.portRange === "443/443");
    const give = (change: Partial<AllocationAsk>, dryRun = false) => {
      const { world, admin } = guarded;
      return world.run(allocateRule(world.process(), admin, { ...ask, ...standing, ...change }, { dryRun }));
    };

    test("is closed outside of them, opened within, and stands as it was once they are taken away", async () => {
      const shown = await give({}, true);
      expect(shown.plan.join()).toContain("it stands, is closed now, and opens at its hours");
      expect(shown.reach).toMatchObject({ ports: "443", sources: ["0.0.0.0/0"], hosts: [{ instanceId: "i-web-1" }] });
      expect(https()).toBeDefined();
      await give({});
      await guarded.world.ticks(2);
      expect(https()).toBeUndefined();
      await until(8, 20);
      expect(parseMark(https()?.description ?? "")?.until).toBe(FRIDAY_MS + (8 * 60 + 40) * MINUTE_MS);
      await until(8, 40);
      expect(https()).toBeUndefined();
      await give({ openHours: null });
      await guarded.world.ticks(2);
      expect(https()?.description).toBe("https");
      await guarded.settle();
      await guarded.world.ticks(1);
      expect(await guarded.drift()).toEqual([]);
      expect(guarded.world.rules()).toHaveLength(2);
    });

    test("within them is marked with their end, and is described as before when they are taken away", async () => {
      await until(8, 25);
      expect((await give({})).plan.join()).toContain("it stands, and is closed at 2026-11-20T08:40:00");
      await guarded.world.ticks(1);
      expect(parseMark(https()?.description ?? "")?.until).toBe(FRIDAY_MS + (8 * 60 + 40) * MINUTE_MS);
      await give({ openHours: null });
      await until(8, 40);
      expect(https()?.description).toBe("https");
    });

    test("is not closed where it is the operators' way in", async () => {
      const { world } = guarded;
      world.policy = {
        ...world.policy,
        operatorPath: [{ protocol: "tcp", port: "443", sources: ["203.0.113.0/24"] }],
      };
      await expect(give({})).rejects.toMatchObject({ code: "OPERATOR_PATH_CUT" });
      await world.ticks(1);
      expect(https()?.description).toBe("https");
    });

    test("of somebody else, opened outside of them, is not the program's to close", async () => {
      await give({});
      await guarded.world.ticks(2);
      const spec = { ...openDatabase, ports: somePorts("443/443") };
      await guarded.authorize(spec, "mine");
      await guarded.settle();
      expect(https()?.description).toBe(guard === "enforce" ? undefined : "mine");
    });
  },
);
