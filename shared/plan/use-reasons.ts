// Why a verdict on the use of a rule is what it is, in words for people. Pure.

/** Hosts and ports that a reason names; a row of the queue keeps its reasons. */
const TEXTS_MAX = 5;

/** Why a rule stays out of recycling. */
export type OutCode =
  | "notAnOpening"
  | "protected"
  | "held"
  | "neverClose"
  | "exempt"
  | "foreign"
  | "season"
  | "young"
  | "edited"
  | "balanced"
  | "sameGroup";

/** Why the verdict is what it is. */
export type UseCode =
  | OutCode
  | "session"
  | "told"
  | "anybody"
  | "noMembers"
  | "hosts"
  | "coverage"
  | "latest"
  | "strays"
  | "skipped"
  | "shut"
  | "unclear"
  | "ageUnknown"
  | "silence"
  | "scans"
  | "closed"
  | "probes"
  | "others"
  | "exemptionOver";

/** One reason, for people. */
export interface UseReason {
  readonly code: UseCode;
  readonly text: string;
}

/** Reasons of many hosts: the first few of a kind in words, the others counted. */
export class Doubts {
  private readonly byCode = new Map<UseCode, { readonly texts: string[]; more: number }>();

  add(code: UseCode, text: string): void {
    const known = this.byCode.get(code) ?? { texts: [], more: 0 };
    this.byCode.set(code, known);
    if (known.texts.length < TEXTS_MAX) known.texts.push(text);
    else known.more += 1;
  }

  reasons(): readonly UseReason[] {
    return [...this.byCode].flatMap(([code, { texts, more }]) => [
      ...texts.map((text) => ({ code, text })),
      ...(more > 0 ? [{ code, text: `and so for ${more} more` }] : []),
    ]);
  }
}

/** The first few, and how many more there are. */
export const listText = (texts: readonly string[]): string =>
  texts.length <= TEXTS_MAX
    ? texts.join(", ")
    : `${texts.slice(0, TEXTS_MAX).join(", ")} and ${texts.length - TEXTS_MAX} more`;
