// What has expired is removed from a machine's disk by a clock that is right, and by no other.
import { expect, test } from "vitest";
import { keepPurging } from "../../../cli/machine/keep-purging.ts";

test("nothing is removed before the cloud has told the time, nor by a clock that is wrong, and then every few hours", async () => {
  const waits: number[] = [];
  let next = (): void => undefined;
  let isRight = false;
  let purged = 0;
  const stop = keepPurging({
    clock: {
      schedule: (delayMs, run) => {
        waits.push(delayMs);
        next = run;
        return () => undefined;
      },
    },
    purge: async () => ++purged,
    isClockRight: () => isRight,
    log: () => undefined,
  });
  const round = async (): Promise<void> => {
    const before = waits.length;
    next();
    while (waits.length === before) await new Promise(setImmediate);
  };
  await round();
  expect([purged, waits]).toEqual([0, [60_000, 60_000]]);
  isRight = true;
  await round();
  await round();
  expect([purged, waits.slice(2)]).toEqual([2, [21_600_000, 21_600_000]]);
  await stop();
});
