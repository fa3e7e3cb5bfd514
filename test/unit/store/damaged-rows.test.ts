// A row that somebody has damaged is told as such, in whatever way it is damaged, and keeps no other from being read.
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../../local/random.ts";
import type { EntryId } from "../../../shared/domain/ids.ts";
import type { Columns, KeyPart, TableName, Tables } from "../../../shared/ports/tables.ts";
import { getAlarm } from "../../../shared/store/alarms.ts";
import { getAudit, listAuditedGroups, listAudits, readAudit } from "../../../shared/store/audits.ts";
import { listCollections, readCollection, readWatchSpent } from "../../../shared/store/collection.ts";
import { readDelivery, readPace } from "../../../shared/store/deliveries.ts";
import { getDrift, listDrift, listOpenDrift } from "../../../shared/store/drift-items.ts";
import { dueJob } from "../../../shared/store/due.ts";
import { listUse, readEvidence } from "../../../shared/store/evidence.ts";
import { readDivision, readPart } from "../../../shared/store/full-pass.ts";
import { getGroupRow, groupRowsOf, listGroupRows, readableGroupRow } from "../../../shared/store/group-rows.ts";
import { listHistory, regionOfHistory } from "../../../shared/store/history.ts";
import { readKey } from "../../../shared/store/idempotency.ts";
import { listIntents } from "../../../shared/store/intents.ts";
import { eachLease, getLease, listLeases, newLeaseId } from "../../../shared/store/leases.ts";
import { getEntry, listEntries, pageEntries } from "../../../shared/store/ledger.ts";
import { lockOf } from "../../../shared/store/lock.ts";
import {
  getLockdown,
  lastLockdown,
  listLockdowns,
  listPreparations,
  pageLockdowns,
} from "../../../shared/store/lockdowns.ts";
import { readKnownHosts, readMemberships, readStray, weekOf } from "../../../shared/store/memberships.ts";
import { readMode } from "../../../shared/store/mode.ts";
import { readOutbox } from "../../../shared/store/outbox.ts";
import { readPlaces } from "../../../shared/store/places.ts";
import { readPending } from "../../../shared/store/policy.ts";
import { listRecords } from "../../../shared/store/records.ts";
import { getRecyclingItem, listRecyclingItems } from "../../../shared/store/recycling.ts";
import { newestSeal } from "../../../shared/store/seals.ts";
import { readSeenRules } from "../../../shared/store/seen-rules.ts";
import { getSighting, listSightings } from "../../../shared/store/sightings.ts";
import { getStandbySet, listStandbySets } from "../../../shared/store/standby-sets.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { listTokens, readToken } from "../../../shared/store/tokens.ts";
import { readTrailCheck } from "../../../shared/store/trail-check.ts";
import { aSighting } from "../../kit/drift-pictures.ts";
import { memoryTables } from "../../kit/memory-tables.ts";
import { GROUP, NOW } from "../../kit/plan-pictures.ts";

/** What a column holds instead; the last: no column at all. */
const DAMAGES = ["null", "[]", "{}", "5", '"text"', "{", "", "[null]", null] as const;

type Place = readonly [what: string, place: readonly [TableName, readonly KeyPart[], column: string]];
type Damaged = readonly [
  ...Place,
  read: (tables: Tables) => Promise<unknown>,
  /** What nobody can tell from a good one: without anything in it. */
  fine?: readonly (string | null)[],
];

const WEB = GROUP.groupId;
const DAY = "2026-11-05";
const WEEK = weekOf(DAY);
const LOCKDOWN = "ld-0123456789ab-1";
const lockdown: Damaged[1] = ["lockdown", ["0123456789ab", 1], "body"];
const LEASE = newLeaseId(NOW, seededRandom("a lease"));
const ITEM = "rc-0123456789abcdef.sg-web";
const { eventId, receivedAt } = aSighting();
const pass = { ...dueJob("x", null, NOW), kind: "full-pass", id: "nightly" } as const;
const passKey = [pass.shard, pass.at, pass.kind, pass.id];

