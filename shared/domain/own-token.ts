// ClientTokens of our own calls: they tell whose call an event is about, long after the intent that booked them is gone.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { GroupId } from "./ids.ts";
import type { MarkSecret } from "./mark.ts";

const TOKEN = /^sp-([0-9a-f]{24})-([0-9a-f]{16})$/;

/** `sp-<chance>-<mac>`, 44 characters: ECS takes 64 of ASCII. `chance` is 24 hex digits. */
export const mintToken = (chance: string, groupId: GroupId, secret: MarkSecret): string =>
  `sp-${chance}-${macOf(chance, groupId, secret)}`;

/** True when this installation minted the token for a call to this group. */
export function isOwnToken(token: string, groupId: GroupId, secret: MarkSecret): boolean {
  const [, chance = "", mac = ""] = TOKEN.exec(token) ?? [];
  const expected = Buffer.from(macOf(chance, groupId, secret));
  const given = Buffer.from(mac);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

const macOf = (chance: string, groupId: GroupId, secret: MarkSecret): string =>
  createHmac("sha256", secret).update(`token\n${groupId}\n${chance}`).digest("hex").slice(0, 16);
