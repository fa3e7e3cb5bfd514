import { describe, expect, test } from "vitest";
import { seenPage } from "../../../shared/http/seen-page.ts";

const all = [1, 2, 3, 4, 5, 6, 7];
const reader = (limit: number) => async (after: number | null) => {
  const from = after === null ? 0 : after;
  const items = all.slice(from, from + limit);
  return { items, next: from + limit < all.length ? (items.at(-1) ?? null) : null };
};
const page = (limit: number, after: number | null, isSeen: (n: number) => boolean) =>
  seenPage({ limit, after }, reader(limit), isSeen, (n) => n);

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
});