/** A lease that waits for a second person, and was justified. */
const A_LEASE = {
  request: JSON.stringify({
    ...{ leaseId: LEASE, principal: "ann", group: GROUP, specs: [], entryIds: [], periodMs: 1, requestedAt: NOW },
  }),
  status: JSON.stringify({ state: "requested", until: NOW, ruleIds: [] }),
  approval: JSON.stringify({
    ...{ needed: 1, change: "c", requester: "ann", askedOf: [], lapsesAt: NOW, words: [], approvedAt: null, rev: 0 },
  }),
  justification: JSON.stringify({ by: "ann", at: NOW, text: "why" }),
};

const AN_ENTRY: Damaged = [
  "an entry",
  ["ledger", [WEB, "e"], "body"],
  (tables) => getEntry(tables, GROUP, "e" as EntryId),
];

/** Rows without which nothing can be done. */
const TOLD: readonly Damaged[] = [
  ["an alarm", ["alarm", ["a"], "body"], (tables) => getAlarm(tables, "a")],
  ["a month", ["audit", ["#", "2026-10"], "body"], (tables) => getAudit(tables, "2026-10")],
  ["a collection", ["schedule", ["evidence/r/flowLog"], "body"], (tables) => readCollection(tables, "r", "flowLog")],
  ["a watch", ["schedule", ["watch/r"], "body"], (tables) => readWatchSpent(tables, "r")],
  ["a delivery", ["delivery", ["n"], "body"], (tables) => readDelivery(tables, "n"), ["{}"]],
  ["a difference", ["drift", [WEB, "dr-1"], "body"], (tables) => getDrift(tables, GROUP, "dr-1")],
  ["a day", ["evidence", ["eni-1", DAY, "", 0], "body"], (tables) => readEvidence(tables, "eni-1", DAY, "2026-11-06")],
  [
    "a port",
    ["evidence", ["eni-1", DAY, "tcp", 22], "body"],
    (tables) => readEvidence(tables, "eni-1", DAY, "2026-11-06"),
    ["{}"],
  ],
  [
    "what was used",
    ["evidence", ["~r", DAY, "eni-1", 0], "body"],
    (tables) => listUse(tables, "r", DAY, "2026-11-06"),
    ["[]"],
  ],
  [
    "a membership",
    ["evidence", [`~${WEB}`, WEEK, "eni-1", 0], "body"],
    (tables) => readMemberships(tables, WEB, { from: DAY, until: "2026-11-06", max: 10 }),
  ],
  [
    "a known host",
    ["evidence", ["~~r", WEEK, "eni-1", 0], "body"],
    (tables) => readKnownHosts(tables, "r", WEEK),
    ["[]"],
  ],
  [
    "a stray",
    ["evidence", ["~?r", WEEK, "eni-1", 0], "body"],
    (tables) => readStray(tables, "r", "eni-1", DAY),
    ["[]"],
  ],
  ["a full pass", ["due", passKey, "progress"], (tables) => readDivision(tables, pass), [null]],
  ["its part", ["due", passKey, "progress"], (tables) => readPart(tables, pass)],
  ["a group", ["group", [GROUP.region, WEB], "body"], (tables) => getGroupRow(tables, GROUP)],
  ["a history", ["history", [WEB, "e", "1"], "body"], (tables) => listHistory(tables, GROUP, "e" as EntryId, 10)],
  AN_ENTRY,
  ["a lockdown", lockdown, (tables) => getLockdown(tables, LOCKDOWN)],
  ["lockdowns by which use is judged", lockdown, (tables) => listLockdowns(tables, 10)],
  ["a person's places", ["place", ["ann"], "leases"], (tables) => readPlaces(tables, "ann"), ["[]"]],
  ["a rule in the queue", ["recycling", [WEB, ITEM], "body"], (tables) => getRecyclingItem(tables, ITEM)],
  ["rules as seen", ["schedule", [`rules/${WEB}`], "body"], (tables) => readSeenRules(tables, WEB), ["[]"]],
  ["a set of lists", ["preparation", ["~lists", "s"], "body"], (tables) => getStandbySet(tables, "s")],
  ["a token", ["token", ["t"], "body"], (tables) => readToken(tables, "t")],
];

