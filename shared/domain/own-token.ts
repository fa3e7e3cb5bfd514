// ClientTokens of our own calls: they tell whose call an event is about, long after the intent that booked them is gone.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { GroupId } from "./ids.ts";
import type { Intent } from "./ledger-entry.ts";
import type { MarkSecret } from "./mark.ts";

const TOKEN = /^sp-[0-9a-f]{24}-[0-9a-f]{8}-[0-9a-f]{16}$/;

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
  return tokenOf(chance, minted, use, secret);
}

/** True when this installation minted the token for such a call to this group, not long before or, by clocks that differ, after. */
export function isOwnToken(token: string, use: TokenUse, secret: MarkSecret): boolean {
  if (!TOKEN.test(token)) return false;
  const [chance, minted] = [token.slice(3, 27), token.slice(28, 36)];
  const isTrue = timingSafeEqual(Buffer.from(token), Buffer.from(tokenOf(chance, minted, use, secret)));
  return isTrue && Math.abs(use.at - Number.parseInt(minted, 16) * 1000) <= USED_WITHIN_MS;
}

function tokenOf(chance: string, minted: string, { groupId, call }: TokenUse, secret: MarkSecret): string {
  const told = `token\n${groupId}\n${call}\n${minted}\n${chance}`;
  return `sp-${chance}-${minted}-${createHmac("sha256", secret).update(told).digest("hex").slice(0, 16)}`;
}
