// Sightings by event and by when they came: an event has one row however often it comes, and a look reads the newest.
import { beforeEach, describe, expect, test } from "vitest";
import type { GroupId } from "../../../shared/domain/ids.ts";
import type { Sighting } from "../../../shared/domain/sighting.ts";
import type { Tables } from "../../../shared/ports/tables.ts";
import {
  addFound,
  addSighting,
  getSighting,
  isTold,
  listSightings,
  markTold,
  saveSighting,
} from "../../../shared/store/sightings.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { aSighting } from "../../kit/drift-pictures.ts";
import { memoryTables } from "../../kit/memory-tables.ts";
import { NOW } from "../../kit/plan-pictures.ts";

const WEB = "sg-web" as GroupId;

describe("sightings", () => {
  let tables: Tables;
  beforeEach(() => {
    tables = memoryTables(schemas);
  });

  test("of an event that comes again are the first one's, whatever the second says", async () => {
    const first = aSighting({ eventId: "1", receivedAt: NOW });
    expect(await addSighting(tables, first)).toBe(true);
    expect(await addSighting(tables, aSighting({ eventId: "1", receivedAt: NOW + 5000, address: "another" }))).toBe(
      false,
    );
    expect(await getSighting(tables, { ...first, receivedAt: NOW + 5000 })).toEqual(first);
    expect((await listSightings(tables, WEB)).sightings).toEqual([first]);
  });

  test("that another stores in the place of one that died can be written anew", async () => {
    await tables.put("sighting", [WEB, "1"], { place: `!${1e15 - NOW} 1` }, { kind: "absent" });
    expect(await addSighting(tables, aSighting({ eventId: "1", receivedAt: NOW + 5000 }))).toBe(true);
    const [stored] = (await listSightings(tables, WEB)).sightings;
    expect(stored?.receivedAt).toBe(NOW);
    expect(await saveSighting(tables, { ...(stored as Sighting), settled: true })).toMatchObject({ settled: true });
    expect((await listSightings(tables, WEB)).sightings).toMatchObject([{ settled: true }]);
  });

  test("of a process that died before it had said what it saw are those of the next", async () => {
    await tables.put("sighting", [WEB, "1"], { place: `!${1e15 - NOW} 1` }, { kind: "absent" });
    const again = aSighting({ eventId: "1", receivedAt: NOW });
    expect(await getSighting(tables, again)).toBeNull();
    expect(await addSighting(tables, again)).toBe(true);
    expect(await getSighting(tables, again)).toEqual(again);
  });

  test("are changed in their place", async () => {
    const sighting = aSighting({ eventId: "1", confirmed: false });
    await addSighting(tables, sighting);
    await saveSighting(tables, { ...sighting, confirmed: true });
    expect((await listSightings(tables, WEB)).sightings).toMatchObject([{ eventId: "1", confirmed: true }]);
  });

  test("keep what the trail has said when somebody slower comes with less", async () => {
    const sighting = aSighting({ eventId: "1", confirmed: false });
    await addSighting(tables, sighting);
    const confirmed = { ...sighting, confirmed: true, settled: true };
    expect(await saveSighting(tables, confirmed)).toEqual(confirmed);
    const slower = { ...sighting, settled: true, doubt: "absent", askedAt: NOW } as const;
    expect(await saveSighting(tables, slower)).toEqual(confirmed);
    expect(await saveSighting(tables, { ...confirmed, settled: false })).toEqual(confirmed);
    expect((await listSightings(tables, WEB)).sightings).toEqual([confirmed]);
  });

  test("keep that the trail denies them, and that they are disputed", async () => {
    const sighting = aSighting({ eventId: "1", confirmed: false });
    await addSighting(tables, sighting);
    await saveSighting(tables, { ...sighting, disputed: true });
    // Somebody who did not know of the dispute has nothing more to do with it.
    expect(await saveSighting(tables, { ...sighting, settled: true })).toMatchObject({
      disputed: true,
      settled: false,
    });
    await saveSighting(tables, { ...sighting, settled: true, failed: "DeniedByTrail" });
    expect(await saveSighting(tables, { ...sighting, doubt: "absent", askedAt: NOW })).toMatchObject({
      failed: "DeniedByTrail",
      settled: true,
    });
  });

  test("keep the later of two answers that decide nothing, and one write of several at once", async () => {
    const sighting = aSighting({ eventId: "1", confirmed: false });
    await addSighting(tables, sighting);
    const answers = [3, 1, 2].map((askedAt) => ({ ...sighting, doubt: "absent", askedAt }) as const);
    await Promise.all([
      ...answers.map((it) => saveSighting(tables, it)),
      saveSighting(tables, { ...sighting, confirmed: true }),
    ]);
    expect((await listSightings(tables, WEB)).sightings).toMatchObject([{ confirmed: true }]);
    await addSighting(tables, { ...sighting, eventId: "2" });
    for (const answer of answers) await saveSighting(tables, { ...answer, eventId: "2" });
    expect(await getSighting(tables, { ...sighting, eventId: "2" })).toMatchObject({ askedAt: 3 });
  });

  test("that are kept no longer are not written again", async () => {
    expect(await saveSighting(tables, aSighting({ eventId: "1" }))).toBeNull();
    expect((await listSightings(tables, WEB)).sightings).toEqual([]);
  });

  test("are listed by when the calls were made, and the newest that came alone where there are many", async () => {
    for (let index = 0; index < 505; index++)
      await addSighting(tables, aSighting({ eventId: `e-${index}`, receivedAt: NOW + index, at: NOW - index }));
    const { sightings, unreadable } = await listSightings(tables, WEB);
    expect(sightings.map(({ eventId }) => eventId)).toEqual(
      Array.from({ length: 500 }, (_, index) => `e-${504 - index}`),
    );
    expect(unreadable).toBe(0);
    expect((await listSightings(tables, "sg-web2" as GroupId)).sightings).toEqual([]);
  });

  test("found in the trail are listed however many come later, once, and are changed in their place", async () => {
    const found = aSighting({ eventId: "true", receivedAt: NOW, confirmed: true });
    await addSighting(tables, { ...found, confirmed: false, address: "made up" });
    for (let index = 0; index < 505; index++)
      await addSighting(tables, aSighting({ eventId: `e-${index}`, receivedAt: NOW + 1 + index }));
    await addFound(tables, { ...found, receivedAt: NOW + 9000 });
    const listed = async () => (await listSightings(tables, WEB)).sightings.filter(({ eventId }) => eventId === "true");
    expect(await listed()).toEqual([found]);
    await saveSighting(tables, { ...found, settled: true });
    // Whoever is slower and finds it once more takes nothing back.
    await addFound(tables, found);
    expect(await listed()).toEqual([{ ...found, settled: true }]);
    expect((await listSightings(tables, WEB)).isMore).toBe(true);
  });

  test("found by a process that died between its two writes are there once, as the trail has them", async () => {
    const found = aSighting({ eventId: "true", receivedAt: NOW, confirmed: true });
    await addSighting(tables, { ...found, confirmed: false });
    let left = 1;
    const dying: Tables = {
      ...tables,
      put: async (...asked) => {
        if (--left < 0) throw new Error("died");
        return tables.put(...asked);
      },
    };
    await expect(addFound(dying, found)).rejects.toThrow("died");
    expect((await listSightings(tables, WEB)).sightings).toEqual([found]);
    await addFound(tables, found);
    await saveSighting(tables, { ...found, settled: true });
    expect((await listSightings(tables, WEB)).sightings).toEqual([{ ...found, settled: true }]);
  });

  test("that cannot be read are counted, and keep no other from being read", async () => {
    await addSighting(tables, aSighting({ eventId: "1" }));
    await tables.put("sighting", [WEB, `!${1e15 - NOW} torn`], { body: "torn" }, { kind: "none" });
    expect(await listSightings(tables, WEB)).toMatchObject({ sightings: [{ eventId: "1" }], unreadable: 1 });
  });

  test("an event is news until it was told", async () => {
    expect(await isTold(tables, "1")).toBe(false);
    await markTold(tables, "1");
    expect([await isTold(tables, "1"), await isTold(tables, "2")]).toEqual([true, false]);
  });
});
