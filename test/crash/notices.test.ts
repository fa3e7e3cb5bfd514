// The crash table of notices: whatever dies or gets lost at each call of the job, everybody is told, and knows a repetition by its id.
import { afterEach, describe, expect, test } from "vitest";
import type { Tables } from "../../shared/ports/tables.ts";
import { type NoticeWorld, noticeWorld } from "../kit/notice-world.ts";

class Death extends Error {}

type Fate = "dies before the call" | "dies after its effect" | "half of a batch is written";

let world: NoticeWorld;
afterEach(() => world.stop());

/** An app that meets its fate at the nth call, and how many calls it made. */
function doomed(at: number, fate: Fate): { app: ReturnType<NoticeWorld["app"]>; made: () => number } {
  let calls = 0;
  const meet = async <Value>(act: () => Promise<Value>, half?: () => Promise<unknown>): Promise<Value> => {
    calls += 1;
    if (calls < at) return act();
    if (calls > at) throw new Death();
    if (fate === "dies after its effect") await act();
    if (fate === "half of a batch is written") await half?.();
    throw new Death();
  };
  const { tables } = world;
  const around: Tables = {
    ...tables,
    get: (...rest) => meet(() => tables.get(...rest)),
    range: (query) => meet(() => tables.range(query)),
    writeAll: (writes) =>
      meet(
        () => tables.writeAll(writes),
        () => tables.writeAll(writes.slice(0, Math.floor(writes.length / 2))),
      ),
  };
  const app = world.app({
    tables: around,
    notifier: (inner) => ({ send: (...rest) => meet(() => inner.send(...rest)) }),
  });
  return { app, made: () => calls };
}

const FATES: readonly Fate[] = ["dies before the call", "dies after its effect", "half of a batch is written"];

describe.each(FATES)("the job that sends %s", (fate) => {
  test("at every call", async () => {
    for (let at = 1, isOver = false; !isOver; at++) {
      world = await noticeWorld({ hook: "webhook", ops: "dingtalk" }, { digestOver: 2 });
      const told = [
        await world.tell("leaseOverdue", "a"),
        await world.tell("driftFound", "b"),
        await world.tell("driftFound", "c"),
        await world.tell("leaseOpened", "d"),
      ];
      const { app, made } = doomed(at, fate);
      await world.send(app).catch((error: unknown) => expect(error).toBeInstanceOf(Death));
      isOver = made() < at;
      await world.drain();
      const ids = (world.receivers["hook"]?.taken() ?? []).map(({ json }) => json["id"]);
      expect([at, new Set(ids)]).toEqual([at, new Set(told.map((it) => it.id))]);
      // At most what one message told is told twice.
      expect(ids.length - told.length).toBeLessThanOrEqual(1);
      const texts = (world.receivers["ops"]?.taken() ?? []).map(({ json }) => JSON.stringify(json));
      expect([at, texts.some((text) => text.includes("past its end"))]).toEqual([at, true]);
      expect([at, texts.some((text) => text.includes("notices") || text.includes("drift: rule added"))]).toEqual([
        at,
        true,
      ]);
      expect([at, await world.waiting()]).toEqual([at, []]);
      if (!isOver) await world.stop();
    }
  });
});