/** Rows of several columns, each of which is needed. */
const OF_MANY: readonly (readonly [
  what: string,
  place: readonly [TableName, readonly KeyPart[]],
  good: Readonly<Record<string, string | number>>,
  read: Damaged[2],
])[] = [
  [
    "a policy that waits",
    ["policy", ["pending", 0]],
    { base: 1, at: NOW, until: NOW, issuers: '["https://login.example.com"]' },
    readPending,
  ],
  ["a lock", ["lock", ["g"]], { fence: 1, expiresAt: NOW }, async (tables) => lockOf(await tables.get("lock", ["g"]))],
  ["a key", ["idempotency", ["k"]], { leaseId: LEASE, requestHash: "h" }, (tables) => readKey(tables, "k")],
];

/** Rows that hold up no other, with what is said of them. */
const LEFT_OUT: readonly (readonly [...place: readonly [Damaged[0], Damaged[1], Damaged[2]], says: object])[] = [
  [
    "a month that is made anew",
    ["audit", ["#", "2026-10"], "body"],
    async (tables) => ({ month: await readAudit(tables, "2026-10") }),
    { month: "unreadable" },
  ],
  [
    "months",
    ["audit", ["#", "2026-10"], "body"],
    (tables) => listAudits(tables, 10),
    { audits: [], unreadable: ["2026-10"] },
  ],
  [
    "the groups of a month",
    ["audit", ["2026-10", `${"1".padStart(15, "0")}/r/g`], "body"],
    (tables) => listAuditedGroups(tables, "2026-10", 1, { after: null, limit: 10 }),
    { groups: [{ group: { region: "r", groupId: "g" }, failed: expect.stringContaining("cannot be read") }] },
  ],
  [
    "groups",
    ["group", [GROUP.region, WEB], "body"],
    (tables) => listGroupRows(tables, { region: GROUP.region, after: null, limit: 10 }),
    { rows: [], unreadable: [WEB], next: null },
  ],
  [
    "groups by id",
    ["group", [GROUP.region, WEB], "body"],
    async (tables) => ({ row: (await groupRowsOf(tables, GROUP.region)).get(WEB) }),
    { row: "unreadable" },
  ],
  [
    "a group that opens nothing",
    ["group", [GROUP.region, WEB], "body"],
    async (tables) => ({ row: await readableGroupRow(tables, GROUP) }),
    { row: null },
  ],
  [
    "leases of a month",
    ["lease", [LEASE], "request"],
    async (tables) => ({ unreadable: await eachLease(tables, { from: NOW, until: NOW + 1 }, () => expect.fail()) }),
    { unreadable: [LEASE] },
  ],
  [
    "entries of a group",
    ["ledger", [WEB, "e"], "body"],
    (tables) => listEntries(tables, GROUP),
    { entries: [], unreadable: ["e"] },
  ],
  [
    "entries",
    ["ledger", [WEB, "e"], "body"],
    (tables) => pageEntries(tables, { after: null, limit: 10 }),
    { entries: [], unreadable: [`${WEB} e`] },
  ],
  [
    "intents",
    ["intent", [WEB, "i"], "body"],
    (tables) => listIntents(tables, GROUP),
    { intents: [], unreadable: ["i"] },
  ],
  [
    "leases",
    ["lease", ["ls-1"], "request"],
    (tables) => listLeases(tables, { limit: 10, before: null }),
    { leases: [], unreadable: ["ls-1"] },
  ],
  [
    "differences",
    ["drift", [WEB, "dr-1"], "body"],
    (tables) => listDrift(tables, { limit: 10 }),
    { items: [], unreadable: [`${WEB} dr-1`] },
  ],
  [
    "rules in the queue",
    ["recycling", [WEB, ITEM], "body"],
    (tables) => listRecyclingItems(tables, { limit: 10 }),
    { items: [], unreadable: [ITEM] },
  ],
  [
    "sightings",
    ["sighting", [WEB, `!${1e15 - receivedAt} ${eventId}`], "body"],
    (tables) => listSightings(tables, WEB),
    { sightings: [], unreadable: 1 },
  ],
  [
    "preparations",
    ["preparation", [GROUP.region, WEB], "body"],
    listPreparations,
    { preparations: [], unreadable: [GROUP] },
  ],
  ["sets of lists", ["preparation", ["~lists", "s"], "body"], listStandbySets, { sets: [], unreadable: ["s"] }],
  [
    "tokens",
    ["token", ["t"], "body"],
    (tables) => listTokens(tables, { after: null, limit: 10 }),
    { unreadable: ["t"] },
  ],
  ["notices", ["outbox", [1, NOW, "n"], "body"], (tables) => readOutbox(tables, 10), { pending: [{ notice: null }] }],
  [
    "records",
    ["record", ["main", "s"], "body"],
    (tables) => listRecords(tables, { limit: 10, before: null }),
    { records: [{ cause: "unreadable" }] },
  ],
  ["seals", ["seal", [1], "body"], async (tables) => ({ ...(await newestSeal(tables)) }), { says: null }],
  [
    "collections",
    ["schedule", ["evidence/r/flowLog"], "body"],
    async (tables) => ({ list: await listCollections(tables) }),
    { list: [{ region: "r", source: "flowLog", collection: null }] },
  ],
  [
    "a look at the trail",
    ["schedule", ["trail"], "body"],
    async (tables) => ({ check: await readTrailCheck(tables) }),
    { check: "unreadable" },
  ],
  [
    "the last lockdown of a scope",
    lockdown,
    async (tables) => ({ ...(await lastLockdown(tables, "0123456789ab")) }),
    { sequence: 1, lockdown: null },
  ],
  ["the mode", ["policy", ["mode", 0], "mode"], readMode, { mode: "close-only" }],
  ["a pace", ["delivery", ["target/t"], "body"], (tables) => readPace(tables, "t"), { sentAt: [], failures: 0 }],
];

