// Records in lanes and the seals over them: many writers, lost writes, deaths, and trails that somebody has touched.
import { beforeEach, describe, expect, test } from "vitest";
import { recordKey, sealDigest, signRecord } from "../../../shared/domain/record-chain.ts";
import type { Tables } from "../../../shared/ports/tables.ts";
import { sealRecords } from "../../../shared/usecases/records/seal-records.ts";
import { TRAIL_START, TrailWorld, verified } from "../../kit/trail.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Fails at the given call of `name`, before the write or after it, and dies there: nothing is done afterwards. */
function dyingAt(call: number, when: "before" | "after", name: "writeAll" | "put") {
  let calls = 0;
  return (tables: Tables): Tables => {
    const guard =
      <Input extends readonly unknown[], Output>(act: (...input: Input) => Promise<Output>) =>
      async (...input: Input): Promise<Output> => {
        calls += 1;
        if (calls === call && when === "before") throw new Error("lost before");
        const answer = await act(...input);
        if (calls === call) throw new Error("lost after");
        return answer;
      };
    return name === "put" ? { ...tables, put: guard(tables.put) } : { ...tables, writeAll: guard(tables.writeAll) };
  };
}

describe("records in their lanes", () => {
  let world: TrailWorld;
  beforeEach(() => {
    world = new TrailWorld();
  });

  test("one after the other of a process are one lane", async () => {
    const app = world.process();
    for (const line of ["a", "b", "c"]) await world.record(app, line);
    const rows = await world.rows("record");
    expect(rows.map(({ columns }) => columns["n"])).toEqual([1, 2, 3]);
    expect(new Set(rows.map(({ columns }) => columns["lane"])).size).toBe(1);
    expect((await world.verify()).findings).toEqual([]);
  });

  test("of many processes at the same instant, each writing many at once, none waits and none breaks the chain", async () => {
    const apps = Array.from({ length: 8 }, () => world.process());
    for (let round = 0; round < 4; round++)
      await Promise.all(apps.flatMap((app) => Array.from({ length: 5 }, (_, n) => world.record(app, `${round} ${n}`))));
    expect(await world.verify()).toMatchObject({ findings: [], records: 160, unsealed: 160 });
    const lanes = new Set((await world.rows("record")).map(({ columns }) => columns["lane"]));
    expect(lanes.size).toBe(40);
  });

  test.each(["before", "after"] as const)(
    "a write that is lost %s its effect leaves no gap, at whichever record",
    async (when) => {
      for (let call = 1; call <= 6; call++) {
        const each = new TrailWorld();
        const app = each.process(dyingAt(call, when, "writeAll"));
        let lost = 0;
        for (let n = 0; n < 6; n++) await each.record(app, `${n}`).catch(() => lost++);
        each.now += HOUR_MS;
        await each.seal();
        expect(lost).toBe(1);
        expect(await each.verify()).toMatchObject({ findings: [], records: when === "before" ? 5 : 6, unsealed: 0 });
      }
    },
  );

  test("a clock that is set back does not turn the order of a lane round", async () => {
    const app = world.process();
    await world.record(app, "first");
    world.now -= HOUR_MS;
    await world.record(app, "second");
    world.now += 2 * HOUR_MS;
    await world.seal();
    expect(await world.verify()).toMatchObject({ findings: [], records: 2, unsealed: 0 });
  });
});

