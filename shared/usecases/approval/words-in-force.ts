// Words as they count now: void where their tokens have been revoked, since whoever found a token may have spoken with it, and each of whom the
// policy in force says it is.
import { personOf } from "../../domain/grant-policy.ts";
import type { LeaseRequest } from "../../domain/lease-record.ts";
import type { Policy } from "../../domain/policy.ts";
import type { Approval, ApprovalWord } from "../../domain/second-person.ts";
import { readToken } from "../../store/tokens.ts";
import type { App } from "../app.ts";

/** The approval with its words as they count now. A token that has only expired, or was rotated, was good when it was used. */
export async function wordsInForce(
  app: App,
  policy: Policy,
  request: LeaseRequest,
  approval: Approval,
): Promise<Approval> {
  const nameOf = (name: string): string => personOf(policy, name);
  const words = await Promise.all(
    approval.words.map(async (word): Promise<ApprovalWord> => {
      const { by, issuers } = word;
      const people = { person: nameOf(by), ...(issuers === undefined ? {} : { issuers: issuers.map(nameOf) }) };
      return { ...(await inForce(app, word)), ...people };
    }),
  );
  return { ...approval, requester: nameOf(request.principal), words };
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