async function damaged(
  [, [table, key, column]]: readonly [...Place, ...unknown[]],
  by: string | null,
): Promise<Tables> {
  const tables = memoryTables(schemas);
  await tables.put(table, key, { rev: 1, ...(by === null ? {} : { [column]: by }) }, { kind: "none" });
  return tables;
}

describe("a damaged row is told as such:", () => {
  for (const row of TOLD)
    test(row[0], async () => {
      for (const by of DAMAGES.filter((it) => !row[3]?.includes(it)))
        expect(await row[2](await damaged(row, by)).catch(({ code, detail }) => ({ code, detail })), `${by}`).toEqual({
          ...{ code: "STATE_UNREADABLE", detail: detailOf(row[1]) },
        });
    });

  for (const [what, place, good, read] of OF_MANY)
    test.each(Object.keys(good))(`${what}, by its %s alone`, async (column) => {
      const [table, key] = place;
      const readWith = async (columns: Columns): Promise<unknown> => {
        const tables = memoryTables(schemas);
        await tables.put(table, key, columns, { kind: "none" });
        return read(tables).catch(({ code, detail }) => ({ code, detail }));
      };
      expect(await readWith(good)).not.toHaveProperty("code");
      const isJson = String(good[column]).startsWith("[");
      const texts = isJson ? DAMAGES.filter((by) => by !== null && by !== "[]") : [];
      for (const by of [typeof good[column] === "number" ? "5" : 5, ...texts])
        expect(await readWith({ ...good, [column]: by }), `${by}`).toEqual({
          ...{ code: "STATE_UNREADABLE", detail: detailOf(place) },
        });
    });

  test.each(["request", "status", "approval", "justification"] as const)("a lease's %s", async (column) => {
    const read = async (columns: Readonly<Record<string, string>>): Promise<unknown> => {
      const tables = memoryTables(schemas);
      await tables.put("lease", [LEASE], columns, { kind: "none" });
      return getLease(tables, LEASE).catch(({ code, detail }) => ({ code, detail }));
    };
    const told = { code: "STATE_UNREADABLE", detail: { table: "lease", key: LEASE } };
    const good = await read(A_LEASE);
    expect(good).toMatchObject({ approval: { needed: 1 }, justification: { text: "why" } });
    const { [column]: text, ...others } = A_LEASE;
    const value: Readonly<Record<string, unknown>> = JSON.parse(text);
    const needed = Object.keys(value).filter((field) => value[field] !== null);
    const damages = [
      ...DAMAGES.filter((by) => by !== null),
      ...needed.map((field) => JSON.stringify({ ...value, [field]: null })),
    ];
    for (const by of damages) expect(await read({ ...others, [column]: by }), by).toEqual(told);
    const isOptional = column === "approval" || column === "justification";
    expect(await read(others)).toEqual(isOptional ? { ...Object(good), [column]: null } : told);
  });

  test("in words that lead to it", async () => {
    const [, , read] = AN_ENTRY;
    await expect(read(await damaged(AN_ENTRY, "{"))).rejects.toThrow(
      "The row sg-web e of the table ledger cannot be read; the group is left alone.",
    );
  });
});