describe("sealing", () => {
  let world: TrailWorld;
  beforeEach(() => {
    world = new TrailWorld();
  });

  test("leaves alone what may still be under way, and takes it the next time", async () => {
    const app = world.process();
    await world.record(app, "old");
    world.now += 11 * MINUTE_MS;
    await world.record(app, "new");
    await world.seal();
    expect(await world.verify()).toMatchObject({ findings: [], seals: 1, unsealed: 1 });
    world.now += 11 * MINUTE_MS;
    await world.seal();
    expect(await world.verify()).toMatchObject({ findings: [], seals: 2, unsealed: 0 });
  });

  test("without a record there is one seal a day", async () => {
    for (let hour = 0; hour < 49; hour++) {
      await world.seal();
      world.now += HOUR_MS;
    }
    expect(await world.verify()).toMatchObject({ findings: [], seals: 3 });
  });

  test("by two at once makes one seal", async () => {
    await world.record(world.process(), "a");
    world.now += HOUR_MS;
    await Promise.all([world.seal(), world.seal(), world.seal()]);
    expect(await world.verify()).toMatchObject({ findings: [], seals: 1, unsealed: 0 });
  });

  test.each(["before", "after"] as const)("that dies %s its write is gone on with", async (when) => {
    const app = world.process();
    for (let n = 0; n < 1010; n++) await world.record(app, `${n}`);
    for (let call = 1; call <= 3; call++) {
      world.now += HOUR_MS;
      await world.record(app, "one more");
      await expect(world.seal(world.process(dyingAt(1, when, "put")))).rejects.toThrow("lost");
    }
    world.now += HOUR_MS;
    await world.seal();
    expect(await world.verify()).toMatchObject({ findings: [], records: 1013, unsealed: 0 });
  });

  test("stops when its time is over, and says that there is more", async () => {
    const app = world.process();
    for (let n = 0; n < 2100; n++) await world.record(app, `${n}`);
    world.now += HOUR_MS;
    expect(await sealRecords(world.process(), 0)).toBe(false);
    expect(await world.verify()).toMatchObject({ findings: [], seals: 1, unsealed: 1100 });
    expect(await sealRecords(world.process(), 0)).toBe(false);
    expect(await sealRecords(world.process(), 0)).toBe(true);
    expect(await world.verify()).toMatchObject({ findings: [], seals: 3, unsealed: 0 });
  });

  test("takes in what came late, below the place that was looked at", async () => {
    const app = world.process();
    const late = world.process();
    world.now += HOUR_MS;
    const frozenAt = world.now;
    await world.record(app, "in time");
    world.now += HOUR_MS;
    await world.seal();
    const sealedAt = world.now;
    // The write of a process that was frozen all the time.
    world.now = frozenAt + 1;
    await world.record(late, "late");
    world.now = sealedAt + HOUR_MS;
    expect(await world.verify()).toMatchObject({ findings: [], unsealed: 1 });
    await world.seal();
    expect(await world.verify()).toMatchObject({ findings: [], seals: 2, unsealed: 0 });
  });

  test("goes on after a seal that somebody has spoilt, which is named", async () => {
    const app = world.process();
    for (let hour = 0; hour < 3; hour++) {
      await world.record(app, `${hour}`);
      world.now += HOUR_MS;
      await world.seal();
    }
    await world.forge("seal", [3], { body: "{", signature: "" });
    await world.record(app, "afterwards");
    world.now += HOUR_MS;
    await world.seal();
    expect(await world.named()).toEqual(["seal 3"]);
  });

  test("goes on where the clock was hours ahead when it sealed, and names what is written since", async () => {
    const app = world.process();
    await world.record(app, "before");
    world.now += HOUR_MS;
    await world.seal();
    await world.record(app, "not sealed yet");
    world.now += 8 * HOUR_MS;
    await world.record(app, "ahead");
    await world.seal();
    expect(await world.rows("seal")).toHaveLength(2);
    world.now -= 8 * HOUR_MS;
    for (let hour = 0; hour < 9; hour++) {
      await world.record(world.process(), `${hour}`);
      world.now += HOUR_MS;
      await world.seal();
      expect(await world.verify(), `${hour}`).toMatchObject({ findings: [], unsealed: hour < 8 ? 1 : 0 });
    }
    // What was written meanwhile is no less held together than anything else.
    const row = (await world.rows("record")).find(({ columns }) => String(columns["body"]).includes('"3"'));
    await world.erase("record", row?.key ?? []);
    expect(await world.named()).toEqual([`record ${row?.key[1]}`]);
  });

  test("goes on, once a day without a record, where the clock was years ahead", async () => {
    world.now += 3 * 365 * DAY_MS;
    await world.seal();
    world.now -= 3 * 365 * DAY_MS;
    for (let hour = 0; hour < 49; hour++) {
      await world.seal();
      world.now += HOUR_MS;
    }
    expect(await world.verify()).toMatchObject({ findings: [], seals: 4 });
  });

  test.each<[string, { readonly to: string; readonly records?: boolean }]>([
    ["has looked at everything", { to: "999999999999999" }],
    ["names records", { to: "0", records: true }],
  ])("is stopped by no seal of somebody else that %s", async (_, { to, records = false }) => {
    const app = world.process();
    await world.record(app, "a");
    world.now += HOUR_MS;
    await world.seal();
    await world.record(app, "b");
    const named = records ? (await world.rows("record")).map(({ key }) => [String(key[1]), "0".repeat(64)]) : [];
    const body = { number: 2, at: world.now, previous: "", from: "", to, records: named };
    await world.forge("seal", [2], { body: JSON.stringify(body), signature: "" });
    world.now += HOUR_MS;
    await world.seal();
    expect(await world.verify()).toMatchObject({ findings: [{ of: "seal 2" }], seals: 3, unsealed: 0 });
  });

  test("tells its head to the log", async () => {
    await world.record(world.process(), "a");
    world.now += HOUR_MS;
    await world.seal();
    expect(world.logged).toEqual([{ seal: 1, records: 1, digest: (await world.verify()).head?.digest }]);
  });
});

