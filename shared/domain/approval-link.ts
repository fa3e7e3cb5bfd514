// Links in messages by which an asked person decides about one lease. A link is signed, for one person, one change and a time; what
// makes it good for one use alone is that a person has one word.
import { createHmac, timingSafeEqual } from "node:crypto";

/** What a link is for; `person` is the principal the ledger names. */
export interface ApprovalLink {
  readonly leaseId: string;
  readonly person: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

interface Terms {
  /** The hash of the change that the person is told of. */
  readonly change: string;
  /** The installation's secret; links have a key of their own derived from it. */
  readonly secret: string;
}

const LINK = /^(ls-[0-9a-z]{19})\.([0-9a-z]{1,12})\.([A-Za-z0-9_-]{1,700})\.([A-Za-z0-9_-]{43})$/;

/** `<lease>.<end>.<person>.<signature>`, in letters that need no escaping in an address. */
export function formatLink(link: ApprovalLink, terms: Terms): string {
  const { leaseId, person, expiresAt } = link;
  const name = Buffer.from(person).toString("base64url");
  return [leaseId, expiresAt.toString(36), name, signature(link, terms)].join(".");
}

/** What a link's text says, not checked yet; null when it is none. */
export function parseLink(text: string): (ApprovalLink & { readonly signature: string }) | null {
  const [, leaseId, end, name, sign] = LINK.exec(text) ?? [];
  if (leaseId === undefined || end === undefined || name === undefined || sign === undefined) return null;
  const person = Buffer.from(name, "base64url").toString("utf8");
  return { leaseId, person, expiresAt: Number.parseInt(end, 36), signature: sign };
}

/** True when this installation has signed exactly that, for this change. Compared in constant time. */
export function isGenuineLink(link: ApprovalLink & { readonly signature: string }, terms: Terms): boolean {
  const [given, own] = [Buffer.from(link.signature), Buffer.from(signature(link, terms))];
  return given.length === own.length && timingSafeEqual(given, own);
}

function signature({ leaseId, person, expiresAt }: ApprovalLink, { change, secret }: Terms): string {
  const key = createHmac("sha256", secret).update("safeport approval link 1").digest();
  return createHmac("sha256", key)
    .update(JSON.stringify([leaseId, person, expiresAt, change]))
    .digest("base64url");
}