/** Keys of people's requests and ids of tokens stay out of answers. */
function detailOf([table, key]: readonly [TableName, readonly KeyPart[], ...unknown[]]): object {
  return table === "token" || table === "idempotency" ? { table } : { table, key: key.join(" ") };
}

describe("a damaged row holds up no other:", () => {
  for (const [what, place, read, says] of LEFT_OUT)
    test(what, async () => {
      for (const by of DAMAGES) expect(await read(await damaged([what, place], by)), `${by}`).toMatchObject(says);
    });

  test("lockdowns, newest first", async () => {
    for (const by of DAMAGES) {
      const tables = await damaged(["", lockdown], by);
      await tables.put("lockdown", ["~time", 1], { lockdown: LOCKDOWN }, { kind: "none" });
      expect(await pageLockdowns(tables, { limit: 10, before: null }), `${by}`).toMatchObject({
        ...{ lockdowns: [], unreadable: [LOCKDOWN], next: null },
      });
    }
  });

  test("open differences", async () => {
    for (const by of DAMAGES) {
      const tables = await damaged(["", ["drift", [WEB, "dr-1"], "body"]], by);
      await tables.put("drift", [WEB, "!dr-1"], { rev: 1, at: NOW }, { kind: "none" });
      expect(await listOpenDrift(tables, GROUP, NOW), `${by}`).toEqual({ items: [], unreadable: ["dr-1"] });
    }
  });

  test("the region of a history", async () => {
    for (const by of DAMAGES)
      expect(await regionOfHistory(await damaged(["", ["history", [WEB, "e", "1"], "body"]], by), WEB)).toBeNull();
  });

  test("an event that comes again", async () => {
    const sighting = aSighting();
    const place = `!${1e15 - sighting.receivedAt} ${sighting.eventId}`;
    for (const by of DAMAGES) {
      const tables = await damaged(["", ["sighting", [sighting.groupId, place], "body"]], by);
      await tables.put("sighting", [sighting.groupId, sighting.eventId], { place }, { kind: "none" });
      await expect(getSighting(tables, sighting), `${by}`).rejects.toMatchObject({ code: "STATE_UNREADABLE" });
    }
  });
});
