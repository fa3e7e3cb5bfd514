// Pages of a long list for whoever may see little of it.
import { describe, expect, test } from "vitest";
import { seenPage } from "../../../shared/http/seen-page.ts";

const all = [1, 2, 3, 4, 5, 6, 7];
const read = async (after: number | null, limit: number) => {
  const from = after === null ? 0 : after;
  const items = all.slice(from, from + limit);
  return { items, next: from + limit < all.length ? (items.at(-1) ?? null) : null };
};
const page = (limit: number, after: number | null, isSeen: (n: number) => boolean) =>
  seenPage({ limit, after }, read, isSeen, (n) => n);

describe("a page for somebody who sees a part", () => {
  test("is the list's own page where everything is seen", async () => {
    expect(await page(3, null, () => true)).toEqual({ items: [1, 2, 3], next: 3 });
    expect(await page(3, 6, () => true)).toEqual({ items: [7], next: null });
  });

  test("is filled from what follows, and goes on from the last that was shown", async () => {
    const isOdd = (n: number) => n % 2 === 1;
    expect(await page(2, null, isOdd)).toEqual({ items: [1, 3], next: 3 });
    expect(await page(2, 3, isOdd)).toEqual({ items: [5, 7], next: 7 });
    expect(await page(2, 7, isOdd)).toEqual({ items: [], next: null });
  });

  test("is empty where nothing is seen, and names no place", async () => {
    expect(await page(2, null, () => false)).toEqual({ items: [], next: null });
  });

  test("is found in few readings, however small it is and long the list", async () => {
    let [readings, at] = [0, 0];
    const long = async (after: number | null, limit: number) => {
      readings += 1;
      at = (after ?? 0) + limit;
      const items = Array.from({ length: Math.min(limit, 5000 - (after ?? 0)) }, (_, n) => (after ?? 0) + n + 1);
      return { items, next: at < 5000 ? at : null };
    };
    const found = await seenPage(
      { limit: 1, after: null },
      long,
      (n) => n === 4999,
      (n) => n,
    );
    expect(found).toEqual({ items: [4999], next: 4999 });
    expect(readings).toBeLessThan(15);
  });

  test("is short after some readings where the list says so, and goes on from there", async () => {
    const bounded = (after: number | null) =>
      seenPage(
        { limit: 2, after, readsMax: 1 },
        read,
        (n) => n > 5,
        (n) => n,
      );
    expect(await bounded(null)).toEqual({ items: [], next: 2 });
    expect(await bounded(4)).toEqual({ items: [6], next: 6 });
    expect(await bounded(6)).toEqual({ items: [7], next: null });
  });
});
