import { beforeEach, describe, expect, test } from "vitest";
import { type NoticeKind, noticeOf } from "../../../shared/domain/notice.ts";
import type { Tables } from "../../../shared/ports/tables.ts";
import { noticeWrites, outboxDelete, readOutbox } from "../../../shared/store/outbox.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

const notice = (kind: NoticeKind, at: number, dedupe: string) =>
  noticeOf(kind, { at, group: null, to: [], dedupe, data: {} as never });

describe("the outbox", () => {
  let tables: Tables;
  beforeEach(() => {
    tables = memoryTables(schemas);
  });

  test("is read from what goes before all others, by priority, and by age within one", async () => {
    const told = [
      notice("leaseOpened", 1000, "a"),
      notice("driftFound", 900, "b"),
      notice("lockdownStarted", 5000, "c"),
      notice("leaseOverdue", 4000, "d"),
      notice("driftHeld", 100, "e"),
    ];
    await tables.writeAll(noticeWrites(...told));
    const { pending, more } = await readOutbox(tables, 4);
    expect(pending.map((it) => it.notice?.kind)).toEqual([
      "lockdownStarted",
      "leaseOverdue",
      "driftHeld",
      "driftFound",
    ]);
    expect(more).toBe(true);
    await tables.writeAll(pending.map(outboxDelete));
    expect((await readOutbox(tables, 4)).pending.map((it) => it.notice?.kind)).toEqual(["leaseOpened"]);
  });

  test("has the job run at once for what is urgent, and gathers what may wait", () => {
    const dues = noticeWrites(
      notice("lockdownStarted", 61_001, "a"),
      notice("leaseOverdue", 61_900, "b"),
      notice("driftFound", 61_001, "c"),
      notice("driftFound", 69_000, "d"),
    ).filter((write) => write.table === "due");
    expect(dues.map((write) => write.key)).toEqual([
      [0, 62_000, "job", "notify"],
      [0, 70_000, "job", "notify"],
    ]);
  });

  test("hands out what it cannot read as such, so that it does not hold up the rest", async () => {
    await tables.put("outbox", [0, 1, "nt-x"], { body: "{" }, { kind: "none" });
    await tables.put("outbox", [0, 2, "nt-y"], { body: '{"kind":"toString"}' }, { kind: "none" });
    await tables.writeAll(noticeWrites(notice("driftFound", 1, "a")));
    const { pending } = await readOutbox(tables, 10);
    expect(pending.map((it) => it.notice?.kind ?? null)).toEqual([null, null, "driftFound"]);
  });
});
