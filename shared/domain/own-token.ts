// ClientTokens of our own calls: they tell whose call an event is about, long after the intent that booked them is gone.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { GroupId } from "./ids.ts";
import type { Intent } from "./ledger-entry.ts";
import type { MarkSecret } from "./mark.ts";

const TOKEN = /^sp-([0-9a-f]{24})-([0-9a-f]{8})-([0-9a-f]{16})$/;

/** So long after it was minted a call may still be made with a token, all attempts and the difference of the clocks counted. */
const USED_WITHIN_MS = 60 * 60_000;

/** What a token is minted for. It can be read in the trail: for another call, or much later, it is somebody's copy. */
export interface TokenUse {
  readonly groupId: GroupId;
  readonly call: Intent["call"];
  /** When it is minted, or when the call was made. */
  readonly at: number;
}

/** `sp-<chance>-<seconds>-<mac>`, 53 characters: ECS takes 64 of ASCII. `chance` is 24 hex digits. */
export function mintToken(chance: string, use: TokenUse, secret: MarkSecret): string {
  const minted = Math.floor(use.at / 1000)
    .toString(16)
    .padStart(8, "0");
  return `sp-${chance}-${minted}-${macOf(chance, minted, use, secret)}`;
}

/** True when this installation minted the token for such a call to this group, not long before or, by clocks that differ, after. */
export function isOwnToken(token: string, use: TokenUse, secret: MarkSecret): boolean {
  const [, chance = "", minted = "", mac = ""] = TOKEN.exec(token) ?? [];
  const expected = Buffer.from(macOf(chance, minted, use, secret));
  const given = Buffer.from(mac);
  const isTrue = given.length === expected.length && timingSafeEqual(given, expected);
  return isTrue && Math.abs(use.at - Number.parseInt(minted, 16) * 1000) <= USED_WITHIN_MS;
}

const macOf = (chance: string, minted: string, { groupId, call }: TokenUse, secret: MarkSecret): string =>
  createHmac("sha256", secret).update(`token\n${groupId}\n${call}\n${minted}\n${chance}`).digest("hex").slice(0, 16);
