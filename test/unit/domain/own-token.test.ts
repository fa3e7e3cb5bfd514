// ClientTokens that tell our own calls from those of people who copied one from the trail.
import { expect, test } from "vitest";
import type { GroupId } from "../../../shared/domain/ids.ts";
import { isOwnToken, mintToken } from "../../../shared/domain/own-token.ts";

const chance = "0123456789abcdef01234567";
const use = { groupId: "sg-web" as GroupId, call: "authorize", at: Date.UTC(2026, 10, 5, 8) } as const;
const secret = "s".repeat(32);
const aToken = (): string => mintToken(chance, use, secret);

test("a token is as those that stand in the trail already", () => {
  expect(aToken()).toBe("sp-0123456789abcdef01234567-6aec3780-1f37eecab56283bb");
});

test("a token is ours for the call it was minted for, soon after or, by another clock, before", () => {
  const token = aToken();
  expect(token).toMatch(/^[\x21-\x7e]{1,64}$/);
  for (const ms of [-60_000, 0, 59 * 60_000]) expect(isOwnToken(token, { ...use, at: use.at + ms }, secret)).toBe(true);
});

test("a copy is not ours in another group, for another call, much later, or by another installation", () => {
  const token = aToken();
  expect(isOwnToken(token, { ...use, groupId: "sg-db" as GroupId }, secret)).toBe(false);
  expect(isOwnToken(token, { ...use, call: "revoke" }, secret)).toBe(false);
  expect(isOwnToken(token, { ...use, at: use.at + 61 * 60_000 }, secret)).toBe(false);
  expect(isOwnToken(token, use, "t".repeat(32))).toBe(false);
});

test("no part of a token can be changed, and no other text is one", () => {
  const token = aToken();
  const later = token.replace(/-[0-9a-f]{8}-/, "-7fffffff-");
  expect(isOwnToken(later, { ...use, at: 0x7fffffff * 1000 }, secret)).toBe(false);
  for (const text of [`${token}0`, `${token}\n`, ` ${token}`, `x${token}`, token.slice(0, -1), "", "sp-"])
    expect(isOwnToken(text, use, secret), JSON.stringify(text)).toBe(false);
});

test("it is ours up to an hour later and no longer, whenever it was minted", () => {
  for (const at of [0x00ff_ffff * 1000, use.at]) {
    const minted = mintToken(chance, { ...use, at }, secret);
    expect(minted).toMatch(/^sp-[0-9a-f]{24}-[0-9a-f]{8}-[0-9a-f]{16}$/);
    const isOwnAfter = (ms: number): boolean => isOwnToken(minted, { ...use, at: at + ms }, secret);
    expect([0, 3_600_000, 3_600_001, -3_600_000, -3_600_001].map(isOwnAfter)).toEqual([true, true, false, true, false]);
  }
});
