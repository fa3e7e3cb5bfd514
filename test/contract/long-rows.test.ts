// Rows that would be longer than the store takes: what they are about goes on all the same.
import { afterAll, beforeAll, expect, test } from "vitest";
import { seededRandom } from "../../local/random.ts";
import { startTablestore, type Tablestore } from "../../local/services/tablestore/server.ts";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import { systemClock as clock } from "../../shared/adapters/system/clock.ts";
import type { GroupId } from "../../shared/domain/ids.ts";
import type { Lockdown, LockdownHost, Preparation } from "../../shared/domain/lockdown.ts";
import type { Tables } from "../../shared/ports/tables.ts";
import { getLockdown, listPreparations, preparationWrite, saveLockdown } from "../../shared/store/lockdowns.ts";
import { listRecords, writeRecord } from "../../shared/store/records.ts";
import { schemas } from "../../shared/store/tables.ts";

let service: Tablestore;
let tables: Tables;

beforeAll(async () => {
  service = await startTablestore({
    clock,
    random: seededRandom("long rows"),
    instances: ["safeport"],
    credentials: () => ({ secret: "secret" }),
  });
  tables = tablestoreTables({
    endpoint: service.url,
    instance: "safeport",
    credentials: () => ({ accessKeyId: "ak", accessKeySecret: "secret" }),
    ...{ clock, random: seededRandom("writes"), schemas },
  });
  await tables.createTables(schemas);
});
afterAll(() => service.stop());

const hosts = (count: number): readonly LockdownHost[] =>
  Array.from({ length: count }, (_, n) => ({
    ...{ eniId: `eni-bp1aaaaaaaaaaaa${n}`, instanceId: `i-bp1aaaaaaaaaaaa${n}`, name: `host-${n}`.padEnd(60, "x") },
    address: `10.0.${n >> 8}.${n & 255}`,
  }));
const group = (n: number) => ({ region: "cn-hangzhou", groupId: `sg-bp1aaaaaaaaaaaa${n}` as GroupId });
const cannotStop = ["sessions that are established: rules decide about new connections only"];

test("a lockdown of two hundred groups with a hundred hosts each", async () => {
  const groups = Array.from({ length: 200 }, (_, n) => ({
    ...{ group: group(n), name: `group-${n}`, way: "drops" as const, drops: 9, suspends: 0, isClosed: false },
    ...{ left: [], hosts: hosts(100), cannotStop },
  }));
  const lockdown: Lockdown = {
    ...{ lockdownId: "ld-0123456789ab-1", scope: { kind: "groups", groups: ["*"] }, core: ["80"], principal: "ann" },
    ...{ reason: "an attack", waivedBy: null, causes: [{ by: "ann", since: 1 }], startedAt: 1, until: 2 },
    ...{ state: "active", endedAt: null, endedBy: null, groups, steps: [], rev: 0 },
  };
  expect((await saveLockdown(tables, lockdown))?.rev).toBe(1);
  const stored = await getLockdown(tables, lockdown.lockdownId);
  expect(stored?.groups.map((it) => it.group)).toEqual(groups.map((it) => it.group));
  expect(stored?.groups.flatMap((it) => it.hosts)).toHaveLength(2000);
});

test("what a lockdown would do in a group of very many hosts", async () => {
  const preparation: Preparation = {
    ...{ group: group(1), name: "many", tags: {}, way: "drops", drops: [], suspends: [], why: null, left: [] },
    ...{ hosts: hosts(20_000), cannotStop, policyVersion: 1, at: 1 },
  };
  await tables.writeAll([preparationWrite(preparation)]);
  const { preparations } = await listPreparations(tables);
  expect(preparations[0]?.hosts).toHaveLength(2000);
});

test("the record of a change from one long policy to another", async () => {
  const recorder = { tables, clock, random: seededRandom("records"), settings: { markSecret: "m".repeat(32) } };
  const said = { group: null, cause: "policy", actor: "ann", policyVersion: 2 };
  const [before, after] = ["a", "b"].map((letter) => letter.repeat(1_000_000));
  const changes = [{ what: "policy grants", before, after }];
  await writeRecord(recorder, { at: 1, ...said, lines: ["policy 2 by ann", "grants: more"], changes });
  const { records } = await listRecords(tables, { limit: 1, before: null });
  expect(records[0]).toMatchObject({
    ...said,
    lines: ["policy 2 by ann", "grants: more", expect.stringContaining("too long")],
  });
});
