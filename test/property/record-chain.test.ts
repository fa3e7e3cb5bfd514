// The audit trail: whatever is done to a record or a seal is found, and named.
import fc from "fast-check";
import { expect, test } from "vitest";
import { TrailWorld } from "../kit/trail.ts";

const HOUR_MS = 60 * 60_000;

/** What happens: a process writes a record, an hour is over and the trail is sealed, or a process begins anew. */
const happening = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("write" as const), by: fc.nat(3), inMs: fc.nat(90_000) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("seal" as const), by: fc.nat(3), inMs: fc.constant(HOUR_MS) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const), by: fc.nat(3), inMs: fc.nat(5000) }) },
);

async function written(happenings: readonly { kind: "write" | "seal" | "restart"; by: number; inMs: number }[]) {
  const world = new TrailWorld();
  const processes = Array.from({ length: 4 }, () => world.process());
  for (const [index, { kind, by, inMs }] of happenings.entries()) {
    world.now += inMs;
    if (kind === "restart") processes[by] = world.process();
    else if (kind === "seal") await world.seal(processes[by]);
    else await world.record(processes[by] ?? world.process(), `line ${index}`);
  }
  return world;
}

const trail = fc.array(happening, { minLength: 3, maxLength: 30 });

/** Records that another row vouches for: a seal, or the next of the lane. The very last of each lane has only its signature. */
async function vouchedFor(world: TrailWorld): Promise<ReadonlySet<string>> {
  const followed = (await world.rows("record")).map(({ columns }) => String(columns["after"]));
  const sealed = (await world.rows("seal")).flatMap(({ columns }) =>
    (JSON.parse(String(columns["body"])) as { records: [string, string][] }).records.map(([sequence]) => sequence),
  );
  return new Set([...followed, ...sealed]);
}

test("a trail that nobody has touched is found whole, in pages of any size", async () => {
  await fc.assert(
    fc.asyncProperty(trail, fc.integer({ min: 1, max: 40 }), async (happenings, limit) => {
      const world = await written(happenings);
      const verdict = await world.verify({}, limit);
      expect(verdict.findings).toEqual([]);
      expect(verdict.records).toBe(happenings.filter(({ kind }) => kind === "write").length);
    }),
    { numRuns: 40 },
  );
}, 20_000);

test("any byte of any record or seal that is changed is found, by name", async () => {
  await fc.assert(
    fc.asyncProperty(
      trail,
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      async (happenings, which, where, by) => {
        const world = await written(happenings);
        const rows = [
          ...(await world.rows("record")).map((row) => ({ table: "record" as const, ...row })),
          ...(await world.rows("seal")).map((row) => ({ table: "seal" as const, ...row })),
        ];
        const row = rows[which % Math.max(1, rows.length)];
        if (row === undefined) return;
        const [name = "", value = ""] = Object.entries(row.columns).filter(([, it]) => it !== "")[where % 5] ?? [];
        if (name === "") return;
        const columns = { ...row.columns } as Record<string, string | number>;
        if (typeof value === "number") columns[name] = value + by;
        else {
          const bytes = Buffer.from(String(value), "latin1");
          const at = where % bytes.length;
          bytes[at] = (bytes[at] ?? 0) ^ by;
          columns[name] = bytes.toString("latin1");
        }
        await world.forge(row.table, row.key, columns);
        expect(await world.named()).toContain(`${row.table} ${row.key.at(-1)}`);
      },
    ),
    { numRuns: 100 },
  );
}, 20_000);

test("any record that is taken away is named, unless it was the very last of its lane and is not sealed yet", async () => {
  await fc.assert(
    fc.asyncProperty(trail, fc.nat(), async (happenings, which) => {
      const world = await written(happenings);
      const vouched = await vouchedFor(world);
      const rows = (await world.rows("record")).filter(({ key }) => vouched.has(String(key[1])));
      const row = rows[which % Math.max(1, rows.length)];
      if (row === undefined) return;
      await world.erase("record", row.key);
      expect(await world.named()).toEqual([`record ${row.key[1]}`]);
    }),
    { numRuns: 60 },
  );
}, 20_000);

test("a record moved to another place, or put in by somebody without the key, is named", async () => {
  await fc.assert(
    fc.asyncProperty(trail, fc.nat(), fc.integer({ min: 1, max: 5_000_000 }), async (happenings, which, byMs) => {
      const world = await written(happenings);
      const rows = await world.rows("record");
      const row = rows[which % Math.max(1, rows.length)];
      if (row === undefined) return;
      const [stamp = "0", chance = ""] = String(row.key[1]).split("-");
      const elsewhere = `${String(Number(stamp) - byMs).padStart(15, "0")}-${chance}`;
      await world.forge("record", [String(row.key[0]), elsewhere], row.columns as Record<string, string | number>);
      expect(await world.named()).toEqual([`record ${elsewhere}`]);
    }),
    { numRuns: 60 },
  );
}, 20_000);
