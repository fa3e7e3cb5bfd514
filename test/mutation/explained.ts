// Mutants that live and are right to live: what they change cannot be seen from outside. `npm run mutate` fails on a survivor that is
// not here, and on a line here that is no survivor any more.

export interface Explained {
  /** Path from the root. */
  readonly file: string;
  /** The source line that the mutant begins on, without the space around it. */
  readonly line: string;
  /** The text that is replaced, and what by; white space counts as one space. */
  readonly original: string;
  readonly replacement: string;
  readonly reason: string;
}

export const EXPLAINED: readonly Explained[] = [
  {
    file: "shared/domain/port-range.ts",
    line: "return from === null || to === null || from > to || more.length > 0 ? null : { from, to };",
    original: "to === null",
    replacement: "false",
    reason:
      "A port is at least 1 and null compares as 0, so the range would run backwards; the compiler wants the question asked.",
  },
];
