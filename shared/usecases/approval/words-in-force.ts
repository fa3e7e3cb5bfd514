// Words whose tokens have been revoked: whoever found a token may have spoken with it.
import type { Approval, ApprovalWord } from "../../domain/second-person.ts";
import { readToken } from "../../store/tokens.ts";
import type { App } from "../app.ts";

/** The approval with such words made void. A token that has only expired, or was rotated, was good when it was used. */
export async function wordsInForce(app: App, approval: Approval): Promise<Approval> {
  const words = await Promise.all(approval.words.map((word) => inForce(app, word)));
  return { ...approval, words };
}

/** True where one of the words that are meant still counts. Reads a token only for those. */
export async function hasWord(
  app: App,
  { words }: Approval,
  isMeant: (word: ApprovalWord) => boolean,
): Promise<boolean> {
  const meant = await Promise.all(words.filter(isMeant).map((word) => inForce(app, word)));
  return meant.some((word) => !word.isVoid);
}

async function inForce(app: App, word: ApprovalWord): Promise<ApprovalWord> {
  if (word.tokenId === undefined || (await readToken(app.tables, word.tokenId))?.revokedAt === null) return word;
  return { ...word, isVoid: true };
}