describe("the verifier", () => {
  let world: TrailWorld;
  beforeEach(async () => {
    world = new TrailWorld();
    const app = world.process();
    for (let hour = 0; hour < 6; hour++) {
      for (const line of ["a", "b", "c"]) await world.record(app, `${hour} ${line}`);
      world.now += HOUR_MS;
      await world.seal();
    }
  });

  test("names each of several records that are missing in a row", async () => {
    const [, first, second, third] = await world.rows("record");
    const gone = [first, second, third].map((row) => row?.key ?? []);
    for (const key of gone) await world.erase("record", key);
    expect([...(await world.named())].sort()).toEqual(gone.map((key) => `record ${key[1]}`).sort());
  });

  test("names seals that are missing, and a trail that was cut off when its heads are known", async () => {
    const { head } = await world.verify();
    await world.erase("seal", [3]);
    expect(await world.named()).toEqual(["seal 3"]);
    await world.erase("seal", [4]);
    expect(await world.named()).toEqual(["seal 3 to 4"]);
    for (const number of [5, 6]) await world.erase("seal", [number]);
    for (const { key } of (await world.rows("record")).slice(6)) await world.erase("record", key);
    // Everything after the second hour is gone, and what is left fits together.
    expect(await world.named()).toEqual([]);
    const heads = new Map([[head?.number ?? 0, head?.digest ?? ""]]);
    expect(await world.named({ heads })).toEqual(["seal 6"]);
    world.now += 27 * HOUR_MS;
    expect(await world.named()).toEqual(["trail"]);
  });

  test("finds a trail that was written anew as a whole by somebody with every key, where a head is known", async () => {
    const { head } = await world.verify();
    const heads = new Map([[head?.number ?? 0, head?.digest ?? ""]]);
    const forged = new TrailWorld();
    const app = forged.process();
    for (let hour = 0; hour < 6; hour++) {
      await forged.record(app, "nothing happened");
      forged.now += HOUR_MS;
      await forged.seal();
    }
    expect(await forged.named()).toEqual([]);
    expect(await forged.named({ heads })).toEqual(["seal 6"]);
  });

  test("a record of long ago, made with the key, is known to no seal", async () => {
    const stamp = String(TRAIL_START + 90 * MINUTE_MS).padStart(15, "0");
    const sequence = `${stamp}-00000000aa`;
    const forged = { sequence, lane: sequence, n: 1, after: "", prev: "", group: "", body: "{}" };
    const { sequence: _, ...columns } = signRecord(forged, recordKey("0123456789abcdef0123456789abcdef"));
    await world.forge("record", ["main", sequence], columns);
    expect((await world.verify()).findings).toEqual([
      expect.objectContaining({ kind: "added", of: `record ${sequence}` }),
    ]);
  });

  test("without the key still finds every change of what a seal or a later record names", async () => {
    const [row] = await world.rows("record");
    await world.forge("record", row?.key ?? [], { ...(row?.columns as Record<string, string>), body: "{}" });
    expect(await world.named({ key: null })).toEqual([`record ${row?.key[1]}`]);
  });

  test("names what was signed with another key", async () => {
    const { findings } = await world.verify({ key: recordKey("another key of thirty-two letters") });
    expect(findings).toHaveLength(18 + 6);
    expect(new Set(findings.map(({ kind }) => kind))).toEqual(new Set(["changed"]));
  });

  test("takes what is older than the floor as lapsed, and nothing that is younger", async () => {
    const rows = await world.rows("record");
    for (const { key } of rows.slice(0, 6)) await world.erase("record", key);
    expect(await world.named()).toHaveLength(6);
    world.now += 180 * DAY_MS - 4 * HOUR_MS;
    await world.seal();
    expect(await world.verify()).toMatchObject({ findings: [], records: 12 });
    // A younger one among them.
    await world.erase("record", rows[17]?.key ?? []);
    expect(await world.named()).toEqual([`record ${rows[17]?.key[1]}`]);
  });

  test("names rows that have no time, or none that there is, and goes on", async () => {
    await world.forge("record", ["main", "0"], { body: "{}" });
    await world.forge("record", ["main", "999999999999999-0000000000"], { body: "{}" });
    const body = { number: 7, at: -8e15, previous: "", from: "", to: "", records: [] };
    await world.forge("seal", [7], { body: JSON.stringify(body), signature: "" });
    const verdict = await world.verify({ now: world.now + 27 * HOUR_MS });
    const names = ["record 0", "record 999999999999999-0000000000", "seal 7", "trail"];
    expect(verdict.findings.map(({ of }) => of).sort()).toEqual(names);
    expect(verdict.begins).toBe(TRAIL_START);
  });

  test("finds a line of a file that stands in another place", async () => {
    const lines = [...(await world.lines())];
    const [moved] = lines.splice(2, 1);
    if (moved) lines.splice(0, 0, moved);
    const key = recordKey("0123456789abcdef0123456789abcdef");
    const { findings } = verified(lines, { key, now: world.now });
    expect(findings.map(({ of }) => of)).toContain(`record ${moved?.kind === "record" ? moved.sequence : ""}`);
  });

  test("answers the newest head", async () => {
    const last = (await world.rows("seal")).at(-1);
    const seal = { body: String(last?.columns["body"]), signature: String(last?.columns["signature"]) };
    expect((await world.verify()).head).toMatchObject({ number: 6, digest: sealDigest(seal) });
  });
});
