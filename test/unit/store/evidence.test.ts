// Evidence as rows: what is added joins with what is there, whoever else adds, and wherever the process dies.
import { beforeEach, describe, expect, test } from "vitest";
import { joinDay, type MemberDay } from "../../../shared/domain/evidence.ts";
import type { Tables } from "../../../shared/ports/tables.ts";
import { addEvidence, listUse, readEvidence } from "../../../shared/store/evidence.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { aDay, aPeer, aPort, daysAgo, peers } from "../../kit/evidence.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

const DAY = daysAgo(3);
const morning = aDay(DAY, {
  seen: 0b111n,
  ports: [
    aPort({ real: peers(aPeer("203.0.113.7", DAY)), refused: { list: [aPeer("198.51.100.1", DAY)], more: true } }),
    aPort({ protocol: "icmp", port: 0, unclearAt: 5 }),
  ],
});
const evening = aDay(DAY, {
  seen: 0b111000n,
  skipped: 0b1000n,
  sources: ["host"],
  ports: [aPort({ shaken: peers(aPeer("203.0.113.9", DAY)), closedAt: 7 }), aPort({ port: 443, unnamedAt: 9 })],
});

let tables: Tables;
const read = (): Promise<readonly MemberDay[]> => readEvidence(tables, "eni-1", daysAgo(9), daysAgo(0));

beforeEach(() => {
  tables = memoryTables(schemas);
});

describe("evidence rows", () => {
  test("are read back as added, day by day", async () => {
    await addEvidence(tables, "r", morning);
    await addEvidence(tables, "r", aDay(daysAgo(2)));
    await addEvidence(tables, "r", { ...morning, member: "eni-2" });
    expect(await read()).toEqual([joinDay(morning, morning), aDay(daysAgo(2))]);
    expect(await readEvidence(tables, "eni-1", daysAgo(9), DAY)).toEqual([]);
  });

  test("join what is added, and nothing is written for what is known", async () => {
    await addEvidence(tables, "r", morning);
    await addEvidence(tables, "r", evening);
    const joined = joinDay(morning, evening);
    expect(await read()).toEqual([joined]);
    const writes: string[] = [];
    const counted: Tables = {
      ...tables,
      put: (table, key, ...rest) => {
        writes.push(key.join(" "));
        return tables.put(table, key, ...rest);
      },
    };
    await addEvidence(counted, "r", evening);
    expect(writes).toEqual([]);
  });

  test("of two who add at once, none is lost", async () => {
    await addEvidence(tables, "r", morning);
    await Promise.all([addEvidence(tables, "r", evening), addEvidence(tables, "r", aDay(DAY, { seen: 1n << 100n }))]);
    const [day] = await read();
    expect(day?.seen).toBe(0b111111n | (1n << 100n));
    expect(day?.ports.map(({ port }) => port)).toEqual([0, 22, 443]);
  });

  test("a process that dies at any write leaves no window known whose use is not", async () => {
    for (let dies = 1; dies <= 6; dies += 1) {
      tables = memoryTables(schemas);
      await addEvidence(tables, "r", morning);
      let left = dies;
      const dying: Tables = {
        ...tables,
        put: async (...args) => {
          left -= 1;
          if (left < 0) throw new Error("dead");
          return tables.put(...args);
        },
      };
      await addEvidence(dying, "r", evening).catch(() => undefined);
      const [day] = await read();
      if (day?.seen === (morning.seen | evening.seen)) expect([day]).toEqual([joinDay(morning, evening)]);
      await addEvidence(tables, "r", evening);
      expect(await read()).toEqual([joinDay(morning, evening)]);
    }
  });

  test("say in one row for each member what was used", async () => {
    await addEvidence(tables, "r", morning);
    await addEvidence(tables, "r", { ...evening, member: "eni-2" });
    await addEvidence(tables, "r", aDay(daysAgo(2)));
    await addEvidence(tables, "other", aDay(DAY, { member: "eni-9" }));
    const lastAt = aPeer("203.0.113.7", DAY).lastAt;
    expect(await listUse(tables, "r", daysAgo(9), daysAgo(0))).toEqual([
      { member: "eni-1", day: DAY, ports: [{ protocol: "tcp", port: 22, lastAt, peers: 1 }] },
      { member: "eni-2", day: DAY, ports: [{ protocol: "tcp", port: 443, lastAt: 9, peers: 0 }] },
      { member: "eni-1", day: daysAgo(2), ports: [] },
    ]);
    expect(await listUse(tables, "r", daysAgo(2), daysAgo(0))).toHaveLength(1);
  });

  test("of a scan of all ports stay few, however it comes, and all that are watched", async () => {
    const watched = [{ protocol: "tcp", from: 60_000, to: 60_002 }];
    const refused = (port: number) => aPort({ port, refused: peers(aPeer("198.51.100.1", DAY)) });
    // From above, in parts: the lowest of each part are other ones.
    for (let first = 65_000; first > 0; first -= 5000)
      await addEvidence(
        tables,
        "r",
        aDay(DAY, { ports: Array.from({ length: 500 }, (_, n) => refused(first - n)) }),
        watched,
      );
    await addEvidence(tables, "r", aDay(DAY, { ports: [60_000, 60_001, 60_003].map(refused) }), watched);
    const [day] = await read();
    expect(day?.ports).toHaveLength(256 + 2);
    expect(day?.ports.map(({ port }) => port)).toEqual(expect.arrayContaining([60_000, 60_001]));
    expect(day?.unlistedRefused).toBeGreaterThan(200);
    await addEvidence(tables, "r", aDay(DAY, { ports: [aPort({ port: 1, real: peers(aPeer("198.51.100.1", DAY)) })] }));
    expect((await read())[0]?.ports[0], "what is used is kept whatever was refused").toMatchObject({ port: 1 });
  });

  test("a broken row is told as such", async () => {
    await tables.put("evidence", ["eni-1", DAY, "", 0], { body: '{"seen":"no"}', rev: 1 }, { kind: "none" });
    await expect(read()).rejects.toMatchObject({ code: "STATE_UNREADABLE" });
  });
});
