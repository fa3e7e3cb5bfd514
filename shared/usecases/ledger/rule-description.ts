// What a rule that stands for good is to say of itself.

const LENGTH_MAX = 200;

/** The description of a rule that is opened for the ledger: never empty, never a mark, never what the cloud refuses. */
export function writtenFor(reason: string): string {
  const printable = reason
    .replace(/\s+/g, " ")
    .replace(/[^\x20-\x7e]/g, "")
    .trim();
  return `safeport ledger: ${printable}`.slice(0, LENGTH_MAX).trimEnd();
}
