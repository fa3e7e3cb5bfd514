// The mutants of shared/plan that live and are right to live.
import type { Explained } from "./explained.ts";

const DIFFERENCES = "shared/plan/group-differences.ts";
const STANDS =
  'standing.kind !== "none" && isAccountedFor(patch, picture.now) ? [{ key: entry.key, ruleId: standing.ruleId }] : [],';
const NO_ID = "What stands for nothing has no id, and no rule of a group is without one: it accounts for none.";

export const EXPLAINED_IN_PLAN: readonly Explained[] = [
  { file: DIFFERENCES, line: STANDS, original: 'standing.kind !== "none"', replacement: "true", reason: NO_ID },
  { file: DIFFERENCES, line: STANDS, original: '"none"', replacement: '""', reason: NO_ID },
  { file: DIFFERENCES, line: STANDS, original: "[]", replacement: '["Stryker was here"]', reason: NO_ID },
  {
    file: DIFFERENCES,
    line: '...calls.flatMap((call) => ("ruleId" in call ? [call.ruleId] : [])),',
    original: "[]",
    replacement: '["Stryker was here"]',
    reason: "The set is asked for ids of rules alone, and no rule has that one.",
  },
  {
    file: "shared/plan/plan-entry.ts",
    line: 'const instance = entry.spec.dest ? formatBare(entry.spec.dest) : "";',
    original: '""',
    replacement: '"Stryker was here!"',
    reason: "Only a rule with a destination can have lost it; the compiler does not know.",
  },
  {
    file: "shared/plan/plan-entry.ts",
    line: 'if (standing.kind !== "preExisting") return undefined;',
    original: 'standing.kind !== "preExisting"',
    replacement: "false",
    reason: "A rule of ours that stands is decided about before, and what stands for nothing has no id to be found by.",
  },
];
