// Keys that are used again after their row's time: whether conditions still find the expired row is not documented.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../local/random.ts";
import { startTablestore, type Tablestore } from "../../local/services/tablestore/server.ts";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import type { LeaseId } from "../../shared/domain/ids.ts";
import type { Tables } from "../../shared/ports/tables.ts";
import { type AlarmRow, getAlarm, saveAlarm } from "../../shared/store/alarms.ts";
import { claimKey } from "../../shared/store/idempotency.ts";
import { schemas } from "../../shared/store/tables.ts";

const DAY_MS = 86_400_000;

describe.each([false, true])("where expired rows are kept for conditions: %s", (keepsExpired) => {
  let nowMs = Date.UTC(2026, 10, 20);
  const clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
  };
  let service: Tablestore;
  let tables: Tables;
  beforeAll(async () => {
    service = await startTablestore({
      ...{ clock, random: seededRandom("expired"), instances: ["safeport"], keepsExpired },
      credentials: () => ({ secret: "secret" }),
    });
    tables = tablestoreTables({
      ...{ endpoint: service.url, instance: "safeport", clock, random: seededRandom("writes"), schemas },
      credentials: () => ({ accessKeyId: "ak", accessKeySecret: "secret" }),
    });
    await tables.createTables(schemas);
  });
  afterAll(() => service.stop());

  test("an idempotency key is free again, for one", async () => {
    const claim = (leaseId: string) => claimKey(tables, "ann k", { leaseId: leaseId as LeaseId, requestHash: leaseId });
    expect(await claim("ls-1")).toMatchObject({ first: true });
    expect(await claim("ls-2")).toMatchObject({ first: false, leaseId: "ls-1" });
    nowMs += 3 * DAY_MS;
    const both = await Promise.all([claim("ls-3"), claim("ls-4")]);
    expect(both.map(({ first }) => first).sort()).toEqual([false, true]);
    expect(new Set(both.map(({ leaseId }) => leaseId)).size).toBe(1);
  });

  test("an alarm that was not told for long is stored", async () => {
    const alarm: AlarmRow = {
      alarmId: "a-1",
      alarm: {
        ...{ rule: "ddos", ruleId: "r", namespace: "acs_ecs", metric: "bps", level: "CRITICAL", state: "ALERT" },
        ...{ dimensions: {}, at: nowMs },
      },
      ...{ receivedAt: nowMs, isHandled: false, lockdownId: null, isMuted: false, rev: 0 },
    };
    expect((await saveAlarm(tables, alarm))?.rev).toBe(1);
    nowMs += 91 * DAY_MS;
    expect(await getAlarm(tables, "a-1")).toBeNull();
    expect((await saveAlarm(tables, alarm))?.rev).toBe(1);
    expect(await saveAlarm(tables, alarm)).toBeNull();
    expect(
      await tables.putEach?.([{ table: "alarm", key: ["a-1"], columns: {}, condition: { kind: "absent" } }]),
    ).toEqual(["conflict"]);
  });
});
