// Work side by side: when some of it fails, nothing goes on behind the back of whoever has waited for it.
import { expect, test } from "vitest";
import { inParallel } from "../../../shared/usecases/in-parallel.ts";

const turns = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n++) await Promise.resolve();
};

test("a failure is thrown when what was under way has ended, and nothing more is begun", async () => {
  const [begun, ended]: [number[], number[]] = [[], []];
  const work = async (item: number): Promise<void> => {
    begun.push(item);
    await turns(item === 2 ? 1 : 20);
    if (item === 2) throw new Error("the second fails");
    ended.push(item);
  };
  await expect(inParallel([1, 2, 3, 4, 5, 6], work, 3)).rejects.toThrow("the second fails");
  expect([begun, ended]).toEqual([
    [1, 2, 3],
    [1, 3],
  ]);
});

test("the first of several failures is thrown", async () => {
  const failing = async (item: number): Promise<void> => {
    await turns(item);
    throw new Error(`${item}`);
  };
  await expect(inParallel([3, 2, 1], failing)).rejects.toThrow("1");
});

test("no more than the limit are under way at once, and as many as that", async () => {
  let [now, most] = [0, 0];
  const work = async (): Promise<void> => {
    most = Math.max(most, ++now);
    await turns(5);
    now--;
  };
  await inParallel([1, 2, 3, 4, 5, 6, 7], work, 3);
  expect(most).toBe(3);
});
